"""Intervals, tests and ranks to the last digit: slow loops, counting and binomial tails."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from llpbench.errors import MetricError
from llpbench.metrics.arrays import FloatArray
from llpbench.statistics import (
    division_interval,
    division_sums,
    holm,
    many,
    rank_methods,
    ratio,
    ratios,
    sign_flip_test,
    spatial_blocks,
)
from llpbench.statistics.halves import Halves, holm_level


def _sums(divisions: int, seed: int) -> FloatArray:
    """Sums of errors and numbers of chips of divisions of unequal size."""
    generator = np.random.default_rng(seed)
    chips = generator.integers(1, 25, divisions)
    return np.column_stack([chips * generator.uniform(0.05, 0.2, divisions), chips])


def _better_by(differences: Sequence[float]) -> tuple[FloatArray, FloatArray]:
    """Sums of two methods whose means differ by so much in each of equal divisions."""
    worse = np.column_stack([np.ones(len(differences)), np.ones(len(differences))])
    return worse, worse - np.column_stack([differences, np.zeros(len(differences))])


# sums


def test_a_mean_without_chips_is_not_a_number() -> None:
    assert np.isnan(ratio(np.array([1.0, 0.0])))
    np.testing.assert_array_equal(ratios(np.array([1.0, 0.0, 0.0])), [np.nan, np.nan])
    np.testing.assert_array_equal(ratios(np.array([[2.0, 6.0, 4.0]])), [[0.5, 1.5]])


def test_terms_of_a_chip_may_be_a_matrix() -> None:
    matrices = np.arange(12.0).reshape(3, 2, 2)
    divisions, sums = division_sums(matrices, [7, 5, 7])
    np.testing.assert_array_equal(divisions, [5, 7])
    np.testing.assert_array_equal(sums, [[4, 5, 6, 7, 1], [8, 10, 12, 14, 2]])


@pytest.mark.parametrize(
    "sums", [np.ones((0, 2)), np.ones((3, 0)), np.ones((0, 3, 2)), np.ones((2, 2, 2, 2))]
)
def test_sums_of_nothing_are_refused(sums: FloatArray) -> None:
    with pytest.raises(MetricError, match=r"sums must have shape \(divisions, terms\) or"):
        division_interval(sums)


def test_a_single_number_has_no_divisions() -> None:
    with pytest.raises(MetricError, match=r"at least one chip, found shape \(\)"):
        division_sums(1.0, [0])


def test_what_is_no_number_is_not_finite() -> None:
    for call in (
        lambda: division_sums([1.0, None], [0, 1]),
        lambda: division_interval([[1.0, None], [1.0, 2.0]]),
    ):
        with pytest.raises(MetricError, match="must be finite"):
            call()


def test_single_precision_is_added_up_in_double() -> None:
    first, second = (_sums(60, seed).astype(np.float32) for seed in (0, 1))
    second[:, 1] = first[:, 1]
    double = sign_flip_test(first.astype(np.float64), second.astype(np.float64), draws=9)
    assert sign_flip_test(first, second, draws=9).difference == double.difference


def test_sums_of_other_divisions_are_named() -> None:
    message = r"found sums of shapes \(6, 2\) and \(5, 3\)"
    with pytest.raises(MetricError, match=message):
        sign_flip_test(np.ones((6, 2)), np.ones((5, 3)))


def test_six_divisions_are_few_and_five_are_none() -> None:
    note = division_interval(_sums(6, 0)).note
    assert note.startswith("only 6 divisions, fewer than 40: ")
    assert note.endswith(": the uncertainty is itself uncertain")
    assert "too few for an interval" in division_interval(_sums(5, 0)).note


# intervals


def test_blocks_may_have_any_names_and_hold_seeds_together() -> None:
    sums = np.stack([_sums(12, 0), 2 * _sums(12, 0)])
    names = np.array(list("bbccaaddeeff"))
    added = np.stack([sums[:, names == name].sum(axis=1) for name in "abcdef"], axis=1)
    expected = division_interval(added)
    assert division_interval(sums, blocks=names) == expected


@pytest.mark.parametrize("level", [0, 1, -0.5])
def test_a_level_lies_between_0_and_1(level: float) -> None:
    with pytest.raises(MetricError, match="level must be in"):
        division_interval(_sums(12, 0), level=level)
    with pytest.raises(MetricError, match="a level in"):
        rank_methods([_sums(12, 0)], level=level)


# tests


@pytest.mark.parametrize("draws", [1, 499, 500, 501, 999, 1001])
def test_the_smallest_p_value_is_one_of_all_draws_and_the_observed(draws: int) -> None:
    """Phipson and Smyth: (0 + 1) / (draws + 1), since no swap in 60 divisions comes near."""
    test = sign_flip_test(*_better_by([0.5] * 60), draws=draws)
    assert test.p_value == 1 / (draws + 1)
    assert (test.exact, test.divisions, test.difference) == (False, 60, 0.5)
    assert isinstance(test.p_value, float)


def test_without_options_there_are_9999_draws() -> None:
    better = _better_by([0.5] * 60)
    assert sign_flip_test(*better).p_value == 1e-4
    even = _better_by([0.5, -0.4] * 30)
    assert sign_flip_test(*even) == sign_flip_test(*even, random_state=0)
    assert sign_flip_test(*even) != sign_flip_test(*even, random_state=1)


@pytest.mark.parametrize("better", [36, 38, 41])
def test_sampled_p_values_are_the_binomial_tails(better: int) -> None:
    """Equal differences: a swap is as extreme if so many or more have the same sign."""
    test = sign_flip_test(*_better_by([0.5] * better + [-0.5] * (60 - better)))
    expected = stats.binomtest(better, 60).pvalue
    deviation = np.sqrt(expected * (1 - expected) / 9999)
    assert test.p_value == pytest.approx(expected, abs=4 * deviation + 1e-4)


@pytest.mark.parametrize("seed", range(8))
def test_differences_that_are_equal_but_for_rounding_are_equal(seed: int) -> None:
    """Tenths, whose sums differ in the last digit: counted in whole numbers."""
    tenths = np.random.default_rng(seed).integers(-3, 4, 7)
    sums = [abs(np.dot(signs, tenths)) for signs in product([1, -1], repeat=7)]
    expected = np.mean(np.array(sums) >= sums[0])
    assert sign_flip_test(*_better_by(tenths / 10)).p_value == expected


def test_a_difference_that_is_not_a_number_has_no_p_value() -> None:
    nothing = np.column_stack([np.ones(6), np.zeros(6)])
    test = sign_flip_test(nothing, nothing)
    assert np.isnan(test.p_value)
    assert np.isnan(test.difference)


@pytest.mark.parametrize("p_values", [[-0.1, 0.5], [0.5, np.nan], [0.5, None], [[0.5]], 0.5])
def test_p_values_are_a_list_from_0_to_1(p_values: object) -> None:
    with pytest.raises(MetricError, match="numbers from 0 to 1"):
        holm(p_values)  # type: ignore[arg-type]


def test_holm_multiplies_by_the_tests_that_are_left() -> None:
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.2]), [0.04, 0.09, 0.09, 0.2])
    np.testing.assert_array_equal(holm([0.6, 0.0, 1.0]), [1, 0, 1])
    np.testing.assert_array_equal(holm([]), [])


# ranks


def _methods(values: Sequence[float], divisions: int = 60) -> list[FloatArray]:
    """Each with this value in every division, so that any two that differ differ surely."""
    return [np.column_stack([np.full(divisions, v), np.ones(divisions)]) for v in values]


def test_equal_values_share_the_better_rank_and_a_group() -> None:
    ranking = rank_methods(_methods([0.3, 0.1, 0.3, 0.2, 0.1]))
    assert ranking.value.tolist() == pytest.approx([0.3, 0.1, 0.3, 0.2, 0.1])
    assert ranking.rank.tolist() == [4, 1, 4, 3, 1]
    assert ranking.low.tolist() == [4, 1, 4, 3, 1]
    assert ranking.high.tolist() == [5, 2, 5, 3, 2]
    assert ranking.group.tolist() == [3, 1, 3, 2, 1]
    best_high = rank_methods(_methods([0.3, 0.1, 0.3, 0.2, 0.1]), lower_is_better=False)
    assert best_high.rank.tolist() == [1, 4, 1, 3, 4]
    assert best_high.high.tolist() == [2, 5, 2, 3, 5]
    assert best_high.group.tolist() == [1, 3, 1, 2, 3]


def test_pairs_are_corrected_together() -> None:
    """3 divisions: 2 of 8 swaps reach a difference in all of them; Holm over 3 pairs."""
    ranking = rank_methods(_methods([0.1, 0.2, 0.3], divisions=3))
    assert ranking.p_values.tolist() == [[1, 0.75, 0.75], [0.75, 1, 0.75], [0.75, 0.75, 1]]
    two = _methods([0.1, 0.2], divisions=3)
    assert rank_methods(two).p_values.tolist() == [[1, 0.25], [0.25, 1]]
    # told apart only below the level
    assert rank_methods(two, level=0.75).high.tolist() == [2, 2]
    assert rank_methods(two, level=0.74).high.tolist() == [1, 2]


def test_swaps_suffice_for_the_number_of_pairs() -> None:
    """9,999 of a pair unless others are asked for; 100 for each of 105 pairs."""
    assert rank_methods(_methods([0.1, 0.2])).p_values[0, 1] == 1e-4
    assert rank_methods(_methods([0.1, 0.2]), draws=99).p_values[0, 1] == 0.01
    ranking = rank_methods(_methods(np.arange(15) / 10, divisions=40))
    np.testing.assert_allclose(ranking.p_values[np.triu_indices(15, 1)], 105 / 10_501)


def test_a_group_is_told_apart_from_its_best_and_not_from_its_worst() -> None:
    """A chain: neighbours cannot be told apart, the ends can."""
    wobble = np.tile([0.05, -0.05], 30)
    values = [np.full(60, 0.1), 0.11 + wobble, np.full(60, 0.12), 0.121 + 2 * wobble]
    ranking = rank_methods([np.column_stack([v, np.ones(60)]) for v in values])
    assert (ranking.p_values[0, 1] > 0.05, ranking.p_values[0, 2] < 0.05) == (True, True)
    assert ranking.group.tolist() == [1, 1, 2, 1] or ranking.p_values[0, 3] < 0.05
    assert ranking.rank.tolist() == [1, 2, 3, 4]


def test_draws_of_a_ranking_depend_on_the_random_state_alone() -> None:
    wobble = np.random.default_rng(2).normal(0.003, 0.01, (2, 20))
    base = _sums(20, 0)
    methods = [base, *(base + (w * base[:, 1])[:, np.newaxis] * [1, 0] for w in wobble)]
    first = rank_methods(methods, draws=200).p_values
    np.testing.assert_array_equal(first, rank_methods(methods, draws=200, random_state=0).p_values)
    assert (first != rank_methods(methods, draws=200, random_state=1).p_values).any()


def test_values_are_in_double_precision_and_groups_are_numbers() -> None:
    ranking = rank_methods(_methods([3.0, 1.0]), lambda sums: sums[..., 0].astype(np.int64))
    assert (ranking.value.dtype, ranking.group.dtype.kind) == (np.dtype(np.float64), "i")
    assert ranking.value.tolist() == [180, 60]


# many methods at once


def _largest_difference(
    sums: FloatArray, swaps: Sequence[Sequence[int]]
) -> tuple[FloatArray, FloatArray]:
    """Differences of all pairs and the largest one of each swap, in standard deviations."""
    methods = sums.shape[1]
    pairs = [(a, b) for a in range(methods) for b in range(a + 1, methods)]
    differences = np.empty((len(swaps), len(pairs)))
    for row, signs in enumerate(swaps):
        for column, (a, b) in enumerate(pairs):
            swapped = np.array(signs)[:, np.newaxis] < 0
            one = np.where(swapped, sums[:, b], sums[:, a]).sum(axis=0)
            other = np.where(swapped, sums[:, a], sums[:, b]).sum(axis=0)
            differences[row, column] = one[0] / one[1] - other[0] / other[1]
    scale = np.sqrt(np.mean(differences**2, axis=0))
    return differences / scale, np.abs(differences / scale).max(axis=1)


@pytest.mark.parametrize("at_once", [1, 2**22])
def test_the_largest_difference_by_loop(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All 2^6 swaps of four methods, whatever number of them is worked out at once."""
    monkeypatch.setattr(many, "NUMBERS_AT_ONCE", at_once)
    sums = np.stack([_sums(6, seed) for seed in range(4)], axis=1)
    sums[:, :, 1] = sums[:, :1, 1]
    swaps = list(product([1, -1], repeat=6))
    units, largest = _largest_difference(sums, swaps)
    expected = [np.mean(largest >= abs(observed) - 1e-9) for observed in units[0]]
    p_values = many.largest_difference_test(sums, ratio, draws=63)
    np.testing.assert_allclose(p_values[np.triu_indices(4, 1)], expected, atol=1e-12)
    np.testing.assert_array_equal(p_values, p_values.T)
    np.testing.assert_array_equal(np.diag(p_values), 1)


def test_the_smallest_p_value_of_many_counts_the_observed() -> None:
    """Sampled: (0 + 1) / (draws + 1); with all swaps tried it is 2 of them."""
    sums = np.stack(_methods([0.1, 0.5, 0.9]), axis=1)
    sampled = many.largest_difference_test(sums, ratio)
    assert sampled[0, 2] == 1 / 10_000
    assert many.largest_difference_test(sums, ratio, draws=250)[0, 2] == 1 / 251
    tried = many.largest_difference_test(sums[:9], ratio, draws=511)
    np.testing.assert_array_equal(tried[np.triu_indices(3, 1)], 2 / 512)
    sampled = many.largest_difference_test(sums[:9], ratio, draws=510)
    assert sampled[0, 1] != 2 / 512


def test_more_than_45_methods_are_compared_at_once() -> None:
    methods = [_sums(40, seed)[:, :1] * [1, 0] + [[0, 20]] * 40 for seed in range(46)]
    stacked = np.stack(methods, axis=1)
    for draws, seed, tried in ((None, 0, 1999), (99, 5, 99)):
        ranking = rank_methods(methods, draws=draws, random_state=seed)
        expected = many.largest_difference_test(stacked, ratio, draws=tried, random_state=seed)
        np.testing.assert_array_equal(ranking.p_values, expected)
        other = many.largest_difference_test(stacked, ratio, draws=tried, random_state=seed + 1)
        assert (other != expected).any()


# tests and intervals from halves


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("draws", [19, 20, 39, 40, 59])
def test_limits_are_the_first_differences_that_are_not_rejected(draws: int, exact: bool) -> None:
    """Halves less θ disagree on the sign in .05 of the partitions or more: tried for each θ.

    At 20 and 40 partitions .05 is reached exactly; sampled, the observed one counts as well.
    """
    one, other = np.random.default_rng(draws).normal(1, 2, (2, draws, 3)).round(1)
    test = Halves.of(np.array([1.0, 2.0, 0.0]), one.copy(), other.copy(), exact)
    low, high = test.limits(0.95)
    assert low.shape == high.shape == (3,)
    assert low.dtype == high.dtype == test.p_value.dtype == np.float64
    observed = 0 if exact else 1
    for value, difference in enumerate((1.0, 2.0, 0.0)):
        lower, upper = (end(one[:, value], other[:, value]) for end in (np.minimum, np.maximum))

        def rejects(disagree: NDArray[np.bool_]) -> bool:
            return bool((disagree.sum() + observed) / (draws + observed) < 0.05 - 1e-12)

        p_value = (np.sum(lower <= 0) + observed) / (draws + observed)
        assert test.p_value[value] == pytest.approx(p_value if difference else 1)
        if not rejects(np.zeros(draws, dtype=bool)):
            assert np.isnan([low[value], high[value]]).all()
            continue
        below = next(theta for theta in np.sort(lower) if not rejects(lower <= theta))
        above = next(theta for theta in np.sort(upper)[::-1] if not rejects(upper >= theta))
        assert (low[value], high[value]) == (min(below, difference), max(above, difference))


def test_limits_without_end_are_none_and_rounding_is_no_difference() -> None:
    one, other = np.full((40, 1), 1.0), np.full((40, 1), 2.0)
    one[:3], other[:3] = np.nan, 5.0  # an empty half agrees with everything
    low, high = Halves.of(np.array([1.5]), one, other, True).limits(0.95)
    assert np.isnan([low, high]).all()
    lower = np.where(np.arange(40) < 3, -np.inf, 1.0)[:, np.newaxis]
    low, high = Halves(np.array([1.5]), lower, other, True).limits(0.95)
    assert np.isnan([low, high]).all(), "one without end is no interval"
    least = np.array([1e-12])
    test = Halves.of(least, np.full((4, 1), -1e-12), np.full((4, 1), -1e-12), True)
    assert (test.difference.item(), test.lower.max(), test.upper.max()) == (0, 0, 0)
    below = Halves.of(least, np.full((4, 1), -1.0), np.full((4, 1), -1.0), True)
    assert below.p_value == 1, "equal methods"
    nothing = Halves.of(np.array([np.nan]), one, other, True).p_value
    assert np.isnan(nothing)
    assert nothing.dtype == np.float64


def test_a_corrected_interval_has_the_level_at_which_its_pair_is_tested() -> None:
    """.01 is corrected to .04, so that .0125 would be to .05: 1 - .0125."""
    assert holm_level(0.01, 0.04) == pytest.approx(0.9875)


# blocks


def test_blocks_are_halves_of_halves_across_the_longer_extent() -> None:
    """A line of 16, in any order: runs of 4, or of 2 where 3 at most are asked for."""
    along = np.random.default_rng(0).permutation(16)
    for axis in (0, 1):
        centroids = np.full((16, 2), 7.0)
        centroids[:, axis] = along
        for most, size in ((4, 4), (3, 2), (1, 1), (16, 16), (8, 8)):
            blocks = spatial_blocks(centroids, most)
            assert len(set(blocks)) == 16 // size
            np.testing.assert_array_equal(blocks, along // size)
    assert len(set(spatial_blocks(centroids))) == 4
