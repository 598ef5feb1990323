"""What every check is given: predictions on one dataset, its truth, and the other entries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llpbench import metrics
from llpbench.board.entry import Entry, Part
from llpbench.board.layout import Board
from llpbench.board.result import Result, read_result
from llpbench.board.submission import Submission, read_submission
from llpbench.board.verdict import Level, Reason
from llpbench.errors import LLPBenchError
from llpbench.metrics.arrays import FloatArray

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Candidate:
    """An entry's predictions on one dataset.

    Parameters
    ----------
    submission : Submission
    dataset : str
    truth : Dataset
        Its truth table.
    predictions : list of Dataset
        One a seed, checked against the truth table.
    board : Board
        With the other entries.
    """

    submission: Submission
    dataset: str
    truth: xr.Dataset
    predictions: list[xr.Dataset]
    board: Board

    @property
    def entry(self) -> Entry:
        """Its metadata."""
        return self.submission.entry

    @property
    def part(self) -> Part:
        """Its metadata about this dataset."""
        return self.entry.datasets[self.dataset]

    @cached_property
    def scored(self) -> NDArray[np.bool_]:
        """Which chips have a truth."""
        return np.isfinite(self.true_shares.sum(axis=1))

    @property
    def true_shares(self) -> FloatArray:
        """The truth, shape (chip, category); NaN where there is none."""
        shares: FloatArray = self.truth["truth"].to_numpy()
        return shares

    @cached_property
    def shares(self) -> FloatArray:
        """What is predicted, shape (seed, chip, category)."""
        return np.stack([one["proportions"].to_numpy() for one in self.predictions]).astype(float)

    @cached_property
    def errors(self) -> FloatArray:
        """``mae`` of each seed."""
        truth = self.true_shares[self.scored]
        return np.array([metrics.mae(truth, seed[self.scored]) for seed in self.shares])

    @cached_property
    def others(self) -> list[tuple[Submission, Result | None]]:
        """Other entries on this dataset, as far as they are in order, with their stored scores."""
        found = []
        for folder in self.board.entries():
            if folder.name == self.submission.name:
                continue
            try:
                other = read_submission(folder)
                if self.dataset in other.entry.datasets:
                    found.append((other, read_result(self.board.result(self.dataset, other.name))))
            except LLPBenchError:  # said when that entry is checked
                continue
        return found

    def reason(self, level: Level, check: str, sentence: str) -> Reason:
        """Say something about these predictions."""
        return Reason(level, check, self.dataset, sentence)
