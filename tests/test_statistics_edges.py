"""Intervals, tests and blocks at their edges: defaults, few draws, kinds of numbers, near ties."""

from __future__ import annotations

import numpy as np
import pytest

from llpbench.errors import MetricError
from llpbench.metrics.arrays import FloatArray
from llpbench.statistics import division_interval, ratio, ratios, sign_flip_test, spatial_blocks
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
