"""Tests of the difference between two methods, and their correction over many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llpbench.brief import Brief
from llpbench.errors import MetricError
from llpbench.metrics.arrays import FloatArray
from llpbench.statistics.sums import (
    Statistic,
    as_sums,
    caution,
    check_same_divisions,
    number_or_array,
    ratio,
)

DRAWS_AT_ONCE = 500  # bounds memory


@dataclass(frozen=True, repr=False)
class PermutationTest(Brief):
    """A difference between two methods and how often chance alone gives one as large.

    Attributes
    ----------
    difference, p_value : float or ndarray
        Numbers where the statistic is one, arrays where it has several values.
    exact : bool
        Whether all swaps were tried, and not a sample of them.
    divisions : int
        Number of divisions swapped.
    note : str
        Says so where there are fewer than 40 divisions; else empty.
    """

    difference: float | FloatArray
    p_value: float | FloatArray
    exact: bool
    divisions: int
    note: str


def sign_flip_test(
    first: ArrayLike,
    second: ArrayLike,
    statistic: Statistic = ratio,
    *,
    draws: int = 9999,
    random_state: int = 0,
) -> PermutationTest:
    """Test whether two methods differ, by swapping them division by division.

    If they are equally good, either could have made the predictions of a division; for a mean of
    errors, swapping flips the sign of the division's difference. The p-value is the fraction of
    swaps that make a difference at least as large, in either direction.

    Parameters
    ----------
    first, second : array_like, shape (C, m) or (seeds, C, m)
        Sums of m terms over the chips of the same C divisions. Seeds are averaged: the test is
        about the methods as trained with these seeds.
    statistic : callable
        From sums (..., m) to a value (...) or to several (..., q).
    draws : int
        Random swaps; where there are no more than draws + 1 possible ones, all are tried.
    random_state : int
        Seed of the swaps.

    Returns
    -------
    PermutationTest
        The statistic of ``first`` minus that of ``second`` with its two-sided p-value.

    Raises
    ------
    MetricError
        Sums of different shapes or not finite, or no draws.

    Notes
    -----
    Source: Fisher (1935), The Design of Experiments, section 21; (b + 1) / (draws + 1) after
    Phipson and Smyth (2010), Statistical Applications in Genetics and Molecular Biology 9, 39.
    ``scipy.stats.permutation_test(..., permutation_type="samples")`` is the same for one mean; it
    does not take sums of several terms.

    Examples
    --------
    >>> first = [[1.0, 10], [2.0, 10], [3.0, 10]]
    >>> second = [[0.5, 10], [1.0, 10], [2.5, 10]]
    >>> sign_flip_test(first, second).p_value  # 2 of 2**3 swaps
    0.25
    """
    one, other = as_sums(first), as_sums(second)
    check_same_divisions(one, other)
    _, divisions, _ = one.shape
    difference, p_value = swap(one.mean(axis=0), other.mean(axis=0), statistic, draws, random_state)
    return PermutationTest(
        number_or_array(difference),
        number_or_array(p_value),
        _all_fit(divisions, draws),
        divisions,
        caution(divisions),
    )


def swap(
    first: FloatArray, second: FloatArray, statistic: Statistic, draws: int, random_state: int
) -> tuple[FloatArray, FloatArray]:
    """Differences and p-values from sums (divisions, ..., terms), of many pairs at once if wanted.

    A swap in the divisions of sign -1 turns the totals T₁, T₂ into (T₁ + T₂ ± D) / 2, where D adds
    up the differences of the divisions with their signs.
    """
    if draws < 1:
        raise MetricError(f"draws must be positive, not {draws}")
    divisions = len(first)
    middle, half = (first + second).sum(axis=0) / 2, (first - second) / 2

    def difference(signs: NDArray[np.int8]) -> FloatArray:
        swing = np.tensordot(signs, half, axes=1)
        return np.subtract(statistic(middle + swing), statistic(middle - swing))

    observed = difference(np.ones((1, divisions), dtype=np.int8))[0]
    reached = np.abs(observed) - 1e-12  # equal but for rounding counts as equal
    exact = _all_fit(divisions, draws)
    extreme, tried = np.zeros(observed.shape), 0
    for signs in swap_signs(divisions, draws, random_state):
        extreme += (np.abs(difference(signs)) >= reached).sum(axis=0)
        tried += len(signs)
    p_value = extreme / tried if exact else (extreme + 1) / (tried + 1)
    return observed, np.where(np.isnan(observed), np.nan, p_value)


def swap_signs(divisions: int, draws: int, random_state: int) -> Iterator[NDArray[np.int8]]:
    """Signs of the divisions, -1 where a swap is made: all of them if they fit, else a sample."""
    if _all_fit(divisions, draws):
        return _all_signs(divisions)
    return _random_signs(divisions, draws, random_state)


def _all_fit(divisions: int, draws: int) -> bool:
    """Whether there are no more than draws + 1 swaps, 2 to the number of divisions."""
    return divisions < (draws + 1).bit_length()


def _all_signs(divisions: int) -> Iterator[NDArray[np.int8]]:
    bits = (np.arange(2**divisions)[:, np.newaxis] >> np.arange(divisions)) & 1
    for start in range(0, len(bits), DRAWS_AT_ONCE):
        yield (2 * bits[start : start + DRAWS_AT_ONCE] - 1).astype(np.int8)


def _random_signs(divisions: int, draws: int, random_state: int) -> Iterator[NDArray[np.int8]]:
    generator = np.random.default_rng(random_state)
    for start in range(0, draws, DRAWS_AT_ONCE):
        size = (min(DRAWS_AT_ONCE, draws - start), divisions)
        yield 2 * generator.integers(0, 2, size, dtype=np.int8) - 1


def holm(p_values: ArrayLike) -> FloatArray:
    """Adjust p-values (m,), 0 to 1, of tests so that any false rejection keeps its probability.

    Notes
    -----
    The j-th smallest of m is multiplied by m - j + 1 and is no smaller than those before it.
    Source: Holm (1979), Scandinavian Journal of Statistics 6, 65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    values = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise MetricError("p-values must be a list of numbers from 0 to 1")
    order = np.argsort(values, kind="stable")
    adjusted = np.empty_like(values)
    stepped = values[order] * np.arange(len(values), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return adjusted
