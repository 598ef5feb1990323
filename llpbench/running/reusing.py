"""A new image treated like those that a method was trained on, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from llpbench.data.building import Recipe
from llpbench.data.building.area import find_area
from llpbench.data.building.band_names import COLOURS, is_same_name, role_of
from llpbench.data.building.bands import find_band
from llpbench.data.building.images import open_images
from llpbench.data.building.raster_band import Band
from llpbench.data.building.raster_file import RasterFile
from llpbench.data.building.recording import pixel_side
from llpbench.data.building.stack import BandStack, open_stack
from llpbench.data.recipe import ImageRecipe
from llpbench.errors import BuildError, examples
from llpbench.running.reusing_embedding import check_embedding

_OTHER_SIZE = 1.5
"""Times by which pixels may be larger or smaller than those trained on."""


def reuse_recipe(
    known: ImageRecipe | None, wanted: Recipe, *, force: bool
) -> tuple[Recipe, list[str], list[str]]:
    """Complete what is wanted of new images by how those were treated that were trained on.

    Bands are found by their names where all files have names, else by their numbers. What is
    wanted otherwise is done, and said.

    Parameters
    ----------
    known : ImageRecipe or None
        What was done to the images that were trained on; None where nobody wrote it down.
    force : bool
        Whether images of another kind are taken nevertheless.

    Returns
    -------
    recipe : Recipe
        With bands, scale, side of chips and projection, where these are known.
    remarks, faults : list of str
        What was done, and why images are of another kind: not empty with ``force`` alone.
    """
    if known is None:
        remark = (
            "this run does not know how its images were made into chips: bands and values of the "
            "new image are guessed; give --bands and --scale where that is wrong"
        )
        return wanted, [remark], []
    remarks, faults = check_embedding(known, wanted)
    if wanted.chip_km not in (None, known.chip_km):
        faults.append(f"chips of {wanted.chip_km:g} km, trained on chips of {known.chip_km:g} km")
    chosen = replace(
        wanted,
        chip_km=known.chip_km if wanted.chip_km is None else wanted.chip_km,
        crs=wanted.crs or known.crs_rule,
    )
    if known.count:
        chosen, said, odd = _reuse_bands(known, chosen)
        remarks, faults = [*remarks, *said], [*odd, *faults]
    else:
        remarks.append(f"as in training: chips of {chosen.chip_km:g} km")
    if faults and not force:
        raise BuildError(
            f"the new image is of another kind than those the method was trained on: {faults[0]}; "
            "give the right image or options, or --force to go on"
        )
    return chosen, remarks, faults


def _reuse_bands(known: ImageRecipe, wanted: Recipe) -> tuple[Recipe, list[str], list[str]]:
    """Complete bands and scale; also what was done, and why images are of another kind."""
    bands = tuple(wanted.bands or _find_bands(known, wanted))
    images, _ = open_images(replace(wanted, bands=bands))
    faults = [] if wanted.bands is None else _odd_bands(known, images)
    faults += _odd_numbers(known, wanted, images)
    chosen = replace(wanted, bands=bands, scale=wanted.scale or known.limits)
    return chosen, _say(known, chosen, images), faults


def _find_bands(known: ImageRecipe, wanted: Recipe) -> tuple[int | str, ...]:
    """Names of the bands trained on where all files have names, else their numbers."""
    if wanted.items is not None:
        return known.names or _colours(known)
    images = open_stack(wanted.images)[0]
    if known.names and all(band.shown_name for bands in _listed(images) for band in bands):
        for bands in _listed(images):
            _check_names(known, images, bands)
        return known.names
    for bands in _listed(images):
        if len(bands) != known.count:
            raise BuildError(
                f"{images.name} has {len(bands)} bands, the images trained on had "
                f"{known.count}: say with --bands which are those trained on ({known.listed})"
            )
    return tuple(band.number for band in known.bands)


def _colours(known: ImageRecipe) -> tuple[str, ...]:
    """What bands without names are taken for, where they are to be found in a catalogue."""
    if known.count != len(COLOURS):
        raise BuildError(
            f"the bands trained on ({known.listed}) have no names by which items have theirs: say "
            "with --bands which assets they are"
        )
    return COLOURS


def _listed(images: BandStack) -> list[tuple[Band, ...]]:
    """The bands of each file that holds all, or of all files where each holds one."""
    if len(images.sheets) > 1:
        return [images.bands]
    return [file.bands for file in images.files]


def _check_names(known: ImageRecipe, images: BandStack, bands: Sequence[Band]) -> None:
    missing = [name for name in known.names if len(find_band(bands, name)) != 1]
    if missing:
        own = [band.shown_name for band in bands]
        raise BuildError(
            f"{images.name} has no band {examples(missing)}, which the method was trained "
            f"on; its bands are {examples(own, 12)}: say with --bands which are those trained on"
        )


def _odd_bands(known: ImageRecipe, images: BandStack) -> list[str]:
    """Say it if the bands that were asked for are not as many, or called otherwise."""
    called = [band.shown_name for band in images.bands]
    if len(called) != len(known.bands):
        return [f"--bands names {len(called)}, trained on {len(known.bands)} bands"]
    if not known.names or not all(called):
        return []
    if all(_shows_same(*names) for names in zip(called, known.names, strict=True)):
        return []
    return [f"--bands names {examples(called)}, trained on {examples(known.names)}"]


def _shows_same(first: str, second: str) -> bool:
    return is_same_name(first, second) or role_of(first) == role_of(second) != ""


def _odd_numbers(known: ImageRecipe, wanted: Recipe, images: BandStack) -> list[str]:
    faults = []
    if known.limits is None and wanted.scale is not None:
        faults.append("--scale makes bytes, trained on numbers as they are")
    elif wanted.scale is None:
        faults += [fault for file in images.files for fault in _odd_values(known, images, file)]
    for file in images.finest:
        side = pixel_side(file, find_area([file], None))
        if abs(np.log(side / known.pixel_m)) > np.log(_OTHER_SIZE):
            here, there = (f"pixels of {metres:.3g} m" for metres in (side, known.pixel_m))
            faults.append(f"{file.path.name} has {here}, trained on {there}")
    return faults


def _odd_values(known: ImageRecipe, images: BandStack, file: RasterFile) -> list[str]:
    """Say it if a file stores another kind of values, or without the tags that say what they are.

    Of files of one band each the type of all counts.
    """
    dtype = images.dtype if len(images.sheets) > 1 else file.dtype
    if (_kind(dtype), file.has_tags) == (_kind(known.dtype), known.has_tags):
        return []
    fault = (
        f"{file.path.name} stores {_numbers(dtype, file.has_tags)}, trained on "
        f"{_numbers(known.dtype, known.has_tags)}"
    )
    if known.limits is None:
        return [f"{fault}: convert it to what was trained on"]
    return [
        f"{fault}: name with --scale the values that are as dark and as bright as "
        f"{known.low:g} and {known.high:g} were"
    ]


def _kind(dtype: str) -> str:
    if dtype == "uint8":
        return "bytes"
    return "whole numbers" if np.dtype(dtype).kind in "iu" else "fractions"


def _numbers(dtype: str, has_tags: bool) -> str:
    return f"{_kind(dtype)} ({dtype}){' with a scale or offset of its own' if has_tags else ''}"


def _say(known: ImageRecipe, chosen: Recipe, images: BandStack) -> list[str]:
    """What was taken over, and what is otherwise by the options given."""
    bands = images.bands
    by = "by name" if known.names and all(band.shown_name for band in bands) else "by number"
    listed = f"bands {[band.number for band in bands]} ({by})"
    if len(images.sheets) > 1:
        listed = f"bands {examples([band.name for band in bands], 13)} (by name)"
    listed += " are red, green and blue" if images.is_rgb else ""
    numbers = "numbers as they are"
    if chosen.scale is not None:
        low, high = chosen.scale
        numbers = f"{low:g} to {high:g} become 0 to 255"
    remarks = [f"as in training: {listed}, {numbers}, chips of {chosen.chip_km:g} km"]
    if known.limits not in (None, chosen.scale):
        remarks.append(f"in training {known.low:g} to {known.high:g} became 0 to 255")
    if known.clouds and not chosen.clouds:
        remarks.append(
            "in training, clouds were missing by the scene classification; here they are "
            "predicted as if they were ground, without --clouds"
        )
    return remarks
