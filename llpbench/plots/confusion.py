"""Which classes are taken for which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import LLPBenchError
from llpbench.metrics.arrays import quotient
from llpbench.style import INK, MUTED, ink_on, new_figure, share_colours, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from llpbench.scoring.scores import Scores

CELLS = "#4477aa"
"""Hue of the cells."""
LONGEST_SLANTED = 20
"""Letters of a name that is not written upright: it reaches beyond its column."""


def draw_confusion(scores: Scores) -> Figure:
    """Draw the confusion matrix of the pixels with its margins.

    Parameters
    ----------
    scores : Scores
        With a segmentation; seeds are added up.

    Returns
    -------
    Figure
        A cell tells which part of the true class (its row) was predicted so and, in small,
        which part of the predicted class (its column) it makes up; beside the matrix are the
        shares of the classes in the truth, below it those in the prediction.

    Raises
    ------
    LLPBenchError
        If the scores are of proportions only.
    """
    confusion = scores.confusion
    if confusion is None:
        raise LLPBenchError("a confusion matrix needs a segmentation, and these scores have none")
    count = len(scores.categories)
    figure = new_figure(width=3.2 + 0.8 * count, height=2.6 + 0.62 * count)
    grid = figure.add_gridspec(
        2, 2, width_ratios=[count, 1], height_ratios=[count, 1], wspace=0.02, hspace=0.02
    )
    matrix = figure.add_subplot(grid[0, 0])
    _draw_cells(matrix, confusion)
    _name(matrix, scores.categories)
    truth = confusion.sum(axis=1, keepdims=True) / confusion.sum()
    predicted = confusion.sum(axis=0, keepdims=True) / confusion.sum()
    _draw_margin(figure.add_subplot(grid[0, 1]), truth, "of truth")
    below = figure.add_subplot(grid[1, 0])
    _draw_margin(below, predicted, "of prediction")
    corner = figure.add_subplot(grid[1, 1])
    corner.set_axis_off()
    correct = f"{100 * np.trace(confusion) / confusion.sum():.1f} %\ncorrect"
    corner.text(0.5, 0.5, correct, ha="center", va="center", fontsize=9, fontweight="bold")
    key = "large: % of the true class's pixels · small: % of the predicted class's pixels"
    below.set_xlabel(key, fontsize=8, color=INK)
    figure.suptitle(f"Confusion of pixels\n{scores.subject}", fontsize=11)
    return figure


def _draw_cells(axis: Axes, confusion: NDArray[np.float64]) -> None:
    of_truth = quotient(confusion, confusion.sum(axis=1, keepdims=True))
    of_predicted = quotient(confusion, confusion.sum(axis=0, keepdims=True))
    shown = share_colours(CELLS)
    axis.imshow(of_truth, cmap=shown, vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(of_truth):
        colour = ink_on(shown(np.nan_to_num(share))[:3])
        _write(axis, (column, row - 0.12), share, color=colour, fontsize=10)
        _write(axis, (column, row + 0.26), of_predicted.item(row, column), color=colour, fontsize=7)


def _name(axis: Axes, categories: list[str]) -> None:
    places, names = range(len(categories)), list(map(short, categories))
    axis.set_yticks(places, names, fontsize=9)
    turned = (
        {"rotation": 90}
        if max(map(len, names)) > LONGEST_SLANTED
        else {"rotation": 30, "ha": "left"}
    )
    axis.set_xticks(places, names, fontsize=9, **turned)
    axis.xaxis.tick_top()
    axis.tick_params(length=0)
    axis.set(xlabel="predicted class", ylabel="true class")
    axis.xaxis.set_label_position("top")
    axis.spines[:].set_color(MUTED)


def _draw_margin(axis: Axes, shares: NDArray[np.float64], what: str) -> None:
    shown = share_colours(MUTED)
    axis.imshow(shares, cmap=shown, vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        _write(axis, (column, row), share, fontsize=9, color=ink_on(shown(share)[:3]))
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_color(MUTED)
    if shares.shape[1] == 1:
        axis.set_title(f"share\n{what}", fontsize=8)
    else:
        axis.set_ylabel(f"share\n{what}", fontsize=8, rotation=0, labelpad=28, va="center")


def _write(axis: Axes, place: tuple[float, float], share: float, **options: Any) -> None:
    axis.text(*place, _percent(share), ha="center", va="center", **options)


def _percent(share: float) -> str:
    if not np.isfinite(share):
        return "–"  # noqa: RUF001
    if 0 < share < 0.0005:
        return "<0.1"
    return f"{100 * share:.1f}" if 0 < share < 0.0995 else f"{100 * share:.0f}"
