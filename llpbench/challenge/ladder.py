"""The Ladder: what a team is shown of its public scores, so that scores cannot be fitted.

Source: Blum and Hardt, The Ladder: a reliable leaderboard for machine learning competitions,
ICML 2015 (arXiv:1502.04585), algorithm 2, whose step is the standard error of the paired
difference. Here its units are divisions, because chips of a division are alike, and the step is
longer: a gain in one division alone is about one standard error, so who is shown gains of one
learns the truth division by division. ``benchmarks/challenge_ladder.py`` measures both.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

from llpbench.challenge.codabench_score import rounded
from llpbench.challenge.marks import Half, Marks

CONFIDENCE = 0.95
"""Of the one-sided t-test over divisions that a gain must pass."""

LEAST_STEP = 0.01
"""Least step, as a part of the score kept so far: from .4 to .04 there are 230 steps at most,
however often a team submits."""


@dataclass(frozen=True)
class Ladder:
    """What a team has reached in a track.

    Parameters
    ----------
    kept : Marks or None
        Of the submission whose score is shown, which also counts when the challenge has closed;
        None before the first.
    score : float or None
        What is shown for it, rounded.

    Examples
    --------
    >>> marks = [Marks(str(mae), "inductive", half, half) for mae in (0.0461, 0.0460, 0.0412)
    ...          for half in [Half.of([10 * mae, 10 * mae], [10, 10])]]
    >>> [Ladder.of(marks[:n]).score for n in (0, 1, 2, 3)]
    [None, 0.046, 0.046, 0.0412]
    """

    kept: Marks | None = None
    score: float | None = None

    @classmethod
    def of(cls, submissions: Iterable[Marks]) -> Ladder:
        """Climb by all submissions of a team to a track, in the order of their arrival."""
        ladder = cls()
        for marks in submissions:
            ladder = ladder.after(marks)
        return ladder

    def after(self, now: Marks) -> Ladder:
        """What is reached after one more submission; the same where it is no step better."""
        if self.kept is None or self.score is None:
            return Ladder(now, rounded(now.public.mae, LEAST_STEP * now.public.mae))
        gain, error = paired_difference(self.kept.public, now.public)
        step = max(_quantile(len(now.public.chips)) * error, LEAST_STEP * self.kept.public.mae)
        if not gain > step:
            return self
        return Ladder(now, min(self.score, rounded(now.public.mae, step)))


def paired_difference(before: Half, now: Half) -> tuple[float, float]:
    """By how much the error fell, and the standard error of that over divisions.

    The error is a ratio of sums over divisions, ``sum(e) / sum(n)``. With differences ``d`` of the
    divisions' errors and ``D = sum(d) / sum(n)`` its standard error is
    ``sqrt(G / (G - 1) sum((d - D n)^2)) / sum(n)`` over G divisions.

    Source: Cochran, Sampling Techniques (3rd ed., 1977), eq. 6.13, without a finite population.

    Examples
    --------
    >>> paired_difference(Half.of([2, 2], [10, 10]), Half.of([1, 1], [10, 10]))
    (0.1, 0.0)
    """
    (earlier, chips), (later, _chips) = before.arrays(), now.arrays()
    falls, divisions = earlier - later, len(chips)
    gain = falls.sum() / chips.sum()
    squares = np.square(falls - gain * chips).sum() * divisions / (divisions - 1)
    return float(gain), float(math.sqrt(squares) / chips.sum())


@cache
def _quantile(divisions: int) -> float:
    """Of Student's t, for a mean over so many divisions."""
    from scipy.special import stdtrit

    return float(stdtrit(divisions - 1, CONFIDENCE))
