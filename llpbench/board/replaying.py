"""Scoring everything again: no score may move unless the scorer did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from llpbench.board.entry_scoring import computed_metrics, score_entry
from llpbench.board.layout import Board
from llpbench.board.ranking import rank_results
from llpbench.board.result import Result, read_result
from llpbench.board.submission import Submission, read_submission
from llpbench.board.truth import read_truth, scored_divisions
from llpbench.protocol import SCORER_VERSION
from llpbench.scoring.score import Score

TOLERANCE = 1e-6
"""How far a stored score may be from a computed one; another processor rounds otherwise."""

Moved = dict[str, tuple[float | None, float | None]]
"""Scores that moved by more than 1e-6: stored value, computed value."""

_NO_SCORE = Score(value=None)


@dataclass(frozen=True)
class Replayed:
    """One entry on one dataset, scored again.

    Parameters
    ----------
    entry, dataset : str
    problem : str
        Why it fails; empty where nothing is wrong.
    moved : dict of str to (number or None, number or None)
    rank, stored_rank : int or None
        By the computed and by the stored scores; None outside the ranking.
    """

    entry: str
    dataset: str
    problem: str
    moved: Moved
    rank: int | None = None
    stored_rank: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The same for JSON."""
        return asdict(self)


def replay(board: Board) -> list[Replayed]:
    """Score every entry again, from stored predictions, and compare with the stored scores.

    Nothing is written: ``llpbench leaderboard score`` does that. Scores stored by another version
    of the scorer may move; all others may not.

    Raises
    ------
    LLPBenchError
        If an entry is out of order.
    """
    submissions = {folder.name: read_submission(folder) for folder in board.entries()}
    datasets = sorted({name for one in submissions.values() for name in one.entry.datasets})
    replayed = [one for name in datasets for one in _replay_dataset(board, name, submissions)]
    return replayed + list(_without_entry(board, submissions))


def _replay_dataset(
    board: Board, dataset: str, submissions: Mapping[str, Submission]
) -> Iterator[Replayed]:
    truth = read_truth(board.truth(dataset))
    here = {name: one for name, one in submissions.items() if dataset in one.entry.datasets}
    stored = {name: read_result(board.result(dataset, name)) for name in here}
    computed, moved = {}, {}
    for name, one in here.items():
        predictions = one.read(truth)
        computed[name] = score_entry(predictions, board)
        metrics = computed_metrics(predictions, computed[name])
        moved[name] = _moved(stored[name], metrics) | _moved_parts(stored[name], computed[name])
    chips = scored_divisions(truth)[1].tolist()
    known = {name: result for name, result in stored.items() if result is not None}
    before, after = (_ranks(here, results, chips) for results in (known, computed))
    for name in here:
        problem = _problem(stored[name], computed[name], moved[name])
        ranks = after.get(name), before.get(name)
        yield Replayed(name, dataset, problem, moved[name], *ranks)


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


def _moved(stored: Result | None, computed: Mapping[str, Score]) -> Moved:
    before = stored.all_metrics if stored else {}
    moved: Moved = {}
    for name in sorted({*before, *computed}):
        old, new = before.get(name, _NO_SCORE), computed.get(name, _NO_SCORE)
        pairs = {
            name: (old.value, new.value),
            f"{name}, low": (old.low, new.low),
            f"{name}, high": (old.high, new.high),
            **{
                f"{name}, {category}": (old.per_class.get(category), new.per_class.get(category))
                for category in sorted({*old.per_class, *new.per_class})
            },
        }
        moved |= {what: pair for what, pair in pairs.items() if not _is_same(*pair)}
    return moved


def _moved_parts(stored: Result | None, computed: Result) -> Moved:
    """The same of seeds and divisions, from which ranks follow."""
    if stored is None or stored.digests.predictions != computed.digests.predictions:
        return {}
    moved: Moved = {
        f"mae, seed {seed}": (stored.seeds.get(seed), value)
        for seed, value in computed.seeds.items()
        if not _is_same(stored.seeds.get(seed), value)
    }
    old, new = np.array(stored.errors), np.array(computed.errors)
    if old.shape != new.shape or np.abs(old - new).max() > TOLERANCE * computed.chips:
        moved["mae, by division"] = (float(old.sum()), float(new.sum()))
    return moved


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
    for path in sorted((board.folder / "results").glob("*/*.json")):
        owner = submissions.get(path.stem)
        if owner is None or path.parent.name not in owner.entry.datasets:
            yield Replayed(
                path.stem, path.parent.name, "has stored scores but no such entry; remove them", {}
            )
