"""All pairs of many methods in one test: the permutation distribution of the largest difference."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from llpbench.metrics.arrays import FloatArray, quotient
from llpbench.statistics.sums import Statistic
from llpbench.statistics.swaps import swap_signs

NUMBERS_AT_ONCE = 2**22  # bounds memory


def largest_difference_test(
    sums: FloatArray,
    statistic: Statistic,
    luck: FloatArray | None = None,
    *,
    draws: int = 9999,
    random_state: int = 0,
) -> FloatArray:
    """Adjusted p-values (M, M) of all pairs of methods, by swapping them division by division.

    Every draw swaps the same divisions in all pairs and keeps the largest difference, in units of
    each pair's standard deviation over the draws; a pair's p-value is the fraction of draws whose
    largest difference reaches its own. Unlike Holm's, this correction does not multiply the
    smallest possible p-value by the number of pairs, so that the draws need not grow with it. That
    any pair of equal methods is below α happens with probability α at most.

    Parameters
    ----------
    sums : ndarray, shape (C, M, m)
        Sums of m terms over the chips of C divisions, of M methods.
    statistic : callable
        From sums (..., m) to one value (...).
    luck : ndarray, shape (M, draws), optional
        What the value of each method may be off because it is a mean over few seeds, drawn for
        each swap and added to it.
    draws : int
        Random swaps; where there are no more than draws + 1 possible ones, all are tried.

    Notes
    -----
    Source: Westfall and Young (1993), Resampling-Based Multiple Testing (the single-step
    maximum).

    Examples
    --------
    >>> from llpbench.statistics import ratio
    >>> worse = np.column_stack([np.tile([0.5, 1.5], 30), np.full(60, 10.0)])
    >>> sums = np.stack([worse, worse - [0.1, 0], worse - [0.1, 0]], axis=1)
    >>> (largest_difference_test(sums, ratio) < 0.05).astype(int)
    array([[0, 1, 1],
           [1, 0, 0],
           [1, 0, 0]])
    """
    methods = sums.shape[1]
    first, second = np.triu_indices(methods, 1)
    total = sums.sum(axis=0)
    observed = np.abs(statistic(total[first]) - statistic(total[second]))
    squares, tried = np.zeros(len(first)), 0
    for differences in _differences(sums, statistic, luck, draws, random_state):
        squares += np.square(differences).sum(axis=0)
        tried += len(differences)
    scale = np.sqrt(squares / tried)
    reached = _in_units(observed, scale) - 1e-9  # equal but for rounding counts as equal
    largest = np.concatenate(
        [
            _in_units(np.abs(differences), scale).max(axis=1)
            for differences in _differences(sums, statistic, luck, draws, random_state)
        ]
    )
    at_least = tried - np.searchsorted(np.sort(largest), reached)
    exact = tried == 2 ** sums.shape[0]
    p_values = np.ones((methods, methods))
    p_values[first, second] = at_least / tried if exact else (at_least + 1) / (tried + 1)
    p_values[second, first] = p_values[first, second]
    return p_values


def _differences(
    sums: FloatArray,
    statistic: Statistic,
    luck: FloatArray | None,
    draws: int,
    random_state: int,
) -> Iterator[FloatArray]:
    """Differences of all pairs after each of some swaps: (swaps, pairs), a few at a time.

    A swap turns the totals T₁, T₂ of a pair into (T₁ + T₂ ± (S₁ - S₂)) / 2, where S adds up a
    method's divisions with their signs.
    """
    divisions, methods, terms = sums.shape
    first, second = np.triu_indices(methods, 1)
    total = sums.sum(axis=0)
    middle = (total[first] + total[second]) / 2
    at_once = max(1, NUMBERS_AT_ONCE // (len(first) * terms))
    done = 0
    for signs in swap_signs(divisions, draws, random_state):
        for start in range(0, len(signs), at_once):
            signed = np.tensordot(signs[start : start + at_once], sums, axes=1)
            swing = (signed[:, first] - signed[:, second]) / 2
            differences = np.subtract(statistic(middle + swing), statistic(middle - swing))
            if luck is not None:
                own = luck[:, done : done + len(signed)].T
                differences += own[:, first] - own[:, second]
            done += len(signed)
            yield differences


def _in_units(differences: FloatArray, scale: NDArray[np.float64]) -> FloatArray:
    """Differences over their scale; 0 where the two methods never differ."""
    return np.nan_to_num(quotient(differences, scale))
