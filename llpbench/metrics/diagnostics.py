"""What kind of error it is: shrinkage, inconsistency with divisions."""

from __future__ import annotations

from typing import Literal, NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike

from llpbench.errors import MetricError
from llpbench.metrics._arrays import (
    FloatArray,
    as_groups,
    as_shares,
    check_per,
    group_means,
    quotient,
    share_pair,
)


class CalibrationLine(NamedTuple):
    """Least-squares line of truth on prediction: numbers, or arrays (K,) per category."""

    slope: float | FloatArray
    intercept: float | FloatArray


def calibration_line(
    truth: ArrayLike, predicted: ArrayLike, *, per: Literal["category"] | None = None
) -> CalibrationLine:
    r"""Slope and intercept of true shares regressed on predicted ones.

    .. math:: b = \frac{\sum (\hat p - \bar{\hat p})(p - \bar p)}
                       {\sum (\hat p - \bar{\hat p})^2}, \quad a = \bar p - b \bar{\hat p}

    Parameters
    ----------
    truth, predicted : array_like, shape (n, K)
        Class shares of n chips, 0 to 1.
    per : {"category"}, optional
        One line a category instead of one through the shares of all.

    Returns
    -------
    CalibrationLine
        ``slope`` and ``intercept``: 1 and 0 when calibrated; a slope above 1 means predictions
        shrunk towards the mean, one below 1 exaggerated ones. NaN where predictions do not vary.

    Raises
    ------
    MetricError
        Shapes that differ or are not (n, K), values that are not finite, an unknown ``per``.

    Notes
    -----
    Categories differ in their means, which the line through all shares counts as skill; the
    categories' own lines show shrinkage alone. Source: Cox (1958), Biometrika 45, 562-565, for
    the idea; Miller, Hui and Tierney (1991), Statistics in Medicine 10, 1213-1226.

    Examples
    --------
    >>> line = calibration_line([[0.1, 0.9], [0.9, 0.1]], [[0.3, 0.7], [0.7, 0.3]])
    >>> round(line.slope, 6), round(line.intercept, 6)
    (2.0, -0.5)
    """
    check_per(per, ("category",))
    first, second = share_pair(truth, predicted)
    if per is None:
        first, second = first.reshape(-1, 1), second.reshape(-1, 1)
    deviations = second - second.mean(axis=0)
    covariance = (deviations * (first - first.mean(axis=0))).sum(axis=0)
    variation = np.square(deviations).sum(axis=0)
    variation[np.ptp(second, axis=0) < 1e-12] = 0  # constant but for rounding
    slope = quotient(covariance, variation)
    intercept = first.mean(axis=0) - slope * second.mean(axis=0)
    if per is None:
        return CalibrationLine(float(slope[0]), float(intercept[0]))
    return CalibrationLine(slope, intercept)


@overload
def division_consistency(
    truth: ArrayLike,
    predicted: ArrayLike,
    division: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    per: None = None,
) -> float: ...
@overload
def division_consistency(
    truth: ArrayLike,
    predicted: ArrayLike,
    division: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    per: Literal["division", "category"],
) -> FloatArray: ...
def division_consistency(
    truth: ArrayLike,
    predicted: ArrayLike,
    division: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    per: Literal["division", "category"] | None = None,
) -> float | FloatArray:
    r"""How far the mean prediction of a division is from its known proportions.

    .. math:: \frac{1}{C} \sum_c \sum_k |\bar f_{ck} - p_{ck}|, \quad
              \bar f_c = \frac{\sum_{i \in c} w_{ci} \hat p_i}{\sum_{i \in c} w_{ci}}

    Parameters
    ----------
    truth : array_like, shape (C, K)
        Known proportions of C divisions, 0 to 1.
    predicted : array_like, shape (n, K)
        Predicted shares. A chip of several divisions is repeated, once an overlap.
    division : array_like of int, shape (n,)
        Row of ``truth`` that each row of ``predicted`` lies in.
    weight : array_like, shape (n,), optional
        Overlap areas (km²), by default all equal.
    per : {"division", "category"}, optional
        One value a division, NaN where it has no chip; or the part of each category, averaged over
        divisions, which sum to the whole.

    Returns
    -------
    float or ndarray
        In [0, 2], 0 when every division's mean is its known mix. Divisions count equally; those
        without chips not at all.

    Raises
    ------
    MetricError
        Arrays that do not fit each other, values that are not finite, division numbers outside
        0..C-1, negative weights, no division with a chip, an unknown ``per``.

    Notes
    -----
    Source: the bag-level error of learning from label proportions (Yu et al. 2014,
    arXiv 1402.5902), with the 1-norm.

    Examples
    --------
    >>> division_consistency([[0.5, 0.5]], [[0.25, 0.75], [0.5, 0.5]], [0, 0])
    0.25
    """
    check_per(per, ("division", "category"))
    known, shares = as_shares(truth, "truth"), as_shares(predicted, "predicted")
    if known.shape[1] != shares.shape[1]:
        raise MetricError(
            "known and predicted proportions must have the same categories, "
            f"found {known.shape[1]} and {shares.shape[1]}"
        )
    numbers = as_groups(division, len(shares))
    if numbers.dtype.kind not in "iu" or numbers.min() < 0 or numbers.max() >= len(known):
        raise MetricError(f"division must hold row numbers of truth, 0 to {len(known) - 1}")
    means = group_means(shares, numbers, _weights(weight, len(shares)), len(known))
    gaps = np.abs(means - known)
    filled = ~np.isnan(gaps[:, 0])
    if per == "division":
        values: FloatArray = gaps.sum(axis=1)
        return values
    if not filled.any():
        raise MetricError("no division has a chip of positive weight")
    parts: FloatArray = gaps[filled].mean(axis=0)
    return parts if per == "category" else float(parts.sum())


def means_by_tenth(truth: ArrayLike, predicted: ArrayLike) -> FloatArray:
    """Mean truth beside mean prediction, in tenths of the chips by predicted share.

    Parameters
    ----------
    truth, predicted : array_like, shape (n,)
        Shares of one category, 0 to 1.

    Returns
    -------
    ndarray of float64, shape (bins, 3)
        Mean prediction, mean truth and number of chips, at most 10 rows by prediction: equal
        predictions stay together.

    Examples
    --------
    >>> means_by_tenth([0.0, 1.0, 1.0], [0.2, 0.2, 0.8])
    array([[0.2, 0.5, 2. ],
           [0.8, 1. , 1. ]])
    """
    shares = np.asarray(predicted, dtype=np.float64)
    edges = np.unique(np.quantile(shares, np.linspace(0, 1, 11)[1:-1]))
    _, tenth = np.unique(np.searchsorted(edges, shares), return_inverse=True)
    count = np.bincount(tenth)
    sums = [np.bincount(tenth, values) for values in (shares, np.asarray(truth, dtype=np.float64))]
    return np.column_stack([*(total / count for total in sums), count])


def _weights(weight: ArrayLike | None, chips: int) -> FloatArray:
    weights = np.ones(chips) if weight is None else np.asarray(weight, dtype=np.float64)
    if weights.shape != (chips,) or not np.isfinite(weights).all() or weights.min() < 0:
        raise MetricError(f"weight must hold {chips} finite numbers that are not negative")
    return weights
