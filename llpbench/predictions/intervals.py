"""Intervals of predicted shares: between what each is likely to be, at one level or several.

Predictions may carry ``low`` and ``high`` (level, chip, category), float32, 0 <= low <= high <= 1,
over a coordinate ``level``, ascending between 0 and 1: at 0.9 nine of ten true shares are to lie
between. Tables hold them in columns such as ``tree_low90`` and ``tree_high90``. Each share stands
on its own: the intervals of two do not add up to one of their sum.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llpbench.errors import PredictionsError, examples

if TYPE_CHECKING:
    import xarray as xr

BOUNDS = ("low", "high")
DIMENSIONS = ("level", "chip", "category")
MOST_LEVELS = 20

_COLUMN = re.compile(r"(.+)_(low|high)(\d{1,2}(?:\.\d{1,6})?)", re.IGNORECASE | re.DOTALL)


def percent_of(level: float) -> str:
    """Write a level as names have it.

    Examples
    --------
    >>> percent_of(0.9), percent_of(0.999)
    ('90', '99.9')
    """
    return f"{100 * level:g}"


def column_name(category: str, bound: str, level: float) -> str:
    """Name the column of a table that holds a bound of a category.

    Examples
    --------
    >>> column_name("tree", "low", 0.9)
    'tree_low90'
    """
    return f"{category}_{bound}{percent_of(level)}"


def with_intervals(
    predictions: xr.Dataset, levels: Sequence[float], low: ArrayLike, high: ArrayLike
) -> xr.Dataset:
    """Add intervals: bounds of shape (level, chip, category), in the order of the predictions."""
    bounds = {"low": (DIMENSIONS, np.asarray(low, dtype=np.float32))}
    bounds["high"] = (DIMENSIONS, np.asarray(high, dtype=np.float32))
    return predictions.assign_coords(level=np.asarray(levels, dtype=np.float64)).assign(bounds)


def levels_of(
    predictions: xr.Dataset,
) -> list[tuple[float, NDArray[np.float32], NDArray[np.float32]]]:
    """Take each level with its bounds (chip, category); none where there are no intervals."""
    if BOUNDS[0] not in predictions:
        return []
    levels = predictions["level"].to_numpy().tolist()
    low, high = (predictions[bound].to_numpy() for bound in BOUNDS)
    return list(zip(levels, low, high, strict=True))


def each_bound(
    predictions: xr.Dataset,
) -> Iterator[tuple[str, str, float, NDArray[np.float32]]]:
    """Take each bound (chip,) of each category and level: its category, which it is, its level."""
    for level, *bounds in levels_of(predictions):
        for number, category in enumerate(predictions["category"].to_numpy().tolist()):
            for bound, values in zip(BOUNDS, bounds, strict=True):
                yield category, bound, level, values[:, number]


def named_columns(predictions: xr.Dataset) -> dict[str, NDArray[np.float32]]:
    """Take the bounds as columns of a table, (chip,) each; none where there are no intervals."""
    columns = {
        column_name(category, bound, level): values
        for category, bound, level, values in each_bound(predictions)
    }
    if both := columns.keys() & {"chip", *predictions["category"].to_numpy().tolist()}:
        raise PredictionsError(
            f"a category is called {examples(sorted(both))}, as the column of an interval would "
            "be; write a .zarr folder"
        )
    return columns


def find_columns(
    names: Iterable[str], shares: Collection[str]
) -> dict[str, tuple[str, str, float]]:
    """Which names are those of bounds of these columns of shares: of which, which, at what level.

    Examples
    --------
    >>> find_columns(["tree", "tree_low90", "x_low90"], ["tree"])
    {'tree_low90': ('tree', 'low', 0.9)}
    """
    found = {}
    for name in names:
        parts = _COLUMN.fullmatch(name)
        if parts and parts[1] in shares and float(parts[3]) > 0:
            found[name] = parts[1], parts[2].lower(), float(f"{parts[3]}e-2")
    return found


def of_columns(
    columns: Mapping[str, NDArray[np.float64]],
    found: Mapping[str, tuple[str, str, float]],
    shares: Sequence[str],
    where: str,
) -> dict[str, Any]:
    """Make bounds of the columns of a table, as keywords of ``make_predictions``.

    Parameters
    ----------
    columns : mapping
        Numbers (chip,) by name.
    found : mapping
        What :func:`find_columns` found among them.
    shares : sequence of str
        Names of the columns of shares; one that has any bound must have both at all levels, the
        bounds of others are NaN, for :func:`check_intervals` to refuse if they are of categories.
    where : str
        Name of the file.
    """
    if not found:
        return {}
    names = {meant: name for name, meant in found.items()}
    bounded = {share for share, _bound, _level in names}
    levels = sorted({level for _share, _bound, level in names})
    wanted = [(share, bound, level) for bound in BOUNDS for level in levels for share in shares]
    missing = [column_name(*what) for what in wanted if what[0] in bounded and what not in names]
    if missing or len(names) < len(found):
        problem = f"{examples(missing)} is missing" if missing else "one is there twice"
        raise PredictionsError(
            f"{where}: intervals need a low and a high column for each category at each level, "
            f"such as {column_name(shares[0], 'low', levels[0])}; {problem}"
        )
    nothing = np.full_like(next(iter(columns.values())), np.nan)
    stacked = np.stack([columns[names[what]] if what in names else nothing for what in wanted])
    low, high = stacked.reshape(2, len(levels), len(shares), -1).swapaxes(2, 3)
    return {"levels": levels, "low": low, "high": high}


def check_intervals(predictions: xr.Dataset) -> xr.Dataset:
    """Check intervals where there are any, whatever the order of chips and categories.

    Returns
    -------
    Dataset
        The predictions with float32 bounds.

    Raises
    ------
    PredictionsError
        Saying what was expected, what was found and what to do.
    """
    present = [bound for bound in BOUNDS if bound in predictions]
    if not present:
        return predictions
    if len(present) == 1:
        raise PredictionsError(
            f"intervals need 'low' and 'high', found {present[0]!r} alone; give both or none"
        )
    _check_form(predictions)
    levels = _checked_levels(predictions["level"].to_numpy())
    low, high = (predictions[bound].to_numpy().astype(np.float32) for bound in BOUNDS)
    # Written so that NaN is refused as well.
    wrong = ~((low >= 0) & (low <= high) & (high <= 1)).all(axis=(0, 2))
    if wrong.any():
        chips = predictions["chip"].to_numpy()[wrong].tolist()
        raise PredictionsError(
            f"intervals must be 0 <= low <= high <= 1; those of {len(chips)} chips are not, such "
            f"as {examples(chips)}: clip them, and give each share both bounds"
        )
    bounds = {
        bound: (DIMENSIONS, values) for bound, values in zip(BOUNDS, (low, high), strict=True)
    }
    return predictions.assign(bounds).assign_coords(level=levels)


def _check_form(predictions: xr.Dataset) -> None:
    for bound in BOUNDS:
        if predictions[bound].dims != DIMENSIONS:
            raise PredictionsError(
                f"{bound!r} must be over {DIMENSIONS}, found {predictions[bound].dims}"
            )
        if predictions[bound].dtype.kind not in "fiu":
            raise PredictionsError(f"{bound!r} must be numbers, found {predictions[bound].dtype}")
    if "level" not in predictions.coords or predictions["level"].dtype.kind != "f":
        raise PredictionsError("intervals must name each level: coordinate 'level', such as 0.9")


def _checked_levels(levels: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Levels to the digits that columns are named by."""
    inside = levels[(levels > 0) & (levels < 1)]
    named = np.array([float(f"{percent_of(level)}e-2") for level in inside.tolist()])
    ascending = 1 <= len(named) == len(levels) <= MOST_LEVELS and (np.diff(named) > 0).all()
    if not (ascending and (np.abs(named - levels) < 1e-7).all() and named[-1] < 1):
        raise PredictionsError(
            f"levels of intervals must be at most {MOST_LEVELS} numbers between 0 and 1, "
            f"ascending, with at most 6 digits, such as 0.9; found {examples(levels.tolist())}"
        )
    return named
