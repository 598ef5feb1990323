"""How much of the variance of true shares is explained: overall and below the division."""

from __future__ import annotations

from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike

from llpbench.metrics._arrays import (
    FloatArray,
    as_groups,
    check_per,
    group_means,
    quotient,
    share_pair,
)


@overload
def r2(truth: ArrayLike, predicted: ArrayLike, *, per: None = None) -> float: ...
@overload
def r2(truth: ArrayLike, predicted: ArrayLike, *, per: Literal["category"]) -> FloatArray: ...
def r2(
    truth: ArrayLike, predicted: ArrayLike, *, per: Literal["category"] | None = None
) -> float | FloatArray:
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

    Raises
    ------
    MetricError
        Shapes that differ or are not (n, K), values that are not finite, an unknown ``per``.

    Notes
    -----
    Pooled means that both sums run over categories, each about its own mean (scikit-learn's
    ``multioutput="variance_weighted"``), so that knowing which categories are common explains
    nothing. Source: Wright (1921), Journal of Agricultural Research 20, 557-585.

    Examples
    --------
    >>> r2([[0.2, 0.8], [0.6, 0.4]], [[0.3, 0.7], [0.5, 0.5]])
    0.75
    """
    check_per(per, ("category",))
    first, second = share_pair(truth, predicted)
    return _explained(first - first.mean(axis=0), first - second, per)


@overload
def within_division_r2(
    truth: ArrayLike, predicted: ArrayLike, division: ArrayLike, *, per: None = None
) -> float: ...
@overload
def within_division_r2(
    truth: ArrayLike, predicted: ArrayLike, division: ArrayLike, *, per: Literal["category"]
) -> FloatArray: ...
def within_division_r2(
    truth: ArrayLike,
    predicted: ArrayLike,
    division: ArrayLike,
    *,
    per: Literal["category"] | None = None,
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

    Raises
    ------
    MetricError
        Shapes that do not fit each other, values that are not finite, an unknown ``per``.

    Notes
    -----
    Source: the within (fixed-effects) decomposition of variance, Raudenbush and Bryk (2002),
    Hierarchical Linear Models, chapter 4; residuals are taken about the division means of both.

    Examples
    --------
    >>> truth = [[0.2, 0.8], [0.6, 0.4], [1.0, 0.0], [0.8, 0.2]]
    >>> own_division = [[0.4, 0.6], [0.4, 0.6], [0.9, 0.1], [0.9, 0.1]]
    >>> within_division_r2(truth, own_division, ["a", "a", "b", "b"])
    0.0
    >>> within_division_r2(truth, truth, ["a", "a", "b", "b"])
    1.0
    """
    check_per(per, ("category",))
    first, second = share_pair(truth, predicted)
    _, group = np.unique(as_groups(division, len(first)), return_inverse=True)
    one = np.ones(len(first))

    def centred(shares: FloatArray) -> FloatArray:
        return shares - group_means(shares, group, one, int(group.max()) + 1)[group]

    deviations = centred(first)
    return _explained(deviations, deviations - centred(second), per)


def _explained(
    deviations: FloatArray, residuals: FloatArray, per: Literal["category"] | None
) -> float | FloatArray:
    """1 - residual over total sum of squares, NaN where nothing varies."""
    left, total = np.square(residuals).sum(axis=0), np.square(deviations).sum(axis=0)
    total[np.ptp(deviations, axis=0) < 1e-12] = 0  # constant but for rounding
    return (
        float(1 - quotient(left.sum(), total.sum())) if per is None else 1 - quotient(left, total)
    )
