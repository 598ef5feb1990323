"""Ranks of entries on one dataset, from their stored errors by division."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from llpbench.board.comparing import error_sums
from llpbench.board.result import Result, Stored
from llpbench.statistics import rank_methods


class Rank(Stored):
    """A place in the ranking by ``mae``.

    ``rank`` 1 is best; equal values share the better rank. ``low`` and ``high`` are the best and
    worst rank that the data allow, all of them together with 95 %. ``group`` is the tie group: 1
    for the entries not told apart from the best one, 2 for those not told apart from the best of
    the rest, and so on.
    """

    rank: int
    low: int
    high: int
    group: int


def rank_results(
    results: Mapping[str, Result], chips: Sequence[int]
) -> tuple[dict[str, Rank], dict[tuple[str, str], float]]:
    """Rank entries of one dataset by ``mae``, given the scored chips of each division.

    Their p-values by pair, corrected over all pairs, come with the ranks: intervals and tie groups
    follow from them (:func:`llpbench.statistics.rank_methods`).
    """
    if not results:
        return {}, {}
    ranking = rank_methods([error_sums(result, chips) for result in results.values()])
    columns = {name: getattr(ranking, name).tolist() for name in Rank.model_fields}
    ranks = {
        name: Rank(**{column: values[place] for column, values in columns.items()})
        for place, name in enumerate(results)
    }
    pairs = combinations(enumerate(results), 2)
    p_values = {(first, second): float(ranking.p_values[i, j]) for (i, first), (j, second) in pairs}
    return ranks, p_values
