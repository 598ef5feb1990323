"""How often intervals hold the true shares, against how often they should."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llpbench.plots.captions import score_colours
from llpbench.plots.reliability import label_lowest
from llpbench.predictions.intervals import percent_of
from llpbench.protocol import INTERVAL_LEVELS
from llpbench.style import INK, MUTED, legend_below, new_figure, strip, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from llpbench.scoring.scores import Scores

COLUMNS = 5


def scored_levels(scores: Scores) -> list[float]:
    """Levels of intervals that the scores know the coverage of."""
    return [level for level in INTERVAL_LEVELS if _measure(level) in scores.metrics]


def draw_coverage(scores: Scores) -> Figure:
    """Draw the coverage of intervals against their level, a panel a class.

    Parameters
    ----------
    scores : Scores
        Of predictions with intervals; scores read from JSON will do, and seeds are averaged.

    Returns
    -------
    Figure
        Part of the true shares inside, with 95 % intervals over divisions, beside the
        diagonal: below it intervals are too narrow, above it too wide.
    """
    levels = scored_levels(scores)
    tables = [scores.per_class_interval(_measure(level)) for level in levels]
    found = np.stack([table[["value", "low", "high"]].to_numpy() for table in tables])
    count = len(scores.categories)
    columns, rows = min(count, COLUMNS), -(-count // COLUMNS)
    figure = new_figure(width=1 + 2.2 * columns, height=1.2 + 2.7 * rows)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for number, (axis, name, colour) in enumerate(
        zip(panels.flat, scores.categories, score_colours(scores), strict=False)
    ):
        _draw_class(axis, np.array(levels), found[:, number].T, colour)
        axis.set_title(wrapped(name, 2.0, 10), fontsize=10)
    label_lowest(panels, count)
    for axis in panels[:, 0]:
        axis.set_ylabel("true shares inside, %", fontsize=9)
    handles, _labels = panels.flat[0].get_legend_handles_labels()
    legend_below(figure, handles, columns=3, note=scores.note)
    figure.suptitle(f"Coverage of intervals · {scores.subject}", fontsize=11)
    return figure


def _measure(level: float) -> str:
    return f"coverage_{percent_of(level)}"


def _draw_class(axis: Axes, levels: np.ndarray, found: np.ndarray, colour: str) -> None:
    """Draw value, low and high (3, level) of one class."""
    value, low, high = found
    axis.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle="--", label="as often as stated")
    if np.isfinite(low).any():
        axis.vlines(levels, low, high, color=INK, linewidth=1.2, label="95 % interval")
    axis.plot(
        *(levels, value, "o-"),
        color=colour,
        markeredgecolor="black",
        markersize=5,
        markeredgewidth=0.8,
        label="found",
    )
    axis.set(xlim=(0.4, 1.03), ylim=(-0.03, 1.03))
    axis.set_xticks(levels, [percent_of(level) for level in levels], fontsize=7.5)
    axis.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
    axis.set_xlabel("level of the interval, %", fontsize=9)
    strip(axis)
