"""The rules of the benchmark, version 1: what a prediction is about and what it may be made from.

The text for people is ``docs/protocol.md``; both say the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from llpbench.errors import MethodError, UnknownNameError, examples, unknown

if TYPE_CHECKING:
    import xarray as xr

CHIP_SIZE = 100
"""Pixels along a side of a chip."""

SCORE_WINDOW = slice(2, 98)
"""The rows and columns of a chip that every truth and every prediction is about."""

WINDOW_SIDE = SCORE_WINDOW.stop - SCORE_WINDOW.start
"""Pixels along a side of the score window."""

INTERVAL_LEVELS = (0.5, 0.8, 0.9, 0.95)
"""How likely a true share is to lie in each of the intervals that methods here predict."""

SPLITS = ("train", "val", "test")

ALL = "all"
"""All splits together: what may be trained on or predicted for a map, and is never scored."""

LEAST_COVERAGE = 0.75
"""Least part of a division's area that is predicted where its known shares are compared with the
mean prediction. What is not seen can then move them by a quarter of the difference between the
two parts at most. Of the whole municipalities at hand nearly all have .8 and more, as chips on
their borders belong to neighbours; those cut by the edge of an image have less."""

VERSION = 1
SCORER_VERSION = "1.1"
"""Changes whenever any score could."""

_IMAGES = ("image", "chip", "band", "embedding", "embedding_scale", "feature")
_DIVISIONS = (
    *("target", "division_proportions", "overlap_chip", "overlap_division", "overlap_area"),
    *("chip_number", "own_division", "division", "division_number", "category", "category_name"),
)

SUPERVISION = {
    "division": (*_IMAGES, *_DIVISIONS, "split"),
    "chip": (*_IMAGES, *_DIVISIONS, "split", "chip_proportions"),
    "pixel": (*_IMAGES, *_DIVISIONS, "split", "chip_proportions", "label"),
}
"""Variables and coordinates that a method of each level may see of the chips it is trained on."""

PLACES = ("lon", "lat")
"""What making intervals may see of training chips besides: it changes no predicted share."""

SUPERVISION_ATTRIBUTES = ("label_set", "grouped")
"""Attributes that it may see: the class groups and their weights, but no name, digest or path of
the dataset, from which its labels could be opened."""

CODING_ATTRIBUTES = (
    *("missing_value", "scale_factor", "add_offset"),
    *(f"quantization_{what}" for what in ("method", "scale", "power", "array")),
)
"""Attributes of images and embeddings that methods may see: how numbers become values."""

TRACKS = {
    "inductive": _IMAGES,
    "disaggregation": (*_IMAGES, *_DIVISIONS),
    "cross-region": _IMAGES,
}
"""Variables and coordinates that a method of each track may see of the chips it predicts; no
attributes."""

_OWN = {
    *(*SUPERVISION["pixel"], *PLACES, "split_chip", "bounds", "bound", "overlap"),
    *("truth", "proportions", "segmentation"),
}
_INPUT_DIMS = _OWN - {"band", "feature"}
"""What an input is never over, but for the chips that come first."""

SCORED = ("divisions", "chips")
"""What can be scored: means of divisions by known shares, or chips, by their labels, as well."""


def scores_chips(split: str, score: str | None = None) -> bool:
    """Whether chips of a split are scored by their labels, if it is not said what is scored.

    Those of val are not: what is chosen on it is chosen by divisions.

    Parameters
    ----------
    split : str
        What was predicted.
    score : {"divisions", "chips"}, optional
        What was asked for, see :data:`SCORED`.
    """
    if score not in (None, *SCORED):
        raise UnknownNameError(unknown("way to score", str(score), SCORED))
    return score == "chips" or (score is None and split != "val")


def training_inputs(
    ds: xr.Dataset, supervision: str, *, places: bool = False, inputs: Sequence[str] = ()
) -> xr.Dataset:
    """Keep only what a method may see of the chips it is trained on.

    Parameters
    ----------
    ds : Dataset
        A split.
    supervision : {"division", "chip", "pixel"}
        The level, see :data:`SUPERVISION`.
    places : bool
        Whether intervals are made, for which :data:`PLACES` may be seen too.
    inputs : sequence of str
        Variables that somebody added, see :attr:`llpbench.Method.inputs`.

    Raises
    ------
    UnknownNameError
        If there is no such level.
    MethodError
        If an input is missing, the benchmark's own, or not numbers of chips.
    """
    if supervision not in SUPERVISION:
        raise UnknownNameError(unknown("supervision level", supervision, SUPERVISION))
    attributes = {key: ds.attrs[key] for key in SUPERVISION_ATTRIBUTES if key in ds.attrs}
    names = (*SUPERVISION[supervision], *(PLACES if places else ()))
    return _only(ds, names, inputs).assign_attrs(attributes)


def prediction_inputs(ds: xr.Dataset, track: str, *, inputs: Sequence[str] = ()) -> xr.Dataset:
    """Keep only what a method may see of the chips it predicts.

    Parameters
    ----------
    ds : Dataset
        A grouped split.
    track : {"inductive", "disaggregation", "cross-region"}
        See :data:`TRACKS`: an inductive method sees images alone, no places and no proportions.
    inputs : sequence of str
        Variables that somebody added, as for :func:`training_inputs`, which see.
    """
    if track not in TRACKS:
        raise UnknownNameError(unknown("track", track, TRACKS))
    return _only(ds, TRACKS[track], inputs)


def _only(ds: xr.Dataset, names: Collection[str], inputs: Sequence[str]) -> xr.Dataset:
    """Variables and coordinates of these names, without other attributes than of their coding.

    xarray notes in the encoding from which file an array was read. Of inputs nothing is left but
    numbers and names of dimensions.
    """
    seen = ds[[name for name in ds.data_vars if name in names]]
    hidden = [name for name in seen.coords if name not in names]
    plain = seen.drop_vars(hidden).copy()
    plain.attrs, plain.encoding = {}, {}
    for name, array in plain.variables.items():  # drop_attrs() would copy what is in memory
        known = seen[name].attrs if name in seen.data_vars else {}
        array.attrs = {key: known[key] for key in CODING_ATTRIBUTES if key in known}
        array.encoding = {}
    added = {name: _input(ds, name) for name in inputs}
    return plain.assign({name: (array.dims, array.data) for name, array in added.items()})


def _input(ds: xr.Dataset, name: str) -> xr.DataArray:
    """Find a variable that somebody added, and refuse what is none."""
    if name in _OWN:
        raise MethodError(
            f"inputs of a method are variables that you add to a dataset, found {name!r}, which is "
            "one of the benchmark's own: leave it out, or give yours another name"
        )
    if name not in ds:
        raise MethodError(
            f"this method needs the input {name!r}, which the dataset lacks: add it over chip, "
            f"with ds.assign({name}=('chip', values))"
        )
    array = ds[name]
    dims = array.dims
    if dims[:1] != ("chip",) or set(dims[1:]) & _INPUT_DIMS:
        raise MethodError(
            f"an input is over chip first, and over no division or category, but {name!r} is over "
            f"{examples(map(str, dims))}: add it over chip and dimensions of its own"
        )
    if array.dtype.kind not in "biuf":
        raise MethodError(f"an input is of numbers, but {name!r} is of {array.dtype}: convert it")
    return array
