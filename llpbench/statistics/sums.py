"""Sums over the chips of each division, and the statistics made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llpbench.errors import MetricError
from llpbench.metrics.arrays import FloatArray, as_groups, group_sums, quotient, with_count

Statistic = Callable[[FloatArray], FloatArray]

FEW_DIVISIONS = 40  # fewer make a weak interval
MINIMUM_DIVISIONS = 6  # fewer make none


def division_sums(values: ArrayLike, division: ArrayLike) -> tuple[NDArray[Any], FloatArray]:
    """Sum values of chips over each division and count its chips.

    Parameters
    ----------
    values : array_like, shape (n,) or (n, ...)
        Terms of each chip: errors, squares, a confusion matrix. They must be finite.
    division : array_like, shape (n,)
        Division that owns each chip: ids or numbers.

    Returns
    -------
    divisions : ndarray, shape (C,)
        The divisions, sorted.
    sums : ndarray of float64, shape (C, m + 1)
        Sums of the m terms of a chip in their order, and last the number of chips.

    Raises
    ------
    MetricError
        Values that are not finite, or not one division a chip.

    Examples
    --------
    >>> divisions, sums = division_sums([0.25, 0.5, 0.125], ["b", "a", "b"])
    >>> divisions.tolist(), sums.tolist()
    (['a', 'b'], [[0.5, 1.0], [0.375, 2.0]])
    """
    terms = np.asarray(values, dtype=np.float64)
    if terms.ndim == 0 or len(terms) == 0:
        raise MetricError(f"values must hold at least one chip, found shape {terms.shape}")
    terms = terms.reshape(len(terms), -1)
    if not np.isfinite(terms).all():
        raise MetricError(
            "values must be finite: leave chips that are not scored out before summing"
        )
    divisions, group = np.unique(as_groups(division, len(terms)), return_inverse=True)
    return divisions, group_sums(with_count(terms), group, len(divisions))


def ratio(sums: FloatArray) -> FloatArray:
    """Divide the first term (..., m) by the last, the number of chips: a mean over chips (...).

    NaN without chips.

    Examples
    --------
    >>> float(ratio(np.array([3.0, 12.0])))
    0.25
    """
    return quotient(sums[..., 0], sums[..., -1])


def ratios(sums: FloatArray) -> FloatArray:
    """Divide every term (..., m + 1) by the last, the number of chips: means (..., m) over chips.

    NaN without chips.

    Examples
    --------
    >>> ratios(np.array([3.0, 6.0, 12.0]))
    array([0.25, 0.5 ])
    """
    return quotient(sums[..., :-1], sums[..., -1:])


def as_sums(sums: ArrayLike) -> FloatArray:
    """Bring sums (divisions, terms) into the form (seeds, divisions, terms)."""
    array = np.asarray(sums, dtype=np.float64)
    if array.ndim == 2:
        array = array[np.newaxis]
    if array.ndim != 3 or 0 in array.shape:
        raise MetricError(
            "sums must have shape (divisions, terms) or (seeds, divisions, terms), "
            f"not {np.shape(sums)}"
        )
    if not np.isfinite(array).all():
        raise MetricError("sums over divisions must be finite")
    return array


def check_same_divisions(first: FloatArray, second: FloatArray) -> None:
    """Refuse sums of two methods that are not of the same divisions and terms."""
    if first.shape[1:] != second.shape[1:]:
        raise MetricError(
            "methods are compared on the same divisions and terms, found sums of shapes "
            f"{first.shape[1:]} and {second.shape[1:]}"
        )


def number_or_array(values: ArrayLike) -> float | FloatArray:
    """Give an array without dimensions as a number."""
    array = np.asarray(values, dtype=np.float64)
    return array if array.ndim else float(array)


def caution(divisions: int, split: str = "") -> str:
    """Say that there are few divisions (of a split); empty where there are enough."""
    if divisions >= FEW_DIVISIONS:
        return ""
    number = f"only {divisions} {split} division".replace("  ", " ") + "s" * (divisions != 1)
    if divisions < MINIMUM_DIVISIONS:
        return f"{number}: too few for an interval"
    return f"{number}, fewer than {FEW_DIVISIONS}: the uncertainty is itself uncertain"
