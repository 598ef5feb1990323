"""Counting pixels: confusion matrices and class shares, from memory or chunk by chunk."""

from __future__ import annotations

from math import prod
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llpbench.metrics.arrays import (
    FloatArray,
    array_like,
    batches,
    check_image_pair,
    check_images,
    check_number_of_classes,
    check_per,
    quotient,
)

IntArray = NDArray[np.int64]


class SegmentationComparison(NamedTuple):
    """What one pass over truth and prediction counts.

    Attributes
    ----------
    confusion : ndarray of int64, shape (n, K, K)
        Pixels of each chip, rows truth, columns prediction.
    truth, predicted : ndarray of float64, shape (n, K)
        Class shares of each chip on either side, as :func:`proportions_from_segmentation` counts.
    """

    confusion: IntArray
    truth: FloatArray
    predicted: FloatArray


def compare_segmentations(
    truth: ArrayLike, predicted: ArrayLike, number_of_classes: int
) -> SegmentationComparison:
    """Confusion matrix and class shares of every chip, counted in one pass.

    Everything that is scored of a segmentation follows: ``confusion`` sums over any chips to what
    :func:`~llpbench.metrics.f1` and :func:`~llpbench.metrics.iou_pooled` take and goes as it is to
    :func:`~llpbench.metrics.iou_per_image`; the shares go to :func:`~llpbench.metrics.mae`.

    Parameters
    ----------
    truth, predicted : array_like of int, shapes (n, s, s) and (n, t, t)
        Labels. One side divides the other: the coarser is enlarged by nearest neighbour, without
        a copy of that size. Chunked (dask) arrays are read a chunk of chips at a time.
    number_of_classes : int
        K, 1 to 255. Labels outside 0..K-1 count nowhere.

    Returns
    -------
    SegmentationComparison
        Counts at the finer resolution, and shares; NaN shares for a chip without a valid label.

    Examples
    --------
    >>> truth = [[[0, 0], [1, 255]]]
    >>> compare_segmentations(truth, [[[1]]], 2).confusion
    array([[[0, 2],
            [0, 1]]])
    """
    parts = [
        _compare(labels, prediction, number_of_classes)
        for labels, prediction in _label_batches(truth, predicted, number_of_classes)
    ]
    return SegmentationComparison(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def confusion_matrix(
    truth: ArrayLike,
    predicted: ArrayLike,
    number_of_classes: int,
    *,
    per: Literal["chip"] | None = None,
) -> IntArray:
    """Count pixels by true and predicted class.

    Parameters
    ----------
    truth, predicted : array_like of int, shapes (n, s, s) and (n, t, t)
        Labels. One side divides the other: the coarser is enlarged by nearest neighbour, without
        a copy of that size. Chunked (dask) arrays are read a chunk of chips at a time.
    number_of_classes : int
        K, 1 to 255. A pixel whose label is outside 0..K-1 on either side counts nowhere.
    per : {"chip"}, optional
        One matrix a chip.

    Returns
    -------
    ndarray of int64, shape (K, K) or (n, K, K)
        Counts at the finer resolution, rows truth, columns prediction.

    Notes
    -----
    Source: Congalton (1991), Remote Sensing of Environment 37, 35-46 (there transposed).

    Examples
    --------
    >>> confusion_matrix([[[0, 0], [1, 255]]], [[[0, 1], [1, 1]]], 2)
    array([[1, 1],
           [0, 1]])
    """
    check_per(per, ("chip",))
    if per == "chip":
        return compare_segmentations(truth, predicted, number_of_classes).confusion
    total = np.zeros((number_of_classes, number_of_classes), dtype=np.int64)
    for labels, prediction in _label_batches(truth, predicted, number_of_classes):
        total += _compare(labels, prediction, number_of_classes).confusion.sum(axis=0)
    return total


def proportions_from_segmentation(segmentation: ArrayLike, number_of_classes: int) -> FloatArray:
    """Class shares of each chip, counted on its labels.

    Parameters
    ----------
    segmentation : array_like of int, shape (n, s, s)
        Labels. Chunked (dask) arrays are read a chunk of chips at a time.
    number_of_classes : int
        K, 1 to 255. Labels outside 0..K-1 count nowhere, neither above nor below the line.

    Returns
    -------
    ndarray of float64, shape (n, K)
        Shares that sum to 1; NaN for a chip without a valid label.

    Notes
    -----
    Source: "classify and count", Forman (2008), Data Mining and Knowledge Discovery 17, 164-206.

    Examples
    --------
    >>> proportions_from_segmentation([[[0, 0], [1, 255]]], 2).round(3)
    array([[0.667, 0.333]])
    """
    check_number_of_classes(number_of_classes)
    images = array_like(segmentation)
    check_images(images, "segmentation")
    counts = [
        _histograms(_clipped(batch, number_of_classes), number_of_classes + 1)
        for (batch,) in batches(images)
    ]
    return _shares(np.concatenate(counts)[:, :-1])


def _label_batches(truth: ArrayLike, predicted: ArrayLike, number_of_classes: int) -> Any:
    """Check a pair of labels and give it a few chips at a time."""
    check_number_of_classes(number_of_classes)
    first, second = array_like(truth), array_like(predicted)
    check_images(first, "truth")
    check_images(second, "predicted")
    check_image_pair(first, second)
    return batches(first, second)


def _compare(
    truth: NDArray[Any], predicted: NDArray[Any], number_of_classes: int
) -> SegmentationComparison:
    """Compare a batch: one histogram of pairs, in which a last class takes labels outside."""
    size = number_of_classes + 1
    code = np.min_scalar_type(size * size)
    rows = _clipped(truth, number_of_classes).astype(code) * code.type(size)
    columns = _clipped(predicted, number_of_classes)
    chips, side, _ = min(truth.shape, predicted.shape)
    pairs = _blocks(rows, side) + _blocks(columns, side)
    counts = _histograms(pairs, size * size).reshape(chips, size, size)
    return SegmentationComparison(
        counts[:, :-1, :-1],
        _shares(counts[:, :-1].sum(axis=2)),
        _shares(counts[:, :, :-1].sum(axis=1)),
    )


def _clipped(labels: NDArray[Any], number_of_classes: int) -> NDArray[np.uint8]:
    """Labels as bytes, all outside 0..K-1 as K."""
    if labels.dtype.kind == "i":
        labels = labels.view(f"u{labels.dtype.itemsize}")  # what is negative becomes large
    clipped: NDArray[np.uint8] = np.minimum(labels, np.uint8(number_of_classes)).astype(np.uint8)
    return clipped


def _blocks(images: NDArray[Any], side: int) -> NDArray[Any]:
    """Cut images into side x side blocks; those of a coarse image are single, and broadcast."""
    chips, size, _ = images.shape
    return images.reshape(chips, side, size // side, side, size // side)


def _histograms(codes: NDArray[Any], size: int) -> IntArray:
    """Count the values 0..size-1 of each chip: (n, size)."""
    chips = len(codes)
    offsets = np.arange(chips) * size
    pixels = codes.reshape(chips, prod(codes.shape[1:]))
    flat = pixels + offsets[:, np.newaxis]
    return np.bincount(flat.ravel(), minlength=chips * size).reshape(chips, size)


def _shares(counts: NDArray[Any]) -> FloatArray:
    return quotient(counts, counts.sum(axis=1, keepdims=True))
