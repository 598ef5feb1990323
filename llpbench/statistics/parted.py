"""Methods on the two halves of every partition of the divisions, from which pairs are tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from llpbench.errors import MetricError
from llpbench.metrics.arrays import FloatArray, quotient
from llpbench.statistics.halves import Halves
from llpbench.statistics.jackknife import seed_errors
from llpbench.statistics.sums import Statistic, check_same_divisions
from llpbench.statistics.swaps import all_fit, swap_signs


@dataclass(frozen=True)
class PartedMethods:
    """Values of methods over all divisions, and over both halves of the same partitions.

    Any pair of them has the same test whichever other methods there are, and its mirror image when
    it is turned round.

    Parameters
    ----------
    values : ndarray, shape (method, ...)
        Over all divisions, seeds averaged.
    one, other : ndarray, shape (method, draws, ...)
        Over each half; NaN where it is empty.
    luck : ndarray, shape (2, method, draws, ...)
        What each mean over seeds may be off: in a pair the smaller value has the first draws, the
        larger the second, which are independent.
    share : ndarray, shape (draws,)
        Part of all chips that the one half has.
    exact : bool
        Whether these are all partitions there are.
    """

    values: FloatArray
    one: FloatArray
    other: FloatArray
    luck: FloatArray
    share: FloatArray
    exact: bool

    @classmethod
    def of(
        cls, methods: Sequence[FloatArray], statistic: Statistic, draws: int, random_state: int
    ) -> Self:
        """From sums (seeds, divisions, m) of each method, of the same divisions."""
        if draws < 1:
            raise MetricError(f"draws must be positive, not {draws}")
        for sums in methods[1:]:
            check_same_divisions(methods[0], sums)
        divisions, chips = methods[0].shape[1], methods[0][0, :, -1]
        signs = np.concatenate(list(swap_signs(divisions, draws, random_state)))
        taken = (signs > 0).astype(np.float64)
        whole = np.abs(signs.sum(axis=1, dtype=np.int64)) == divisions  # the other half is empty
        values, halves, luck = [], [], []
        for sums in methods:
            each, total = sums.mean(axis=0), sums.mean(axis=0).sum(axis=0)
            inside = taken @ each
            inside[whole] = total / 2
            both = [np.asarray(statistic(part), float) for part in (inside, total - inside)]
            for half in both:
                half[whole] = np.nan
            values.append(np.asarray(statistic(total), dtype=np.float64))
            halves.append(both)
            seeds = np.asarray(statistic(sums.sum(axis=1)), dtype=np.float64)
            luck.append([seed_errors([seeds], len(taken), [random_state, n]) for n in (0, 1)])
        one, other = np.swapaxes(halves, 0, 1)
        share = quotient(taken @ chips, chips.sum())
        fits = all_fit(divisions, draws)
        return cls(np.stack(values), one, other, np.swapaxes(luck, 0, 1), share, fits)

    def pair(self, first: int, second: int) -> Halves:
        """What the halves say of the difference between two methods, first minus second."""
        difference = self.values[first] - self.values[second]
        luck = np.where(
            difference <= 0,
            self.luck[0, first] - self.luck[1, second],
            self.luck[1, first] - self.luck[0, second],
        )
        share = self.share.reshape(-1, *[1] * (luck.ndim - 1))
        one = self.one[first] - self.one[second] + quotient(luck, 2 * share)
        other = self.other[first] - self.other[second] - quotient(luck, 2 * (1 - share))
        return Halves.of(difference, one, other, self.exact)
