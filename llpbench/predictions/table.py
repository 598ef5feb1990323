"""The predictions table: made, checked against a dataset.

Predictions are an ``xr.Dataset`` with ``proportions`` (chip, category) in the names of the
class groups and, where a method labels pixels, ``segmentation`` (chip, row, column); where it says
how sure it is, intervals (:mod:`llpbench.predictions.intervals`). Reading and writing files is in
:mod:`llpbench.predictions.files`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llpbench.errors import PredictionsError, examples
from llpbench.predictions.intervals import DIMENSIONS, check_intervals, named_columns
from llpbench.predictions.names import mangled, match_categories, match_ids
from llpbench.predictions.segmentation import check_segmentation, reordered

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

log = logging.getLogger(__name__)

SUM_TOLERANCE = 1e-3
"""How far the shares of a chip may be from summing to 1."""

ATTRIBUTES = (
    *("dataset", "digest", "split", "method", "seed", "track", "trained_on"),
    *("warning", "match"),
)
"""Attributes of predictions, as far as they are known; all text, but ``seed``. The last two say
that images look otherwise than those trained on, and how they were matched to them."""


def make_predictions(
    chips: Sequence[str] | NDArray[np.str_],
    categories: Sequence[str] | NDArray[np.str_],
    proportions: ArrayLike,
    segmentation: ArrayLike | None = None,
    *,
    levels: ArrayLike | None = None,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    **attributes: str | int,
) -> xr.Dataset:
    """Put predicted shares, and optionally classes of pixels and intervals, into one dataset.

    Parameters
    ----------
    chips : sequence of str
        Chip ids.
    categories : sequence of str
        Names of the class groups, in their order.
    proportions : array, shape (chip, category)
        Shares from 0 to 1 that sum to 1.
    segmentation : array of uint8, shape (chip, row, column), optional
        Category number of each cell of a square grid over the score window; the side divides 96.
    levels : array, shape (level,), optional
        How likely shares are to lie in the intervals; ascending, between 0 and 1.
    low, high : array, shape (level, chip, category), optional
        Bounds of the intervals, 0 <= low <= high <= 1.
    **attributes
        Any of ``dataset``, ``digest``, ``split``, ``method``, ``seed``, ``track``, ``trained_on``.

    Examples
    --------
    >>> made = make_predictions(["a", "b"], ["tree", "crop"], [[0.5, 0.5], [1, 0]], seed=3)
    >>> made["proportions"].sel(chip="b", category="tree").item()
    1.0
    """
    import xarray as xr

    variables: dict[str, tuple[tuple[str, ...], NDArray[Any]]] = {
        "proportions": (("chip", "category"), np.asarray(proportions, dtype=np.float32))
    }
    if segmentation is not None:
        variables["segmentation"] = (("chip", "row", "column"), np.asarray(segmentation))
    for name, bound in (("low", low), ("high", high)):
        if bound is not None:
            variables[name] = DIMENSIONS, np.asarray(bound, dtype=np.float32)
    coordinates: dict[str, tuple[str, NDArray[Any]]] = {
        "chip": ("chip", np.asarray(chips, dtype=str)),
        "category": ("category", np.asarray(categories, dtype=str)),
    }
    if levels is not None:
        coordinates["level"] = ("level", np.asarray(levels, dtype=np.float64))
    return xr.Dataset(variables, coordinates, attrs=attributes)


def known_attributes(stored: object) -> dict[str, Any]:
    """Those that predictions may have, of what a file says."""
    if not isinstance(stored, dict):
        return {}
    return {key: stored[key] for key in ATTRIBUTES if isinstance(stored.get(key), str | int)}


def to_table(predictions: xr.Dataset) -> pd.DataFrame:
    """Proportions as a table: a column ``chip``, then one for each category, then intervals."""
    table = predictions["proportions"].to_pandas()
    table.columns.name = None
    for name, values in named_columns(predictions).items():
        table[name] = values
    return table.rename_axis("chip").reset_index()


def template(ds: xr.Dataset) -> xr.Dataset:
    """Predictions to be filled: every chip of a dataset, every share NaN.

    Parameters
    ----------
    ds : Dataset
        A split of a dataset.
    """
    grouped = ds.llp.group()
    names = grouped["category_name"].to_numpy()
    return make_predictions(
        ds["chip"].to_numpy(),
        names,
        np.full((ds.sizes["chip"], len(names)), np.nan),
        dataset=ds.llp.info.name,
        digest=ds.llp.info.digest,
        split=str(ds["split"].to_numpy()[0]),
    )


def check_predictions(
    predictions: xr.Dataset, ds: xr.Dataset, *, renormalise: bool = False
) -> xr.Dataset:
    """Check predictions against the split they are about.

    Parameters
    ----------
    predictions : Dataset
        As :func:`make_predictions` makes them, chips and categories in any order.
    ds : Dataset
        A grouped or ungrouped split of a dataset.
    renormalise : bool
        Whether shares that do not sum to 1 are divided by their sum instead of refused; intervals,
        which are about true shares, stay as they are.

    Returns
    -------
    Dataset
        The same predictions with chips and categories in the order of ``ds``.

    Raises
    ------
    PredictionsError
        Saying what was expected, what was found and what to do.
    """
    _check_form(predictions)
    _check_dataset(predictions, ds)
    categories = ds.llp.group()["category_name"].to_numpy()
    predictions = _as_known(predictions, "chip", ds["chip"].to_numpy())
    _check_names("chip", predictions["chip"].to_numpy(), ds["chip"].to_numpy(), ds)
    predictions = _as_known(predictions, "category", categories)
    _check_names("category", predictions["category"].to_numpy(), categories, ds)
    ordered = _in_order(predictions, chip=ds["chip"].to_numpy(), category=categories)
    if "segmentation" in predictions:
        check_segmentation(ordered["segmentation"], len(categories))
        ordered = ordered.assign(
            segmentation=reordered(ordered["segmentation"], predictions, categories)
        )
    ordered = check_intervals(ordered)
    shares = _check_shares(ordered, renormalise)
    return ordered.assign(proportions=ordered["proportions"].copy(data=shares))


def _in_order(predictions: xr.Dataset, **names: NDArray[np.str_]) -> xr.Dataset:
    """Predictions in an order of chips and categories, themselves where they are in it."""
    for kind, ordered in names.items():
        if not np.array_equal(predictions[kind].to_numpy(), ordered):
            predictions = predictions.sel({kind: ordered})
    return predictions


def _check_form(predictions: xr.Dataset) -> None:
    if "proportions" not in predictions:
        raise PredictionsError(
            "predictions need 'proportions' over chip and category; found "
            f"{examples(map(str, predictions.data_vars)) or 'no variables'}"
        )
    for name, dims in {
        "proportions": ("chip", "category"),
        "segmentation": ("chip", "row", "column"),
    }.items():
        if name in predictions and predictions[name].dims != dims:
            raise PredictionsError(f"{name!r} must be over {dims}, found {predictions[name].dims}")
    for name in ("chip", "category"):
        if name not in predictions.coords:
            raise PredictionsError(
                f"predictions must name each {name}: coordinate {name!r} is missing"
            )
    if predictions["proportions"].dtype.kind not in "fiu":
        raise PredictionsError(
            f"'proportions' must be numbers, found {predictions['proportions'].dtype}"
        )


def _check_dataset(predictions: xr.Dataset, ds: xr.Dataset) -> None:
    for key, known in (("dataset", ds.llp.info.name), ("digest", ds.llp.info.digest)):
        stated = predictions.attrs.get(key)
        if stated and stated != known:
            raise PredictionsError(
                f"these predictions are for {key} {stated!r}, not for {known!r}; "
                "give the dataset they were made for, or predict this one"
            )


def _as_known(
    predictions: xr.Dataset, kind: Literal["chip", "category"], expected: NDArray[np.str_]
) -> xr.Dataset:
    """Predictions whose chips or categories are called as in the dataset, if it is clear which."""
    found = predictions[kind].to_numpy().astype(str)
    if np.array_equal(found, expected) or np.isin(found, expected).all():
        return predictions
    meant = (match_ids if kind == "chip" else match_categories)(found.tolist(), expected.tolist())
    spelled = {name: known for name, known in meant.items() if name != known}
    if not spelled:
        return predictions
    pairs = ", ".join(f"{examples([name])} for {examples([spelled[name]])}" for name in spelled)
    log.warning("names of %s are spelled otherwise: %s", kind, f"{pairs:.200}")
    names = np.array([meant.get(name, name) for name in found.tolist()], dtype=str)
    return predictions.assign_coords({kind: names})


def _check_names(
    kind: str, names: NDArray[np.str_], expected: NDArray[np.str_], ds: xr.Dataset
) -> None:
    if np.array_equal(names, expected):
        return
    names, counts = np.unique(names.astype(str), return_counts=True)
    problems = {
        "missing": np.setdiff1d(expected, names),
        "unknown": np.setdiff1d(names, expected),
        "there more than once": names[counts > 1],
    }
    faults = [
        f"{len(ids)} {what} ({examples(ids.tolist())})"
        for what, ids in problems.items()
        if len(ids)
    ]
    if faults:
        where = (
            f"the {len(expected)} chips of the split" if kind == "chip" else f"{expected.tolist()}"
        )
        changed = mangled(problems["unknown"].tolist(), problems["missing"].tolist())
        advice = f"{changed}; write ids as text, " if kind == "chip" and changed else ""
        raise PredictionsError(
            f"predictions must name each {kind} once, {where}: {'; '.join(faults)}; {advice}start "
            f"from `llpbench template {ds.llp.info.name}`"
        )


def _check_shares(predictions: xr.Dataset, renormalise: bool) -> NDArray[np.float32]:
    shares = predictions["proportions"].to_numpy().astype(np.float64)
    chips = predictions["chip"].to_numpy()

    def refuse(wrong: Any, what: str, fault: str, advice: str) -> None:
        if wrong.any():
            raise PredictionsError(
                f"proportions must {what}; {wrong.sum()} chips {fault}, such as "
                f"{examples(chips[wrong].tolist())}: {advice}"
            )

    refuse(
        ~np.isfinite(shares).all(axis=1),
        "be finite",
        "have NaN or infinite shares",
        "predict every chip",
    )
    refuse((shares < 0).any(axis=1), "not be negative", "have negative shares", "clip them")
    total = shares.sum(axis=1)
    if renormalise:
        refuse(total <= 0, "sum to more than 0", "sum to 0", "predict every chip")
        shares /= total[:, np.newaxis]
    refuse(
        np.abs(shares.sum(axis=1) - 1) > SUM_TOLERANCE,
        f"sum to 1 within {SUM_TOLERANCE}",
        f"do not (sums from {total.min():.4g} to {total.max():.4g})",
        "divide by the sum, or score with --renormalise",
    )
    return shares.astype(np.float32)
