"""Variance of shares: what is explained, overall and below the division, and what is shrunk.

All of it follows from sums over chips, so a set of chips may be any sum of others: divisions,
halves of them. Moments of K categories are arrays (..., 5K + 1): sums of the true shares, the
predicted ones, the squares of either and the products, and last the number of chips. The functions
``*_of_moments`` are the definitions; the metrics apply them to the moments of all chips, taken
about means, so that they hold to the last digit also where shares hardly vary.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from llpbench.metrics.arrays import (
    FloatArray,
    as_groups,
    check_per,
    group_means,
    group_sums,
    quotient,
    share_metric,
    share_pair,
    with_count,
)

ByCategory = Literal["category"] | None


_ROUNDING = 1e-12  # of the squares: a variation below it is taken for none


class CalibrationLine(NamedTuple):
    """Least-squares line of truth on prediction: numbers, or arrays (K,) per category."""

    slope: float | FloatArray
    intercept: float | FloatArray


@share_metric
def r2(truth: ArrayLike, predicted: ArrayLike, *, per: ByCategory = None) -> float | FloatArray:
    r"""Coefficient of determination of class shares, pooled or per category.

    .. math:: 1 - \frac{\sum_k \sum_i (p_{ik} - \hat p_{ik})^2}
                       {\sum_k \sum_i (p_{ik} - \bar p_k)^2}

    Parameters
    ----------
    truth, predicted : array_like, shape (n, K)
        Class shares of n chips, 0 to 1.
    per : {"category"}, optional
        One value a category: no sums over k.

    Returns
    -------
    float or ndarray
        At most 1; 0 for predicting each category's mean. NaN where the truth does not vary.

    Notes
    -----
    Pooled means that both sums run over categories, each about its own mean (scikit-learn's
    ``multioutput="variance_weighted"``), so that knowing which categories are common explains
    nothing. Source: Wright (1921), Journal of Agricultural Research 20, 557-585.

    Examples
    --------
    >>> round(r2([[0.2, 0.8], [0.6, 0.4]], [[0.3, 0.7], [0.5, 0.5]]), 6)
    0.75
    """
    check_per(per, ("category",))
    truth, predicted = share_pair(truth, predicted)
    mean = truth.mean(axis=0)
    value = r2_of_moments(total_moments(_about(truth, mean), predicted - mean), per)
    return float(value) if per is None else value


def within_division_r2(
    truth: ArrayLike, predicted: ArrayLike, division: ArrayLike, *, per: ByCategory = None
) -> float | FloatArray:
    r"""Coefficient of determination below the division: is the detail real.

    .. math:: 1 - \frac{\sum_{ik} \left((p_{ik} - \bar p_{ck}) -
              (\hat p_{ik} - \bar{\hat p}_{ck})\right)^2}{\sum_{ik} (p_{ik} - \bar p_{ck})^2}

    with c the division of chip i, and means over its chips.

    Parameters
    ----------
    truth, predicted : array_like, shape (n, K)
        Class shares of n chips, 0 to 1.
    division : array_like, shape (n,)
        Division of each chip: ids or numbers.
    per : {"category"}, optional
        One value a category.

    Returns
    -------
    float or ndarray
        At most 1; 0 for any prediction that is constant within each division, however right its
        means; negative when the detail is worse than none. NaN where no truth varies within.

    Notes
    -----
    Source: the within (fixed-effects) decomposition of variance, Raudenbush and Bryk (2002),
    Hierarchical Linear Models; residuals are taken about the division means of both.

    Examples
    --------
    >>> truth = [[0.2, 0.8], [0.6, 0.4], [1.0, 0.0], [0.8, 0.2]]
    >>> own_division = [[0.4, 0.6], [0.4, 0.6], [0.9, 0.1], [0.9, 0.1]]
    >>> abs(within_division_r2(truth, own_division, ["a", "a", "b", "b"])) < 1e-12
    True
    >>> within_division_r2(truth, truth, ["a", "a", "b", "b"])
    1.0
    """
    check_per(per, ("category",))
    truth, predicted = share_pair(truth, predicted)
    names, group = np.unique(as_groups(division, len(truth)), return_inverse=True)
    mean = group_means(truth, group, np.ones(len(truth)), len(names))[group]
    terms = moment_terms(_about(truth, mean), predicted - mean)
    divisions = group_sums(with_count(terms), group, len(names))
    value = r2_of_squares(squares_within(divisions).sum(axis=0), per)
    return float(value) if per is None else value


def calibration_line(
    truth: ArrayLike, predicted: ArrayLike, *, per: ByCategory = None
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
    truth, predicted = share_pair(truth, predicted)
    axis = 0 if per else None
    true_mean, mean = truth.mean(axis=axis), predicted.mean(axis=axis)
    slope, intercept = line_of_moments(
        total_moments(truth - true_mean, _about(predicted, mean)), per
    )
    intercept = intercept + true_mean - slope * mean
    if per:
        return CalibrationLine(slope, intercept)
    return CalibrationLine(float(slope), float(intercept))


def moment_terms(truth: FloatArray, predicted: FloatArray) -> FloatArray:
    """What each chip adds to the moments but its count: (n, 5K)."""
    parts = (truth, predicted, truth**2, predicted**2, truth * predicted)
    return np.concatenate(parts, axis=1)


def total_moments(truth: FloatArray, predicted: FloatArray) -> FloatArray:
    """Moments (5K + 1,) of all chips."""
    total: FloatArray = with_count(moment_terms(truth, predicted)).sum(axis=0)
    return total


class _Moments(NamedTuple):
    truth: FloatArray  # (..., K), as all but the count
    predicted: FloatArray
    truth_squares: FloatArray
    predicted_squares: FloatArray
    products: FloatArray
    chips: FloatArray  # (..., 1)

    @property
    def squared_errors(self) -> FloatArray:
        return self.truth_squares - 2 * self.products + self.predicted_squares


def _split(moments: FloatArray) -> _Moments:
    return _Moments(*[*np.split(moments[..., :-1], 5, axis=-1), moments[..., -1:]])


def r2_of_moments(moments: FloatArray, per: ByCategory = None) -> FloatArray:
    """Explained variance, each category about its own mean."""
    parts = _split(moments)
    total = _variation(parts.truth_squares, parts.truth, parts.chips)
    return _explained(parts.squared_errors, total, per)


def squares_within(moments: FloatArray) -> FloatArray:
    """Sums of squares about the means of a division, from its moments: (..., 2K + 1).

    Of the errors, of the truth, and last the number of chips. They add up over divisions.
    """
    parts = _split(moments)
    mean_error = parts.truth - parts.predicted
    residual = _variation(parts.squared_errors, mean_error, parts.chips)
    total = _variation(parts.truth_squares, parts.truth, parts.chips)
    return np.concatenate([residual, total, parts.chips], axis=-1)


def r2_of_squares(squares: FloatArray, per: ByCategory = None) -> FloatArray:
    """Explained variance from sums of :func:`squares_within`."""
    residual, total = np.split(squares[..., :-1], 2, axis=-1)
    return _explained(residual, total, per)


def line_of_moments(moments: FloatArray, per: ByCategory = None) -> CalibrationLine:
    """Least-squares line of truth on prediction, one a category or one through all shares."""
    parts = _split(moments)
    cells = parts._replace(chips=np.broadcast_to(parts.chips, parts.truth.shape))
    if per is None:
        cells = _Moments(*(values.sum(axis=-1) for values in cells))
    covariance = cells.products - cells.truth * cells.predicted / cells.chips
    variation = _variation(cells.predicted_squares, cells.predicted, cells.chips)
    slope = quotient(covariance, variation)
    return CalibrationLine(slope, (cells.truth - slope * cells.predicted) / cells.chips)


def _variation(squares: FloatArray, total: FloatArray, chips: FloatArray) -> FloatArray:
    """Sum of squares about the mean; 0 where it is nothing but rounding."""
    about_mean = squares - total**2 / chips
    return np.where(about_mean > _ROUNDING * squares, about_mean, 0)


def _about(values: FloatArray, mean: FloatArray) -> FloatArray:
    """Values about a mean, so that their sums do not cancel; 0 where all differ by rounding."""
    about = values - mean
    return np.where((about**2).sum(axis=0) > _ROUNDING * (values**2).sum(axis=0), about, 0)


def _explained(residual: FloatArray, total: FloatArray, per: ByCategory) -> FloatArray:
    if per is None:
        residual, total = residual.sum(axis=-1), total.sum(axis=-1)
    return 1 - quotient(residual, total)
