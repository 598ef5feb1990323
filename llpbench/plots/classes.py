"""Scores by class, with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from llpbench import metrics
from llpbench.plots.captions import score_colours
from llpbench.scoring.measures import BY_NAME
from llpbench.style import INK, MUTED, legend_below, new_figure, rim, short, strip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from llpbench.scoring.scores import Scores

PANELS = ("mae", "mae_hard", "r2", "f1_micro")
DIRECTION = {"lower": "lower is better", "higher": "higher is better"}


def draw_classes(scores: Scores) -> Figure:
    """Draw scores by class as bars with 95 % intervals over divisions.

    Parameters
    ----------
    scores : Scores
        Seeds are averaged; scores read from JSON will do.

    Returns
    -------
    Figure
        MAE and R² of the shares and, with a segmentation, hard MAE and F1; beside each the
        value over all classes, and beside MAE, where chips are there, that of the train mean.
    """
    present = [name for name in PANELS if name in scores.metrics]
    figure = new_figure(width=1.6 + 2.6 * len(present), height=1.8 + 0.36 * len(scores.categories))
    panels = figure.subplots(1, len(present), sharey=True, squeeze=False)[0]
    for axis, metric in zip(panels, present, strict=True):
        _draw_bars(axis, scores, metric)
    _mark_train_mean(panels[0], scores)
    panels[0].set_yticks(range(len(scores.categories)), map(short, scores.categories), fontsize=9)
    panels[0].invert_yaxis()
    handles, _labels = panels[0].get_legend_handles_labels()
    legend_below(figure, handles, columns=3, note=scores.note)
    figure.suptitle(f"Scores by class · {scores.subject}", fontsize=11)
    return figure


def _draw_bars(axis: Axes, scores: Scores, metric: str) -> None:
    from matplotlib.ticker import MaxNLocator

    table = scores.per_class_interval(metric)
    value = table["value"].to_numpy()
    places = np.arange(len(table))
    axis.barh(places, np.nan_to_num(value), 0.7, color=score_colours(scores))
    low, high = table["low"].to_numpy(), table["high"].to_numpy()
    if np.isfinite(low).any():
        ends = np.concatenate([low, high])
        seen: dict[str, Any] = {"color": "black", "path_effects": rim(3)}
        axis.vlines(ends, np.tile(places - 0.1, 2), np.tile(places + 0.1, 2), **seen)
        axis.hlines(places, low, high, linewidth=1.2, label="95 % interval", **seen)
    axis.axvline(scores.value(metric), color=INK, linewidth=1, linestyle=":", label="all classes")
    axis.axvline(0, color=INK, linewidth=0.8)
    axis.xaxis.set_major_locator(MaxNLocator(4))
    measure = BY_NAME[metric]
    direction = DIRECTION[measure.better]
    axis.set_title(f"{'F1' if metric == 'f1_micro' else measure.title}\n", fontsize=10)
    axis.text(0.5, 1.02, direction, transform=axis.transAxes, ha="center", fontsize=7.5, color=INK)
    strip(axis)


def _mark_train_mean(axis: Axes, scores: Scores) -> None:
    """Mark what the null model scores in each class."""
    if not scores.seeds or scores.seeds[0].null is None:
        return
    chips = scores.seeds[0]
    null = np.broadcast_to(scores.seeds[0].null, chips.truth.shape)
    axis.plot(
        metrics.mae(chips.truth, null, per="category"),
        np.arange(null.shape[1]),
        linestyle="",
        marker="D",
        color="white",
        markeredgecolor=MUTED,
        markersize=5,
        label="train mean",
    )
