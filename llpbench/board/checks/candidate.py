"""What every check is given: predictions on one dataset, and the other entries on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from llpbench import metrics
from llpbench.board.layout import Board
from llpbench.board.result import Result, read_stored
from llpbench.board.submission import EntryPredictions, Submission, read_submission
from llpbench.board.verdict import Reason
from llpbench.errors import LLPBenchError
from llpbench.metrics.arrays import FloatArray


@dataclass(frozen=True)
class Candidate(EntryPredictions):
    """The predictions of an entry on one dataset, to be checked beside the other entries'."""

    board: Board

    @cached_property
    def scored(self) -> NDArray[np.bool_]:
        """Which chips have a truth, shape (chip,)."""
        return np.isfinite(self.true_shares.sum(axis=1))

    @property
    def true_shares(self) -> FloatArray:
        """The truth, shape (chip, category); NaN where there is none."""
        shares: FloatArray = self.truth["truth"].to_numpy()
        return shares

    @cached_property
    def errors(self) -> FloatArray:
        """``mae`` of each seed, shape (seed,)."""
        truth = self.true_shares[self.scored]
        return np.array([metrics.mae(truth, seed[self.scored]) for seed in self.shares])

    @cached_property
    def others(self) -> list[tuple[Submission, Result | None]]:
        """Other entries on this dataset, as far as they are in order, with their stored scores."""
        others = []
        for folder in self.board.entries():
            if folder.name == self.submission.name:
                continue
            try:
                other = read_submission(folder)
                if self.dataset in other.entry.datasets:
                    others.append(
                        (other, read_stored(self.board.result(self.dataset, other.name), Result))
                    )
            except LLPBenchError:  # reported when that entry is checked
                continue
        return others

    def refuse(self, check: str, sentence: str) -> Reason:
        """A reason not to take these predictions."""
        return Reason("refused", check, self.dataset, sentence)

    def flag(self, check: str, sentence: str) -> Reason:
        """A reason for a person to look at them."""
        return Reason("flagged", check, self.dataset, sentence)

    def note(self, check: str, sentence: str) -> Reason:
        """Something that readers may want to know."""
        return Reason("note", check, self.dataset, sentence)
