"""Predicted against known shares of divisions, class by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llpbench.metrics.arrays import FloatArray
from llpbench.plots.captions import score_colours
from llpbench.plots.reliability import COLUMNS, draw_line, frame_shares, label_lowest
from llpbench.style import INK, legend_below, new_figure, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from llpbench.scoring.division_scores import DivisionScores

LARGEST = 120.0
"""Area of the mark of the largest division, in square points."""


def draw_division_shares(scores: DivisionScores) -> Figure:
    """Draw known against predicted shares of divisions, a panel a class.

    Parameters
    ----------
    scores : DivisionScores
        With or without outlines; of several seeds the mean is shown.

    Returns
    -------
    Figure
        A mark a division, as large as its area; the calibration line beside the diagonal; above,
        the mean absolute error, the bias and R² of the class.
    """
    count = len(scores.categories)
    columns, rows = min(count, COLUMNS), -(-count // COLUMNS)
    figure = new_figure(width=1 + 2.2 * columns, height=1.4 + 2.7 * rows)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    predicted, by_class = scores.predicted.mean(axis=0), scores.per_class
    marks = LARGEST * scores.areas / scores.areas.max()
    for number, (axis, colour) in enumerate(zip(panels.flat, score_colours(scores), strict=False)):
        values = {str(name): float(value) for name, value in by_class.iloc[number].items()}
        _draw_marks(axis, predicted[:, number], scores.known[:, number], marks, colour)
        draw_line(axis, values["calibration_slope"], values["calibration_intercept"])
        axis.set_title(f"{wrapped(scores.categories[number], 2.0, 10)}\n", fontsize=10)
        note = f"MAE {values['mae']:.3f}, bias {values['bias']:+.3f}, R² {values['r2']:z.2f}"
        axis.text(0.5, 1.03, note, transform=axis.transAxes, ha="center", fontsize=7, color=INK)
    label_lowest(panels, count)
    for axis in panels[:, 0]:
        axis.set_ylabel("known share", fontsize=9)
    handles = max((panel.get_legend_handles_labels()[0] for panel in panels.flat), key=len)
    legend_below(figure, handles, columns=3)
    figure.suptitle(f"Shares of divisions · {scores.subject}\n{scores.size}", fontsize=10)
    return figure


def _draw_marks(
    axis: Axes, predicted: FloatArray, known: FloatArray, marks: FloatArray, colour: str
) -> None:
    axis.scatter(
        predicted,
        known,
        s=np.maximum(marks, 3),
        color=colour,
        alpha=0.6,
        edgecolor=INK,
        linewidth=0.5,
        label="a division, as large as its area",
    )
    frame_shares(axis)
