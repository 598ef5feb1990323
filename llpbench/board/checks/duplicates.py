"""Predictions that another entry has already."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from llpbench.board.checks.candidate import Candidate
from llpbench.board.result import Result
from llpbench.board.verdict import Reason
from llpbench.errors import LLPBenchError

NEAR = 1e-3
"""Mean difference of shares below which somebody should look."""


def check_duplicates(candidate: Candidate) -> Iterator[Reason]:
    """Exact duplicates of another entry are refused, near ones flagged."""
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
            yield candidate.flag(
                "duplicates",
                f"a seed differs from one of {other.name} by only {difference:.2g} in the mean",
            )


def _may_be_near(candidate: Candidate, result: Result | None) -> bool:
    """Whether predictions can be near: their errors differ by no more than they do themselves."""
    if result is None:
        return True
    theirs = np.array(list(result.seeds.values()))
    return bool(np.abs(candidate.errors[:, np.newaxis] - theirs).min() < 2 * NEAR)
