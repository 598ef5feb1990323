"""Entries against each other: paired differences with tests, corrected where they are many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from pydantic import Field

from llpbench.board.entry_scoring import full_scores
from llpbench.board.layout import Board
from llpbench.board.result import Result, Stored, read_stored
from llpbench.board.truth import read_truth
from llpbench.board.upkeep import find_submissions
from llpbench.errors import BoardError
from llpbench.metrics.arrays import FloatArray
from llpbench.scoring.comparison import Comparison, compare_all
from llpbench.scoring.measures import BY_NAME
from llpbench.scoring.score import Number
from llpbench.statistics import holm

_COMPARED = ("metric", "difference", "low", "high", "p_value", "note")


class EntryComparison(Stored):
    """Two entries on one dataset: first minus second, as :class:`.Comparison` has it.

    ``corrected`` is the p-value after correction over several comparisons, and the interval with it
    leaves 0 out exactly where it is below .05; None outside of them.
    """

    dataset: str
    metric: str
    first: str
    second: str
    difference: Number
    low: Number
    high: Number
    p_value: float = Field(serialization_alias="p")
    corrected: Number = None
    corrected_low: Number = None
    corrected_high: Number = None
    note: str = ""


def compare_entries(
    board: Board, names: Sequence[str], metric: str = "mae"
) -> list[EntryComparison]:
    """Compare every pair of some entries on every dataset that they share, corrected over all.

    For metrics of pixels, stored scores are used.
    """
    submissions = find_submissions(board, dict.fromkeys(names))
    compared = []
    datasets = {name for submission in submissions for name in submission.entry.datasets}
    for dataset in sorted(datasets):
        here = [submission for submission in submissions if dataset in submission.entry.datasets]
        if len(here) < 2:
            continue
        truth = read_truth(board.truth(dataset))
        scores = {
            submission.name: full_scores(
                submission.read(truth), read_stored(board.result(dataset, submission.name), Result)
            )
            for submission in here
        }
        for first, second in combinations(scores, 2):
            compared.append((dataset, first, second, scores[first].compare(scores[second], metric)))
    if not compared:
        raise BoardError(f"{' and '.join(names)} share no dataset, so nothing can be compared")
    corrected = holm([comparison.p_value for *_names, comparison in compared]).tolist()
    return [_compared(*pair, value) for pair, value in zip(compared, corrected, strict=True)]


def compare_results(
    results: Mapping[str, Result],
    chips: Sequence[int],
    corrected: Mapping[tuple[str, str], float],
    draws: int,
) -> list[EntryComparison]:
    """Compare every pair of entries on one dataset by ``mae``, from their stored errors.

    ``chips`` are the scored ones of each division, ``corrected`` the p-values from the ranking and
    ``draws`` the swaps that it drew, so that both are of one test.
    """
    measure = BY_NAME["mae"]
    sums = {name: measure.sums({"errors": error_sums(one, chips)}) for name, one in results.items()}
    compared = []
    for pair in compare_all(measure, sums, "test", draws=draws):
        known = corrected.get((pair.first, pair.second), corrected.get((pair.second, pair.first)))
        dataset = results[pair.first].dataset
        compared.append(_compared(dataset, pair.first, pair.second, pair, known))
    return compared


def error_sums(result: Result, chips: Sequence[int]) -> FloatArray:
    """Sums over divisions that statistics take, shape (seed, division, 2): errors, chips."""
    errors = np.array(result.errors)
    if errors.shape[1] != len(chips):
        raise BoardError(
            f"the scores of {result.entry} on {result.dataset} are about {errors.shape[1]} "
            f"divisions, the truth about {len(chips)}; run `llpbench leaderboard score`"
        )
    return np.stack([errors, np.broadcast_to(np.asarray(chips, float), errors.shape)], axis=-1)


def _compared(
    dataset: str, first: str, second: str, comparison: Comparison, corrected: float | None = None
) -> EntryComparison:
    wide = None if corrected is None else comparison.corrected(corrected)
    return EntryComparison(
        dataset=dataset,
        first=first,
        second=second,
        corrected=corrected,
        corrected_low=wide.low if wide else None,
        corrected_high=wide.high if wide else None,
        **{name: getattr(comparison, name) for name in _COMPARED},
    )
