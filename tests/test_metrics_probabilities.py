"""Read-outs and scores of pixel probabilities."""

from __future__ import annotations

from collections.abc import Callable

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from llpbench import metrics
from llpbench.errors import MetricError
from llpbench.metrics.readout import first_maximum

CLASSES = 4
fast = settings(max_examples=50)


def random_case(side: int = 6, chips: int = 40) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Truth (n, 12, 12) with labels outside, and probabilities of some side."""
    generator = np.random.default_rng(side)
    probabilities = generator.dirichlet(np.ones(CLASSES), (chips, side, side))
    truth = generator.integers(0, CLASSES, (chips, 12, 12)).astype(np.uint8)
    truth[generator.random(truth.shape) < 0.1] = 255
    return truth, probabilities.astype(np.float32)


def enlarged(
    truth: NDArray[np.uint8], probabilities: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Labels and probabilities of all counted pixels, one a row."""
    factor = truth.shape[1] // probabilities.shape[1]
    large = probabilities.repeat(factor, axis=1).repeat(factor, axis=2)
    return truth[truth < CLASSES], large[truth < CLASSES]


@fast
@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 20), st.just(3), st.just(3), st.integers(1, 6)),
        elements=st.sampled_from([0, 0.25, 0.25, 0.5, 1]),
    )
)
def test_most_likely_class_is_the_first_maximum(probabilities: NDArray[np.float32]) -> None:
    ours = metrics.most_likely_class(probabilities)
    np.testing.assert_array_equal(ours, probabilities.argmax(axis=-1))
    assert ours.dtype == np.uint8


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_mean_probabilities(kind: str) -> None:
    _, probabilities = random_case()
    ours = metrics.mean_probabilities(probabilities.astype(kind))
    expected = probabilities.astype(kind).mean(axis=(1, 2), dtype=np.float64)
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


@pytest.mark.parametrize("side", [1, 4, 12])
def test_brier_score_is_that_of_scikit_learn(side: int) -> None:
    truth, probabilities = random_case(side)
    labels, pixels = enlarged(truth, probabilities)
    pixels = pixels.astype(np.float64) / pixels.sum(axis=1, keepdims=True, dtype=np.float64)
    expected = sum(brier_score_loss(labels == one, pixels[:, one]) for one in range(CLASSES))
    assert metrics.brier(truth, probabilities) == pytest.approx(expected, rel=1e-6)


def test_brier_scores_of_chips_average_by_their_pixels() -> None:
    truth, probabilities = random_case()
    truth[3] = 255
    chips = metrics.brier(truth, probabilities, per="chip")
    counted = (truth < CLASSES).sum(axis=(1, 2))
    assert np.isnan(chips[3])
    assert np.nansum(chips * counted) / counted.sum() == pytest.approx(
        metrics.brier(truth, probabilities)
    )
    assert np.isnan(metrics.brier(truth[3:4], probabilities[3:4]))


@pytest.mark.parametrize("side", [4, 12])
def test_calibration_error_is_that_of_the_reliability_curve(side: int) -> None:
    truth, probabilities = random_case(side)
    labels, pixels = enlarged(truth, probabilities)
    confidence, right = pixels.max(axis=1).astype(np.float64), pixels.argmax(axis=1) == labels
    accuracy, mean_confidence = calibration_curve(right, confidence, n_bins=10)
    inside = np.searchsorted(np.linspace(0, 1, 11)[1:-1], confidence)
    sizes = np.unique(inside, return_counts=True)[1]
    expected = np.average(np.abs(accuracy - mean_confidence), weights=sizes)
    ours = metrics.expected_calibration_error(truth, probabilities, bins=10)
    assert ours == pytest.approx(expected)


@pytest.mark.parametrize("cut", [1, 7, 39])
def test_reliability_tables_of_batches_add_up(cut: int) -> None:
    truth, probabilities = random_case()
    table = sum(
        metrics.reliability_table(truth[part], probabilities[part])
        for part in (slice(None, cut), slice(cut, None))
    )
    assert metrics.calibration_error_of(table) == pytest.approx(
        metrics.expected_calibration_error(truth, probabilities)
    )


@pytest.mark.parametrize("kind", ["float16", "float32"])
def test_scores_are_worked_out_in_double_precision(kind: str) -> None:
    truth, probabilities = random_case()
    short = probabilities.astype(kind)
    double = short.astype(np.float64)
    assert metrics.brier(truth, short) == pytest.approx(metrics.brier(truth, double), rel=1e-14)
    assert metrics.expected_calibration_error(truth, short) == pytest.approx(
        metrics.expected_calibration_error(truth, double), rel=1e-14
    )
    classes, highest = first_maximum(short)
    assert (classes.dtype, highest.dtype) == (np.uint8, kind)


def test_without_options_there_are_15_bins_and_one_bin_will_do() -> None:
    """In one bin only the means count: how sure, and how often right."""
    truth, probabilities = random_case(12)
    assert metrics.reliability_table(truth, probabilities).shape == (15, 3)
    usual = metrics.expected_calibration_error(truth, probabilities)
    assert usual == metrics.expected_calibration_error(truth, probabilities, bins=15)
    labels, pixels = enlarged(truth, probabilities)
    right = (pixels.argmax(axis=1) == labels).mean()
    sure = pixels.max(axis=1).mean(dtype=np.float64)
    one = metrics.expected_calibration_error(truth, probabilities, bins=1)
    assert one == pytest.approx(abs(right - sure))
    # whole numbers, as a sum of certain tables has: 3 of 4 right in the second
    table = np.array([[4, 2, 2], [4, 4, 3]], dtype=np.uint8)
    assert metrics.calibration_error_of(table) == 1 / 8


def test_labels_from_the_number_of_classes_on_count_nowhere() -> None:
    """By hand: of 4 labels one is counted, .75 against 1; with one class, all or nothing."""
    truth = np.array([[[0, 2], [3, -1]]])
    assert metrics.brier(truth, [[[[0.75, 0.25]]]]) == 2 * 0.25**2
    assert metrics.reliability_table(truth, [[[[0.75, 0.25]]]], bins=1).tolist() == [[1, 0.75, 1]]
    assert metrics.brier(truth, np.ones((1, 2, 2, 1))) == 0


def test_images_may_be_larger_than_the_number_of_classes_that_fit_a_byte() -> None:
    image = np.zeros((1, 256, 256, 2), dtype=np.float32)
    image[..., 1] = 1
    np.testing.assert_array_equal(metrics.mean_probabilities(image), [[0, 1]])


def test_certain_and_right_scores_zero() -> None:
    truth, _ = random_case()
    certain = np.eye(CLASSES)[np.where(truth < CLASSES, truth, 0)]
    assert metrics.brier(truth, certain) == 0
    assert metrics.expected_calibration_error(truth, certain) == 0
    wrong = np.roll(certain, 1, axis=-1)
    assert metrics.brier(truth, wrong) == 2
    assert metrics.expected_calibration_error(truth, wrong) == 1
    nothing = np.full_like(truth, 255)
    assert np.isnan(metrics.expected_calibration_error(nothing, certain))


def test_chunked_arrays_give_the_same_numbers() -> None:
    truth, probabilities = random_case()
    pair = (
        da.from_array(truth, chunks=(7, 12, 5)),
        da.from_array(probabilities, chunks=(9, 6, 6, 2)),
    )
    np.testing.assert_array_equal(
        metrics.most_likely_class(pair[1]), metrics.most_likely_class(probabilities)
    )
    np.testing.assert_array_equal(
        metrics.mean_probabilities(pair[1]), metrics.mean_probabilities(probabilities)
    )
    assert metrics.brier(*pair) == metrics.brier(truth, probabilities)
    assert metrics.expected_calibration_error(*pair) == pytest.approx(
        metrics.expected_calibration_error(truth, probabilities), rel=1e-12
    )


TRUTH, PROBABILITIES = np.zeros((1, 2, 2), int), np.full((1, 2, 2, 2), 0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.most_likely_class(TRUTH), r"probabilities .*, columns, categories\), not"),
        (lambda: metrics.most_likely_class(TRUTH[..., None]), "probabilities, not int64"),
        (lambda: metrics.most_likely_class(PROBABILITIES * np.nan), "hold NaN"),
        (lambda: metrics.most_likely_class(np.ones((1, 1, 1, 256))), "1 to 255, not 256"),
        (lambda: metrics.brier(TRUTH[:, :1, :1], PROBABILITIES), "as fine .* sides of 1 and 2"),
        (lambda: metrics.brier(TRUTH[:0], PROBABILITIES), "same chips"),
        (lambda: metrics.brier(TRUTH[0], PROBABILITIES), "^truth must be square images"),
        (lambda: metrics.brier(TRUTH, PROBABILITIES, per="pixel"), "None or one of chip, not"),
        (lambda: metrics.reliability_table(TRUTH, PROBABILITIES, bins=0), "at least 1, not 0"),
        (lambda: metrics.calibration_error_of([1, 2, 3]), "shape .bins, 3."),
    ],
)
def test_wrong_input_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(MetricError, match=message):
        call()


def test_a_bin_holds_its_upper_bound() -> None:
    """By hand: .5 and right in the first of two bins, .75 and wrong in the second."""
    truth, probabilities = [[[0]], [[1]]], [[[[0.5, 0.5]]], [[[0.75, 0.25]]]]
    table = metrics.reliability_table(truth, probabilities, bins=2)
    np.testing.assert_array_equal(table, [[1, 0.5, 1], [1, 0.75, 0]])
    assert metrics.expected_calibration_error(truth, probabilities, bins=2) == (0.5 + 0.75) / 2
