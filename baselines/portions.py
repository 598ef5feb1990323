"""More chips than memory is meant for, a portion of whole divisions at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llpbench_baselines.split_data import SplitData


class Portions:
    """Training chips in portions of at most so many, which take turns.

    Proportions are those of a whole division; a few of its chips need not hold them, and what is
    learned from such pairs is drawn towards the mean of all (errors in variables, Fuller,
    Measurement Error Models, 1987, section 1.1). So a portion is of all chips of some divisions:
    those are put in a random order, once, and each portion goes on where the last one ended,
    from the end to the beginning. A division that alone has more chips is a portion of its own.
    A chip on a border counts for those of its divisions that are in the portion.

    Parameters
    ----------
    train : SplitData
        All chips.
    most : int
        Chips of a portion.
    seed : int
        Of the order.
    """

    def __init__(self, train: SplitData, most: int, seed: int) -> None:
        self._train, self._most = train, most
        known = np.flatnonzero(train.divisions.is_known)
        self._order = np.random.default_rng(seed).permutation(known)
        self.is_all = len(train.images) <= most

    def __getitem__(self, number: int) -> SplitData:
        """Take the portion of that number, from 0; after the last division comes the first."""
        first = 0
        for _earlier in range(number):
            first = (first + self._length(first)) % len(self._order)
        divisions = self._train.divisions[self._divisions(first, self._length(first))]
        return self._train.at(divisions.chips, divisions)

    def _divisions(self, first: int, count: int) -> NDArray[np.intp]:
        return self._order[(first + np.arange(count)) % len(self._order)]

    def _length(self, first: int) -> int:
        """How many divisions from there on have at most so many chips, one at least."""
        counts = np.diff(self._train.divisions.overlaps.indptr)
        reached = np.cumsum(counts[self._divisions(first, len(self._order))])
        return max(1, int(np.searchsorted(reached, self._most, side="right")))
