"""Ranks of entries on one dataset, from their stored errors by division."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from llpbench.board.result import Result
from llpbench.board.standings import Rank
from llpbench.errors import BoardError
from llpbench.statistics import rank_methods


def rank_results(results: Mapping[str, Result], chips: Sequence[int]) -> dict[str, Rank]:
    """Rank entries by ``mae``, with intervals of ranks and tie groups.

    Parameters
    ----------
    results : mapping of str to Result
        Name of an entry to its stored scores, all of one dataset.
    chips : sequence of int
        Scored chips of each division.

    Returns
    -------
    dict of str to Rank
        See :func:`llpbench.statistics.rank_methods`.

    Raises
    ------
    BoardError
        If scores of another dataset are among them.
    """
    if not results:
        return {}
    counts = np.asarray(chips, dtype=np.float64)
    sums = []
    for name, result in results.items():
        errors = np.array(result.errors)
        if errors.shape[1:] != counts.shape:
            raise BoardError(
                f"the scores of {name} on {result.dataset} are about {errors.shape[1]} divisions, "
                f"the truth about {len(counts)}; run `llpbench leaderboard score`"
            )
        sums.append(np.stack([errors, np.broadcast_to(counts, errors.shape)], axis=-1))
    found = rank_methods(sums)
    columns = zip(found.rank, found.low, found.high, found.group, strict=True)
    return {
        name: Rank(*(int(number) for number in row))
        for name, row in zip(results, columns, strict=True)
    }
