"""Scoring everything again: no score may move unless the scorer did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from pydantic import Field

from llpbench.board.entry_scoring import score_entry
from llpbench.board.layout import Board
from llpbench.board.ranking import rank_results
from llpbench.board.result import Result, Stored, read_stored
from llpbench.board.submission import Submission, read_submissions
from llpbench.board.truth import read_truth, scored_divisions
from llpbench.protocol import SCORER_VERSION
from llpbench.scoring.score import Score

TOLERANCE = 1e-6
"""How far a stored score may be from a computed one; another processor rounds otherwise."""

Moved = dict[str, tuple[float | None, float | None]]


class Replayed(Stored):
    """One entry on one dataset, scored again.

    ``problem`` is empty where nothing is wrong; ``moved`` has the stored and the computed value of
    scores that moved by more than 1e-6; ranks are None outside the ranking.
    """

    entry: str
    dataset: str
    problem: str
    moved: Moved = Field(default={})
    rank: int | None = None
    stored_rank: int | None = None


def replay(board: Board) -> list[Replayed]:
    """Score every entry again, from stored predictions, and compare with the stored scores.

    Nothing is written: ``llpbench leaderboard score`` does that. Scores stored by another version
    of the scorer may move; all others may not.
    """
    submissions = {one.name: one for one in read_submissions(board.entries())}
    entries = [submission.entry for submission in submissions.values()]
    replayed: list[Replayed] = []
    for dataset in sorted({name for entry in entries for name in entry.datasets}):
        replayed += _replay_dataset(board, dataset, submissions)
    return replayed + list(_without_entry(board, submissions))


def _replay_dataset(
    board: Board, dataset: str, submissions: Mapping[str, Submission]
) -> Iterator[Replayed]:
    truth = read_truth(board.truth(dataset))
    here = {
        name: submission
        for name, submission in submissions.items()
        if dataset in submission.entry.datasets
    }
    stored = {name: read_stored(board.result(dataset, name), Result) for name in here}
    computed, moved = {}, {}
    for name, submission in here.items():
        computed[name] = score_entry(submission.read(truth), board)
        moved[name] = _moved(stored[name], computed[name])
    chips = scored_divisions(truth)[1].tolist()
    known = {name: result for name, result in stored.items() if result is not None}
    before, after = (_ranks(here, results, chips) for results in (known, computed))
    for name in here:
        yield Replayed(
            entry=name,
            dataset=dataset,
            problem=_problem(stored[name], computed[name], moved[name]),
            moved=moved[name],
            rank=after.get(name),
            stored_rank=before.get(name),
        )


def _ranks(
    submissions: Mapping[str, Submission], results: Mapping[str, Result], chips: list[int]
) -> dict[str, int]:
    """Rank of each entry, track by track."""
    ranks: dict[str, int] = {}
    for track in sorted({submissions[name].entry.track for name in results}):
        ranked = {
            name: result
            for name, result in results.items()
            if (entry := submissions[name].entry).is_ranked
            and entry.track == track
            and len(result.errors[0]) == len(chips)
        }
        ranks |= {name: rank.rank for name, rank in rank_results(ranked, chips)[0].items()}
    return ranks


def _moved(stored: Result | None, computed: Result) -> Moved:
    """Scores, and the parts of them from which ranks follow."""
    before, after = _numbers(stored.all_metrics if stored else {}), _numbers(computed.all_metrics)
    is_same_entry = stored and stored.digests.predictions == computed.digests.predictions
    if stored and is_same_entry:
        before |= {f"mae, seed {seed}": value for seed, value in stored.seeds.items()}
        after |= {f"mae, seed {seed}": value for seed, value in computed.seeds.items()}
    pairs = {name: (before.get(name), after.get(name)) for name in sorted({*before, *after})}
    moved = {name: pair for name, pair in pairs.items() if not _is_same(*pair)}
    if stored and is_same_entry:
        old, new = np.array(stored.errors), np.array(computed.errors)
        if old.shape != new.shape or np.abs(old - new).max() > TOLERANCE * computed.chips:
            moved["mae, by division"] = (float(old.sum()), float(new.sum()))
    return moved


def _numbers(scores: Mapping[str, Score]) -> dict[str, float | None]:
    """All numbers of scores, each under a name that people understand."""
    numbers: dict[str, float | None] = {}
    for name, score in scores.items():
        numbers |= {name: score.value, f"{name}, low": score.low, f"{name}, high": score.high}
        numbers |= {f"{name}, {category}": value for category, value in score.per_class.items()}
    return numbers


def _is_same(old: float | None, new: float | None) -> bool:
    if old is None or new is None:
        return old is new
    return abs(old - new) <= TOLERANCE


def _problem(stored: Result | None, computed: Result, moved: Moved) -> str:
    if stored is None:
        return "has no stored scores; run `llpbench leaderboard score`"
    for what in ("dataset", "predictions"):
        if getattr(stored.digests, what) != getattr(computed.digests, what):
            return f"its scores are of another {what}; run `llpbench leaderboard score`"
    if stored.digests.scorer != SCORER_VERSION:
        return ""
    if stored.pixels is not None and computed.pixels is None:
        return "its pixels were scored on other data; run `llpbench leaderboard score --pixels`"
    if moved:
        name, (old, new) = next(iter(moved.items()))
        return (
            f"{len(moved)} scores moved though the scorer is still {SCORER_VERSION}, such as "
            f"{name} from {old} to {new}"
        )
    return ""


def _without_entry(board: Board, submissions: Mapping[str, Submission]) -> Iterator[Replayed]:
    """Stored scores that belong to nothing."""
    for path in sorted((board.folder / "results").glob("[!.]*/[!.]*.json")):
        owner = submissions.get(path.stem)
        if owner is None or path.parent.name not in owner.entry.datasets:
            yield Replayed(
                entry=path.stem,
                dataset=path.parent.name,
                problem="has stored scores but no such entry; remove them",
            )
