"""A test and the interval that is its inversion, from what halves of the divisions say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from llpbench.metrics.arrays import FloatArray

ROUNDING = 1e-12
"""Differences as small as this are none."""


@dataclass(frozen=True)
class Halves:
    """A difference, and the smaller and larger of what the two halves of each partition say.

    Parameters
    ----------
    difference : ndarray, shape (...)
        Over all divisions.
    lower, upper : ndarray, shape (draws, ...)
        Infinite where a half has no value: it then agrees with everything.
    exact : bool
        Whether these are all partitions there are.
    """

    difference: FloatArray
    lower: FloatArray
    upper: FloatArray
    exact: bool

    @classmethod
    def of(cls, difference: FloatArray, one: FloatArray, other: FloatArray, exact: bool) -> Self:
        """From the values of both halves, (draws, ...) each."""
        lower, upper = np.minimum(one, other), np.maximum(one, other)
        lower[np.isnan(lower)], upper[np.isnan(upper)] = -np.inf, np.inf
        for values in (lower, upper):
            values[np.abs(values) <= ROUNDING] = 0
        return cls(np.where(np.abs(difference) <= ROUNDING, 0.0, difference), lower, upper, exact)

    @property
    def p_value(self) -> FloatArray:
        """Fraction of the partitions whose halves do not agree on the sign; NaN without a value."""
        reached = np.where(self.difference > 0, self.lower <= 0, self.upper >= 0)
        count = np.where(self.difference == 0, len(self.lower), reached.sum(axis=0))
        observed = 0 if self.exact else 1
        p_value = (count + observed) / (len(self.lower) + observed)
        return np.where(np.isnan(self.difference), np.nan, p_value)

    def limits(self, level: float) -> tuple[FloatArray, FloatArray]:
        """Least and largest difference whose p-value is 1 - level or more; NaN if without end."""
        observed = 0 if self.exact else 1
        least = np.ceil((1 - level) * (len(self.lower) + observed) - 1e-9) - observed
        if least < 1:
            none = np.full(self.difference.shape, np.nan)
            return none, none
        place = int(least) - 1
        low = np.minimum(np.partition(self.lower, place, axis=0)[place], self.difference)
        high = np.maximum(-np.partition(-self.upper, place, axis=0)[place], self.difference)
        known = np.isfinite(low) & np.isfinite(high)
        return np.where(known, low, np.nan), np.where(known, high, np.nan)


def holm_level(p_value: float, corrected: float) -> float:
    """Level of the interval that leaves 0 out where a corrected p-value is below .05.

    A p-value p that a correction makes q is below .05 p / q exactly where q is below .05.

    Examples
    --------
    >>> round(holm_level(0.01, 0.04), 4)
    0.9875
    """
    return 1 - 0.05 * p_value / corrected
