"""Splits: diagonal bands, and folds of neighbouring divisions."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from llpbench.protocol import SPLITS

_STARTS: Final = {"train": 0.0, "test": 0.63, "val": 0.83}
"""Where each split begins, as a share of the chips in a run of the three bands."""


def bands(
    positions: NDArray[np.float64], weights: NDArray[np.floating | np.integer], runs: int
) -> NDArray[np.str_]:
    """Split in bands across the diagonal: runs of 63 % train, 20 % test, 17 % val; none empty.

    Parameters
    ----------
    positions : ndarray of float64, shape (item, 2)
        Its x and y, in any unit.
    weights : ndarray of numbers, shape (item,)
        How many chips an item stands for, all positive.
    runs : int
        How often the three bands recur; at least three items a run are needed.

    Examples
    --------
    >>> line = np.stack([np.arange(10.0), np.zeros(10)], axis=1)
    >>> print(*bands(line, np.ones(10), runs=1))
    train train train train train train test test val val
    """
    along = np.argsort(positions @ [1.0, -1.0], kind="stable")
    before = np.cumsum(weights[along]) - weights[along] / 2
    starts = (np.arange(runs)[:, None] + list(_STARTS.values())).ravel() / runs
    first = np.searchsorted(before, starts * weights.sum())
    order = np.arange(len(first))
    first = np.maximum.accumulate(first - order) + order  # at least one item in each band
    first = np.minimum(first, len(along) - order[::-1] - 1)
    sizes = np.diff(first, append=len(along))
    splits = np.empty(len(along), dtype=np.asarray(SPLITS).dtype)
    splits[along] = np.repeat(list(_STARTS) * runs, sizes)
    return splits


def folds(
    positions: NDArray[np.float64], weights: NDArray[np.floating | np.integer], number: int
) -> NDArray[np.intp]:
    """Cut a region into compact folds, from 0, of about equal weight; none is empty.

    The items are cut in two across their longer extent, each part again, until there are enough
    parts (as a k-d tree is built). Positions and weights are as for :func:`bands`; there are not
    more folds than items.

    Examples
    --------
    >>> line = np.stack([np.arange(6.0), np.zeros(6)], axis=1)
    >>> folds(line, np.ones(6), number=3)
    array([0, 0, 1, 1, 2, 2])
    """
    if number == 1:
        return np.zeros(len(positions), dtype=np.intp)
    first = number // 2
    axis = int(np.ptp(positions, axis=0).argmax())
    along = np.argsort(positions[:, axis], kind="stable")
    middles = np.cumsum(weights[along]) - weights[along] / 2
    cut = int(np.searchsorted(middles, weights.sum() * first / number))
    cut = min(max(cut, first), len(along) - (number - first))  # enough items on both sides
    fold = np.empty(len(positions), dtype=np.intp)
    fold[along[:cut]] = folds(positions[along[:cut]], weights[along[:cut]], first)
    fold[along[cut:]] = first + folds(positions[along[cut:]], weights[along[cut:]], number - first)
    return fold
