"""What is read off pixel probabilities: a segmentation and class shares."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llpbench.errors import MetricError
from llpbench.metrics.arrays import (
    FloatArray,
    array_like,
    batches,
    check_images,
    check_number_of_classes,
)


def most_likely_class(probabilities: ArrayLike) -> NDArray[np.uint8]:
    """Class (n, s, s) of the highest probability (n, s, s, K) of each pixel, the first of equals.

    It is ``argmax`` along the last dimension, several times faster for few classes: a running
    maximum over planes of one class each. K is at most 255.

    Examples
    --------
    >>> most_likely_class([[[[0.2, 0.5, 0.3]]]])
    array([[[1]]], dtype=uint8)
    """
    images = probability_images(probabilities)
    classes = np.empty(images.shape[:3], dtype=np.uint8)
    start = 0
    for (batch,) in batches(images):
        classes[start : start + len(batch)] = first_maximum(batch)[0]
        start += len(batch)
    return classes


def first_maximum(batch: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """Index and value of the first maximum along the last dimension."""
    planes = np.ascontiguousarray(np.moveaxis(batch, -1, 0))
    best = planes[0].copy()
    classes = np.zeros(best.shape, dtype=np.uint8)
    for number, plane in enumerate(planes[1:], start=1):
        higher = (plane > best).view(np.uint8)
        np.maximum(classes, higher * np.uint8(number), out=classes)
        np.maximum(best, plane, out=best)
    if np.isnan(best).any():
        raise MetricError("probabilities hold NaN: no class is the most likely there")
    return classes, best


def mean_probabilities(probabilities: ArrayLike) -> FloatArray:
    """Class shares (n, K) of each chip as the mean of its pixels' probabilities (n, s, s, K).

    Notes
    -----
    Source: "probabilistic classify and count", Bella et al. (2010), IEEE International Conference
    on Data Mining, 737-742.

    Examples
    --------
    >>> mean_probabilities([[[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]]]])
    array([[0.5, 0.5]])
    """
    images = probability_images(probabilities)
    _, side, _, classes = images.shape
    # Whole rows are added up first: sums over short last axes are several times as slow.
    columns = [
        batch.reshape(-1, side, side * classes).sum(axis=1, dtype=np.float64)
        for (batch,) in batches(images)
    ]
    together = np.tile(np.eye(classes), (side, 1))
    means: FloatArray = np.concatenate(columns) @ together / side**2
    return means


def probability_images(probabilities: ArrayLike) -> Any:
    """Refuse what is not a stack of square images with probabilities of up to 255 classes."""
    images = array_like(probabilities)
    check_images(images, "probabilities", dimensions=4)
    check_number_of_classes(images.shape[-1])
    return images
