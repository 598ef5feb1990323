"""Enough seeds, and really different ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from llpbench.board.checks.candidate import Candidate
from llpbench.board.verdict import Reason

FEWEST = 3
SAME = 1e-6
"""Mean difference of shares below which two seeds are the same but for rounding."""


def check_seeds(candidate: Candidate) -> Iterator[Reason]:
    """At least three seeds that differ, unless the method is deterministic."""
    seeds, deterministic = candidate.part.seeds, candidate.entry.deterministic
    if len(seeds) < FEWEST and not deterministic:
        yield candidate.refuse(
            "seeds",
            f"at least {FEWEST} seeds are needed unless the method is deterministic, found "
            f"{len(seeds)}: run further seeds, or set deterministic: true if none is used",
        )
    for first, second in combinations(range(len(seeds)), 2):
        difference = np.abs(candidate.shares[first] - candidate.shares[second]).mean()
        named = f"seeds {seeds[first]} and {seeds[second]}"
        if deterministic and difference > SAME:
            yield candidate.flag(
                "seeds",
                f"the entry says that it is deterministic, but {named} differ by "
                f"{difference:.2g} in the mean",
            )
        elif not deterministic and difference == 0:
            yield candidate.refuse(
                "seeds",
                f"{named} are identical: run them again, or set deterministic: true and give one",
            )
        elif not deterministic and difference <= SAME:
            yield candidate.flag(
                "seeds", f"{named} are the same but for rounding ({difference:.2g})"
            )


def check_attributes(candidate: Candidate) -> Iterator[Reason]:
    """What the files say of themselves agrees with ``entry.yaml``."""
    for seed, predictions in zip(candidate.part.seeds, candidate.seeds, strict=True):
        expected = {
            "seed": seed,
            "split": "test",
            "track": candidate.entry.track,
            "trained_on": candidate.part.trained_on,
        }
        for name, value in expected.items():
            if name in predictions.attrs and predictions.attrs[name] != value:
                yield candidate.refuse(
                    "attributes",
                    f"seed-{seed}.parquet says {name} {str(predictions.attrs[name])[:60]!r}, "
                    f"entry.yaml says {value!r}",
                )
