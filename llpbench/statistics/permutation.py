"""Tests of the difference between two methods, and their correction over many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llpbench.brief import Brief
from llpbench.errors import MetricError
from llpbench.metrics.arrays import FloatArray, quotient
from llpbench.statistics.halves import Halves
from llpbench.statistics.jackknife import seed_errors
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
    """A difference between two methods, how often chance alone gives one as large, its interval.

    Attributes
    ----------
    difference, p_value, low, high : float or ndarray
        Numbers where the statistic is one, arrays where it has several values. The interval holds
        the differences that the test does not reject: 0 is outside exactly where the p-value is
        below 1 - ``level``. Limits are NaN where none are: at .95, below 6 divisions.
    level : float
        Nominal coverage, 0 to 1.
    exact : bool
        Whether all swaps were tried, and not a sample of them.
    divisions : int
        Number of divisions swapped.
    note : str
        Says so where there are fewer than 40 divisions; else empty.
    """

    difference: float | FloatArray
    p_value: float | FloatArray
    low: float | FloatArray
    high: float | FloatArray
    level: float
    exact: bool
    divisions: int
    note: str


def sign_flip_test(
    first: ArrayLike,
    second: ArrayLike,
    statistic: Statistic = ratio,
    *,
    draws: int = 9999,
    level: float = 0.95,
    random_state: int = 0,
) -> PermutationTest:
    """Test whether two methods differ, by swapping them division by division, and by how much.

    A swap parts the divisions into two: those that are swapped and the others. For a mean of
    errors it makes a difference at least as large as the observed one exactly where the halves
    disagree about who is better. The p-value is the fraction of partitions in which they do; the
    interval holds every difference θ that lies between what the halves say in more than 1 -
    ``level`` of them, which is the same test of the errors less θ. Partitions are never more
    extreme than the divisions themselves, so that no limit is.

    Parameters
    ----------
    first, second : array_like, shape (C, m) or (seeds, C, m)
        Sums of m terms over the chips of the same C divisions; numbers of seeds may differ. What
        few seeds may be off is drawn from Student's t and added to every partition.
    statistic : callable
        From sums (..., m) to a value (...) or to several (..., q), of ratios between terms.
    draws : int
        Random partitions; where there are no more than draws + 1 possible ones, all are tried.
    level : float
        Nominal coverage of the interval, between 0 and 1.
    random_state : int
        Seed of the draws.

    Returns
    -------
    PermutationTest
        The statistic of ``first`` minus that of ``second`` with two-sided p-value and interval.

    Raises
    ------
    MetricError
        Sums of different shapes or not finite, no draws, or an impossible level.

    Notes
    -----
    Source: Fisher (1935), The Design of Experiments, section 21; the interval after Hartigan
    (1969), Journal of the American Statistical Association 64, 1303-1317 (typical values); (b
    + 1) / (draws + 1) after Phipson and Smyth (2010), Statistical Applications in Genetics
    and Molecular Biology 9, 39. It is the wild cluster bootstrap with Rademacher signs and
    the null imposed.
    ``scipy.stats.permutation_test(..., permutation_type="samples")`` is the same for one mean; it
    does not take sums of several terms.

    Examples
    --------
    >>> first = [[1.0, 10], [2.0, 10], [3.0, 10]]
    >>> second = [[0.5, 10], [1.0, 10], [2.5, 10]]
    >>> sign_flip_test(first, second).p_value  # 2 of 2**3 swaps
    0.25
    """
    if not 0 < level < 1:
        raise MetricError(f"level must be in (0, 1), found {level}")
    test = paired_halves(first, second, statistic, draws=draws, random_state=random_state)
    low, high = test.limits(level)
    divisions = as_sums(first).shape[1]
    return PermutationTest(
        number_or_array(test.difference),
        number_or_array(test.p_value),
        number_or_array(low),
        number_or_array(high),
        level,
        test.exact,
        divisions,
        caution(divisions),
    )


def paired_halves(
    first: ArrayLike,
    second: ArrayLike,
    statistic: Statistic = ratio,
    *,
    draws: int = 9999,
    random_state: int = 0,
) -> Halves:
    """What both halves of the divisions say in each partition, of one difference (as above)."""
    methods = [as_sums(first), as_sums(second)]
    check_same_divisions(*methods)
    one, other = half_values(methods, statistic, draws, random_state)
    means = [np.asarray(statistic(sums.mean(axis=0).sum(axis=0)), float) for sums in methods]
    exact = all_fit(methods[0].shape[1], draws)
    return Halves.of(means[0] - means[1], one[0] - one[1], other[0] - other[1], exact)


def half_values(
    methods: Sequence[FloatArray], statistic: Statistic, draws: int, random_state: int
) -> tuple[FloatArray, FloatArray]:
    """Values of several methods on both halves of each partition: (method, draws, ...) each."""
    if draws < 1:
        raise MetricError(f"draws must be positive, not {draws}")
    divisions = methods[0].shape[1]
    signs = np.concatenate(list(swap_signs(divisions, draws, random_state)))
    taken = (signs > 0).astype(np.float64)
    halves: tuple[list[FloatArray], list[FloatArray]] = ([], [])
    weights = quotient(methods[0][0, :, -1], methods[0][0, :, -1].sum())
    part = taken @ weights
    whole = np.abs(signs.sum(axis=1, dtype=np.int64)) == divisions
    for number, sums in enumerate(methods):
        each, total = sums.mean(axis=0), sums.mean(axis=0).sum(axis=0)
        inside = taken @ each
        inside[whole] = total / 2  # one half is empty: told below
        seeds = np.asarray(statistic(sums.sum(axis=1)), dtype=np.float64)
        luck = seed_errors([seeds], len(taken), [random_state, number])
        one, other = (np.asarray(statistic(terms), float) for terms in (inside, total - inside))
        own = part.reshape(-1, *[1] * (one.ndim - 1))
        halves[0].append(one + quotient(luck, 2 * own))
        halves[1].append(other - quotient(luck, 2 * (1 - own)))
    values = np.stack(halves[0]), np.stack(halves[1])
    for each in values:
        each[:, whole] = np.nan
    return values


def swap_signs(divisions: int, draws: int, random_state: int) -> Iterator[NDArray[np.int8]]:
    """Signs of the divisions, -1 where a swap is made: all of them if they fit, else a sample."""
    if all_fit(divisions, draws):
        return _all_signs(divisions)
    return random_signs(divisions, draws, random_state)


def all_fit(divisions: int, draws: int) -> bool:
    """Whether there are no more than draws + 1 swaps, 2 to the number of divisions."""
    return divisions < (draws + 1).bit_length()


def _all_signs(divisions: int) -> Iterator[NDArray[np.int8]]:
    bits = (np.arange(2**divisions)[:, np.newaxis] >> np.arange(divisions)) & 1
    for start in range(0, len(bits), DRAWS_AT_ONCE):
        yield (2 * bits[start : start + DRAWS_AT_ONCE] - 1).astype(np.int8)


def random_signs(divisions: int, draws: int, random_state: int) -> Iterator[NDArray[np.int8]]:
    """Signs of the divisions in a sample of swaps, some at a time."""
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
