"""Metrics: pure functions, arrays in and numbers out.

Shares are arrays (n, K): n chips, K categories. Segmentations are integer arrays (n, rows, columns)
in which a label outside 0..K-1, such as 255, counts nowhere.

One scheme gives every form of a metric. By default it is a number over all chips; with ``per`` it
is an array that a caller can average over chips or divisions, or sum for a test:

========================  ==========  =========================================================
``per``                   shape       meaning
========================  ==========  =========================================================
``None``                  a number    over all chips and categories
``"chip"``                (n,)        one value a chip
``"category"``            (K,)        one value a category
``"cell"``                (n, K)      one value a chip and category
========================  ==========  =========================================================

Metrics of a segmentation follow from its confusion matrices: ``confusion_matrix(..., per="chip")``
gives one a chip; their sums over any set of chips go to :func:`f1` and :func:`iou_pooled`.

All raise :class:`~llpbench.errors.MetricError` for arrays that do not fit: another shape or kind,
different chips, shares that are not finite, an unknown ``per``.
"""

from llpbench.metrics.bounds import Bounds, duncan_davis
from llpbench.metrics.confusion import f1, iou_per_image, iou_pooled
from llpbench.metrics.diagnostics import division_consistency, means_by_tenth
from llpbench.metrics.distances import earth_mover, hellinger, jensen_shannon
from llpbench.metrics.intervals import coverage, interval_score, mean_width
from llpbench.metrics.moments import (
    CalibrationLine,
    calibration_line,
    r2,
    within_division_r2,
)
from llpbench.metrics.probabilities import (
    brier,
    calibration_error_of,
    expected_calibration_error,
    reliability_table,
)
from llpbench.metrics.readout import mean_probabilities, most_likely_class
from llpbench.metrics.segmentation import (
    SegmentationComparison,
    compare_segmentations,
    confusion_matrix,
    proportions_from_segmentation,
)
from llpbench.metrics.shares import mae, overlap, rmse, soft_iou

__all__ = [
    "Bounds",
    "CalibrationLine",
    "SegmentationComparison",
    "brier",
    "calibration_error_of",
    "calibration_line",
    "compare_segmentations",
    "confusion_matrix",
    "coverage",
    "division_consistency",
    "duncan_davis",
    "earth_mover",
    "expected_calibration_error",
    "f1",
    "hellinger",
    "interval_score",
    "iou_per_image",
    "iou_pooled",
    "jensen_shannon",
    "mae",
    "mean_probabilities",
    "mean_width",
    "means_by_tenth",
    "most_likely_class",
    "overlap",
    "proportions_from_segmentation",
    "r2",
    "reliability_table",
    "rmse",
    "soft_iou",
    "within_division_r2",
]
