"""Entries against each other: paired differences with tests, corrected where they are many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from llpbench.board.entry_scoring import full_scores
from llpbench.board.layout import Board
from llpbench.board.result import read_result
from llpbench.board.truth import read_truth
from llpbench.board.upkeep import find_submissions
from llpbench.errors import BoardError
from llpbench.statistics import holm


@dataclass(frozen=True)
class EntryComparison:
    """Two entries on one dataset.

    Parameters
    ----------
    dataset, metric, first, second : str
    difference, low, high : float
        First minus second with its 95 % interval, divisions paired.
    p_value : float
        Of the sign-flip permutation test by division.
    corrected : float
        The same after Holm's correction over all comparisons that were asked for.
    note : str
        A caution, where there are few divisions.
    """

    dataset: str
    metric: str
    first: str
    second: str
    difference: float
    low: float
    high: float
    p_value: float
    corrected: float
    note: str


def compare_entries(
    board: Board, names: Sequence[str], metric: str = "mae"
) -> list[EntryComparison]:
    """Compare every pair of some entries on every dataset that they share.

    Parameters
    ----------
    board : Board
    names : sequence of str
        At least two entries.
    metric : str
        Of any pixel metric, stored scores are used.

    Returns
    -------
    list of EntryComparison

    Raises
    ------
    BoardError
        If they share no dataset in one track.
    UnknownNameError
        If one of them has no such metric.
    """
    submissions = {one.name: one for one in find_submissions(board, dict.fromkeys(names))}
    found = []
    datasets = sorted({name for one in submissions.values() for name in one.entry.datasets})
    for dataset in datasets:
        here = [one for one in submissions.values() if dataset in one.entry.datasets]
        if len(here) < 2:
            continue
        truth = read_truth(board.truth(dataset))
        scores = {
            one.name: full_scores(one, truth, read_result(board.result(dataset, one.name)))
            for one in here
        }
        for first, second in combinations(here, 2):
            one = scores[first.name].compare(scores[second.name], metric)
            found.append(
                EntryComparison(
                    dataset,
                    metric,
                    first.name,
                    second.name,
                    one.difference,
                    one.low,
                    one.high,
                    one.p_value,
                    one.p_value,
                    one.note,
                )
            )
    if not found:
        raise BoardError(f"{' and '.join(names)} share no dataset, so nothing can be compared")
    corrected = holm([one.p_value for one in found])
    return [
        replace(one, corrected=float(value)) for one, value in zip(found, corrected, strict=True)
    ]
