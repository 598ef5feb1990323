"""The metrics of the protocol: each names its tally and how its values follow from the sums.

The same sums serve the value, its interval, per-class values, tests between methods and
the map of errors. What follows how is defined in :mod:`llpbench.metrics`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from llpbench import metrics
from llpbench.metrics.arrays import FloatArray, quotient
from llpbench.metrics.diagnostics import consistency_of_gaps
from llpbench.metrics.moments import (
    line_of_moments,
    r2_of_moments,
    r2_of_squares,
    squares_within,
)
from llpbench.metrics.shares import overlap_of_errors, rmse_of_squares
from llpbench.predictions.intervals import percent_of
from llpbench.protocol import INTERVAL_LEVELS
from llpbench.scoring.definitions import DEFINITIONS
from llpbench.scoring.tallies import INTERVAL_TERMS, PIXEL_TALLIES, confusions, interval_tally
from llpbench.statistics import Interval, division_interval, ratio, ratios

Statistic = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Measure:
    """One metric of the protocol.

    Parameters
    ----------
    name, title : str
        Key in JSON; what people read.
    better : {"lower", "higher", "one", "zero", "level"}
        Which values are good; ``"level"`` is that of the intervals, in percent at the end of the
        name.
    tally : str
        The tally that it follows from.
    statistic : callable
        From sums over divisions (..., m) to the value (...).
    per_class : callable, optional
        From sums (..., m) to values (..., K).
    of_division : callable, optional
        What the tally of a division becomes before divisions are added up, where a value is
        made of divisions and not of chips.
    least, most : float
        Between which all values are.
    """

    name: str
    title: str
    better: Literal["lower", "higher", "one", "zero", "level"]
    tally: str
    statistic: Statistic
    per_class: Statistic | None = None
    of_division: Statistic | None = None
    least: float = -np.inf
    most: float = np.inf

    @property
    def definition(self) -> str:
        """What it says, in a sentence."""
        return DEFINITIONS[self.name]

    @property
    def goal(self) -> float | None:
        """The value that is right, where values are not the better the lower, or the higher."""
        if self.better == "level":
            return int(self.name.rpartition("_")[2]) / 100
        return {"one": 1.0, "zero": 0.0}.get(self.better)

    @property
    def heading(self) -> str:
        """Its title with an arrow that says which values are good, for tables.

        Examples
        --------
        >>> BY_NAME["mae"].heading, BY_NAME["calibration_slope"].heading
        ('MAE ↓', 'calibration slope → 1')
        """
        arrow = {"lower": "↓", "higher": "↑"}.get(self.better) or f"→ {self.goal:g}"
        return f"{self.title} {arrow}"

    @property
    def needs_segmentation(self) -> bool:
        """Whether it is blank without a segmentation."""
        return self.tally in PIXEL_TALLIES

    def sums(self, tallies: Mapping[str, FloatArray]) -> FloatArray:
        """What the statistic takes, (..., division, m), from tallies of that shape."""
        tally = tallies[self.tally]
        return tally if self.of_division is None else self.of_division(tally)

    def value(self, sums: FloatArray) -> float:
        """The value over all divisions of sums (seed, division, m), averaged over seeds."""
        return float(np.mean(self.statistic(sums.sum(axis=1))))

    def interval(
        self, sums: FloatArray, statistic: Statistic, blocks: ArrayLike | None = None
    ) -> Interval:
        """:func:`division_interval` of sums (seed, division, m), within ``least`` and ``most``."""
        return division_interval(sums, statistic, blocks=blocks, least=self.least, most=self.most)


def available(tallies: Mapping[str, FloatArray]) -> list[str]:
    """Names of the measures whose tallies are there."""
    return [measure.name for measure in MEASURES if measure.tally in tallies]


def _forms(definition: Callable[..., FloatArray]) -> tuple[Statistic, Statistic]:
    """A definition with ``per`` as a statistic of all classes and one of each."""
    return definition, partial(definition, per="category")


def _mean_errors(sums: FloatArray, per: str | None = None) -> FloatArray:
    means = ratios(sums)
    return means if per else np.asarray(means.mean(axis=-1))


def _pixels(metric: Callable[..., Any], average: str | None) -> Statistic:
    """A metric of confusion matrices as a statistic of their sums."""
    return lambda sums: np.asarray(metric(confusions(sums), average))


def _overlap(sums: FloatArray) -> FloatArray:
    chips = sums[..., -1]
    return quotient(overlap_of_errors(sums[..., :-1].sum(axis=-1), chips), chips)


def _skill(sums: FloatArray) -> FloatArray:
    return 1 - quotient(sums[..., 0], sums[..., 1])


def _division_means(sums: FloatArray) -> FloatArray:
    """A division's own means, which then count once, whatever its number of chips."""
    means = ratios(sums)
    return np.concatenate([means, np.ones_like(means[..., :1])], axis=-1)


def _slope(sums: FloatArray, per: Literal["category"] | None = None) -> FloatArray:
    return np.asarray(line_of_moments(sums, per).slope)


def _intercept(sums: FloatArray, per: Literal["category"] | None = None) -> FloatArray:
    return np.asarray(line_of_moments(sums, per).intercept)


def _cancelled(sums: FloatArray) -> FloatArray:
    """No value over all classes: shares sum to 1, so that what one has too much others lack."""
    return np.full(sums.shape[:-1], np.nan)


def _interval(term: str, sums: FloatArray, per: str | None = None) -> FloatArray:
    """A term of the tally of intervals, averaged over chips and, unless ``per``, classes."""
    means = ratios(sums)
    classes = means.shape[-1] // len(INTERVAL_TERMS)
    first = INTERVAL_TERMS.index(term) * classes
    by_class = means[..., first : first + classes]
    return by_class if per else np.asarray(by_class.mean(axis=-1))


_F1_BY_CLASS = _pixels(metrics.f1, None)

MEASURES = (
    Measure("mae", "MAE", "lower", "errors", *_forms(_mean_errors), least=0, most=1),
    Measure(
        "mae_hard", "MAE, hard", "lower", "hard_errors", *_forms(_mean_errors), least=0, most=1
    ),
    Measure(
        "f1_micro",
        "F1, micro",
        "higher",
        "confusion",
        _pixels(metrics.f1, "micro"),
        _F1_BY_CLASS,
        least=0,
        most=1,
    ),
    Measure(
        "f1_macro",
        "F1, macro",
        "higher",
        "confusion",
        _pixels(metrics.f1, "macro"),
        _F1_BY_CLASS,
        least=0,
        most=1,
    ),
    Measure(
        "iou_pooled",
        "IoU, pooled",
        "higher",
        "confusion",
        _pixels(metrics.iou_pooled, "macro"),
        _pixels(metrics.iou_pooled, None),
        least=0,
        most=1,
    ),
    Measure("iou_per_image", "IoU, per image", "higher", "iou_per_image", ratio, least=0, most=1),
    Measure("skill", "skill over the train mean", "higher", "skill", _skill, most=1),
    Measure("overlap", "overlap", "higher", "errors", _overlap, least=0, most=1),
    Measure("rmse", "RMSE", "lower", "squared_errors", *_forms(rmse_of_squares), least=0, most=1),
    Measure("r2", "R²", "higher", "moments", *_forms(r2_of_moments), most=1),
    Measure("soft_iou", "soft IoU", "higher", "soft_iou", ratio, least=0, most=1),
    Measure(
        "jensen_shannon", "Jensen-Shannon divergence", "lower", "jensen_shannon", ratio, least=0
    ),
    Measure("hellinger", "Hellinger distance", "lower", "hellinger", ratio, least=0, most=1),
    Measure("earth_mover", "earth mover's distance", "lower", "earth_mover", ratio, least=0),
    Measure(
        "mae_by_division",
        "MAE, mean of divisions",
        "lower",
        "errors",
        *_forms(_mean_errors),
        of_division=_division_means,
        least=0,
        most=1,
    ),
    Measure(
        "division_consistency",
        "division consistency",
        "lower",
        "gaps",
        *_forms(consistency_of_gaps),
        least=0,
    ),
    Measure(
        "within_division_r2",
        "R² within divisions",
        "higher",
        "moments",
        *_forms(r2_of_squares),
        of_division=squares_within,
        most=1,
    ),
    Measure("calibration_slope", "calibration slope", "one", "moments", *_forms(_slope)),
    Measure(
        "calibration_intercept", "calibration intercept", "zero", "moments", *_forms(_intercept)
    ),
    *(
        Measure(
            f"coverage_{percent_of(level)}",
            f"coverage of {percent_of(level)} % intervals",
            "level",
            interval_tally(level),
            *_forms(partial(_interval, "coverage")),
            least=0,
            most=1,
        )
        for level in INTERVAL_LEVELS
    ),
    Measure(
        "width_90",
        "width of 90 % intervals",
        "lower",
        "interval_90",
        *_forms(partial(_interval, "width")),
        least=0,
        most=1,
    ),
    Measure(
        "interval_score_90",
        "interval score at 90 %",
        "lower",
        "interval_90",
        *_forms(partial(_interval, "score")),
        least=0,
    ),
)
"""Every metric of the protocol; the first ranks."""

BY_NAME = {measure.name: measure for measure in MEASURES}

DIVISION_MEASURES = (
    BY_NAME["mae"],
    Measure(
        "mae_by_area",
        "MAE, by area",
        "lower",
        "errors_by_area",
        *_forms(_mean_errors),
        least=0,
        most=1,
    ),
    *(BY_NAME[name] for name in ("rmse", "r2", "calibration_slope", "calibration_intercept")),
    Measure("bias", "bias", "zero", "differences", _cancelled, ratios, least=-1, most=1),
)
"""Those of the means of divisions, whose tallies count a division where those of chips count a
chip; all but ``bias`` have a value over all classes."""
