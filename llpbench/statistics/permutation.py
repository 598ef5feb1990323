"""Tests of the difference between two methods, and their correction over many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from llpbench.brief import Brief
from llpbench.errors import MetricError
from llpbench.metrics.arrays import FloatArray
from llpbench.statistics.parted import PartedMethods
from llpbench.statistics.sums import Statistic, as_sums, caution, number_or_array, ratio


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
        few seeds may be off is drawn and added to every partition: their standard error times
        Student's t, whose degrees of freedom are those of the variance of the whole difference.
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
    the null imposed. Degrees of freedom after Satterthwaite (1946), Biometrics Bulletin 2, 110-114,
    and Welch (1947), Biometrika 34, 28-35: of the jackknife variance of the difference over
    divisions and the variances of both means over seeds.
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
    methods = [as_sums(first), as_sums(second)]
    test = PartedMethods.of(methods, statistic, draws, random_state).pair(0, 1)
    low, high = test.limits(level)
    divisions = methods[0].shape[1]
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
