"""How well intervals of class shares hold the true ones, and how narrow they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from llpbench.errors import MetricError
from llpbench.metrics.arrays import FloatArray, Per, as_shares, average, check_per

_PER = ("chip", "category", "cell")


def coverage(
    truth: ArrayLike, low: ArrayLike, high: ArrayLike, *, per: Per | None = None
) -> float | FloatArray:
    r"""Part of the true shares that lie in their intervals.

    .. math:: \frac{1}{nK} \sum_i \sum_k [l_{ik} \le p_{ik} \le u_{ik}]

    Parameters
    ----------
    truth : array_like, shape (n, K)
        Class shares of n chips, 0 to 1.
    low, high : array_like, shape (n, K)
        Bounds of their intervals, both of them inside.
    per : {"chip", "category", "cell"}, optional
        Average over categories, over chips, or over neither.

    Returns
    -------
    float or ndarray
        In [0, 1]; good is the level of the intervals, neither less nor more.

    Notes
    -----
    Source: Gneiting and Raftery (2007), Journal of the American Statistical Association 102,
    359-378, section 6.2.

    Examples
    --------
    >>> coverage([[0.5, 0.5], [1.0, 0.0]], [[0.4, 0.5], [0.8, 0.1]], [[0.6, 0.7], [1.0, 0.2]])
    0.75
    """
    check_per(per, _PER)
    shares, (lower, upper) = as_shares(truth, "truth"), _bounds(low, high)
    _check_shapes(shares, lower)
    return average(np.where((lower <= shares) & (shares <= upper), 1.0, 0.0), per)


def mean_width(low: ArrayLike, high: ArrayLike, *, per: Per | None = None) -> float | FloatArray:
    r"""Mean width of intervals of class shares.

    .. math:: \frac{1}{nK} \sum_i \sum_k (u_{ik} - l_{ik})

    Parameters
    ----------
    low, high : array_like, shape (n, K)
        Bounds of the intervals of n chips.
    per : {"chip", "category", "cell"}, optional
        Average over categories, over chips, or over neither.

    Returns
    -------
    float or ndarray
        In [0, 1] for bounds in [0, 1]; among intervals of one :func:`coverage` less is better.

    Notes
    -----
    Source: Gneiting and Raftery (2007), Journal of the American Statistical Association 102,
    359-378, section 6.2.

    Examples
    --------
    >>> mean_width([[0.25, 0.5]], [[0.5, 0.75]])
    0.25
    """
    check_per(per, _PER)
    lower, upper = _bounds(low, high)
    return average(upper - lower, per)


def interval_score(
    truth: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    level: float,
    *,
    per: Per | None = None,
) -> float | FloatArray:
    r"""Width of intervals, and a penalty for the true shares that they miss.

    With :math:`\alpha` = 1 - level,

    .. math:: \frac{1}{nK} \sum_i \sum_k (u_{ik} - l_{ik})
              + \frac{2}{\alpha} \left(\max(l_{ik} - p_{ik}, 0) + \max(p_{ik} - u_{ik}, 0)\right)

    Parameters
    ----------
    truth : array_like, shape (n, K)
        Class shares of n chips, 0 to 1.
    low, high : array_like, shape (n, K)
        Bounds of their intervals.
    level : float
        How likely shares are to lie in their intervals, between 0 and 1.
    per : {"chip", "category", "cell"}, optional
        Average over categories, over chips, or over neither.

    Returns
    -------
    float or ndarray
        0 or more, less is better. It is expected to be least for the quantiles
        :math:`\alpha / 2` and :math:`1 - \alpha / 2` of what is known of a share.

    Notes
    -----
    Source: Gneiting and Raftery (2007), Journal of the American Statistical Association 102,
    359-378, equation 43.

    Examples
    --------
    >>> round(interval_score([[0.5, 0.5]], [[0.25, 0.625]], [[0.75, 0.75]], 0.5), 4)
    0.5625
    """
    check_per(per, _PER)
    if not 0 < level < 1:
        raise MetricError(f"the level of intervals must be between 0 and 1, not {level}")
    shares, (lower, upper) = as_shares(truth, "truth"), _bounds(low, high)
    _check_shapes(shares, lower)
    missed = np.maximum(lower - shares, 0) + np.maximum(shares - upper, 0)
    return average(upper - lower + 2 / (1 - level) * missed, per)


def _bounds(low: ArrayLike, high: ArrayLike) -> tuple[FloatArray, FloatArray]:
    lower, upper = as_shares(low, "low"), as_shares(high, "high")
    _check_shapes(lower, upper)
    if (lower > upper).any():
        row = int(np.flatnonzero((lower > upper).any(axis=1))[0])
        raise MetricError(f"low must not exceed high, but it does in row {row}")
    return lower, upper


def _check_shapes(first: FloatArray, second: FloatArray) -> None:
    if first.shape != second.shape:
        raise MetricError(
            "true shares and both bounds must have one shape (chips, categories), "
            f"found {first.shape} and {second.shape}"
        )
