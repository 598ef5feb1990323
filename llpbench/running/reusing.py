"""A new image treated like those that a method was trained on, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from llpbench.data.building import Recipe
from llpbench.data.building.area import find_area
from llpbench.data.building.raster_file import RasterFile, inspect_rasters
from llpbench.data.building.recording import band_names, pixel_side
from llpbench.data.recipe import ImageRecipe
from llpbench.errors import BuildError, examples

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

    Raises
    ------
    BuildError
        If images are of another sensor, number of bands or kind of numbers, or a band is missing.
    """
    if known is None:
        remark = (
            "this run does not know how its images were made into chips: bands and values of the "
            "new image are guessed; give --bands and --scale where that is wrong"
        )
        return wanted, [remark], []
    files = inspect_rasters(wanted.images)
    names = [band_names(file) for file in files]
    if wanted.bands is None:
        bands = _find_bands(known, files, names)
        faults = []
    else:
        bands = tuple(wanted.bands)
        faults = _odd_bands(known, bands, names[0])
    faults += [fault for file in files for fault in _odd_file(known, wanted, file)]
    if wanted.chip_km not in (None, known.chip_km):
        faults.append(f"chips of {wanted.chip_km:g} km, trained on chips of {known.chip_km:g} km")
    if faults and not force:
        raise BuildError(
            f"the new image is of another kind than those the method was trained on: {faults[0]}; "
            "give the right image or options, or --force to go on"
        )
    chosen = replace(
        wanted,
        bands=bands,
        scale=wanted.scale or (known.low, known.high),
        chip_km=known.chip_km if wanted.chip_km is None else wanted.chip_km,
        crs=wanted.crs or known.crs_rule,
    )
    return chosen, _say(known, chosen, names[0]), faults


def _find_bands(
    known: ImageRecipe, files: Sequence[RasterFile], names: Sequence[Sequence[str]]
) -> tuple[int, ...]:
    """Numbers of the bands trained on, which must be the same in all files."""
    found = [_bands_of(known, file, own) for file, own in zip(files, names, strict=True)]
    if len(set(found)) > 1:
        raise BuildError(
            "the bands trained on must have the same numbers in all images, but they are "
            f"{list(found[0])} in {files[0].path.name} and others elsewhere; write the files alike"
        )
    return found[0]


def _bands_of(known: ImageRecipe, file: RasterFile, names: Sequence[str]) -> tuple[int, ...]:
    if known.names and any(names):
        own = [_plain(name) for name in names]
        missing = [name for name in known.names if _plain(name) not in own]
        if missing:
            raise BuildError(
                f"{file.path.name} has no band {examples(missing)}, which the method was trained "
                f"on; its bands are {examples(names, 12)}: say which are red, green and blue with "
                "--bands"
            )
        return tuple(own.index(_plain(name)) + 1 for name in known.names)
    if file.count != known.count:
        raise BuildError(
            f"{file.path.name} has {file.count} bands, the images trained on had {known.count}: "
            "say which are red, green and blue with --bands"
        )
    return tuple(band.number for band in known.bands)


def _plain(name: str) -> str:
    """A name without what differs between spellings: B04 is B4."""
    text = name.strip().casefold()
    return text[:1] + text[1:].lstrip("0") if text[1:].isdigit() else text


def _odd_bands(known: ImageRecipe, bands: Sequence[int], names: Sequence[str]) -> list[str]:
    """Say it if bands that were named by numbers are called otherwise than those trained on."""
    called = [names[band - 1] for band in bands if 1 <= band <= len(names)]
    if not known.names or not all(called) or len(called) != len(known.names):
        return []
    if list(map(_plain, called)) == list(map(_plain, known.names)):
        return []
    return [f"--bands names {examples(called)}, trained on {examples(known.names)}"]


def _odd_file(known: ImageRecipe, wanted: Recipe, file: RasterFile) -> list[str]:
    faults, has_tags = [], (file.scale, file.offset) != (1, 0)
    if wanted.scale is None and (_kind(file.dtype), has_tags) != (
        _kind(known.dtype),
        known.has_tags,
    ):
        faults.append(
            f"{file.path.name} stores {_numbers(file.dtype, has_tags)}, trained on "
            f"{_numbers(known.dtype, known.has_tags)}: name with --scale the values that are as "
            f"dark and as bright as {known.low:g} and {known.high:g} were"
        )
    side = pixel_side(file, find_area([file], None))
    if abs(np.log(side / known.pixel_m)) > np.log(_OTHER_SIZE):
        here, there = (f"pixels of {metres:.3g} m" for metres in (side, known.pixel_m))
        faults.append(f"{file.path.name} has {here}, trained on {there}")
    return faults


def _kind(dtype: str) -> str:
    if dtype == "uint8":
        return "bytes"
    return "whole numbers" if np.dtype(dtype).kind in "iu" else "fractions"


def _numbers(dtype: str, has_tags: bool) -> str:
    return f"{_kind(dtype)} ({dtype}){' with a scale or offset of its own' if has_tags else ''}"


def _say(known: ImageRecipe, chosen: Recipe, names: Sequence[str]) -> list[str]:
    """What was taken over, and what is otherwise by the options given."""
    assert chosen.bands is not None
    assert chosen.scale is not None
    by = "by name" if known.names and any(names) else "by number"
    low, high = chosen.scale
    remarks = [
        f"as in training: bands {list(chosen.bands)} ({by}) are red, green and blue, {low:g} to "
        f"{high:g} become 0 to 255, chips of {chosen.chip_km:g} km"
    ]
    if (low, high) != (known.low, known.high):
        remarks.append(f"in training {known.low:g} to {known.high:g} became 0 to 255")
    return remarks
