"""The rules of the benchmark, version 1: what a prediction is about and what it may be made from.

The text for people is ``docs/protocol.md``; both say the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llpbench.errors import UnknownNameError, unknown

if TYPE_CHECKING:
    import xarray as xr

CHIP_SIZE = 100
"""Pixels along a side of a chip."""

SCORE_WINDOW = slice(2, 98)
"""The rows and columns of a chip that every truth and every prediction is about."""

SPLITS = ("train", "val", "test")

VERSION = 1
SCORER_VERSION = "1.0"
"""Changes whenever any score could."""

TRACKS = {
    "inductive": ("image",),
    "disaggregation": (
        "image",
        "target",
        "division_proportions",
        "overlap_chip",
        "overlap_division",
        "overlap_area",
    ),
    "cross-region": ("image",),
}
"""The variables that a method of each track may see of the chips it predicts."""

SUPERVISION = ("division", "chip", "pixel")
"""What a method may see of the chips it is trained on, see ``ds.llp.restrict``."""

_COORDINATES = {
    "inductive": ("chip", "band"),
    "disaggregation": (
        *("chip", "band", "chip_number", "own_division"),
        *("division", "division_number", "category", "category_name"),
    ),
    "cross-region": ("chip", "band"),
}


def prediction_inputs(ds: xr.Dataset, track: str) -> xr.Dataset:
    """Take away all that a method must not see of the chips it predicts.

    Parameters
    ----------
    ds : Dataset
        A grouped split.
    track : {"inductive", "disaggregation", "cross-region"}
        An inductive method sees ``image`` alone: no targets, shares, overlaps or places.

    Returns
    -------
    Dataset

    Raises
    ------
    UnknownNameError
        If there is no such track.
    """
    if track not in TRACKS:
        raise UnknownNameError(unknown("track", track, TRACKS))
    seen = ds[list(TRACKS[track])]
    hidden = [name for name in seen.coords if name not in _COORDINATES[track]]
    return seen.drop_vars(hidden).drop_attrs(deep=False)
