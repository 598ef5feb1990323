"""Methods on the two halves of every partition of the divisions, from which pairs are tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from llpbench.errors import MetricError
from llpbench.metrics.arrays import FloatArray, quotient
from llpbench.statistics.halves import Halves
from llpbench.statistics.jackknife import (
    Variance,
    jackknife_variance,
    seed_errors,
    seed_variance,
    shares_of,
)
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
    without : ndarray, shape (method, division, ...)
        Without each division in turn.
    seeds : sequence of pairs
        Variance (...) of each value, of the seeds alone, and its degrees of freedom.
    shares : ndarray, shape (division,)
        Part of all chips that each division has.
    half : ndarray, shape (draws,)
        Part of all chips that the one half has.
    exact : bool
        Whether these are all partitions there are.
    random_state : int
        Seed of the partitions, and of the luck of seeds.
    """

    values: FloatArray
    one: FloatArray
    other: FloatArray
    without: FloatArray
    seeds: Sequence[Variance]
    shares: FloatArray
    half: FloatArray
    exact: bool
    random_state: int

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
        values, halves, without, seeds = [], [], [], []
        for sums in methods:
            each, total = sums.mean(axis=0), sums.mean(axis=0).sum(axis=0)
            inside = taken @ each
            inside[whole] = total / 2
            both = [np.asarray(statistic(part), float) for part in (inside, total - inside)]
            for half in both:
                half[whole] = np.nan
            values.append(np.asarray(statistic(total), dtype=np.float64))
            halves.append(both)
            without.append(np.asarray(statistic(total - each), dtype=np.float64))
            seeds.append(seed_variance(np.asarray(statistic(sums.sum(axis=1)), dtype=np.float64)))
        one, other = np.swapaxes(halves, 0, 1)
        shares = shares_of(chips)
        return cls(
            values=np.stack(values),
            one=one,
            other=other,
            without=np.stack(without),
            seeds=seeds,
            shares=shares,
            half=taken @ shares,
            exact=all_fit(divisions, draws),
            random_state=random_state,
        )

    def pair(self, first: int, second: int) -> Halves:
        """What the halves say of the difference between two methods, first minus second."""
        difference = self.values[first] - self.values[second]
        without = self.without[first] - self.without[second]
        luck = self._luck(difference, without, [self.seeds[first], self.seeds[second]], 1)
        half = self.half.reshape(-1, *[1] * difference.ndim)
        one = self.one[first] - self.one[second] + quotient(luck, 2 * half)
        other = self.other[first] - self.other[second] - quotient(luck, 2 * (1 - half))
        return Halves.of(difference, one, other, self.exact)

    def luck(self, method: int) -> FloatArray:
        """What its seeds may put the value of one method off in each partition: (draws, ...)."""
        own = self.values[method], self.without[method], [self.seeds[method]]
        return self._luck(*own, 2 + method)

    def _luck(
        self, value: FloatArray, without: FloatArray, seeds: Sequence[Variance], stream: int
    ) -> FloatArray:
        divisions = jackknife_variance(value, without, self.shares)
        return seed_errors(value, [divisions], seeds, len(self.half), [self.random_state, stream])
