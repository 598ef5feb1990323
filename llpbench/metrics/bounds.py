"""What two sets of shares of the same areas prove about each other: bounds of a table's cells."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from llpbench.errors import MetricError, examples
from llpbench.metrics.arrays import FloatArray, as_shares, non_negative


class Bounds(NamedTuple):
    """The least and the most that each number can be, arrays of one shape."""

    low: FloatArray
    high: FloatArray


def duncan_davis(
    groups: ArrayLike, classes: ArrayLike, *, areas: ArrayLike | None = None
) -> Bounds:
    r"""Bounds of the class shares within groups, from the shares of both in each division.

    A division of which the part :math:`x_g` is of group g and :math:`p_k` of class k has a table
    of groups by classes, whose margins alone are known. Of its group g, the share
    :math:`b_{gk}` is of class k:

    .. math:: \max\Big(0, \frac{x_g + p_k - 1}{x_g}\Big) \le b_{gk}
              \le \min\Big(1, \frac{p_k}{x_g}\Big)

    Nothing is assumed. Each bound is reached by some table with these margins, so none can be
    narrower; those of several cells need not be reached together.

    Parameters
    ----------
    groups : array_like, shape (division, group)
        Shares of groups, 0 to 1; rows sum to 1.
    classes : array_like, shape (division, category)
        Shares of classes in the same divisions, 0 to 1; rows sum to 1.
    areas : array_like, shape (division,), optional
        Areas of the divisions, in any unit, to bound the class shares of each group in all of
        them together. Divisions are independent, so that these are means of the divisions' own
        bounds, weighted by the area of the group.

    Returns
    -------
    Bounds
        ``low`` and ``high``, 0 to 1, of shape (division, group, category), or with areas
        (group, category); 0 and 1 for a group that is not there.

    Raises
    ------
    MetricError
        If the arrays are not of the same divisions, hold no shares, or areas are not positive.

    Notes
    -----
    Source: Duncan and Davis (1953), American Sociological Review 18, 665-666, for 2 x 2; King
    (1997), A Solution to the Ecological Inference Problem, section 5.2, over divisions. For
    larger tables these are the Fréchet bounds of each cell (1951).

    Examples
    --------
    Nine tenths of a division look alike and four fifths are forest: of what looks alike, 7/9 to
    8/9 are forest. Of the rest nothing is known.

    >>> low, high = duncan_davis([[0.9, 0.1]], [[0.8, 0.2]])
    >>> low[0].round(2), high[0].round(2)
    (array([[0.78, 0.11],
           [0.  , 0.  ]]), array([[0.89, 0.22],
           [1.  , 1.  ]]))
    """
    x, p = _shares(groups, "groups"), _shares(classes, "classes")
    if len(x) != len(p):
        raise MetricError(
            f"groups and classes must be of the same divisions, found {len(x)} and {len(p)} rows"
        )
    x, p = x[:, :, np.newaxis], p[:, np.newaxis]
    least, most = np.maximum(x + p - 1, 0), np.minimum(x, p)
    if areas is not None:
        weights = _areas(areas, len(x))
        x, least, most = (np.tensordot(weights, part, axes=1) for part in (x, least, most))
    low, high = np.zeros(least.shape), np.ones(least.shape)
    np.divide(least, x, out=low, where=x > 0)
    np.divide(most, x, out=high, where=x > 0)
    return Bounds(low, high)


def _shares(values: ArrayLike, name: str) -> FloatArray:
    """Shares that sum to 1; what rounding leaves is taken out, which bounds would add up."""
    shares = as_shares(values, name)
    non_negative(shares)
    sums = shares.sum(axis=1, keepdims=True)
    wrong = np.flatnonzero(~np.isclose(sums, 1, rtol=1e-4))
    if len(wrong):
        raise MetricError(
            f"{name} must be shares that sum to 1 in each row, but row {wrong[0]} sums to "
            f"{sums[wrong[0], 0]:g}: divide each row by its sum, or add a column for the rest"
        )
    normal: FloatArray = shares / sums
    return normal


def _areas(values: ArrayLike, count: int) -> FloatArray:
    areas = np.asarray(values, dtype=np.float64)
    if areas.shape != (count,) or not (np.isfinite(areas) & (areas > 0)).all():
        raise MetricError(
            f"areas must be {count} positive numbers, one a division, found {areas.size}: "
            f"{examples(areas.ravel().tolist())}"
        )
    return areas
