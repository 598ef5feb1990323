"""Intervals, tests and blocks at their edges: defaults, few draws, kinds of numbers, near ties."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from llpbench.errors import MetricError
from llpbench.metrics.arrays import FloatArray
from llpbench.statistics import division_interval, ratio, ratios, sign_flip_test, spatial_blocks
from llpbench.statistics.jackknife import (
    degrees_of_freedom,
    seed_errors,
    seed_variance,
    shares_of,
)
from llpbench.statistics.many import largest_difference_test


def _sums(divisions: int, seed: int = 0) -> FloatArray:
    """Sums of errors and numbers of chips of divisions of unequal size."""
    generator = np.random.default_rng(seed)
    chips = generator.integers(1, 25, divisions)
    return np.column_stack([chips * generator.uniform(0.05, 0.2, divisions), chips])


# intervals


def test_each_of_several_values_lacks_limits_where_divisions_are_too_few() -> None:
    sums = np.column_stack([_sums(4)[:, 0], _sums(4)])
    interval = division_interval(sums, ratios)
    assert np.isfinite(interval.value).all()
    np.testing.assert_array_equal(interval.low, [np.nan, np.nan], strict=True)
    np.testing.assert_array_equal(interval.high, [np.nan, np.nan], strict=True)


def test_a_paired_interval_is_that_of_random_state_0() -> None:
    first, second = _sums(12), _sums(12) * [0.9, 1] + [[0.01, 0]] * 12
    usual = sign_flip_test(first, second, draws=50)
    assert usual == sign_flip_test(first, second, draws=50, random_state=0)
    assert usual != sign_flip_test(first, second, draws=50, random_state=1)


# the luck of seeds


def test_divisions_that_agree_leave_the_test_of_welch() -> None:
    """Unequal numbers of seeds; k of 40 equal divisions are swapped: a mixture of t tails."""
    values = [0.11, 0.13, 0.124], [0.15, 0.145, 0.16, 0.15, 0.138]
    first, second = (
        np.stack([np.column_stack([np.full(40, seed), np.ones(40)]) for seed in seeds])
        for seeds in values
    )
    welch = stats.ttest_ind(*values, equal_var=False)
    half = np.arange(41) / 40
    tails = stats.t.cdf(-2 * half * abs(welch.statistic), welch.df)
    tails += stats.t.cdf(-2 * (1 - half) * abs(welch.statistic), welch.df)
    expected = stats.binom.pmf(np.arange(41), 40, 0.5) @ tails
    deviation = np.sqrt(expected * (1 - expected) / 9999)
    assert sign_flip_test(first, second).p_value == pytest.approx(expected, abs=4 * deviation)


def test_luck_has_the_degrees_of_freedom_of_the_whole() -> None:
    """Divisions of variance 9 and 18 degrees of freedom beside two methods of 3 seeds each.

    Their variances are 1 and 2: 12² / (9² / 18 + 1² / 2 + 2² / 2) = 20.6. The second value is not
    there without some division, which leaves 3² / (1² / 2 + 2² / 2) = 3.6; the third has no seeds
    that differ, the fourth no divisions either.
    """
    divisions = np.array([9.0, np.nan, 9.0, 0.0]), 18.0
    seeds = [(np.array([1.0, 1.0, 0.0, 0.0]), 2.0), (np.array([2.0, 2.0, 0.0, 0.0]), 2.0)]
    value = np.full(4, 0.5)
    luck = seed_errors(value, [divisions], seeds, 20_000, [7, 1])
    assert luck.shape == (20_000, 4)
    for number, freedom in enumerate((144 / 7, 3.6)):
        found = stats.kstest(luck[:, number] / 3**0.5, stats.t(freedom).cdf)
        assert found.pvalue > 0.01
    assert (luck[:, 2:] == 0).all()
    turned = seed_errors(-value, [divisions], seeds, 20_000, [7, 1])
    np.testing.assert_array_equal(turned, -luck)
    assert (seed_errors(value, [divisions], seeds, 20_000, [7, 2]) != luck)[:, :2].all()


def test_each_of_several_values_has_variance_and_shares_of_its_own() -> None:
    """Of 1, 2, 3 it is 1, of a mean of three a third; ten times as far apart 100 times that."""
    seeds = np.outer([1.0, 2.0, 3.0], [1, 10])
    variance, freedom = seed_variance(seeds)
    np.testing.assert_allclose(variance, [1 / 3, 100 / 3])
    assert freedom == 2
    np.testing.assert_allclose(shares_of(seeds), np.outer([1, 2, 3], [1 / 6, 1 / 6]))


def test_a_division_that_is_all_there_is_leaves_no_degrees_of_freedom() -> None:
    assert np.isnan(degrees_of_freedom(np.array([1.0, 0.0])))


def test_one_seed_has_no_luck() -> None:
    alone = seed_variance(np.array([[0.1, 0.2]]))
    np.testing.assert_array_equal(alone[0], [0, 0])
    luck = seed_errors(np.ones(2), [(np.ones(2), 9.0)], [alone, alone], 5, [0, 1])
    np.testing.assert_array_equal(luck, np.zeros((5, 2)), strict=True)


# many methods at once


def test_draws_of_many_are_those_of_random_state_0() -> None:
    sums = np.stack([_sums(20) + [[0.02 * seed, 0]] * _sums(20, seed) for seed in range(3)], axis=1)
    sums[:, :, 1] = sums[:, :1, 1]
    usual = largest_difference_test(sums, ratio, draws=99)
    np.testing.assert_array_equal(
        usual, largest_difference_test(sums, ratio, draws=99, random_state=0)
    )
    assert (usual != largest_difference_test(sums, ratio, draws=99, random_state=1)).any()


@pytest.mark.parametrize(("least", "extreme"), [(1e-7, 2), (1e-13, 4)])
def test_a_smaller_difference_is_as_large_only_within_rounding(least: float, extreme: int) -> None:
    """Of 2^9 swaps of one pair, all or none are furthest, and next all but the least."""
    differences = np.array([1.0] * 8 + [least])
    one = np.column_stack([np.full(9, 2.0), np.ones(9)])
    sums = np.stack([one, one - differences[:, np.newaxis] * [1, 0]], axis=1)
    assert largest_difference_test(sums, ratio)[0, 1] == extreme / 512


# blocks


def test_without_options_a_block_holds_four_divisions_at_most() -> None:
    corners = [[0, 0], [0, 9], [9, 0], [9, 9], [5, 5]]
    assert len(set(spatial_blocks(corners[:4]))) == 1
    assert len(set(spatial_blocks(corners))) == 2


def test_a_division_without_a_place_is_in_no_block() -> None:
    with pytest.raises(MetricError, match="centroids must be finite"):
        spatial_blocks([[0, 1], [None, 2]])  # type: ignore[list-item]
