"""Predicted against true shares, class by class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llpbench import metrics
from llpbench.metrics.arrays import FloatArray
from llpbench.plots.captions import score_colours
from llpbench.style import INK, MUTED, count_colours, legend_below, new_figure, strip, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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
    slopes, intercepts = np.ravel(lines.slope), np.ravel(lines.intercept)
    explained = np.ravel(metrics.r2(chips.truth, chips.predicted, per="category"))
    table = zip(panels.flat, scores.categories, score_colours(scores), strict=False)
    for number, (axis, name, colour) in enumerate(table):
        _draw_density(axis, chips.predicted[:, number], chips.truth[:, number], colour)
        draw_line(axis, slopes[number], intercepts[number])
        axis.set_title(f"{wrapped(name, 2.0, 10)}\n", fontsize=10)
        slope = f"slope {slopes[number]:.2f}" if np.isfinite(slopes[number]) else "no slope"
        r2 = f"R² {explained[number]:z.2f}" if np.isfinite(explained[number]) else "no R²"
        note = f"{slope}, {r2}"
        axis.text(0.5, 1.03, note, transform=axis.transAxes, ha="center", fontsize=8, color=INK)
    label_lowest(panels, count)
    for axis in panels[:, 0]:
        axis.set_ylabel("true share", fontsize=9)
    handles = max((panel.get_legend_handles_labels()[0] for panel in panels.flat), key=len)
    legend_below(figure, handles, columns=3)
    figure.suptitle(f"Reliability of proportions · {scores.subject}", fontsize=11)
    return figure


def _draw_density(axis: Axes, predicted: FloatArray, truth: FloatArray, colour: str) -> None:
    bins: dict[str, Any] = {"gridsize": 24, "extent": (0, 1, 0, 1), "mincnt": 1, "bins": "log"}
    axis.hexbin(predicted, truth, cmap=count_colours(colour), linewidths=0.1, **bins)
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
    frame_shares(axis)


def label_lowest(panels: NDArray[Any], count: int) -> None:
    """Hide panels of a grid (row, column) beyond a count; the lowest of each column is labelled."""
    columns = panels.shape[1]
    for number, axis in enumerate(panels.flat):
        if number >= count:
            axis.set_axis_off()
        elif number + columns < count:
            axis.set_xlabel("")
        else:
            axis.tick_params(labelbottom=True)


def frame_shares(axis: Axes) -> None:
    """Frame a panel of shares against predicted shares."""
    axis.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), aspect="equal")
    axis.set_xlabel("predicted share", fontsize=9)
    for side in (axis.xaxis, axis.yaxis):
        side.set_ticks([0, 0.5, 1], ["0", "0.5", "1"])
    strip(axis)


def draw_line(axis: Axes, slope: float, intercept: float) -> None:
    """Draw a calibration line, where it is defined, and the diagonal that it should be."""
    axis.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="--", label="perfect")
    if np.isfinite(slope):
        ends = np.array([0, 1])
        axis.plot(
            ends, intercept + slope * ends, color="black", linewidth=1.4, label="calibration line"
        )
