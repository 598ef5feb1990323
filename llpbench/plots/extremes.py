"""The chips predicted best and worst."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llpbench import metrics
from llpbench.data.labels import scored_labels
from llpbench.data.picture import View
from llpbench.errors import LLPBenchError
from llpbench.plots.captions import score_colours
from llpbench.style import INK, draw_image, draw_labels, legend_below, new_figure, short, strip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from llpbench.scoring.scores import Scores

EACH = 3
"""Chips on either side."""
MIXED = 0.1
"""Share that at least two classes of a chip have, by their labels."""
MOST_NAMED = 12
"""Classes whose names stand beside their bars."""
_PREDICTED: dict[str, Any] = {"marker": "D", "s": 18, "edgecolors": "black", "linewidths": 0.9}


def draw_extremes(scores: Scores, rgb: Sequence[str] | None = None) -> Figure:
    """Draw the mixed chips with the least and with the largest error of their shares.

    Mixed are those with at least two classes of a tenth or more: what is of one class is no
    achievement to predict. Where there are fewer than two of them, all chips are looked at. The
    figure says which.

    Parameters
    ----------
    scores : Scores
        With the dataset it was scored on; of several seeds the first is shown.
    rgb : sequence of str, optional
        Bands that are shown, as of ``ds.llp.plot_chip``.

    Returns
    -------
    Figure
        A row a chip: its image (brightened by half), its labels, the segmentation where there
        is one, each cut to the score window, and its true and predicted shares, a line a class.
    """
    chips = scores.first_seed()
    if scores.opened is None:
        raise LLPBenchError("scores without their dataset have no images")
    errors = metrics.mae(chips.truth, chips.predicted, per="chip")
    mixed = np.flatnonzero((chips.truth >= MIXED).sum(axis=1) >= 2)
    looked_at = mixed if len(mixed) >= 2 else np.arange(len(errors))
    order = looked_at[np.argsort(errors[looked_at], kind="stable")]
    each = min(EACH, len(order) // 2) or 1
    pictures = 3 if scores.segmentation is not None else 2
    figure = new_figure(width=2 * (1.3 * pictures + 2.5), height=1.2 + 1.45 * each)
    grid = figure.add_gridspec(1, 2, wspace=0.03)
    sides = {"least error": order[:each], "largest error": order[::-1][:each]}
    if len(order) == 1:
        sides = {"the only chip": order}
    view = View.of(scores.opened, rgb)
    shown = scores.opened.sel(chip=chips.chip[np.concatenate([*sides.values()])])
    images = np.split(view.paint(view.values(shown, window=True)), len(sides))
    for number, (title, chosen) in enumerate(sides.items()):
        side = figure.add_subfigure(grid[0, number])
        side.suptitle(title, fontsize=10)
        _draw_rows(side, scores, chosen, errors, images[number])
        side.axes[0].set_title(view.title.replace(" (", "\n("), fontsize=8)
    rule = f"chosen from {len(mixed):,} chips with two or more classes of at least {MIXED:.0%}"
    _name_colours(
        figure, scores, rule if len(mixed) >= 2 else f"chosen from all {len(errors):,} chips"
    )
    figure.suptitle(f"Mixed chips predicted best and worst · {scores.subject}", fontsize=11)
    return figure


def _draw_rows(
    side: SubFigure,
    scores: Scores,
    chosen: NDArray[np.intp],
    errors: NDArray[np.float64],
    images: NDArray[Any],
) -> None:
    assert scores.opened is not None
    chips, colours = scores.first_seed(), score_colours(scores)
    part = scores.opened.sel(chip=chips.chip[chosen])
    labels = scored_labels(part).to_numpy()
    segmentation = scores.segmentation
    if segmentation is not None:
        segmentation = segmentation.sel(chip=part["chip"].to_numpy())
    columns = 3 if segmentation is None else 4
    axes = side.subplots(
        len(chosen), columns, squeeze=False, width_ratios=[1] * (columns - 1) + [1.25]
    )
    for row, position in enumerate(chosen):
        draw_image(axes[row, 0], images[row])
        draw_labels(axes[row, 1], labels[row], colours)
        if segmentation is not None:
            draw_labels(axes[row, 2], segmentation[row].to_numpy(), colours)
        _draw_shares(axes[row, -1], chips.truth[position], chips.predicted[position], colours)
        if len(colours) <= MOST_NAMED:
            _name_bars(axes[row, -1], scores.categories)
        axes[row, -1].set_title(f"MAE {errors[position]:.3f}", fontsize=8, loc="left", pad=2)
        axes[row, 0].set_ylabel(str(chips.chip[position]), fontsize=5.5, color=INK)
        axes[row, -1].tick_params(labelbottom=row == len(chosen) - 1)
    for axis, title in zip(axes[0, 1:-1], ("truth", "prediction"), strict=False):
        axis.set_title(title, fontsize=8)


def _draw_shares(
    axis: Axes, truth: NDArray[np.float64], predicted: NDArray[np.float64], colours: list[str]
) -> None:
    places = np.arange(len(truth))
    axis.hlines(places, 0, 1, color="#e4e4e4", linewidth=0.6, zorder=0)
    axis.barh(places, truth, 0.75, color=colours, edgecolor=INK, linewidth=0.4)
    axis.scatter(predicted, places, c=colours, clip_on=False, zorder=3, **_PREDICTED)
    axis.set(xlim=(0, 1), ylim=(len(truth) - 0.4, -0.6))
    axis.set_yticks([])
    axis.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    strip(axis)


def _name_bars(axis: Axes, names: Sequence[str]) -> None:
    texts = [name if len(name) <= 16 else f"{name[:15]}…" for name in map(short, names)]
    axis.set_yticks(range(len(names)), texts, fontsize=5)
    axis.tick_params(axis="y", labelsize=min(6.0, 60 / len(names)), length=0, pad=5)


def _name_colours(figure: Figure, scores: Scores, rule: str) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    named = zip(scores.categories, score_colours(scores), strict=True)
    handles: list[Any] = [Patch(color=colour, label=short(name)) for name, colour in named]
    mark = Line2D([], [], linestyle="", marker="D", color="white", markeredgecolor="black")
    mark.set_label("predicted share (bars: true share)")
    legend_below(figure, [*handles, mark], columns=min(len(handles) + 1, 6), note=rule)
