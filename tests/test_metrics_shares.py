"""Share metrics: agreement with scikit-learn and scipy, and the properties that define them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import linregress, wasserstein_distance
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from llpbench import metrics
from llpbench.errors import MetricError

FloatArray = NDArray[np.float64]
Pair = tuple[FloatArray, FloatArray]

UPPER = {
    "mae": lambda k: 2 / k,
    "rmse": lambda k: math.sqrt(2 / k),
    "jensen_shannon": lambda k: 1,
    "hellinger": lambda k: 1,
    "earth_mover": lambda k: 1,
}
DISTANCES = [getattr(metrics, name) for name in UPPER]
SIMILARITIES = [metrics.overlap, metrics.soft_iou]
AVERAGES = [m for m in (*DISTANCES, *SIMILARITIES) if m is not metrics.rmse]
fast = settings(max_examples=50)


@st.composite
def share_pairs(draw: st.DrawFn, minimum_chips: int = 1) -> Pair:
    """Two arrays of shares (n, K) that sum to 1, many of them 0 or 1."""
    shape = draw(st.tuples(st.integers(minimum_chips, 12), st.integers(2, 6)))
    counts = hnp.arrays(np.int64, shape, elements=st.sampled_from([0, 0, 0, 1, 2, 7, 100]))

    def shares() -> FloatArray:
        array = draw(counts)
        array[array.sum(axis=1) == 0, 0] = 1
        return array / array.sum(axis=1, keepdims=True)

    return shares(), shares()


def random_pair(chips: int = 200, classes: int = 5) -> Pair:
    first, second = np.random.default_rng(0).dirichlet(np.ones(classes), (2, chips))
    return first, 0.5 * first + 0.5 * second


def test_agreement_with_scikit_learn() -> None:
    truth, predicted = random_pair()
    assert metrics.mae(truth, predicted) == pytest.approx(mean_absolute_error(truth, predicted))
    np.testing.assert_allclose(
        metrics.mae(truth, predicted, per="category"),
        mean_absolute_error(truth, predicted, multioutput="raw_values"),
    )
    np.testing.assert_allclose(
        metrics.rmse(truth, predicted, per="category"),
        root_mean_squared_error(truth, predicted, multioutput="raw_values"),
    )
    pooled = r2_score(truth, predicted, multioutput="variance_weighted")
    assert metrics.r2(truth, predicted) == pytest.approx(pooled)
    np.testing.assert_allclose(
        metrics.r2(truth, predicted, per="category"),
        r2_score(truth, predicted, multioutput="raw_values"),
    )


def test_agreement_with_scipy() -> None:
    truth, predicted = random_pair()
    divergence = jensenshannon(truth, predicted, base=2, axis=1) ** 2
    np.testing.assert_allclose(metrics.jensen_shannon(truth, predicted, per="chip"), divergence)
    positions = np.arange(5)
    moved = [
        wasserstein_distance(positions, positions, *pair)
        for pair in zip(truth, predicted, strict=True)
    ]
    np.testing.assert_allclose(metrics.earth_mover(truth, predicted, per="chip") * 4, moved)
    expected = linregress(predicted.ravel(), truth.ravel())
    assert metrics.calibration_line(truth, predicted) == pytest.approx(
        (expected.slope, expected.intercept)
    )
    lines = metrics.calibration_line(truth, predicted, per="category")
    for number in range(5):
        expected = linregress(predicted[:, number], truth[:, number])
        assert lines.slope[number] == pytest.approx(expected.slope)
        assert lines.intercept[number] == pytest.approx(expected.intercept)


def test_values_by_hand() -> None:
    # chip 1: |.5 - .25| twice; min .25 + .5, max .5 + .75; half moves one of two steps
    truth, predicted = [[0.5, 0.5, 0.0]], [[0.25, 0.75, 0.0]]
    assert metrics.mae(truth, predicted) == pytest.approx(0.5 / 3)
    assert metrics.rmse(truth, predicted) == pytest.approx(math.sqrt(2 * 0.0625 / 3))
    assert metrics.overlap(truth, predicted) == pytest.approx(0.75)
    assert metrics.soft_iou(truth, predicted) == pytest.approx(0.75 / 1.25)
    assert metrics.earth_mover(truth, predicted) == pytest.approx(0.25 / 2)
    # Hellinger: 1 - sum of sqrt(p q) is the square of the distance
    affinity = math.sqrt(0.5 * 0.25) + math.sqrt(0.5 * 0.75)
    assert metrics.hellinger(truth, predicted) == pytest.approx(math.sqrt(1 - affinity))


@fast
@given(share_pairs())
def test_distances_are_bounded_symmetric_and_zero_for_identical_shares(pair: Pair) -> None:
    truth, predicted = pair
    for name, upper in UPPER.items():
        metric = getattr(metrics, name)
        assert 0 <= metric(truth, predicted) <= upper(truth.shape[1]) + 1e-12
        assert metric(truth, predicted) == pytest.approx(metric(predicted, truth))
        assert metric(truth, truth) == 0


@fast
@given(share_pairs())
def test_similarities_are_bounded_symmetric_and_one_for_identical_shares(pair: Pair) -> None:
    truth, predicted = pair
    for metric in SIMILARITIES:
        assert -1e-12 <= metric(truth, predicted) <= 1 + 1e-12
        assert metric(truth, predicted) == pytest.approx(metric(predicted, truth))
        assert metric(truth, truth) == pytest.approx(1)


@fast
@given(share_pairs())
def test_overlap_follows_from_mae_and_soft_iou_from_overlap(pair: Pair) -> None:
    truth, predicted = pair
    overlap = metrics.overlap(truth, predicted)
    classes = truth.shape[1]
    assert overlap == pytest.approx(1 - classes / 2 * metrics.mae(truth, predicted))
    chips = metrics.overlap(truth, predicted, per="chip")
    np.testing.assert_allclose(
        metrics.soft_iou(truth, predicted, per="chip"), chips / (2 - chips), atol=1e-12
    )


@fast
@given(share_pairs(), st.randoms(use_true_random=False))
def test_order_of_chips_and_classes_does_not_matter(pair: Pair, random: object) -> None:
    truth, predicted = pair
    generator = np.random.default_rng(random.randint(0, 2**32))  # type: ignore[attr-defined]
    chips, classes = (generator.permutation(size) for size in truth.shape)
    for metric in (*DISTANCES, *SIMILARITIES):
        value = metric(truth, predicted)
        assert metric(truth[chips], predicted[chips]) == pytest.approx(value)
        if metric is not metrics.earth_mover:  # its categories are ordered
            assert metric(truth[:, classes], predicted[:, classes]) == pytest.approx(value)
            np.testing.assert_allclose(
                metric(truth[:, classes], predicted[:, classes], per="category"),
                metric(truth, predicted, per="category")[classes],
                atol=1e-12,
            )
    reversed_classes = metrics.earth_mover(truth[:, ::-1], predicted[:, ::-1])
    assert reversed_classes == pytest.approx(metrics.earth_mover(truth, predicted))


@fast
@given(share_pairs(minimum_chips=4), st.integers(1, 3))
def test_chips_can_come_in_batches(pair: Pair, cut: int) -> None:
    truth, predicted = pair
    for metric in (*DISTANCES, *SIMILARITIES):
        chips = metric(truth, predicted, per="chip")
        batches = [
            metric(truth[part], predicted[part], per="chip")
            for part in (slice(None, cut), slice(cut, None))
        ]
        np.testing.assert_array_equal(np.concatenate(batches), chips)


@fast
@given(share_pairs())
def test_forms_average_or_add_up_to_the_whole(pair: Pair) -> None:
    truth, predicted = pair
    for metric in AVERAGES:
        chips = metric(truth, predicted, per="chip")
        assert chips.mean() == pytest.approx(metric(truth, predicted))
    for metric in (metrics.overlap, metrics.jensen_shannon, metrics.earth_mover):
        parts = metric(truth, predicted, per="category")
        assert parts.sum() == pytest.approx(metric(truth, predicted))
    for metric in (metrics.mae, metrics.overlap, metrics.jensen_shannon, metrics.hellinger):
        cells = metric(truth, predicted, per="cell")
        np.testing.assert_allclose(cells.mean(axis=0), metric(truth, predicted, per="category"))
    squares = metrics.rmse(truth, predicted, per="chip") ** 2
    assert squares.mean() == pytest.approx(metrics.rmse(truth, predicted) ** 2)
    cells = metrics.hellinger(truth, predicted, per="cell") ** 2
    np.testing.assert_allclose(
        cells.sum(axis=1), metrics.hellinger(truth, predicted, per="chip") ** 2, atol=1e-12
    )


@fast
@given(share_pairs())
def test_variance_explained_is_one_for_identical_and_zero_for_class_means(pair: Pair) -> None:
    truth, predicted = pair
    means = np.broadcast_to(truth.mean(axis=0), truth.shape)
    varies = np.ptp(truth, axis=0) > 1e-9
    if varies.any():
        assert metrics.r2(truth, truth) == 1
        assert metrics.r2(truth, means) == pytest.approx(0)
        assert metrics.r2(truth, predicted) <= 1
    np.testing.assert_array_equal(np.isnan(metrics.r2(truth, predicted, per="category")), ~varies)


def test_variance_is_explained_to_the_last_digit_where_shares_hardly_vary() -> None:
    """Sums of squares of these shares agree in their first ten digits."""
    truth = np.array([[1, 0, 0], [1 - 1e-5, 1e-5, 0], [1 - 3e-5, 3e-5, 0]])
    mean = truth.mean(axis=0)
    halved = mean + 0.5 * (truth - mean)
    for r2 in (metrics.r2, partial(metrics.within_division_r2, division=[4, 4, 4])):
        assert r2(truth, np.broadcast_to(mean, truth.shape)) == pytest.approx(0, abs=1e-11)
        assert r2(truth, halved) == pytest.approx(0.75, abs=1e-11)
    lines = metrics.calibration_line(truth, halved, per="category")
    np.testing.assert_allclose(lines.slope[:2], 2, rtol=1e-11)
    np.testing.assert_allclose(lines.intercept[:2], -mean[:2], rtol=1e-11)


def test_calibration_line_tells_shrinkage() -> None:
    # Predictions halved towards the class mean are undone by a slope of 2 in every class.
    truth, _ = random_pair()
    mean = truth.mean(axis=0)
    lines = metrics.calibration_line(truth, mean + 0.5 * (truth - mean), per="category")
    np.testing.assert_allclose(lines.slope, 2)
    np.testing.assert_allclose(lines.intercept, -mean)
    constant = metrics.calibration_line(truth, np.broadcast_to(mean, truth.shape), per="category")
    assert np.isnan(constant.slope).all()


def test_a_tenth_holds_its_upper_bound() -> None:
    """Of 11 evenly spaced predictions the bounds are the 2nd to 10th: only the first has two."""
    predicted = np.arange(11.0)
    table = metrics.means_by_tenth(predicted / 10, predicted)
    np.testing.assert_array_equal(table[:, 2], [2, 1, 1, 1, 1, 1, 1, 1, 1, 1])
    np.testing.assert_allclose(table[:, 0], [0.5, *range(2, 11)])
    np.testing.assert_allclose(table[:, 1], table[:, 0] / 10)


def test_division_consistency_by_loop() -> None:
    generator = np.random.default_rng(3)
    known, predicted = generator.dirichlet(np.ones(4), 9), generator.dirichlet(np.ones(4), 50)
    division, weight = generator.integers(0, 8, 50), generator.random(50)
    gaps = [
        np.abs(
            np.average(predicted[division == c], axis=0, weights=weight[division == c]) - known[c]
        )
        for c in range(8)
    ]
    by_division = metrics.division_consistency(known, predicted, division, weight, per="division")
    np.testing.assert_allclose(by_division[:8], np.sum(gaps, axis=1))
    assert np.isnan(by_division[8])  # it has no chip
    value = metrics.division_consistency(known, predicted, division, weight)
    assert value == pytest.approx(np.sum(gaps, axis=1).mean())
    parts = metrics.division_consistency(known, predicted, division, weight, per="category")
    np.testing.assert_allclose(parts, np.mean(gaps, axis=0))


@fast
@given(share_pairs(minimum_chips=4), st.integers(1, 3))
def test_within_division_r2_sees_detail_only(pair: Pair, divisions: int) -> None:
    truth, predicted = pair
    division = np.arange(len(truth)) % divisions
    means = np.stack([truth[division == c].mean(axis=0) for c in range(divisions)])[division]
    within = truth - means
    if np.abs(within).max() < 1e-9:
        assert np.isnan(metrics.within_division_r2(truth, predicted, division))
        return
    assert metrics.within_division_r2(truth, truth, division) == 1
    assert metrics.within_division_r2(truth, means, division) == pytest.approx(0, abs=1e-9)
    value = metrics.within_division_r2(truth, predicted, division)
    # a constant a division, whatever it is, changes nothing
    shifted = metrics.within_division_r2(truth, predicted + division[:, np.newaxis], division)
    assert shifted == pytest.approx(value, rel=1e-6, abs=1e-9)
    labels = np.array(list("abc"))[division]
    assert metrics.within_division_r2(truth, predicted, labels) == value


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.mae([0.5, 0.5], [0.5, 0.5]), r"chips, categories.*\(2,\)"),
        (lambda: metrics.mae([[0.5, 0.5]], [[1.0]]), r"one shape.*\(1, 2\) and \(1, 1\)"),
        (lambda: metrics.mae(np.empty((0, 3)), np.empty((0, 3))), "at least one"),
        (lambda: metrics.mae([[np.nan, 1]], [[0, 1]]), "truth must be finite, but 1 rows"),
        (lambda: metrics.mae([[0, 1]], [[0, 1]], per="row"), "per must be None or one of chip"),
        (lambda: metrics.hellinger([[0, 1]], [[-0.5, 1.5]]), "not be negative, found -0.5"),
        (lambda: metrics.jensen_shannon([[-1, 2]], [[0, 1]]), "not be negative"),
        (lambda: metrics.earth_mover([[1.0]], [[1.0]]), "at least two ordered categories"),
        (lambda: metrics.division_consistency([[1, 0]], [[1, 0]], [1]), "row numbers of truth"),
        (lambda: metrics.division_consistency([[1, 0]], [[1, 0]], [0.0]), "row numbers of truth"),
        (lambda: metrics.division_consistency([[1, 0]], [[1]], [0]), "same categories"),
        (lambda: metrics.division_consistency([[1]], [[1]], [0], [0]), "no division has a chip"),
        (lambda: metrics.division_consistency([[1]], [[1]], [0], [-1]), "weight must hold 1"),
        (lambda: metrics.within_division_r2([[1, 0]], [[1, 0]], [0, 1]), "each of the 1 chips"),
    ],
)
def test_wrong_input_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(MetricError, match=message) as refused:
        call()
    assert isinstance(refused.value, ValueError)
