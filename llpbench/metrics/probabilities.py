"""Scores of pixel probabilities: Brier score and calibration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llpbench.errors import MetricError
from llpbench.metrics.arrays import (
    FloatArray,
    array_like,
    batches,
    check_image_pair,
    check_images,
    check_per,
    quotient,
)
from llpbench.metrics.readout import first_maximum, probability_images


def brier(
    truth: ArrayLike, probabilities: ArrayLike, *, per: Literal["chip"] | None = None
) -> float | FloatArray:
    r"""Brier score: mean squared distance of a pixel's probabilities from its class.

    .. math:: \frac{1}{N} \sum_u \sum_k (s_{uk} - [y_u = k])^2

    Parameters
    ----------
    truth : array_like of int, shape (n, s, s)
        Labels; those outside 0..K-1 count nowhere.
    probabilities : array_like of float, shape (n, t, t, K)
        Class probabilities; t divides s, and a coarser pixel stands for a block of labels.
    per : {"chip"}, optional
        One value a chip; weighted by their counted pixels they average to the overall one.

    Returns
    -------
    float or ndarray, shape (n,)
        In [0, 2], 0 for certain and right. NaN without a counted pixel.

    Notes
    -----
    Source: Brier (1950), Monthly Weather Review 78, 1-3, equation 2 (not halved).

    Examples
    --------
    >>> brier([[[0]]], [[[[0.75, 0.25]]]])
    0.125
    """
    check_per(per, ("chip",))
    sums, counts = [], []
    for pixels in _pixels(truth, probabilities):
        squares = np.square(pixels.probabilities, dtype=np.float64).sum(axis=-1)
        distances = squares[..., np.newaxis] - 2.0 * pixels.of_truth() + 1
        sums.append(np.where(pixels.counted, distances, 0).sum(axis=(1, 2, 3)))
        counts.append(pixels.counted.sum(axis=(1, 2, 3)))
    total, number = np.concatenate(sums), np.concatenate(counts)
    if per == "chip":
        return quotient(total, number)
    return float(quotient(total.sum(), number.sum()))


def expected_calibration_error(truth: ArrayLike, probabilities: ArrayLike, bins: int = 15) -> float:
    r"""Gap between a pixel's highest probability and how often that class is right.

    .. math:: \sum_b \frac{N_b}{N} |\mathrm{accuracy}_b - \mathrm{confidence}_b|

    over bins of equal width of the highest probability.

    Parameters
    ----------
    truth : array_like of int, shape (n, s, s)
        Labels; those outside 0..K-1 count nowhere.
    probabilities : array_like of float, shape (n, t, t, K)
        Class probabilities; t divides s, and a coarser pixel stands for a block of labels.
    bins : int
        Number of bins over [0, 1].

    Returns
    -------
    float
        In [0, 1], 0 when calibrated; NaN without a counted pixel.

    Notes
    -----
    Source: Guo et al. (2017), International Conference on Machine Learning, equation 3. Where
    probabilities come batch by batch, add up :func:`reliability_table` and give the sum to
    :func:`calibration_error_of`.

    Examples
    --------
    >>> expected_calibration_error([[[0]]], [[[[0.75, 0.25]]]])
    0.25
    """
    return calibration_error_of(reliability_table(truth, probabilities, bins))


def reliability_table(truth: ArrayLike, probabilities: ArrayLike, bins: int = 15) -> FloatArray:
    """Pixels, confidence and hits by bins of the highest probability; tables of batches add up.

    Of what :func:`expected_calibration_error` takes: (bins, 3), the number of pixels, the sum of
    their highest probabilities, the number of right ones. A bin holds its upper bound.

    Examples
    --------
    >>> reliability_table([[[0]]], [[[[0.75, 0.25]]]], bins=2)
    array([[0.  , 0.  , 0.  ],
           [1.  , 0.75, 1.  ]])
    """
    if bins < 1:
        raise MetricError(f"bins must be at least 1, not {bins}")
    inner_edges = np.linspace(0, 1, bins + 1)[1:-1]
    table = np.zeros((bins, 3))
    for pixels in _pixels(truth, probabilities):
        most_likely, confidence = first_maximum(pixels.probabilities)
        highest = confidence.astype(np.float64).ravel()
        hits = pixels.counted & (pixels.labels == most_likely[..., np.newaxis])
        number, right = pixels.counted.sum(axis=-1).ravel(), hits.sum(axis=-1).ravel()
        where = np.searchsorted(inner_edges, highest)
        for column, weights in enumerate((number, number * highest, right)):
            table[:, column] += np.bincount(where, weights, bins)
    return table


def calibration_error_of(table: ArrayLike) -> float:
    """Get the expected calibration error from a :func:`reliability_table`, or a sum of them.

    In [0, 1]; NaN without a pixel.

    Examples
    --------
    >>> calibration_error_of([[4, 2.0, 2], [4, 4.0, 3]])
    0.125
    """
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[1] != 3:
        raise MetricError(f"a reliability table has shape (bins, 3), not {counts.shape}")
    gaps = np.abs(counts[:, 2] - counts[:, 1])
    return float(quotient(gaps.sum(), counts[:, 0].sum()))


class _Pixels(NamedTuple):
    """A batch with the labels that each pixel of probabilities stands for as last dimension."""

    probabilities: NDArray[Any]  # (n, t, t, K)
    labels: NDArray[np.integer]  # (n, t, t, block)
    counted: NDArray[np.bool_]  # the same

    def of_truth(self) -> NDArray[Any]:
        """Probability of each label."""
        return np.take_along_axis(self.probabilities, self.labels.astype(np.intp), axis=-1)


def _pixels(truth: ArrayLike, probabilities: ArrayLike) -> Iterator[_Pixels]:
    labels, images = array_like(truth), probability_images(probabilities)
    check_images(labels, "truth")
    check_image_pair(labels, images)
    (_, fine, _), (_, side, _, classes) = labels.shape, images.shape
    if fine < side:
        raise MetricError(
            "the truth must be as fine as the probabilities or finer, "
            f"found sides of {fine} and {side}"
        )
    block = fine // side
    for truth_batch, batch in batches(labels, images):
        blocks = truth_batch.reshape(len(batch), side, block, side, block).swapaxes(2, 3)
        flat = blocks.reshape(len(batch), side, side, block * block)
        counted = (flat >= 0) & (flat < classes)
        yield _Pixels(batch, np.where(counted, flat, 0), counted)
