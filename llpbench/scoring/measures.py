"""The metrics of the protocol as sums over divisions, from which value and interval follow.

A measure says what each chip (or division) contributes and how a score follows from the sums.
The same sums serve the value, its bootstrap interval, per-class values, tests between methods
and the map of errors; :mod:`llpbench.metrics` holds the definitions they agree with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from llpbench import metrics
from llpbench.scoring.scored_chips import ScoredChips
from llpbench.statistics import division_sums, ratio, ratios

FloatArray = NDArray[np.float64]


Sums = Callable[[ScoredChips], FloatArray]
Statistic = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Measure:
    """One metric of the protocol.

    Parameters
    ----------
    name, title : str
        Key in JSON; what people read.
    better : {"lower", "higher", "one", "zero"}
        Which values are good.
    sums : callable
        Scored chips to sums over divisions, shape (C, m).
    statistic : callable
        Sums (..., m) to the value (...).
    per_class : callable, optional
        Sums (..., m) to values (..., K).
    needs_segmentation : bool
        Whether it is blank without a segmentation.
    needs_order : bool
        Whether it only makes sense where categories are ordered.
    needs_null : bool
        Whether it compares with the train mean.
    """

    name: str
    title: str
    better: Literal["lower", "higher", "one", "zero"]
    sums: Sums
    statistic: Statistic
    per_class: Statistic | None = None
    needs_segmentation: bool = False
    needs_order: bool = False
    needs_null: bool = False


def available(chips: ScoredChips, *, ordered: bool) -> list[Measure]:
    """Measures that can be worked out.

    Parameters
    ----------
    chips : ScoredChips
    ordered : bool
        Whether the categories have an order, as densities do.

    Returns
    -------
    list of Measure
    """
    return [
        measure
        for measure in MEASURES
        if (chips.confusion is not None or not measure.needs_segmentation)
        and (chips.null is not None or not measure.needs_null)
        and (ordered or not measure.needs_order)
    ]


def _of_chips(terms: Callable[[ScoredChips], FloatArray]) -> Sums:
    """Sum what each chip contributes, and count chips, division by division."""

    def sums(chips: ScoredChips) -> FloatArray:
        return division_sums(terms(chips), chips.division)[1]

    return sums


def _mean(sums: FloatArray) -> FloatArray:
    return ratios(sums).mean(axis=-1)


def _hard(chips: ScoredChips) -> FloatArray:
    assert chips.hard is not None
    return chips.hard


def _counts(chips: ScoredChips) -> FloatArray:
    assert chips.confusion is not None
    return chips.confusion.astype(np.float64)


def confusions(sums: FloatArray) -> FloatArray:
    """Confusion matrices from sums of flattened ones and the number of chips.

    Parameters
    ----------
    sums : ndarray, shape (..., K² + 1)
        As the measures of a segmentation have them.

    Returns
    -------
    ndarray, shape (..., K, K)
        Rows truth, columns prediction.
    """
    size = round((sums.shape[-1] - 1) ** 0.5)
    return sums[..., :-1].reshape(*sums.shape[:-1], size, size)


def _pixels(metric: Callable[..., Any], average: str | None) -> Statistic:
    """A metric of confusion matrices as a statistic of their sums."""
    return lambda sums: np.asarray(metric(confusions(sums), average))


def _moments(truth: FloatArray, predicted: FloatArray) -> FloatArray:
    parts = (truth, predicted, truth**2, predicted**2, truth * predicted)
    return np.concatenate(parts, axis=1)


def _split_moments(sums: FloatArray) -> tuple[FloatArray, list[FloatArray]]:
    return sums[..., -1:], np.split(sums[..., :-1], 5, axis=-1)


def _r2(sums: FloatArray, over: Callable[[FloatArray], FloatArray]) -> FloatArray:
    count, (truth, _predicted, squares, predicted_squares, products) = _split_moments(sums)
    residual = squares - 2 * products + predicted_squares
    total = squares - truth**2 / count
    return 1 - _divide(over(residual), over(total))


def _slope(sums: FloatArray, over: Callable[[FloatArray], FloatArray]) -> FloatArray:
    count, (truth, predicted, _squares, predicted_squares, products) = _split_moments(sums)
    cells = over(np.broadcast_to(count, truth.shape))
    covariance = over(products) - over(truth) * over(predicted) / cells
    return _divide(covariance, over(predicted_squares) - over(predicted) ** 2 / cells)


def _intercept(sums: FloatArray, over: Callable[[FloatArray], FloatArray]) -> FloatArray:
    count, (truth, predicted, *_rest) = _split_moments(sums)
    cells = over(np.broadcast_to(count, truth.shape))
    return (over(truth) - _slope(sums, over) * over(predicted)) / cells


def _divide(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Quotient, NaN where the denominator is nothing but rounding."""
    flat = np.abs(denominator) < 1e-12
    return np.where(flat, np.nan, numerator / np.where(flat, 1, denominator))


def _pooled(values: FloatArray) -> FloatArray:
    return values.sum(axis=-1)


def _each(values: FloatArray) -> FloatArray:
    return values


def _within_sums(chips: ScoredChips) -> FloatArray:
    """Residual and total sums of squares about the division means, by class."""
    _divisions, group = np.unique(chips.division, return_inverse=True)

    def centred(values: FloatArray) -> FloatArray:
        means = ratios(division_sums(values, chips.division)[1])
        return values - means[group]

    truth, predicted = centred(chips.truth), centred(chips.predicted)
    parts = np.concatenate([np.square(truth - predicted), np.square(truth)], axis=1)
    return division_sums(parts, chips.division)[1]


def _within(sums: FloatArray, over: Callable[[FloatArray], FloatArray]) -> FloatArray:
    residual, total = np.split(sums[..., :-1], 2, axis=-1)
    return 1 - _divide(over(residual), over(total))


def _division_means(chips: ScoredChips) -> FloatArray:
    """Each division's own MAE by class counts once, whatever its number of chips."""
    errors = metrics.mae(chips.truth, chips.predicted, per="cell")
    means = ratios(division_sums(errors, chips.division)[1])
    return np.column_stack([means, np.ones(len(means))])


def _gap_sums(chips: ScoredChips) -> FloatArray:
    assert chips.gaps is not None
    known = np.isfinite(chips.gaps)
    return np.column_stack([np.where(known, chips.gaps, 0), known.all(axis=1)])


def _skill_terms(chips: ScoredChips) -> FloatArray:
    assert chips.null is not None
    null = np.broadcast_to(chips.null, chips.truth.shape)
    return np.column_stack(
        [metrics.mae(chips.truth, shares, per="chip") for shares in (chips.predicted, null)]
    )


MEASURES = (
    Measure(
        "mae",
        "MAE",
        "lower",
        _of_chips(lambda chips: metrics.mae(chips.truth, chips.predicted, per="cell")),
        _mean,
        ratios,
    ),
    Measure(
        "mae_hard",
        "MAE, hard",
        "lower",
        _of_chips(lambda chips: metrics.mae(chips.truth, _hard(chips), per="cell")),
        _mean,
        ratios,
        needs_segmentation=True,
    ),
    Measure(
        "f1_micro",
        "F1, micro",
        "higher",
        _of_chips(_counts),
        _pixels(metrics.f1, "micro"),
        _pixels(metrics.f1, None),
        needs_segmentation=True,
    ),
    Measure(
        "f1_macro",
        "F1, macro",
        "higher",
        _of_chips(_counts),
        _pixels(metrics.f1, "macro"),
        _pixels(metrics.f1, None),
        needs_segmentation=True,
    ),
    Measure(
        "iou_pooled",
        "IoU, pooled",
        "higher",
        _of_chips(_counts),
        _pixels(metrics.iou_pooled, "macro"),
        _pixels(metrics.iou_pooled, None),
        needs_segmentation=True,
    ),
    Measure(
        "iou_per_image",
        "IoU, per image",
        "higher",
        _of_chips(lambda chips: metrics.iou_per_image(_counts(chips), per="chip")),
        ratio,
        needs_segmentation=True,
    ),
    Measure(
        "skill",
        "skill over the train mean",
        "higher",
        _of_chips(_skill_terms),
        lambda sums: 1 - _divide(sums[..., 0], sums[..., 1]),
        needs_null=True,
    ),
    Measure(
        "overlap",
        "overlap",
        "higher",
        _of_chips(lambda chips: metrics.overlap(chips.truth, chips.predicted, per="chip")),
        ratio,
    ),
    Measure(
        "rmse",
        "RMSE",
        "lower",
        _of_chips(lambda chips: np.square(chips.truth - chips.predicted)),
        lambda sums: np.sqrt(_mean(sums)),
        lambda sums: np.sqrt(ratios(sums)),
    ),
    Measure(
        "r2",
        "R²",
        "higher",
        _of_chips(lambda chips: _moments(chips.truth, chips.predicted)),
        lambda sums: _r2(sums, _pooled),
        lambda sums: _r2(sums, _each),
    ),
    Measure(
        "soft_iou",
        "soft IoU",
        "higher",
        _of_chips(lambda chips: metrics.soft_iou(chips.truth, chips.predicted, per="chip")),
        ratio,
    ),
    Measure(
        "jensen_shannon",
        "Jensen-Shannon divergence",
        "lower",
        _of_chips(lambda chips: metrics.jensen_shannon(chips.truth, chips.predicted, per="chip")),
        ratio,
    ),
    Measure(
        "hellinger",
        "Hellinger distance",
        "lower",
        _of_chips(lambda chips: metrics.hellinger(chips.truth, chips.predicted, per="chip")),
        ratio,
    ),
    Measure(
        "earth_mover",
        "earth mover's distance",
        "lower",
        _of_chips(lambda chips: metrics.earth_mover(chips.truth, chips.predicted, per="chip")),
        ratio,
        needs_order=True,
    ),
    Measure(
        "mae_by_division",
        "MAE, mean of divisions",
        "lower",
        _division_means,
        _mean,
        ratios,
    ),
    Measure(
        "division_consistency",
        "division consistency",
        "lower",
        _gap_sums,
        lambda sums: _pooled(ratios(sums)),
        ratios,
    ),
    Measure(
        "within_division_r2",
        "R² within divisions",
        "higher",
        _within_sums,
        lambda sums: _within(sums, _pooled),
        lambda sums: _within(sums, _each),
    ),
    Measure(
        "calibration_slope",
        "calibration slope",
        "one",
        _of_chips(lambda chips: _moments(chips.truth, chips.predicted)),
        lambda sums: _slope(sums, _pooled),
        lambda sums: _slope(sums, _each),
    ),
    Measure(
        "calibration_intercept",
        "calibration intercept",
        "zero",
        _of_chips(lambda chips: _moments(chips.truth, chips.predicted)),
        lambda sums: _intercept(sums, _pooled),
        lambda sums: _intercept(sums, _each),
    ),
)
"""Every metric of the protocol; the first ranks."""

BY_NAME = {measure.name: measure for measure in MEASURES}
