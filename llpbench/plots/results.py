"""Scores of methods side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from llpbench.catalog.reported import ReportedResult
from llpbench.errors import LLPBenchError
from llpbench.runs.results import Result
from llpbench.style import DISTINCT, INK, legend_below, new_figure, rim, strip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = {
    "mae": "MAE of shares\nlower is better",
    "mae_hard": "MAE of counted classes\nlower is better",
    "f1_micro": "F1 (micro) of pixels\nhigher is better",
}
KINDS = {
    "inductive": (DISTINCT[0], "inductive"),
    "disaggregation": (DISTINCT[2], "knows the shares of test divisions"),
    "cross-region": (DISTINCT[1], "trained on another region"),
    "reference": (DISTINCT[7], "outside the ranking: floors and bounds"),
    "reported": ("#dddddd", "reported by the paper, not scored here"),
}
"""Colour and name of each kind of bar."""


@dataclass(frozen=True)
class _Bar:
    """One method in all panels: value, low and high by metric; None where it has none."""

    label: str
    kind: str
    values: dict[str, tuple[float, float, float] | None]


def draw_results(
    results: Sequence[Result], reported: Sequence[ReportedResult], title: str
) -> Figure:
    """Draw scores of methods on one split as bars, best first, beside what the paper printed.

    Parameters
    ----------
    results : sequence of Result
        On the same split of one dataset.
    reported : sequence of ReportedResult
        On it, not scored here; in a block of their own, because they are not comparable exactly.

    Returns
    -------
    Figure
        With 95 % intervals over test divisions where scored here; colours tell the track,
        and what is outside the ranking; a dashed line marks the train mean.

    Raises
    ------
    LLPBenchError
        If there is neither.
    """
    if not results and not reported:
        raise LLPBenchError("there are no results to draw: give folders of runs on this dataset")
    bars = [*_scored_bars(results), *_reported_bars(reported)]
    apart = 0.8 if results else 0
    places = [n + (apart if n >= len(results) else 0) for n in range(len(bars))]
    shown = [metric for metric in PANELS if any(bar.values[metric] for bar in bars)]
    figure = new_figure(width=2.4 + 3 * len(shown), height=1.7 + 0.32 * (places[-1] + 1))
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axis, metric in zip(panels, shown, strict=True):
        mean = None if metric == "f1_micro" else _train_mean(results, reported)
        if mean is not None:
            axis.axvline(mean, color=INK, linewidth=1.2, linestyle="--", label="train mean")
        _draw_panel(axis, metric, places, bars)
    panels[0].set_yticks(places, [bar.label for bar in bars], fontsize=9)
    panels[0].set_ylim(places[-1] + 0.7, -0.7)
    _name_kinds(figure, panels[0], bars)
    figure.suptitle(title, fontsize=11)
    return figure


def _scored_bars(results: Sequence[Result]) -> list[_Bar]:
    bars = []
    for result in sorted(results, key=lambda result: result.scores.value("mae")):
        seeds = f" ({len(result.runs)} seeds)" if len(result.runs) > 1 else ""
        kind = "reference" if result.record.is_reference else result.record.track
        values = {metric: _interval(result, metric) for metric in PANELS}
        bars.append(_Bar(result.label + seeds, kind, values))
    return bars


def _interval(result: Result, metric: str) -> tuple[float, float, float] | None:
    if metric not in result.scores.metrics:
        return None
    interval = result.scores.interval(metric)
    return float(interval.value), float(interval.low), float(interval.high)


def _reported_bars(reported: Sequence[ReportedResult]) -> list[_Bar]:
    bars = []
    for result in reported:
        values = ((metric, getattr(result, metric)) for metric in PANELS)
        known = {name: None if v is None else (v, np.nan, np.nan) for name, v in values}
        bars.append(_Bar(result.method, "reported", known))

    def best(bar: _Bar) -> float:
        errors = (bar.values["mae"], bar.values["mae_hard"])
        return min((error[0] for error in errors if error), default=np.inf)

    return sorted(bars, key=best)


def _draw_panel(axis: Axes, metric: str, places: Sequence[float], bars: Sequence[_Bar]) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_title(PANELS[metric], fontsize=9)
    for place, bar in zip(places, bars, strict=True):
        values = bar.values[metric]
        if values is None:
            continue
        value, low, high = values
        axis.barh(place, value, 0.72, color=KINDS[bar.kind][0])
        end = value
        if np.isfinite(low):
            seen: dict[str, Any] = {"color": "black", "linewidth": 1.2, "path_effects": rim(3)}
            axis.vlines([low, high], place - 0.12, place + 0.12, **seen)
            axis.hlines(place, low, high, **seen)
            end = high
        axis.annotate(
            f"{value:.3f}",
            (end, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )
    axis.set_xlim(0, axis.get_xlim()[1] * 1.12)
    axis.xaxis.set_major_locator(MaxNLocator(5))
    strip(axis)


def _train_mean(results: Sequence[Result], reported: Sequence[ReportedResult]) -> float | None:
    """MAE of predicting the train mean: on our chips, else as reported."""
    known = [result.train_mean for result in results]
    known += [result.mae for result in reported if result.method == "train-mean"]
    return next((mean for mean in known if mean is not None), None)


def _name_kinds(figure: Figure, axis: Axes, bars: Sequence[_Bar]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    present = {bar.kind for bar in bars}
    handles: list[Patch | Line2D] = [
        Patch(color=colour, label=name) for kind, (colour, name) in KINDS.items() if kind in present
    ]
    if axis.get_legend_handles_labels()[0]:
        handles.append(Line2D([], [], color=INK, linestyle="--", label="train mean"))
    legend_below(figure, handles, columns=len(handles))
