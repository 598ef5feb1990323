"""Signs that labels or proportions of the test split were used: for a person to look at."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from llpbench.board.checks.candidate import Candidate
from llpbench.board.verdict import Reason

MIXED = 0.99
"""Chips whose largest share is below have several classes."""
COPIED = 5e-5
"""Shares that are so near agree to four digits."""
MOST_COPIED = 0.01
CONSISTENT = 1e-3


def check_copied_labels(candidate: Candidate) -> Iterator[Reason]:
    """More than 1 % of the mixed chips equal to the truth to four digits."""
    truth = candidate.true_shares
    mixed = candidate.scored & (truth.max(axis=1) < MIXED)
    if not mixed.any():
        return
    equal = (np.abs(candidate.shares[:, mixed] - truth[mixed]) <= COPIED).all(axis=2)
    fraction = float(equal.mean(axis=1).max())
    if fraction > MOST_COPIED:
        yield candidate.flag(
            "labels",
            f"{fraction:.1%} of the chips with several classes equal the truth to four digits",
        )


def check_too_good(candidate: Candidate) -> Iterator[Reason]:
    """An error below half of what supervision by pixels reaches."""
    if candidate.entry.supervision == "pixel":
        return
    bounds = {
        other.name: result.metrics["mae"].value
        for other, result in candidate.others
        if result is not None and other.entry.supervision == "pixel"
    }
    known = {name: value for name, value in bounds.items() if value is not None}
    mine = float(candidate.errors.mean())
    best = min(known, key=lambda name: known[name], default=None)
    if best is not None and mine < known[best] / 2:
        yield candidate.flag(
            "labels",
            f"its MAE of {mine:.4f} is below half of the {known[best]:.4f} of {best}, which was "
            "trained on the class of each pixel",
        )


def check_too_consistent(candidate: Candidate) -> Iterator[Reason]:
    """Means of test divisions that an inductive method cannot know so well."""
    if candidate.entry.track == "disaggregation":
        return
    bags = candidate.truth.llp.bags()
    known = candidate.truth["division_proportions"].to_numpy()
    filled = np.isfinite(known).all(axis=1) & (np.asarray(bags.sum(axis=1)) > 0)
    gaps = [float(np.abs(bags @ seed - known)[filled].mean()) for seed in candidate.shares]
    if min(gaps, default=1.0) < CONSISTENT:
        yield candidate.flag(
            "proportions",
            f"its means over test divisions are within {min(gaps):.1g} of their proportions, which "
            f"a method of the {candidate.entry.track} track does not see",
        )
