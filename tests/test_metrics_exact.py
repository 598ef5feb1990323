"""Metrics of shares at their edges: every form, defaults, single chips and kinds, wrong input."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from llpbench import metrics
from llpbench.errors import MetricError
from llpbench.metrics.arrays import quotient
from llpbench.metrics.diagnostics import consistency_of_gaps, gap_terms
from llpbench.metrics.shares import rmse_of_squares

FloatArray = NDArray[np.float64]
ALL_FORMS = ("chip", "category", "cell")
FORMS: dict[Callable[..., object], tuple[str, ...]] = {
    metrics.mae: ALL_FORMS,
    metrics.rmse: ALL_FORMS,
    metrics.overlap: ALL_FORMS,
    metrics.soft_iou: ("chip", "category"),
    metrics.jensen_shannon: ALL_FORMS,
    metrics.hellinger: ALL_FORMS,
    metrics.earth_mover: ALL_FORMS,
    metrics.r2: ("category",),
    metrics.calibration_line: ("category",),
    partial(metrics.within_division_r2, division=[0, 0, 1, 1]): ("category",),
    partial(metrics.division_consistency, division=[0, 1, 2, 3]): ("division", "category"),
}


def random_pair() -> tuple[FloatArray, FloatArray]:
    first, second = np.random.default_rng(4).dirichlet(np.ones(3), (2, 4))
    return first, second


@pytest.mark.parametrize(("metric", "forms"), FORMS.items())
def test_forms_have_their_shapes_and_others_are_refused(
    metric: Callable[..., object], forms: tuple[str, ...]
) -> None:
    pair = random_pair()
    shapes = {"chip": (4,), "division": (4,), "category": (3,), "cell": (4, 3)}
    for form in forms:
        value = metric(*pair, per=form)
        values = value if isinstance(value, metrics.CalibrationLine) else [value]
        assert [np.shape(one) for one in values] == [shapes[form]] * len(values)
    for other in {*shapes, "row"}.difference(forms):
        with pytest.raises(MetricError, match=f"one of {', '.join(forms)}, not '{other}'"):
            metric(*pair, per=other)


@pytest.mark.parametrize("metric", FORMS)
def test_over_all_chips_it_is_a_plain_number(metric: Callable[..., object]) -> None:
    value = metric(*random_pair())
    values = value if isinstance(value, metrics.CalibrationLine) else [value]
    assert [type(one) for one in values] == [float] * len(values)


def test_cells_are_the_errors_and_distances_of_a_share_alone() -> None:
    truth, predicted = random_pair()
    for metric in (metrics.mae, metrics.rmse):
        np.testing.assert_allclose(metric(truth, predicted, per="cell"), np.abs(truth - predicted))
    # the parts of a chip sum to what scipy finds for it
    parts = metrics.earth_mover(truth, predicted, per="cell").sum(axis=1)
    moved = [
        wasserstein_distance(range(3), range(3), *pair)
        for pair in zip(truth, predicted, strict=True)
    ]
    np.testing.assert_allclose(parts, np.array(moved) / 2)
    parts = metrics.jensen_shannon(truth, predicted, per="cell").sum(axis=1)
    np.testing.assert_allclose(parts, jensenshannon(truth, predicted, base=2, axis=1) ** 2)


@pytest.mark.parametrize("metric", [metrics.hellinger, metrics.jensen_shannon])
def test_negative_shares_are_refused_on_either_side(metric: Callable[..., object]) -> None:
    for pair in (([[-0.5, 1.5]], [[0, 1]]), ([[0, 1]], [[-0.5, 1.5]])):
        with pytest.raises(MetricError, match=r"must not be negative, found -0\.5"):
            metric(*pair)


def test_formulas_of_sums_take_many_sums_at_once() -> None:
    truth, predicted = random_pair()
    squares = np.column_stack([(truth - predicted) ** 2, np.ones(4)])
    gaps = gap_terms(predicted, truth)
    of_chips = metrics.rmse(truth, predicted, per="chip")
    np.testing.assert_allclose(rmse_of_squares(squares), of_chips)
    of_divisions = np.abs(truth - predicted).sum(axis=1)
    np.testing.assert_allclose(consistency_of_gaps(gaps), of_divisions)


@pytest.mark.parametrize(("relative", "varies"), [(1.5e-6, True), (0.8e-6, False)])
def test_what_differs_by_less_than_a_millionth_does_not_vary(relative: float, varies: bool) -> None:
    """A variation of 1e-12 of a category's own squares, whatever the others are."""
    rare = 0.01 * (1 + relative * np.array([1, -1]))
    shares = np.column_stack([rare, 0.3 - rare, [0.7, 0.7]])
    values = {
        "r2": metrics.r2(shares, shares, per="category"),
        "within": metrics.within_division_r2(shares, shares, [0, 0], per="category"),
        "slope": metrics.calibration_line(shares, shares, per="category").slope,
    }
    for name, by_category in values.items():
        np.testing.assert_array_equal(np.isnan(by_category), [not varies, True, True], name)


def test_shares_of_single_precision_are_compared_in_double() -> None:
    pair = [shares.astype(np.float32) for shares in random_pair()]
    exact = [shares.astype(np.float64) for shares in pair]
    assert metrics.mae(*pair) == metrics.mae(*exact)
    assert quotient(*np.array([1, 3], dtype=np.float32)) == 1 / 3


def test_lines_of_categories_hold_to_the_last_digits_where_shares_hardly_vary() -> None:
    """Against sums of fractions, which nothing is rounded in."""
    little = 1e-5 * np.random.default_rng(0).random((2, 20, 1))
    truth, predicted = (
        np.array(means) + part * [1, 3, -4]
        for means, part in zip([[0.9, 0.0, 0.1], [0.8, 0.0, 0.2]], little, strict=True)
    )
    slopes = []
    for pair in zip(truth.T, predicted.T, strict=True):
        true, own = ([Fraction(value) for value in values] for values in pair)
        gaps = [value - sum(own) / 20 for value in own]
        covariance = sum(gap * value for gap, value in zip(gaps, true, strict=True))
        slopes.append(float(covariance / sum(gap**2 for gap in gaps)))
    lines = metrics.calibration_line(truth, predicted, per="category")
    np.testing.assert_allclose(lines.slope, slopes, rtol=1e-13)


def test_what_is_not_finite_is_named_with_its_rows() -> None:
    known, missing = [[0, 1]] * 3, [[0, 1], [None, 1], [0, np.inf]]
    message = r"must be finite, but 2 rows are not \(the first is row 1\)"
    with pytest.raises(MetricError, match=f"^truth {message}"):
        metrics.mae(missing, known)
    with pytest.raises(MetricError, match=f"^predicted {message}"):
        metrics.mae(known, missing)


# consistency with divisions


def test_consistency_is_zero_for_known_mixes_and_chips_weigh_the_same() -> None:
    known = [[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]]
    chips = [[0.75, 0.25, 0.0], [0.25, 0.25, 0.5], [0.25, 0.25, 0.5]]
    assert metrics.division_consistency(known, chips, [0, 0, 1]) == 0
    by_division = metrics.division_consistency(known, chips, [0, 0, 1], per="division")
    np.testing.assert_array_equal(by_division, [0, 0])


@pytest.mark.parametrize("weight", [[1.0], [1.0, np.nan], [1.0, np.inf], [1.0, None], [1, -1]])
def test_weights_are_finite_one_a_chip_and_not_negative(weight: list[float]) -> None:
    with pytest.raises(MetricError, match="weight must hold 2 finite numbers"):
        metrics.division_consistency([[1, 0]], [[1, 0], [1, 0]], [0, 0], weight)


def test_wrong_consistency_says_which_array_and_which_rows() -> None:
    missing, known = [[np.nan, 1]], [[0, 1], [1, 0], [0, 1]]
    with pytest.raises(MetricError, match=r"^truth must be finite"):
        metrics.division_consistency(missing, known, [0, 0, 0])
    with pytest.raises(MetricError, match=r"^predicted must be finite"):
        metrics.division_consistency(known, missing, [0])
    with pytest.raises(MetricError, match=r"row numbers of truth, 0 to 2$"):
        metrics.division_consistency(known, [[0, 1]], [3])
