"""What a team learns that submits thousands of times: of exact scores, rounded ones and the Ladder.

Usage: python benchmarks/challenge_ladder.py DATASET PREDICTIONS [--submissions 2000] [--halves 5]

PREDICTIONS are an ordinary method's, of the test split. From these each team starts, and changes
them by what it is shown of the public half; nothing else is learnt from. How far its public score
falls beyond its private one is what it fitted. Printed are means over halves that were drawn anew.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import llpbench
from llpbench.board.truth import make_truth
from llpbench.challenge.codabench_score import rounded
from llpbench.challenge.halves import draw_halves
from llpbench.challenge.ladder import LEAST_STEP, Ladder
from llpbench.challenge.marks import Half, Marks
from llpbench.predictions.files import read_predictions
from llpbench.predictions.table import check_predictions

Shares: TypeAlias = NDArray[np.float64]


@dataclass
class Scorer:
    """Scores shares on both halves, and shows what a team may see of the public one."""

    truth: Shares
    division: NDArray[np.str_]
    public: NDArray[np.bool_]  # of each division, sorted
    shown: str
    ladder: Ladder = field(default_factory=Ladder)

    def marks(self, shares: Shares) -> Marks:
        """Both halves of a submission."""
        number = np.unique(self.division, return_inverse=True)[1]
        errors = np.bincount(number, np.abs(shares - self.truth).mean(axis=1))
        chips = np.bincount(number)
        halves = [Half.of(errors[part], chips[part]) for part in (self.public, ~self.public)]
        return Marks("", "inductive", *halves)

    def __call__(self, shares: Shares) -> float:
        """What the team is shown for a submission."""
        marks = self.marks(shares)
        self.ladder = self.ladder.after(marks)
        assert self.ladder.score is not None
        if self.shown == "rounded":  # as on platforms that remember nothing of a team
            return rounded(marks.public.mae, LEAST_STEP * marks.public.mae)
        return marks.public.mae if self.shown == "exact" else self.ladder.score


Attack: TypeAlias = Callable[[Scorer, Shares, int, np.random.Generator], Shares]


def climb(scorer: Scorer, start: Shares, submissions: int, random: np.random.Generator) -> Shares:
    """Change some chips at random, and keep what is shown to be better."""
    best, score = start, scorer(start)
    for _try in range(submissions - 1):
        changed = random.random(len(start)) < random.choice([0.01, 0.03, 0.1])
        tried = normal(best + changed[:, None] * random.normal(0, 0.05, start.shape))
        shown = scorer(tried)
        if shown < score:
            best, score = tried, shown
    return best


def divisions(
    scorer: Scorer, start: Shares, submissions: int, random: np.random.Generator
) -> Shares:
    """Move shares from one class to another in all chips of one division, or of two."""
    best, score = start, scorer(start)
    names = np.unique(scorer.division)
    for _try in range(submissions - 1):
        taken = random.choice(names, random.integers(1, 3), replace=False)
        less, more = random.choice(start.shape[1], 2, replace=False)
        change = np.zeros_like(start)
        here = np.isin(scorer.division, taken)
        change[here, less], change[here, more] = -0.05, 0.05
        tried = normal(best + change)
        shown = scorer(tried)
        if shown < score:
            best, score = tried, shown
    return best


def descend(scorer: Scorer, start: Shares, submissions: int, random: np.random.Generator) -> Shares:
    """Begin badly, so that there are many steps down, and try one division with each of them."""
    best, names = np.roll(start, 1, axis=1), random.permutation(np.unique(scorer.division))
    answered, score = np.zeros(len(start), dtype=bool), scorer(best)
    for turn in range(submissions - 2):
        here = scorer.division == names[turn % len(names)]
        goal = start + (turn >= len(names)) * random.normal(0, 0.05, start.shape[1])
        tried = normal(np.where(here[:, None], goal, best))
        shown = scorer(tried)
        if shown < score:
            best, score, answered = tried, shown, answered | here
    best = np.where(answered[:, None], best, start)
    scorer(best)
    return best


ATTACKS: dict[str, Attack] = {"climb": climb, "divisions": divisions, "descend": descend}


def normal(shares: Shares) -> Shares:
    """Shares that are above 0 and sum to 1."""
    positive = np.clip(shares, 1e-6, None)
    return positive / positive.sum(axis=1, keepdims=True)


def fitted(
    scorer: Scorer, attack: Attack, start: Shares, submissions: int, seed: int
) -> dict[str, float]:
    """How far the scores of both halves fall from those of the start."""
    before = scorer.marks(start)
    after = scorer.marks(attack(scorer, start, submissions, np.random.default_rng(seed)))
    public, private = (
        getattr(before, half).mae - getattr(after, half).mae for half in ("public", "private")
    )
    return {"public": public, "private": private, "fitted": public - private}


def main() -> None:
    """Attack both ways of showing scores, and print what was gained."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset")
    parser.add_argument("predictions", type=Path)
    parser.add_argument("--submissions", type=int, default=2000)
    parser.add_argument("--halves", type=int, default=5)
    chosen = parser.parse_args()
    truth = make_truth(llpbench.open_dataset(chosen.dataset))
    part = truth.llp.split("test")
    made = check_predictions(read_predictions(chosen.predictions, part), part)
    shares, known = made["proportions"].to_numpy().astype(float), part["truth"].to_numpy()
    scored = np.isfinite(known).all(axis=1)
    shares, known, division = shares[scored], known[scored], part["own_division"].to_numpy()[scored]
    names, chips = np.unique(division, return_counts=True)
    rows = []
    for seed in range(chosen.halves):
        halves = draw_halves(names.tolist(), chips.tolist(), 0.5, seed)
        for name, attack in ATTACKS.items():
            for shown in ("exact", "rounded", "Ladder"):
                scorer = Scorer(known, division, np.isin(names, halves.public), shown)
                gains = fitted(scorer, attack, shares, chosen.submissions, seed)
                rows.append({"team": name, "shown": shown, **gains})
    table = pd.DataFrame(rows).groupby(["team", "shown"], sort=False)
    most = table[["public", "fitted"]].max().add_prefix("most ")
    print(table.mean().join(most).round(5).to_string())


if __name__ == "__main__":
    main()
