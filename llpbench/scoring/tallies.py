"""Tallies: what chips contribute to scores, added up over each division.

Each is computed and stored once; any number of measures (:mod:`llpbench.scoring.measures`) follow
from it. A tally is an array (division, m) whose last column counts the chips, but for ``gaps``,
where it counts divisions; that one follows from the mean predictions of divisions, all others are
sums over chips, so that blocks of chips may be added up one after another.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from llpbench import metrics
from llpbench.metrics.arrays import FloatArray
from llpbench.metrics.diagnostics import gap_terms
from llpbench.metrics.moments import moment_terms
from llpbench.predictions.intervals import percent_of
from llpbench.protocol import INTERVAL_LEVELS
from llpbench.scoring.scored_chips import ScoredChips
from llpbench.statistics import division_sums

INTERVAL_TERMS = ("coverage", "width", "score")
"""What a tally of intervals holds of each class, one after another."""

PIXEL_TALLIES = ("hard_errors", "confusion", "iou_per_image")
"""Those that need a segmentation."""


def tally(chips: ScoredChips, *, ordered: bool) -> dict[str, FloatArray]:
    """Add up what chips contribute, by division.

    Every tally of chips that can be worked out, (division, m) in the order of
    ``chips.divisions``; the earth mover's where the categories are ``ordered``, as densities are,
    and those of intervals at the levels that are scored.
    """
    truth, predicted = chips.truth, chips.predicted
    terms: dict[str, ArrayLike] = {
        "errors": metrics.mae(truth, predicted, per="cell"),
        "squared_errors": np.square(truth - predicted),
        "moments": moment_terms(truth, predicted),
        "soft_iou": metrics.soft_iou(truth, predicted, per="chip"),
        "jensen_shannon": metrics.jensen_shannon(truth, predicted, per="chip"),
        "hellinger": metrics.hellinger(truth, predicted, per="chip"),
    }
    if chips.null is not None:
        null = np.broadcast_to(chips.null, truth.shape)
        pair = [metrics.mae(truth, shares, per="chip") for shares in (predicted, null)]
        terms["skill"] = np.column_stack(pair)
    if ordered:
        terms["earth_mover"] = metrics.earth_mover(truth, predicted, per="chip")
    if chips.hard is not None and chips.confusion is not None:
        terms["hard_errors"] = metrics.mae(truth, chips.hard, per="cell")
        terms["confusion"] = chips.confusion.astype(np.float64)
        terms["iou_per_image"] = metrics.iou_per_image(chips.confusion, per="chip")
    terms |= {
        interval_tally(level): _interval_terms(truth, *chips.intervals[level], level)
        for level in INTERVAL_LEVELS
        if level in chips.intervals
    }
    return {name: division_sums(values, chips.division)[1] for name, values in terms.items()}


def division_tallies(
    known: FloatArray, predicted: FloatArray, weight: FloatArray
) -> dict[str, FloatArray]:
    """What divisions contribute to scores of their means: (division, m), the last column counts.

    From known and predicted shares (division, category) and a weight of each division, which
    ``errors_by_area`` counts instead of divisions.
    """
    differences, count = predicted - known, np.ones((len(known), 1))
    errors = gap_terms(predicted, known)
    return {
        "errors": errors,
        "errors_by_area": errors * weight[:, np.newaxis],
        "squared_errors": np.hstack([differences**2, count]),
        "differences": np.hstack([differences, count]),
        "moments": np.hstack([moment_terms(known, predicted), count]),
    }


def interval_tally(level: float) -> str:
    """Name the tally of intervals at a level.

    Examples
    --------
    >>> interval_tally(0.9)
    'interval_90'
    """
    return f"interval_{percent_of(level)}"


def _interval_terms(
    truth: FloatArray, low: FloatArray, high: FloatArray, level: float
) -> FloatArray:
    covered = metrics.coverage(truth, low, high, per="cell")
    width = metrics.mean_width(low, high, per="cell")
    score = metrics.interval_score(truth, low, high, level, per="cell")
    return np.column_stack([covered, width, score])


def confusions(sums: FloatArray) -> FloatArray:
    """Confusion matrices (..., K, K) from sums (..., K² + 1) of the tally ``confusion``."""
    size = round((sums.shape[-1] - 1) ** 0.5)
    return sums[..., :-1].reshape(*sums.shape[:-1], size, size)
