"""A new image treated like those that a method was trained on, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from llpbench.data.building import Recipe
from llpbench.data.building.area import find_area
from llpbench.data.building.band_names import is_same_name, role_of
from llpbench.data.building.bands import choose_bands, find_band
from llpbench.data.building.raster_file import RasterFile, inspect_rasters
from llpbench.data.building.recording import pixel_side
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
    """
    if known is None:
        remark = (
            "this run does not know how its images were made into chips: bands and values of the "
            "new image are guessed; give --bands and --scale where that is wrong"
        )
        return wanted, [remark], []
    found = inspect_rasters(wanted.images)
    bands = _find_bands(known, found) if wanted.bands is None else tuple(wanted.bands)
    files, _ = choose_bands(found, bands)
    faults = [] if wanted.bands is None else _odd_bands(known, files[0])
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
    return chosen, _say(known, chosen, files[0]), faults


def _find_bands(known: ImageRecipe, files: Sequence[RasterFile]) -> tuple[int | str, ...]:
    """Names of the bands trained on where all files have names, else their numbers."""
    if known.names and all(any(band.shown_name for band in file.bands) for file in files):
        for file in files:
            _check_names(known, file)
        return known.names
    for file in files:
        if file.count != known.count:
            raise BuildError(
                f"{file.path.name} has {file.count} bands, the images trained on had "
                f"{known.count}: say which are red, green and blue with --bands"
            )
    return tuple(band.number for band in known.bands)


def _check_names(known: ImageRecipe, file: RasterFile) -> None:
    missing = [name for name in known.names if len(find_band(file, name)) != 1]
    if missing:
        own = [band.shown_name for band in file.bands]
        raise BuildError(
            f"{file.path.name} has no band {examples(missing)}, which the method was trained "
            f"on; its bands are {examples(own, 12)}: say which are red, green and blue with --bands"
        )


def _odd_bands(known: ImageRecipe, file: RasterFile) -> list[str]:
    """Say it if the bands that were asked for are called otherwise than those trained on."""
    called = [band.shown_name for band in file.bands]
    if not known.names or not all(called):
        return []
    if all(_shows_same(*names) for names in zip(called, known.names, strict=True)):
        return []
    return [f"--bands names {examples(called)}, trained on {examples(known.names)}"]


def _shows_same(first: str, second: str) -> bool:
    return is_same_name(first, second) or role_of(first) == role_of(second) != ""


def _odd_file(known: ImageRecipe, wanted: Recipe, file: RasterFile) -> list[str]:
    faults, has_tags = [], file.has_tags
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


def _say(known: ImageRecipe, chosen: Recipe, file: RasterFile) -> list[str]:
    """What was taken over, and what is otherwise by the options given."""
    assert chosen.scale is not None
    by = "by name" if known.names and all(band.shown_name for band in file.bands) else "by number"
    low, high = chosen.scale
    remarks = [
        f"as in training: bands {list(file.numbers)} ({by}) are red, green and blue, {low:g} to "
        f"{high:g} become 0 to 255, chips of {chosen.chip_km:g} km"
    ]
    if (low, high) != (known.low, known.high):
        remarks.append(f"in training {known.low:g} to {known.high:g} became 0 to 255")
    return remarks
