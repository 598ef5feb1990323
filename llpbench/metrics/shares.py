"""How far predicted class shares are from the true ones."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from llpbench.metrics.arrays import (
    FloatArray,
    Per,
    average,
    check_per,
    quotient,
    share_metric,
    share_pair,
    with_count,
)


@share_metric
def mae(truth: ArrayLike, predicted: ArrayLike, *, per: Per | None = None) -> float | FloatArray:
    r"""Mean absolute error of class shares, the metric that ranks.

    .. math:: \frac{1}{nK} \sum_i \sum_k |p_{ik} - \hat p_{ik}|

    Parameters
    ----------
    truth, predicted : array_like, shape (n, K)
        Class shares of n chips, 0 to 1.
    per : {"chip", "category", "cell"}, optional
        Average over categories, over chips, or over neither.

    Returns
    -------
    float or ndarray
        In [0, 2/K], 0 for equal shares; a category's alone in [0, 1].

    Notes
    -----
    The ceiling falls with the number of categories: compare tasks by :func:`overlap`.
    Source: Willmott and Matsuura (2005), Climate Research 30, 79-82.

    Examples
    --------
    >>> mae([[0.5, 0.5], [1.0, 0.0]], [[0.25, 0.75], [1.0, 0.0]])
    0.125
    >>> mae([[0.5, 0.5], [1.0, 0.0]], [[0.25, 0.75], [1.0, 0.0]], per="chip")
    array([0.25, 0.  ])
    """
    check_per(per, ("chip", "category", "cell"))
    first, second = share_pair(truth, predicted)
    return average(np.abs(first - second), per)


@share_metric
def rmse(truth: ArrayLike, predicted: ArrayLike, *, per: Per | None = None) -> float | FloatArray:
    r"""Root of the mean squared error of class shares.

    .. math:: \sqrt{\frac{1}{nK} \sum_i \sum_k (p_{ik} - \hat p_{ik})^2}

    Parameters
    ----------
    truth, predicted : array_like, shape (n, K)
        Class shares of n chips, 0 to 1.
    per : {"chip", "category", "cell"}, optional
        Average the squares over categories, over chips, or over neither.

    Returns
    -------
    float or ndarray
        In [0, sqrt(2/K)], 0 for equal shares; a category's alone in [0, 1]. The squares of the
        chips' values average to the square of the overall one, so do those of the categories.

    Notes
    -----
    Source: Willmott and Matsuura (2005), Climate Research 30, 79-82.

    Examples
    --------
    >>> rmse([[0.5, 0.5], [1.0, 0.0]], [[0.2, 0.8], [0.6, 0.4]])
    0.3535533905932738
    """
    check_per(per, ("chip", "category", "cell"))
    first, second = share_pair(truth, predicted)
    squares = np.square(first - second)
    if per in ("chip", "cell"):
        return np.sqrt(average(squares, per))
    root = rmse_of_squares(with_count(squares).sum(axis=0), per)
    return float(root) if per is None else root


def rmse_of_squares(sums: FloatArray, per: Per | None = None) -> FloatArray:
    """Root of the mean squared error from sums (..., K + 1) of squared errors, last of chips."""
    means = quotient(sums[..., :-1], sums[..., -1:])
    means = np.maximum(means, 0)  # a numerical derivative steps below 0 where all errors are 0
    roots: FloatArray = np.sqrt(means if per else means.mean(axis=-1))
    return roots


@share_metric
def overlap(
    truth: ArrayLike, predicted: ArrayLike, *, per: Per | None = None
) -> float | FloatArray:
    r"""Area of a chip whose class amounts agree, comparable across numbers of categories.

    .. math:: \frac{1}{n} \sum_i \left(1 - \tfrac12 \sum_k |p_{ik} - \hat p_{ik}|\right)

    Parameters
    ----------
    truth, predicted : array_like, shape (n, K)
        Class shares of n chips, which sum to 1.
    per : {"chip", "category", "cell"}, optional
        One value a chip; or the part of each category, the mean (``"cell"``: each chip's) of
        ``(p + p̂ - |p - p̂|) / 2 = min(p, p̂)``; the parts sum to the whole.

    Returns
    -------
    float or ndarray
        In [0, 1], 1 for equal shares. It equals 1 - K/2 times :func:`mae`.

    Notes
    -----
    Source: the proportion in common of Renkonen (1938); Pontius and Millones (2011), International
    Journal of Remote Sensing 32, 4407-4429, whose quantity disagreement it takes from 1.

    Examples
    --------
    >>> overlap([[0.5, 0.5], [1.0, 0.0]], [[0.25, 0.75], [1.0, 0.0]])
    0.875
    >>> overlap([[0.5, 0.5], [1.0, 0.0]], [[0.25, 0.75], [1.0, 0.0]], per="category")
    array([0.625, 0.25 ])
    """
    check_per(per, ("chip", "category", "cell"))
    first, second = share_pair(truth, predicted)
    if per in ("category", "cell"):
        return average(np.minimum(first, second), per)
    chips = overlap_of_errors(np.abs(first - second).sum(axis=1))
    return chips if per == "chip" else float(chips.mean())


def overlap_of_errors(errors: FloatArray, count: float | FloatArray = 1) -> FloatArray:
    """Overlap of a number of chips from the sum of their absolute errors over all categories."""
    return count - errors / 2


@share_metric
def soft_iou(
    truth: ArrayLike, predicted: ArrayLike, *, per: Literal["chip", "category"] | None = None
) -> float | FloatArray:
    r"""Intersection over union of class amounts (Ružička similarity).

    .. math:: \frac{1}{n} \sum_i
              \frac{\sum_k \min(p_{ik}, \hat p_{ik})}{\sum_k \max(p_{ik}, \hat p_{ik})}

    Parameters
    ----------
    truth, predicted : array_like, shape (n, K)
        Class shares of n chips, 0 to 1, which sum to 1.
    per : {"chip", "category"}, optional
        One value a chip; or one a category, with both sums over the chips instead.

    Returns
    -------
    float or ndarray
        In [0, 1], 1 for equal shares. A category nobody has or predicts is NaN. For shares that
        sum to 1 a chip's value is o / (2 - o) of its :func:`overlap` o.

    Notes
    -----
    Source: Ružička (1958), Biológia 13, 647-661; as weighted Jaccard in Ioffe (2010), IEEE
    International Conference on Data Mining, 246-255.

    Examples
    --------
    >>> round(soft_iou([[0.5, 0.5], [1.0, 0.0]], [[0.25, 0.75], [1.0, 0.0]]), 3)
    0.8
    """
    check_per(per, ("chip", "category"))
    first, second = share_pair(truth, predicted)
    axis = 0 if per == "category" else 1
    shared = np.minimum(first, second).sum(axis=axis)
    values = quotient(shared, np.maximum(first, second).sum(axis=axis))
    return float(values.mean()) if per is None else values
