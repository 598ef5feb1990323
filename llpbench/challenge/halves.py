"""The public and the private half of a challenge's test split: whole divisions, drawn in secret.

The public half is scored while the challenge is open, the private one when it has closed. Divisions
are whole, because chips of one division are alike: what is learnt of one tells of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from llpbench.errors import ChallengeError

DRAWS = 100
"""Orders of divisions that are drawn, of which the one is kept that parts chips best."""

LEAST_DIVISIONS = 4
"""Two in each half, so that a standard error can be told."""


@dataclass(frozen=True)
class Halves:
    """Which divisions are scored when.

    Parameters
    ----------
    seed : int
        The secret that they were drawn with.
    public, private : tuple of str
        Ids of divisions, sorted; chips of no division have an empty id and stay together as well.
    """

    seed: int
    public: tuple[str, ...]
    private: tuple[str, ...]

    @classmethod
    def of_json(cls, content: Any) -> Halves:
        """Read what :func:`dataclasses.asdict` makes of it."""
        return cls(int(content["seed"]), tuple(content["public"]), tuple(content["private"]))


def draw_halves(
    divisions: Sequence[str], chips: Sequence[int], public_share: float, seed: int
) -> Halves:
    """Draw the halves.

    A hundred times the divisions are put into a random order, and the first of them are public, as
    many as come nearest to the share of chips; the draw that comes nearest of all is kept. Each
    half has two divisions at least.

    Parameters
    ----------
    divisions : sequence of str
        Ids of those that own scored chips.
    chips : sequence of int
        Scored chips of each.
    public_share : float
        Part of the chips that shall be public, above 0 and below 1.
    seed : int
        The secret: who has it can draw the halves again.

    Raises
    ------
    ChallengeError
        If there are less than four divisions.

    Examples
    --------
    >>> halves = draw_halves(["a", "b", "c", "d"], [10, 20, 30, 40], 0.5, seed=3)
    >>> halves.public, halves.private
    (('a', 'd'), ('b', 'c'))
    """
    if len(divisions) < LEAST_DIVISIONS:
        raise ChallengeError(
            f"halves of whole divisions need at least {LEAST_DIVISIONS} divisions with scored "
            f"chips, found {len(divisions)}; take a dataset with more of them in its test split"
        )
    sizes, random = np.asarray(chips, dtype=np.int64), np.random.default_rng(seed)
    wanted, best = public_share * sizes.sum(), np.inf
    for _draw in range(DRAWS):
        order = random.permutation(len(sizes))
        misses = np.abs(np.cumsum(sizes[order])[1:-2] - wanted)
        if misses.min() < best:
            best, taken = misses.min(), order[: misses.argmin() + 2]
    is_public = np.isin(np.arange(len(sizes)), taken)
    ids = np.asarray(divisions)
    public, private = (tuple(sorted(ids[part].tolist())) for part in (is_public, ~is_public))
    return Halves(seed, public, private)
