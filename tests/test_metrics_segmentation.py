"""Confusion matrices and what follows: scikit-learn, slow loops, invariances, wrong input."""

from __future__ import annotations

from collections.abc import Callable

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from sklearn import metrics as sklearn_metrics

from llpbench import metrics
from llpbench.errors import MetricError
from llpbench.metrics.arrays import batches

Labels = NDArray[np.uint8]
CLASSES = 4
fast = settings(max_examples=50)


@st.composite
def label_pairs(draw: st.DrawFn) -> tuple[Labels, Labels]:
    """Truth (n, 6, 6) and a prediction whose side divides 6, some labels outside."""
    chips, side = draw(st.integers(1, 20)), draw(st.sampled_from([1, 2, 3, 6]))
    labels = st.sampled_from([0, 1, 2, 3, 3, 7, 255])
    return (
        draw(hnp.arrays(np.uint8, (chips, 6, 6), elements=labels)),
        draw(hnp.arrays(np.uint8, (chips, side, side), elements=labels)),
    )


def random_labels(chips: int = 40, side: int = 12, outside: float = 0.1) -> Labels:
    generator = np.random.default_rng(chips + side)
    labels = generator.integers(0, CLASSES, (chips, side, side)).astype(np.uint8)
    labels[generator.random(labels.shape) < outside] = 255
    return labels


def by_loop(truth: Labels, predicted: Labels) -> NDArray[np.int64]:
    """One pixel after the other, on enlarged images."""
    side = max(truth.shape[1], predicted.shape[1])
    first, second = (
        array.repeat(side // array.shape[1], 1).repeat(side // array.shape[1], 2)
        for array in (truth, predicted)
    )
    counts = np.zeros((len(truth), CLASSES, CLASSES), dtype=np.int64)
    for chip, row, column in np.ndindex(first.shape):
        pair = first[chip, row, column], second[chip, row, column]
        if max(pair) < CLASSES:
            counts[(chip, *pair)] += 1
    return counts


@fast
@given(label_pairs())
def test_one_pass_counts_what_a_loop_counts(pair: tuple[Labels, Labels]) -> None:
    truth, predicted = pair
    expected = by_loop(truth, predicted)
    counts = metrics.compare_segmentations(truth, predicted, CLASSES)
    np.testing.assert_array_equal(counts.confusion, expected)
    np.testing.assert_array_equal(
        metrics.confusion_matrix(truth, predicted, CLASSES, per="chip"), expected
    )
    total = metrics.confusion_matrix(truth, predicted, CLASSES)
    np.testing.assert_array_equal(total, expected.sum(axis=0))
    # the coarser side may be either
    swapped = metrics.confusion_matrix(predicted, truth, CLASSES)
    np.testing.assert_array_equal(swapped, total.T)
    for shares, labels in ((counts.truth, truth), (counts.predicted, predicted)):
        np.testing.assert_allclose(
            shares, metrics.proportions_from_segmentation(labels, CLASSES), rtol=1e-15
        )


@fast
@given(label_pairs())
def test_shares_sum_to_one_over_valid_labels(pair: tuple[Labels, Labels]) -> None:
    truth, _ = pair
    shares = metrics.proportions_from_segmentation(truth, CLASSES)
    empty = (truth >= CLASSES).all(axis=(1, 2))
    np.testing.assert_array_equal(np.isnan(shares).all(axis=1), empty)
    np.testing.assert_allclose(shares[~empty].sum(axis=1), 1)


@fast
@given(label_pairs(), st.permutations(range(CLASSES)))
def test_permuted_classes_permute_scores(pair: tuple[Labels, Labels], order: list[int]) -> None:
    truth, predicted = pair
    renamed = np.arange(256, dtype=np.uint8)
    renamed[:CLASSES] = order
    plain = metrics.confusion_matrix(truth, predicted, CLASSES)
    other = metrics.confusion_matrix(renamed[truth], renamed[predicted], CLASSES)
    np.testing.assert_array_equal(other[np.ix_(order, order)], plain)
    for score in (metrics.f1, metrics.iou_pooled):
        for average in ("micro", "macro", "weighted"):
            assert score(other, average=average) == pytest.approx(
                score(plain, average=average), nan_ok=True
            )


@fast
@given(label_pairs())
def test_scores_are_bounded_and_one_for_identical_labels(pair: tuple[Labels, Labels]) -> None:
    truth, predicted = pair
    counts = metrics.compare_segmentations(truth, predicted, CLASSES)
    same = metrics.compare_segmentations(truth, truth, CLASSES)
    for average in ("micro", "macro", "weighted"):
        f1 = metrics.f1(counts.confusion.sum(axis=0), average=average)
        iou = metrics.iou_pooled(counts.confusion.sum(axis=0), average=average)
        assert np.isnan(f1) or 0 <= iou <= f1 <= 1
        if same.confusion.any():
            assert metrics.f1(same.confusion.sum(axis=0), average=average) == pytest.approx(1)
    if same.confusion.any():
        assert metrics.iou_per_image(same.confusion) == 1
    images = metrics.iou_per_image(counts.confusion, per="chip")
    assert (((images >= 0) & (images <= 1)) | ~counts.confusion.any(axis=(1, 2))).all()


def test_agreement_with_scikit_learn() -> None:
    truth, predicted = random_labels(40), random_labels(41)[:40]
    counted = (truth < CLASSES) & (predicted < CLASSES)
    first, second = truth[counted], predicted[counted]
    confusion = metrics.confusion_matrix(truth, predicted, CLASSES)
    np.testing.assert_array_equal(confusion, sklearn_metrics.confusion_matrix(first, second))
    for average in ("micro", "macro", "weighted", None):
        np.testing.assert_allclose(
            metrics.f1(confusion, average=average),
            sklearn_metrics.f1_score(first, second, average=average),
        )
        np.testing.assert_allclose(
            metrics.iou_pooled(confusion, average=average),
            sklearn_metrics.jaccard_score(first, second, average=average),
        )
    accuracy = sklearn_metrics.accuracy_score(first, second)
    assert metrics.f1(confusion) == pytest.approx(accuracy)
    mean_iou = sklearn_metrics.jaccard_score(first, second, average="macro")
    assert metrics.iou_pooled(confusion) == pytest.approx(mean_iou)


def test_absent_classes_are_left_out_as_scikit_learn_does() -> None:
    first, second = np.array([0, 0, 1, 1]), np.array([0, 3, 1, 1])
    confusion = metrics.confusion_matrix(
        first.reshape(1, 2, 2), second.reshape(1, 2, 2), number_of_classes=5
    )
    for average in ("macro", "weighted", None):
        np.testing.assert_allclose(
            metrics.f1(confusion, average=average),
            sklearn_metrics.f1_score(
                first, second, labels=range(5), average=average, zero_division=np.nan
            ),
        )
    assert np.isnan(metrics.f1(np.zeros((3, 3))))
    assert np.isnan(metrics.iou_per_image(np.zeros((2, 3, 3))))


def test_scores_of_many_matrices_at_once_are_those_of_each() -> None:
    confusion = np.random.default_rng(0).integers(0, 9, (7, 6, CLASSES, CLASSES))
    for score in (metrics.f1, metrics.iou_pooled):
        for average in ("micro", "macro", "weighted", None):
            together = score(confusion, average=average)
            for index in np.ndindex(7, 6):
                np.testing.assert_allclose(together[index], score(confusion[index], average))


def test_iou_per_image_forms() -> None:
    confusion = np.array([[[4, 0], [0, 0]], [[1, 1], [0, 2]], [[0, 0], [0, 0]]])
    # chip 1 has class 0 alone: 1. chip 2: 1 of 2 and 2 of 3. chip 3 has nothing.
    chips = [1, (1 / 2 + 2 / 3) / 2, np.nan]
    np.testing.assert_allclose(metrics.iou_per_image(confusion, per="chip"), chips)
    np.testing.assert_allclose(metrics.iou_per_image(confusion, per="category"), [3 / 4, 2 / 3])
    assert metrics.iou_per_image(confusion) == pytest.approx(np.nanmean(chips))


@pytest.mark.parametrize("chunks", [(7, 12, 12), (40, 5, 12), (1, 12, 12), (16, 4, 4)])
def test_chunked_arrays_give_the_same_numbers(chunks: tuple[int, int, int]) -> None:
    truth, predicted = random_labels(40), random_labels(41, side=4)[:40]
    lazy_truth = da.from_array(truth, chunks=chunks)
    lazy_predicted = da.from_array(predicted, chunks=(9, 4, 4))
    expected = metrics.compare_segmentations(truth, predicted, CLASSES)
    for pair in ((lazy_truth, lazy_predicted), (lazy_truth, predicted), (truth, lazy_predicted)):
        for ours, theirs in zip(
            metrics.compare_segmentations(*pair, CLASSES), expected, strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(
            metrics.confusion_matrix(*pair, CLASSES), expected.confusion.sum(axis=0)
        )
    np.testing.assert_array_equal(
        metrics.proportions_from_segmentation(lazy_truth, CLASSES),
        metrics.proportions_from_segmentation(truth, CLASSES),
    )


class Chunked:
    """Chips that can be had in slices alone, as from a file."""

    def __init__(self, labels: Labels, *sizes: int) -> None:
        self.shape, self.dtype, self.chunks = labels.shape, labels.dtype, (sizes, (12,), (12,))
        self._labels, self.loaded = labels, list[int]()

    def __getitem__(self, chips: slice) -> Labels:
        self.loaded.append(len(self._labels[chips]))
        return self._labels[chips]


def test_batches_lie_within_chunks_and_are_never_empty() -> None:
    truth, lazy = random_labels(40), Chunked(random_labels(40), 35, 5)
    sizes = [len(labels) for labels, _ in batches(lazy, truth)]
    assert lazy.loaded == [35, 5]
    assert (min(sizes) > 0, sum(sizes), sizes[-1]) == (True, 40, 5)
    np.testing.assert_array_equal(
        metrics.confusion_matrix(lazy, truth, CLASSES),
        metrics.confusion_matrix(truth, memoryview(truth), CLASSES),
    )


def test_one_chunk_of_a_chunked_array_is_in_memory_at_a_time() -> None:
    sizes: list[int] = []

    def load(block: Labels) -> Labels:
        sizes.append(len(block))
        return block

    truth = random_labels(40)
    lazy = da.from_array(truth, chunks=(8, 12, 12)).map_blocks(load, meta=truth[:0])
    metrics.confusion_matrix(lazy, truth, CLASSES)
    assert sizes == [8] * 5


@pytest.mark.parametrize("kind", ["uint8", "int16", "int64", "uint32", "bool"])
def test_any_integer_labels_will_do(kind: str) -> None:
    truth = random_labels(outside=0).astype(kind)
    expected = by_loop(truth.astype(np.uint8), truth.astype(np.uint8)).sum(axis=0)
    np.testing.assert_array_equal(metrics.confusion_matrix(truth, truth, CLASSES), expected)


def test_counts_are_whole_numbers_of_eight_bytes_and_any_counts_will_do() -> None:
    truth, predicted = random_labels(), random_labels(41)[:40]
    for per in (None, "chip"):
        counts = metrics.confusion_matrix(truth, predicted, CLASSES, per=per)
        assert counts.dtype == np.int64
    # 2 * 200 hits do not fit a byte
    assert metrics.f1(np.array([[200, 50], [0, 50]], dtype=np.uint8)) == 250 / 300


def test_negative_and_large_labels_count_nowhere() -> None:
    truth = np.array([[[-1, 300], [2**40, 1]]])
    np.testing.assert_array_equal(metrics.confusion_matrix(truth, truth, 2), [[0, 0], [0, 1]])
    np.testing.assert_array_equal(metrics.proportions_from_segmentation(truth, 2), [[0, 1]])


def test_many_classes_fit() -> None:
    labels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    np.testing.assert_array_equal(metrics.confusion_matrix(labels, labels, 255), np.eye(255))


def test_no_chips_make_empty_counts() -> None:
    none = np.empty((0, 6, 6), dtype=np.uint8)
    np.testing.assert_array_equal(metrics.confusion_matrix(none, none, 2), np.zeros((2, 2)))
    assert metrics.compare_segmentations(none, none, 2).confusion.shape == (0, 2, 2)
    assert metrics.proportions_from_segmentation(none, 2).shape == (0, 2)
    assert metrics.mean_probabilities(np.empty((0, 6, 6, 2))).shape == (0, 2)
    assert metrics.most_likely_class(np.empty((0, 6, 6, 2))).shape == (0, 6, 6)
    assert np.isnan(metrics.brier(none, np.empty((0, 6, 6, 2))))


LABELS = np.zeros((2, 4, 4), dtype=np.uint8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.confusion_matrix(LABELS, LABELS[:, :3], 2), "predicted must be square"),
        (lambda: metrics.confusion_matrix(LABELS[0], LABELS, 2), r"truth must be .*\(4, 4\)"),
        (lambda: metrics.confusion_matrix(LABELS, LABELS[:1], 2), "same chips, found 2 and 1"),
        (lambda: metrics.confusion_matrix(LABELS, LABELS[:, :3, :3], 2), "found 4 and 3"),
        (lambda: metrics.confusion_matrix(LABELS, LABELS * 1.0, 2), "integer labels, not float64"),
        (lambda: metrics.confusion_matrix(LABELS, LABELS, 256), "1 to 255, not 256"),
        (lambda: metrics.confusion_matrix(LABELS, LABELS, 2, per="pixel"), "per must be None or"),
        (
            lambda: metrics.proportions_from_segmentation(LABELS[0], 2),
            r"^segmentation .*, columns\), not",
        ),
        (lambda: metrics.proportions_from_segmentation(LABELS[:, :0, :0], 2), r"\(2, 0, 0\)"),
        (lambda: metrics.proportions_from_segmentation(LABELS, 0), "1 to 255, not 0"),
        (lambda: metrics.f1(np.ones((2, 3))), r"is square.*\(2, 3\)"),
        (lambda: metrics.f1(np.ones((2, 2)), average="mean"), "'weighted' or None, not 'mean'"),
        (lambda: metrics.iou_per_image(np.ones((2, 2))), r"one confusion .*\(2, 2\)$"),
        (lambda: metrics.iou_per_image(np.ones((1, 2, 2)), per="cell"), "category, not 'cell'"),
    ],
)
def test_wrong_input_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(MetricError, match=message):
        call()
