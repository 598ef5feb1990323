"""Ranks of several methods, with the ranks that cannot be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llpbench.brief import Brief
from llpbench.errors import MetricError
from llpbench.metrics.arrays import FloatArray
from llpbench.statistics.many import largest_difference_test
from llpbench.statistics.parted import PartedMethods
from llpbench.statistics.permutation import holm
from llpbench.statistics.sums import (
    Statistic,
    as_sums,
    caution,
    check_same_divisions,
    ratio,
)

IntArray = NDArray[np.int64]

MOST_PAIRS = 1000
"""Pairs that are tested one by one: those of 45 methods."""


@dataclass(frozen=True, repr=False)
class Ranking(Brief):
    """Methods in the order they were given.

    Attributes
    ----------
    value : ndarray, shape (M,)
        The statistic of each method.
    rank : ndarray of int, shape (M,)
        1 is best; equal values share the better rank.
    low, high : ndarray of int, shape (M,)
        Best and worst rank that the data allow.
    group : ndarray of int, shape (M,)
        1 for the methods not told apart from the best one; 2 for those not told apart from the
        best of the rest; and so on.
    p_values : ndarray, shape (M, M)
        Of each pair, corrected over all pairs; 1 on the diagonal.
    note : str
        Says so where there are fewer than 40 divisions; else empty.
    """

    value: FloatArray
    rank: IntArray
    low: IntArray
    high: IntArray
    group: IntArray
    p_values: FloatArray
    note: str


def rank_methods(
    sums: Sequence[ArrayLike],
    statistic: Statistic = ratio,
    *,
    level: float = 0.95,
    lower_is_better: bool = True,
    draws: int | None = None,
    random_state: int = 0,
) -> Ranking:
    """Rank methods with intervals of ranks and groups of ties.

    All pairs are tested by :func:`sign_flip_test` and corrected by :func:`holm`; more than 45
    methods, which would need draws by the hundred thousand, by
    :func:`~llpbench.statistics.many.largest_difference_test` instead, with p-values no smaller
    than those of the pairs alone. A method's best rank is 1 + the number of methods that are
    significantly better, its worst the number of methods minus those significantly worse; all
    intervals hold together with probability ``level``. (Ranks of bootstrap draws would not: they
    are inconsistent near ties.)

    Parameters
    ----------
    sums : sequence of array_like, each of shape (C, m) or (seeds, C, m)
        Sums over the chips of the same C divisions, one entry a method.
    statistic : callable
        From sums (..., m) to one value (...).
    level : float
        Joint confidence of the rank intervals, between 0 and 1.
    lower_is_better : bool
        Whether rank 1 has the smallest value.
    draws : int, optional
        Random swaps of each test; by default 9,999 or 100 a pair if more, since Holm's correction
        multiplies the smallest p-value, 1 / (draws + 1), by the number of pairs; 1,999 where all
        pairs are tested at once.
    random_state : int
        Seed of the swaps.

    Returns
    -------
    Ranking
        In the order of ``sums``.

    Raises
    ------
    MetricError
        No method, sums of different shapes or not finite, impossible options.

    Notes
    -----
    Source: Mogstad, Romano, Shaikh and Wilhelm (2024), Review of Economic Studies 91, 476-518,
    with permutation tests in place of confidence sets for the differences.

    Examples
    --------
    >>> import numpy as np
    >>> worse = np.column_stack([np.tile([0.5, 1.5], 30), np.full(60, 10.0)])
    >>> ranking = rank_methods([worse, worse - [0.1, 0], worse - [0.1, 0]])
    >>> ranking.rank.tolist(), ranking.low.tolist(), ranking.high.tolist(), ranking.group.tolist()
    ([3, 1, 1], [3, 1, 1], [3, 2, 2], [2, 1, 1])
    """
    methods = [as_sums(method) for method in sums]
    if not methods or not 0 < level < 1:
        raise MetricError(f"ranking needs a method and a level in (0, 1), found level {level}")
    for method in methods[1:]:
        check_same_divisions(methods[0], method)
    totals = np.stack([method.mean(axis=0).sum(axis=0) for method in methods])
    value = np.asarray(statistic(totals), dtype=np.float64)
    if value.shape != (len(methods),):
        raise MetricError("ranking needs a statistic with one value")
    draws = draws_for(len(methods)) if draws is None else draws
    p_values = _pairwise(methods, statistic, draws, random_state)
    loss = value if lower_is_better else -value
    differs = p_values < round(1 - level, 12)
    smaller = loss[np.newaxis, :] < loss[:, np.newaxis]  # column better than row
    better = differs & smaller
    return Ranking(
        value=value,
        rank=1 + smaller.sum(axis=1),
        low=1 + better.sum(axis=1),
        high=len(methods) - better.sum(axis=0),
        group=_tie_groups(loss, differs),
        p_values=p_values,
        note=caution(methods[0].shape[1]),
    )


def draws_for(methods: int) -> int:
    """Random swaps of each test of all pairs of so many methods."""
    pairs = methods * (methods - 1) // 2
    return 1999 if pairs > MOST_PAIRS else max(9999, 100 * pairs)


def _pairwise(
    methods: Sequence[FloatArray], statistic: Statistic, draws: int, random_state: int
) -> FloatArray:
    """Corrected p-values of all pairs of methods."""
    first, second = np.triu_indices(len(methods), 1)
    p_values = np.ones((len(methods), len(methods)))
    if not len(first):
        return p_values
    parted = PartedMethods.of(methods, statistic, draws, random_state)
    pairs = combinations(range(len(methods)), 2)
    single = [float(parted.pair(*pair).p_value) for pair in pairs]
    if len(first) > MOST_PAIRS:
        together = _together(methods, statistic, parted, draws)
        corrected = np.maximum(single, together[first, second])
    else:
        corrected = holm(single)
    p_values[first, second] = p_values[second, first] = corrected
    return p_values


def _together(
    methods: Sequence[FloatArray], statistic: Statistic, parted: PartedMethods, draws: int
) -> FloatArray:
    """P-values of all pairs by their largest difference; every method has luck of its own."""
    luck = np.stack([parted.luck(method) for method in range(len(methods))])
    means = np.stack([sums.mean(axis=0) for sums in methods], axis=1)
    return largest_difference_test(
        means, statistic, luck, draws=draws, random_state=parted.random_state
    )


def _tie_groups(loss: FloatArray, differs: NDArray[np.bool_]) -> IntArray:
    """Form groups from the best down; each takes what is not told apart from its best."""
    group = np.zeros(len(loss), dtype=np.int64)
    for number in range(1, len(loss) + 1):
        left = np.flatnonzero(group == 0)
        if len(left) == 0:
            break
        best = left[np.argmin(loss[left])]
        group[left[~differs[best, left]]] = number
    return group
