"""Distances between class shares seen as probability distributions."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike

from llpbench.errors import MetricError
from llpbench.metrics.arrays import (
    FloatArray,
    Per,
    average,
    check_per,
    non_negative,
    share_metric,
    share_pair,
)


@share_metric
def jensen_shannon(
    truth: ArrayLike, predicted: ArrayLike, *, per: Per | None = None
) -> float | FloatArray:
    r"""Jensen-Shannon divergence in bits, averaged over chips.

    .. math:: \frac{1}{2n} \sum_i \sum_k \left(
              p_{ik} \log_2 \frac{2 p_{ik}}{p_{ik} + \hat p_{ik}} +
              \hat p_{ik} \log_2 \frac{2 \hat p_{ik}}{p_{ik} + \hat p_{ik}} \right)

    Parameters
    ----------
    truth, predicted : array_like, shape (n, K)
        Class shares of n chips, not negative (refused), which sum to 1.
    per : {"chip", "category", "cell"}, optional
        One value a chip; or the part of each category, averaged over chips or not; the parts sum
        to the whole.

    Returns
    -------
    float or ndarray
        In [0, 1], 0 for equal shares, 1 where no category is shared. Symmetric. Its square root is
        the distance that ``scipy.spatial.distance.jensenshannon(..., base=2)`` gives.

    Notes
    -----
    Source: Lin (1991), IEEE Transactions on Information Theory 37, 145-151.

    Examples
    --------
    >>> jensen_shannon([[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]])
    0.5
    """
    check_per(per, ("chip", "category", "cell"))
    first, second = share_pair(truth, predicted)
    non_negative(first, second)
    middle = (first + second) / 2
    rel_entr = scipy.special.rel_entr
    parts = (rel_entr(first, middle) + rel_entr(second, middle)) / (2 * np.log(2))
    return _add_parts(np.maximum(parts, 0), per)  # a rounding error may fall below 0


@share_metric
def hellinger(
    truth: ArrayLike, predicted: ArrayLike, *, per: Per | None = None
) -> float | FloatArray:
    r"""Hellinger distance, averaged over chips.

    .. math:: \frac{1}{n} \sum_i \sqrt{\tfrac12 \sum_k
              \left(\sqrt{p_{ik}} - \sqrt{\hat p_{ik}}\right)^2}

    Parameters
    ----------
    truth, predicted : array_like, shape (n, K)
        Class shares of n chips, not negative (refused), which sum to 1.
    per : {"chip", "category", "cell"}, optional
        One value a chip; or each category's \|√p - √p̂\| / √2, averaged over chips or not, whose
        squares sum over a chip's categories to the square of its distance.

    Returns
    -------
    float or ndarray
        In [0, 1], 0 for equal shares, 1 where no category is shared. Symmetric.

    Notes
    -----
    Source: Le Cam and Yang (2000), Asymptotics in Statistics; normalised to 1.

    Examples
    --------
    >>> hellinger([[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]])
    0.5
    """
    check_per(per, ("chip", "category", "cell"))
    first, second = share_pair(truth, predicted)
    non_negative(first, second)
    gaps = np.abs(np.sqrt(first) - np.sqrt(second))
    if per in ("category", "cell"):
        return average(gaps / np.sqrt(2), per)
    chips = np.sqrt(0.5 * np.square(gaps).sum(axis=1))
    return chips if per == "chip" else float(chips.mean())


@share_metric
def earth_mover(
    truth: ArrayLike, predicted: ArrayLike, *, per: Per | None = None
) -> float | FloatArray:
    r"""Earth mover's distance between shares of ordered categories, averaged over chips.

    .. math:: \frac{1}{n(K-1)} \sum_i \sum_{k=1}^{K-1}
              \left|\sum_{j \le k} (p_{ij} - \hat p_{ij})\right|

    Parameters
    ----------
    truth, predicted : array_like, shape (n, K)
        Shares of K ordered categories (population density, say), which sum to 1; K at least 2.
    per : {"chip", "category", "cell"}, optional
        One value a chip; or the part moved across the upper bound of each category, averaged over
        chips or not; the parts sum to the whole and the last category's is 0.

    Returns
    -------
    float or ndarray
        In [0, 1], 0 for equal shares, 1 when all must move from one end to the other. Symmetric.

    Notes
    -----
    Source: Rubner, Tomasi and Guibas (2000), International Journal of Computer Vision 40, 99-121;
    in one dimension it is the area between the cumulative shares (Vallender 1974).

    Examples
    --------
    >>> earth_mover([[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]])
    0.5
    >>> earth_mover([[1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0]])
    1.0
    """
    check_per(per, ("chip", "category", "cell"))
    first, second = share_pair(truth, predicted)
    bounds = first.shape[1] - 1
    if bounds < 1:
        raise MetricError("earth_mover needs at least two ordered categories, found one")
    moved = np.abs(np.cumsum(first - second, axis=1)) / bounds
    moved[:, -1] = 0
    return _add_parts(moved, per)


def _add_parts(cells: FloatArray, per: Per | None) -> float | FloatArray:
    """Sum over categories, then mean over chips, as far as ``per`` goes."""
    if per in ("cell", "category"):
        return average(cells, per)
    chips: FloatArray = cells.sum(axis=1)
    return chips if per == "chip" else float(chips.mean())
