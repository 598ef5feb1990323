"""Predictions that another entry has already."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from llpbench.board.checks.candidate import Candidate
from llpbench.board.drafting_files import name_of_files
from llpbench.board.result import Result
from llpbench.board.submission import Submission
from llpbench.board.verdict import Reason
from llpbench.errors import LLPBenchError

NEAR = 1e-3
"""Mean difference of shares below which somebody should look."""


def check_duplicates(candidate: Candidate) -> Iterator[Reason]:
    """Exact duplicates of another entry are refused, near ones flagged.

    A team's method and its files, or its files of two kinds, are near one another and noted.
    """
    digests = set(candidate.digests.predictions)
    for other, result in candidate.others:
        if not _may_be_near(candidate, result):
            continue
        try:
            theirs = other.read(candidate.truth)
        except LLPBenchError:  # reported when that entry is checked
            continue
        if digests & set(theirs.digests.predictions):
            yield candidate.refuse("duplicates", f"a seed is identical to one of {other.name}")
            continue
        difference = min(
            float(np.abs(seed - another)[candidate.scored].mean())
            for seed in candidate.shares
            for another in theirs.shares
        )
        if difference < NEAR:
            say = candidate.note if _is_other_file(candidate, other) else candidate.flag
            yield say(
                "duplicates",
                f"a seed differs from one of {other.name} by only {difference:.2g} in the mean",
            )


def _is_other_file(candidate: Candidate, other: Submission) -> bool:
    """Whether both are of one team, and files of another kind made one of them."""
    mine, theirs = (
        one.datasets[candidate.dataset].export for one in (candidate.entry, other.entry)
    )
    is_one_team = candidate.entry.team == other.entry.team
    return is_one_team and name_of_files(mine) != name_of_files(theirs)


def _may_be_near(candidate: Candidate, result: Result | None) -> bool:
    """Whether predictions can be near: their errors differ by no more than they do themselves."""
    if result is None:
        return True
    theirs = np.array(list(result.seeds.values()))
    return bool(np.abs(candidate.errors[:, np.newaxis] - theirs).min() < 2 * NEAR)
