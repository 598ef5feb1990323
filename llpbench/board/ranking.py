"""Ranks of entries on one dataset, from their stored errors by division."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from llpbench.board.comparing import error_sums
from llpbench.board.result import Result, Stored
from llpbench.statistics import rank_methods


class Rank(Stored):
    """A place in the ranking by ``mae``.

    Attributes
    ----------
    rank : int
        1 is best; equal values share the better rank.
    low, high : int
        Best and worst rank that the data allow, all of them together with 95 %.
    group : int
        Tie group: 1 for the entries not told apart from the best one, 2 for those not told apart
        from the best of the rest, and so on.
    """

    rank: int
    low: int
    high: int
    group: int


def rank_results(
    results: Mapping[str, Result], chips: Sequence[int]
) -> tuple[dict[str, Rank], dict[tuple[str, str], float]]:
    """Rank entries by ``mae``, with intervals of ranks and tie groups.

    Parameters
    ----------
    results : mapping of str to Result
        Name of an entry to its stored scores, all of one dataset.
    chips : sequence of int
        Scored chips of each division.

    Returns
    -------
    ranks : dict of str to Rank
        See :func:`llpbench.statistics.rank_methods`.
    p_values : dict of (str, str) to float
        Of each pair, corrected over all pairs: ranks and tie groups follow from them.

    Raises
    ------
    BoardError
        If scores of another dataset are among them.
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
