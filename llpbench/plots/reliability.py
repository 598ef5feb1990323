"""Predicted against true shares, class by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llpbench import metrics
from llpbench.plots.captions import describe, score_colours
from llpbench.style import INK, MUTED, new_figure, shades, strip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from llpbench.scoring.scored_chips import ScoredChips
    from llpbench.scoring.scores import Scores

COLUMNS = 5


def draw_reliability(scores: Scores) -> Figure:
    """Draw how true shares follow predicted ones, a panel a class.

    Parameters
    ----------
    scores : Scores
        With chips; of several seeds the first is shown.

    Returns
    -------
    Figure
        Chips as a density; the mean truth in tenths of the chips by predicted share; the
        calibration line (:func:`llpbench.metrics.calibration_line`) beside the diagonal.

    Raises
    ------
    LLPBenchError
        If the scores were read from JSON and hold no chips.
    """
    chips = scores.first_seed()
    count = len(scores.categories)
    columns, rows = min(count, COLUMNS), -(-count // COLUMNS)
    figure = new_figure(width=1 + 2.2 * columns, height=1.2 + 2.7 * rows)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    lines = metrics.calibration_line(chips.truth, chips.predicted, per="category")
    table = zip(panels.flat, scores.categories, score_colours(scores), strict=False)
    for number, (axis, name, colour) in enumerate(table):
        _draw_density(axis, chips, number, colour)
        _draw_line(axis, np.ravel(lines.slope)[number], np.ravel(lines.intercept)[number])
        axis.set_title(f"{name}\n", fontsize=10)
        _note(axis, chips, number, float(np.ravel(lines.slope)[number]))
    for axis in panels.flat[count:]:
        axis.set_axis_off()
    for axis in panels[:, 0]:
        axis.set_ylabel("true share", fontsize=9)
    drawn = [panel.get_legend_handles_labels() for panel in panels.flat]
    figure.legend(
        *max(drawn, key=lambda legend: len(legend[1])),
        loc="outside lower center",
        ncols=3,
        frameon=False,
        fontsize=8,
    )
    figure.suptitle(f"Reliability of proportions · {describe(scores)}", fontsize=11)
    return figure


def _draw_density(axis: Axes, chips: ScoredChips, number: int, colour: str) -> None:
    predicted, truth = chips.predicted[:, number], chips.truth[:, number]
    axis.hexbin(
        predicted,
        truth,
        gridsize=24,
        extent=(0, 1, 0, 1),
        mincnt=1,
        bins="log",
        cmap=shades(colour),
        linewidths=0.1,
    )
    mean_predicted, mean_truth, _chips = metrics.means_by_tenth(truth, predicted).T
    axis.plot(
        mean_predicted,
        mean_truth,
        "o",
        color="white",
        markeredgecolor="black",
        markersize=4.5,
        markeredgewidth=1,
        label=f"mean of a tenth of the chips (darker: more of the {len(truth):,} chips)",
    )
    axis.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    axis.set_xlabel("predicted share", fontsize=9)
    axis.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axis.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    strip(axis)


def _draw_line(axis: Axes, slope: float, intercept: float) -> None:
    axis.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="--", label="perfect")
    if np.isfinite(slope):
        ends = np.array([0, 1])
        axis.plot(
            ends, intercept + slope * ends, color="black", linewidth=1.4, label="calibration line"
        )


def _note(axis: Axes, chips: ScoredChips, number: int, slope: float) -> None:
    column = slice(number, number + 1)
    explained = metrics.r2(chips.truth[:, column], chips.predicted[:, column])
    said = f"slope {slope:.2f}" if np.isfinite(slope) else "no slope"
    axis.text(
        0.5,
        1.03,
        f"{said}, R² {explained:z.2f}",
        transform=axis.transAxes,
        horizontalalignment="center",
        fontsize=8,
        color=INK,
    )
