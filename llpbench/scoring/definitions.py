"""What each score says, in one line: for tables, pages and reports that explain themselves."""

from __future__ import annotations

from llpbench.predictions.intervals import percent_of
from llpbench.protocol import INTERVAL_LEVELS

DEFINITIONS = {
    "mae": "Mean absolute error of predicted class shares, over classes and chips.",
    "mae_hard": "The same error where shares are counted on the predicted segmentation.",
    "f1_micro": "F1 of the segmentation, pixels of all classes counted together.",
    "f1_macro": "F1 of each class of the segmentation, averaged over classes.",
    "iou_pooled": "Intersection over union of each class, pixels of all chips together, averaged "
    "over classes.",
    "iou_per_image": "Intersection over union of each chip's classes, averaged over chips.",
    "skill": "1 minus MAE over the MAE of always predicting the mean of the training divisions.",
    "overlap": "Part of a chip's area whose class agrees, if only shares are compared.",
    "rmse": "Root of the mean squared error of predicted class shares.",
    "r2": "Part of the variance of true shares that is explained; 0 for the mean, 1 for no error.",
    "soft_iou": "Smaller over larger of true and predicted share, summed over classes, averaged "
    "over chips.",
    "jensen_shannon": "Divergence of predicted from true shares, from 0 (equal) to 1 (disjoint).",
    "hellinger": "Distance of the square roots of predicted and true shares, from 0 to 1.",
    "earth_mover": "Share that must move between ordered classes, times how far: 0 to 1.",
    "mae_by_division": "MAE of each division, averaged over divisions: small ones count as large "
    "ones.",
    "division_consistency": "Distance of a division's mean prediction from its known shares, "
    "summed over classes.",
    "within_division_r2": "Part of the variance inside divisions that is explained: what is known "
    "beyond their shares.",
    "calibration_slope": "Slope of true on predicted shares; 1 is right, below 1 predictions are "
    "too bold.",
    "calibration_intercept": "True share where 0 is predicted; 0 is right.",
    **{
        f"coverage_{percent_of(level)}": f"Part of the true shares inside their {percent_of(level)}"
        f" % intervals; {level:g} is right."
        for level in INTERVAL_LEVELS
    },
    "width_90": "Mean width of 90 % intervals of shares.",
    "interval_score_90": "Width of 90 % intervals, and a penalty for true shares that they miss.",
    "mae_by_area": "MAE of divisions, each counted by its area.",
    "bias": "Mean of predicted minus known shares of divisions; 0 is right.",
}
"""By the name of the measure."""
