"""Scores of a segmentation from its confusion matrix."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from llpbench.errors import MetricError
from llpbench.metrics.arrays import FloatArray, check_per, quotient

Average = Literal["micro", "macro", "weighted"]


def f1(confusion: ArrayLike, average: Average | None = "micro") -> np.float64 | FloatArray:
    r"""F1 score: harmonic mean of precision and recall of each class.

    .. math:: F_k = \frac{2 TP_k}{2 TP_k + FP_k + FN_k}

    Parameters
    ----------
    confusion : array_like, shape (..., K, K)
        Counts, rows truth, columns prediction; leading dimensions (chips, divisions) stay.
    average : {"micro", "macro", "weighted"} or None
        Counts of all classes first (which is the accuracy), the mean over classes, the mean
        weighted by the pixels of each class in the truth, or every class for itself.

    Returns
    -------
    float or ndarray, shape (...) or (..., K)
        In [0, 1]. A class neither in the truth nor in the prediction is NaN and left out of the
        averages; without any pixel the average is NaN.

    Notes
    -----
    Source: van Rijsbergen (1979), Information Retrieval, chapter 7; averages as in Sokolova and
    Lapalme (2009), Information Processing and Management 45, 427-437. The paper's figure is micro.

    Examples
    --------
    >>> confusion = [[3, 1], [0, 4]]
    >>> float(f1(confusion))
    0.875
    >>> f1(confusion, average=None).round(3)
    array([0.857, 0.889])
    """
    hits, truth, predicted = _margins(confusion)
    return _averaged(2 * hits, truth + predicted, truth, average)


def iou_pooled(confusion: ArrayLike, average: Average | None = "macro") -> np.float64 | FloatArray:
    r"""Intersection over union of each class, pixels of all chips pooled.

    .. math:: J_k = \frac{TP_k}{TP_k + FP_k + FN_k}

    Parameters
    ----------
    confusion : array_like, shape (..., K, K)
        Counts, rows truth, columns prediction; leading dimensions (chips, divisions) stay.
    average : {"macro", "micro", "weighted"} or None
        The mean over classes ("mean IoU"), counts of all classes first, the mean weighted by the
        pixels of each class in the truth, or every class for itself.

    Returns
    -------
    float or ndarray, shape (...) or (..., K)
        In [0, 1]. A class neither in the truth nor in the prediction is NaN and left out of the
        averages; without any pixel the average is NaN.

    Notes
    -----
    Source: Everingham et al. (2010), International Journal of Computer Vision 88, 303-338
    (accuracy of segmentations); Jaccard (1912), New Phytologist 11, 37-50.

    Examples
    --------
    >>> float(iou_pooled([[3, 1], [0, 4]]))
    0.775
    """
    hits, truth, predicted = _margins(confusion)
    return _averaged(hits, truth + predicted - hits, truth, average)


def iou_per_image(
    confusion: ArrayLike, *, per: Literal["chip", "category"] | None = None
) -> float | FloatArray:
    r"""Mean over chips of each chip's mean intersection over union.

    .. math:: \frac{1}{n} \sum_i \frac{1}{|K_i|} \sum_{k \in K_i} J_{ik}

    with K_i the classes in the truth or the prediction of chip i.

    Parameters
    ----------
    confusion : array_like, shape (n, K, K)
        One confusion matrix a chip, from ``confusion_matrix(..., per="chip")``.
    per : {"chip", "category"}, optional
        One value a chip, or one a category: the mean of J over the chips that have it.

    Returns
    -------
    float or ndarray
        In [0, 1]. Chips without a counted pixel, and categories no chip has, are NaN and left out
        of the mean.

    Notes
    -----
    Source: Csurka, Larlus and Perronnin (2013), British Machine Vision Conference, per-image
    scores. It is what the original benchmark's ``compute_iou`` gives.

    Examples
    --------
    >>> iou_per_image([[[4, 0], [0, 0]], [[1, 1], [0, 1]]])
    0.75
    """
    check_per(per, ("chip", "category"))
    if np.ndim(confusion) != 3:
        raise MetricError(
            "iou_per_image needs one confusion matrix a chip, (chips, classes, classes), "
            f"not an array of shape {np.shape(confusion)}"
        )
    classes = np.asarray(iou_pooled(confusion, average=None))
    if per == "category":
        return _mean_of_defined(classes, axis=0)
    chips = _mean_of_defined(classes)
    return chips if per == "chip" else float(_mean_of_defined(chips))


def _margins(confusion: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Correct, true and predicted pixels of each class."""
    counts = np.asarray(confusion, dtype=np.float64)
    if counts.ndim < 2 or counts.shape[-1] != counts.shape[-2]:
        raise MetricError(
            f"a confusion matrix is square, (..., classes, classes), not of shape {counts.shape}"
        )
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    # along axes this short einsum is several times faster than sum, and tests call it often
    return hits, np.einsum("...tp->...t", counts), np.einsum("...tp->...p", counts)


def _averaged(
    numerator: FloatArray, denominator: FloatArray, support: FloatArray, average: str | None
) -> np.float64 | FloatArray:
    if average == "micro":
        return quotient(numerator.sum(axis=-1), denominator.sum(axis=-1))
    classes = quotient(numerator, denominator)
    if average is None:
        return classes
    if average == "macro":
        return _mean_of_defined(classes)
    if average == "weighted":
        weighted = np.where(support > 0, classes * support, 0)
        return quotient(weighted.sum(axis=-1), support.sum(axis=-1))
    raise MetricError(f"average must be 'micro', 'macro', 'weighted' or None, not {average!r}")


def _mean_of_defined(values: FloatArray, axis: int = -1) -> FloatArray:
    """Mean without the NaN, silently NaN where nothing else is."""
    defined = ~np.isnan(values)
    return quotient(np.where(defined, values, 0).sum(axis=axis), defined.sum(axis=axis))
