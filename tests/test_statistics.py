"""Intervals, tests and ranks by division: scipy, slow loops, properties, wrong input."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy import stats

from llpbench import metrics
from llpbench.errors import MetricError
from llpbench.metrics.arrays import FloatArray
from llpbench.statistics import (
    division_interval,
    division_sums,
    holm,
    rank_methods,
    ratio,
    ratios,
    sign_flip_test,
    spatial_blocks,
)
from llpbench.statistics.jackknife import degrees_of_freedom

fast = settings(max_examples=30)


def random_sums(divisions: int = 60, seed: int = 0, correlation: float = 0.5) -> FloatArray:
    """Sums of errors and numbers of chips of divisions of unequal size."""
    return division_sums(*random_errors(divisions, seed, correlation))[1]


def random_errors(
    divisions: int = 60, seed: int = 0, correlation: float = 0.5
) -> tuple[FloatArray, NDArray[np.int64]]:
    generator = np.random.default_rng(seed)
    division = np.repeat(np.arange(divisions), generator.integers(1, 25, divisions))
    shared = generator.standard_normal(divisions)[division]
    own = generator.standard_normal(len(division))
    spread = np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own
    return 0.1 + 0.02 * spread, division


def width(interval: object) -> float:
    return interval.high - interval.low  # type: ignore[attr-defined,no-any-return]


# sums


def test_division_sums_by_loop() -> None:
    errors, division = random_errors(20)
    names = np.array([f"d{number:02}" for number in division])
    divisions, sums = division_sums(np.stack([errors, errors**2], axis=1), names)
    for name, row in zip(divisions, sums, strict=True):
        own = errors[names == name]
        np.testing.assert_allclose(row, [own.sum(), (own**2).sum(), len(own)])
    assert ratio(sums.sum(axis=0)) == pytest.approx(errors.mean())
    np.testing.assert_allclose(ratios(sums.sum(axis=0))[0], errors.mean())


# intervals


def test_intervals_widen_with_clustering() -> None:
    widths = [
        width(division_interval(random_sums(100, 3, correlation))) for correlation in (0, 0.3, 0.9)
    ]
    assert widths[0] < widths[1] < widths[2]
    errors, _ = random_errors(100, 3, 0.9)
    chips = division_interval(np.column_stack([errors, np.ones(len(errors))]))
    assert width(chips) < 0.6 * widths[2]


@fast
@given(st.integers(0, 1000))
def test_interval_properties(seed: int) -> None:
    sums = random_sums(45, seed)
    interval = division_interval(sums)
    assert interval.low < interval.value < interval.high
    assert interval.value == pytest.approx(sums[:, 0].sum() / sums[:, 1].sum())
    # the same again; wider for more confidence; shifted and scaled with the errors
    assert division_interval(sums) == interval
    wider = division_interval(sums, level=0.99)
    assert wider.low < interval.low < interval.high < wider.high
    moved = division_interval(sums @ [[2, 0], [1, 1]])
    assert moved.low == pytest.approx(2 * interval.low + 1)
    assert moved.high == pytest.approx(2 * interval.high + 1)


def test_several_values_at_once_are_those_of_each() -> None:
    first, second = random_sums(seed=1), random_sums(seed=1)
    second[:, 0] **= 2
    sums = np.column_stack([first[:, 0], second])
    together = division_interval(sums, ratios)
    for number, one in enumerate((first, second)):
        alone = division_interval(one)
        for name in ("value", "low", "high"):
            assert getattr(together, name)[number] == pytest.approx(getattr(alone, name))


def test_any_statistic_of_sums_will_do() -> None:
    # Micro F1 is the accuracy, a mean over pixels: both ways to say so give the same interval.
    generator = np.random.default_rng(0)
    confusion = generator.integers(0, 50, (60, 3, 3)) + 50 * np.eye(3)

    def f1(sums: FloatArray) -> FloatArray:
        return metrics.f1(sums[..., :-1].reshape(*sums.shape[:-1], 3, 3))

    pixels = np.column_stack([np.trace(confusion, axis1=1, axis2=2), confusion.sum(axis=(1, 2))])
    ours = division_interval(np.column_stack([confusion.reshape(60, 9), pixels[:, 1]]), f1)
    expected = division_interval(pixels)
    assert (ours.low, ours.high) == pytest.approx((expected.low, expected.high), rel=1e-6)


def test_equal_divisions_leave_no_doubt() -> None:
    interval = division_interval(np.full((50, 2), 3.0))
    assert (interval.value, interval.low, interval.high) == pytest.approx((1, 1, 1))
    perfect = division_interval(np.column_stack([np.zeros(50), np.ones(50)]))
    assert (perfect.value, perfect.low, perfect.high) == (0, 0, 0)


def test_no_chips_have_no_interval() -> None:
    nothing = division_interval(np.column_stack([np.ones(60), np.zeros(60)]))
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()


@pytest.mark.parametrize(
    ("divisions", "said"), [(60, ""), (40, ""), (39, "only 39 divisions, fewer than 40")]
)
def test_few_divisions_are_said(divisions: int, said: str) -> None:
    sums = random_sums(divisions)
    for note in (
        division_interval(sums).note,
        sign_flip_test(sums, sums).note,
        rank_methods([sums, sums]).note,
    ):
        assert note.startswith(said)
        assert bool(note) == bool(said)


def test_a_single_division_is_no_plural() -> None:
    assert division_interval(random_sums(1)).note == "only 1 division: too few for an interval"


# seeds and pairs


def test_seeds_that_agree_change_nothing_and_others_widen() -> None:
    sums = random_sums()
    alone = division_interval(sums)
    same = division_interval(np.stack([sums] * 4))
    assert (same.low, same.high) == pytest.approx((alone.low, alone.high))
    errors = np.array([-0.01, 0, 0.01])[:, np.newaxis] * sums[:, 1]
    different = np.stack([sums] * 3)
    different[:, :, 0] += errors
    varied = division_interval(different)
    assert varied.value == pytest.approx(alone.value)
    assert width(varied) > 1.1 * width(alone)


def test_paired_difference_is_surer_than_two_intervals() -> None:
    first, second = random_sums(), random_sums()
    second[:, 0] -= 0.005 * second[:, 1] + 0.001 * np.sin(np.arange(60))
    difference = sign_flip_test(first, second)
    assert difference.difference == pytest.approx(
        ratio(first.sum(axis=0)) - ratio(second.sum(axis=0))
    )
    assert 0 < difference.low < difference.high
    assert width(difference) < 0.2 * width(division_interval(first))
    back = sign_flip_test(second, first)
    assert (back.low, back.high) == pytest.approx((-difference.high, -difference.low))
    itself = sign_flip_test(first, first)
    assert (itself.low, itself.high) == (0, 0)


# interval and test


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_equal_divisions_have_the_limits_of_students_t(level: float) -> None:
    errors = 0.1 + 0.02 * np.random.default_rng(0).standard_normal(18)
    ours = division_interval(np.column_stack([errors, np.ones(18)]), level=level)
    expected = stats.t.interval(level, 17, errors.mean(), stats.sem(errors))
    assert (ours.low, ours.high) == pytest.approx(expected, rel=1e-9)


def test_degrees_of_freedom_are_those_of_the_matrix() -> None:
    """Satterthwaite's 2 m² / v from the covariance matrix itself."""
    shares = np.random.default_rng(1).dirichlet(np.ones(12))
    residuals = (np.diag(shares) - np.outer(shares, shares)) / (1 - shares)[:, np.newaxis]
    covariance = residuals @ residuals.T
    expected = np.trace(covariance) ** 2 / np.square(covariance).sum()
    assert degrees_of_freedom(shares) == pytest.approx(expected)


def test_seeds_alone_have_the_limits_of_students_t() -> None:
    """Divisions that agree leave the spread of three seeds: 2 degrees of freedom."""
    seeds = np.array([0.1, 0.13, 0.11])
    sums = np.stack([np.column_stack([np.full(9, seed), np.ones(9)]) for seed in seeds])
    interval = division_interval(sums)
    expected = stats.t.interval(0.95, 2, seeds.mean(), stats.sem(seeds))
    assert (interval.low, interval.high) == pytest.approx(expected)


def test_limits_stay_within_bounds() -> None:
    sums = np.column_stack([np.r_[np.zeros(7), 5.0], np.full(8, 10.0)])
    free, bounded = division_interval(sums), division_interval(sums, least=0, most=1)
    assert free.low < 0 == bounded.low
    assert free.high < bounded.high < 1


@settings(max_examples=60)
@given(
    st.integers(0, 10**6), st.integers(6, 24), st.sampled_from([0.8, 0.9, 0.95]), st.integers(1, 3)
)
def test_zero_is_outside_exactly_where_the_test_rejects(
    seed: int, divisions: int, level: float, seeds: int
) -> None:
    """Ties, equal methods and no spread among them: errors are few whole numbers."""
    generator = np.random.default_rng(seed)
    chips = generator.integers(1, 9, divisions)
    errors = generator.integers(0, 4, (2, seeds, divisions)) + generator.integers(0, 3, (2, 1, 1))
    first, second = (
        np.stack([one, np.broadcast_to(chips, one.shape)], axis=-1) for one in errors.astype(float)
    )
    test = sign_flip_test(first, second, level=level, draws=999)
    rejects = test.p_value < round(1 - level, 12)
    assert rejects == (test.low > 0 or test.high < 0)


def test_the_interval_is_the_inversion_of_the_test() -> None:
    """Errors less θ are tested at values of θ around each limit, on all swaps of 9 divisions."""
    first, second = random_sums(9, 1), random_sums(9, 1)
    second[:, 0] += np.random.default_rng(1).normal(0.05, 0.3, 9)
    test = sign_flip_test(first, second)
    assert test.exact
    for theta, is_inside in (
        (test.low - 1e-9, False),
        (test.low + 1e-9, True),
        (test.high - 1e-9, True),
        (test.high + 1e-9, False),
    ):
        moved = first - np.outer(first[:, 1], [theta, 0])
        flips = np.array(list(product([1, -1], repeat=9))) @ (moved - second)[:, 0]
        assert (np.mean(np.abs(flips) >= abs(flips[0]) - 1e-12) >= 0.05) == is_inside


def test_halves_of_any_statistic_by_loop() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.integers(0, 50, (2, 6, 9)).astype(float)
    first += 20 * np.eye(3).ravel()

    def macro(sums: FloatArray) -> FloatArray:
        return metrics.f1(sums.reshape(*sums.shape[:-1], 3, 3), average="macro")

    def gain(taken: FloatArray) -> float:
        return float(macro(first[taken].sum(axis=0)) - macro(second[taken].sum(axis=0)))

    parts = [np.array(part) for part in product([False, True], repeat=6)]
    agree = [gain(p) > 0 and gain(~p) > 0 for p in parts if p.any() and not p.all()]
    assert sign_flip_test(first, second, macro).p_value == pytest.approx(1 - sum(agree) / 64)


@pytest.mark.parametrize("methods", [4, 46])
def test_a_pair_has_one_test_whichever_others_there_are(methods: int) -> None:
    """Seeds have the same luck alone, turned round and in a ranking; beyond 45 at least as much."""
    generator = np.random.default_rng(3)
    chips = generator.integers(1, 9, 20).astype(float)
    errors = generator.normal(1, 0.2, (methods, 3, 20)) + generator.normal(0, 0.1, (methods, 3, 1))
    every = [np.stack([one, np.broadcast_to(chips, one.shape)], axis=-1) for one in errors]
    draws = 9999 if methods == 4 else 1999
    single, pairs = [], list(combinations(range(methods), 2))
    for first, second in pairs[:6]:
        there = sign_flip_test(every[first], every[second], draws=draws)
        back = sign_flip_test(every[second], every[first], draws=draws)
        assert (back.p_value, back.low, back.high) == (there.p_value, -there.high, -there.low)
        single.append(there.p_value)
    ranked = rank_methods(every).p_values
    found = [ranked[pair] for pair in pairs[:6]]
    if methods == 4:
        assert found == pytest.approx(holm(single), abs=1e-12)
        assert 0 < min(single) < max(single) < 1
    else:
        assert (np.array(found) >= single).all()


def test_five_divisions_cannot_reject_and_six_can() -> None:
    """Of 5 divisions 2 of 32 partitions are as extreme, 1/16; of 6, 1/32."""
    sums = random_sums(6)
    better = sums - np.outer(sums[:, 1], [0.01, 0])
    few, enough = sign_flip_test(sums[:5], better[:5]), sign_flip_test(sums, better)
    assert (few.p_value, enough.p_value) == (1 / 16, 1 / 32)
    assert np.isnan([few.low, few.high]).all()
    assert (enough.low, enough.high) == pytest.approx((0.01, 0.01))
    assert np.isnan(division_interval(sums[:5]).low)
    assert np.isfinite(division_interval(sums).low)


# blocks


def test_blocks_are_left_out_as_if_they_were_divisions() -> None:
    sums = random_sums(80)
    blocks = np.arange(80) // 2
    ours = division_interval(sums, blocks=blocks)
    expected = division_interval(sums.reshape(40, 2, 2).sum(axis=1))
    assert (ours.low, ours.high) == pytest.approx((expected.low, expected.high))
    assert ours.divisions == 40


def test_blocks_widen_intervals_of_errors_that_neighbours_share() -> None:
    generator = np.random.default_rng(0)
    centroids = generator.uniform(0, 100, (200, 2))
    field = np.sin(centroids[:, 0] / 15) + np.cos(centroids[:, 1] / 15)
    sums = np.column_stack([10 * (0.1 + 0.03 * field), np.full(200, 10.0)])
    blocked = division_interval(sums, blocks=spatial_blocks(centroids, 5))
    assert width(blocked) > 1.5 * width(division_interval(sums))


@fast
@given(st.integers(1, 60), st.integers(1, 9), st.integers(0, 100))
def test_blocks_hold_about_as_many_divisions_as_asked(number: int, most: int, seed: int) -> None:
    centroids = np.random.default_rng(seed).uniform(0, 100, (number, 2))
    sizes = np.bincount(spatial_blocks(centroids, most))
    assert sizes.sum() == number
    assert sizes.max() <= most
    assert sizes.min() >= min(most // 2, number)


def test_blocks_are_compact() -> None:
    corners = np.array([[0, 0], [0, 90], [90, 0], [90, 90]])
    centroids = (corners[:, np.newaxis] + np.random.default_rng(0).uniform(0, 9, (8, 2))).reshape(
        -1, 2
    )
    blocks = spatial_blocks(centroids, 8).reshape(4, 8)
    assert (blocks == blocks[:, :1]).all()
    assert len(set(blocks[:, 0])) == 4


# tests


def test_sign_flips_are_those_of_scipy() -> None:
    first, second = random_sums(10, 1), random_sums(10, 1)
    second[:, 0] += np.random.default_rng(1).normal(0.05, 0.1, 10)
    chips = first[:, 1].sum()

    def mean_difference(one: FloatArray, other: FloatArray, axis: int) -> FloatArray:
        return (one.sum(axis=axis) - other.sum(axis=axis)) / chips

    theirs = stats.permutation_test(
        (first[:, 0], second[:, 0]),
        mean_difference,
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    ours = sign_flip_test(first, second)
    assert ours.exact
    assert ours.difference == pytest.approx(theirs.statistic)
    assert ours.p_value == pytest.approx(theirs.pvalue)
    sampled = sign_flip_test(first, second, draws=1000)
    assert not sampled.exact
    # four standard errors of a fraction of 1,000
    assert sampled.p_value == pytest.approx(
        theirs.pvalue, abs=4 * np.sqrt(theirs.pvalue * (1 - theirs.pvalue) / 1000) + 1e-3
    )


def test_p_values_are_uniform_where_methods_are_equal() -> None:
    generator = np.random.default_rng(0)
    p_values = []
    for _ in range(400):
        sums = np.column_stack([np.zeros(9), np.full(9, 5.0)])
        noise = generator.standard_normal((9, 1)) * [1, 0]
        p_values.append(sign_flip_test(sums + noise, sums).p_value)
    # exact: P(p <= a) = a at multiples of 2 / 2**9
    for level in (16 / 512, 64 / 512, 256 / 512):
        rejected = np.sum(np.array(p_values) <= level)
        assert stats.binomtest(int(rejected), 400, level).pvalue > 1e-3


@pytest.mark.parametrize(("divisions", "draws"), [(9, 511), (9, 510), (1500, 99)])
def test_all_swaps_are_tried_where_they_fit(divisions: int, draws: int) -> None:
    sums = np.ones((divisions, 2))
    assert sign_flip_test(sums, sums, draws=draws).exact == (2**divisions <= draws + 1)


def test_equal_methods_never_differ() -> None:
    sums = random_sums()
    assert sign_flip_test(sums, sums).p_value == 1
    assert sign_flip_test(np.stack([sums, sums]), sums).p_value == 1


def test_several_values_have_a_p_value_each() -> None:
    first, second = random_sums(8, 1), random_sums(8, 2)
    second[:, 1] = first[:, 1]
    both = [np.column_stack([one[:, 0], one[:, 0] ** 2, one[:, 1]]) for one in (first, second)]
    test = sign_flip_test(*both, ratios)
    assert test.p_value[0] == sign_flip_test(first, second).p_value


@fast
@given(hnp.arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 1)))
def test_holm_rejects_step_by_step(p_values: FloatArray) -> None:
    adjusted = holm(p_values)
    assert (adjusted >= p_values).all()
    assert (adjusted <= np.minimum(p_values * len(p_values), 1)).all()
    for level in (0.01, 0.05, 0.3):
        rejected = np.zeros(len(p_values), dtype=bool)
        for step, index in enumerate(np.argsort(p_values)):
            if p_values[index] * (len(p_values) - step) > level:
                break
            rejected[index] = True
        np.testing.assert_array_equal(adjusted <= level, rejected)


# ranks


def test_ranks_of_clear_and_tied_methods() -> None:
    base = random_sums(60, 0)
    noise = np.random.default_rng(1).normal(0, 0.02, (4, 60))
    worse = [0.02, 0, 0.02, 0]
    methods = [
        np.column_stack([base[:, 0] + (shift + wobble) * base[:, 1], base[:, 1]])
        for shift, wobble in zip(worse, noise, strict=True)
    ]
    ranking = rank_methods(methods)
    order = np.argsort(ranking.value)
    np.testing.assert_array_equal(ranking.rank[order], [1, 2, 3, 4])
    np.testing.assert_array_equal(ranking.group, [2, 1, 2, 1])
    np.testing.assert_array_equal(ranking.low, [3, 1, 3, 1])
    np.testing.assert_array_equal(ranking.high, [4, 2, 4, 2])
    np.testing.assert_array_equal(ranking.p_values, ranking.p_values.T)
    pair = sign_flip_test(methods[0], methods[1], draws=9999).p_value
    assert pair <= ranking.p_values[0, 1] <= 6 * pair
    upside_down = rank_methods(methods, lower_is_better=False)
    np.testing.assert_array_equal(upside_down.rank, 5 - ranking.rank)
    np.testing.assert_array_equal(upside_down.low, 5 - ranking.high)


def test_equal_methods_share_all_ranks() -> None:
    ranking = rank_methods([random_sums(45)] * 5)
    np.testing.assert_array_equal(ranking.rank, 1)
    np.testing.assert_array_equal(ranking.group, 1)
    np.testing.assert_array_equal((ranking.low, ranking.high), ([1] * 5, [5] * 5))
    alone = rank_methods([random_sums()])
    assert (alone.rank, alone.low, alone.high, alone.group) == (1, 1, 1, 1)


def test_many_methods_can_still_be_told_apart() -> None:
    # 40 methods are 780 pairs, whose correction 10,000 swaps could not outweigh
    sums = random_sums(60)
    ranking = rank_methods([sums + [[0.1 * n, 0]] * 60 for n in range(40)], draws=None)
    np.testing.assert_array_equal(ranking.rank, np.arange(1, 41))
    np.testing.assert_array_equal(ranking.low, ranking.high)


SUMS = np.ones((6, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: division_interval(np.ones(3)), r"\(divisions, terms\) or .* not \(3,\)"),
        (lambda: division_interval(SUMS * np.nan), "must be finite"),
        (lambda: division_interval(SUMS, level=95), r"level must be in \(0, 1\), found 95"),
        (lambda: division_interval(SUMS, blocks=[1, 2]), "each of the 6"),
        (lambda: sign_flip_test(SUMS, SUMS[:4]), "same divisions and terms"),
        (lambda: sign_flip_test(SUMS, SUMS[:, :1]), "same divisions and terms"),
        (lambda: sign_flip_test(SUMS, SUMS, draws=0), "draws must be positive"),
        (lambda: holm([0.5, 1.5]), "numbers from 0 to 1"),
        (lambda: rank_methods([]), "needs a method"),
        (lambda: rank_methods([SUMS, SUMS[:3]]), "same divisions and terms"),
        (lambda: rank_methods([SUMS], ratios), "statistic with one value"),
        (lambda: spatial_blocks([[0, 0, 0]]), r"shape \(divisions, 2\)"),
        (lambda: spatial_blocks([[0, np.nan]]), "must be finite"),
        (lambda: division_sums([1.0, np.nan], [0, 1]), "values must be finite"),
        (lambda: division_sums([1.0, 2.0], [0]), "each of the 2 chips"),
        (lambda: division_sums([], []), "at least one chip"),
    ],
)
def test_wrong_input_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(MetricError, match=message):
        call()
