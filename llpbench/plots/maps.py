"""Maps: errors of divisions, and predicted shares of a class beside the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from llpbench.errors import LLPBenchError, UnknownNameError, unknown
from llpbench.plots.captions import score_colours
from llpbench.plots.geography import (
    draw_outlines,
    draw_squares,
    frame,
    label_degrees,
    map_extent,
    map_size,
    pack,
)
from llpbench.plots.share_bar import draw_share_bar
from llpbench.scoring.measures import BY_NAME
from llpbench.style import (
    INK,
    legend_below,
    missing_patch,
    new_figure,
    share_colours,
    short,
    strip,
)

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from llpbench.scoring.scores import Scores

ERRORS, DIFFERENCES = "cividis_r", "RdBu_r"
"""Colour maps that people with any kind of colour vision can read."""


def draw_error_map(scores: Scores, metric: str = "mae") -> Figure:
    """Draw a metric of each division as a map, and against its number of chips.

    Parameters
    ----------
    scores : Scores
        With the dataset it was scored on; seeds are averaged.
    metric : str
        A column of ``scores.per_division``.

    Returns
    -------
    Figure
        Divisions that own no scored chip are left out. The scatter tells large errors of
        divisions with few chips from those that weigh.

    Raises
    ------
    LLPBenchError
        If the scores were read from JSON and hold no outlines.
    UnknownNameError
        If divisions have no such metric.
    """
    _opened(scores)
    table = scores.per_division
    if metric not in table.columns.drop(["chips", "name", "geometry"]):
        raise UnknownNameError(unknown("metric by division", metric, table.columns[1:-2]))
    title = BY_NAME[metric].title
    drawn = table[table.geometry.notna()]
    wide, high = map_size(drawn.total_bounds)
    figure = new_figure(width=wide + 4.6, height=max(high, 3) + 0.6)
    places, sizes = figure.subplots(1, 2, width_ratios=[wide + 0.9, 3])
    low, high = _limits(scores, metric)
    drawn.plot(
        column=metric,
        ax=places,
        cmap=ERRORS,
        vmin=low,
        vmax=high,
        edgecolor="white",
        linewidth=0.4,
        legend=True,
        legend_kwds={"shrink": 0.8, "aspect": 25, "label": f"{title} of the division's chips"},
    )
    figure.axes[-1].tick_params(labelsize=8)
    figure.axes[-1].yaxis.label.set_fontsize(9)
    label_degrees(places)
    _draw_sizes(sizes, scores, metric, title, (low, high))
    figure.suptitle(f"{title} by division · {scores.subject}", fontsize=11)
    return figure


def _limits(scores: Scores, metric: str) -> tuple[float, float]:
    """From none to the largest error; or to the best there can be, where more is better."""
    values = scores.per_division[metric]
    if BY_NAME[metric].better == "lower":
        return min(0.0, float(values.min())), float(values.max()) or 1.0
    return min(0.0, float(values.min())), 1.0


def _draw_sizes(
    axis: Axes, scores: Scores, metric: str, title: str, limits: tuple[float, float]
) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    table = scores.per_division
    overall = scores.value(metric)
    colours: dict[str, Any] = {"cmap": ERRORS, "vmin": limits[0], "vmax": limits[1]}
    axis.scatter(
        table["chips"], table[metric], c=table[metric], edgecolor=INK, linewidth=0.5, **colours
    )
    axis.axhline(overall, color=INK, linewidth=1, linestyle=":")
    text, place = f"all chips\n{overall:.3f}", axis.get_yaxis_transform()
    axis.text(1.02, overall, text, transform=place, va="center", fontsize=8, color=INK)
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlabel("chips in the division", fontsize=9)
    axis.set_ylabel(title, fontsize=9)
    strip(axis)


def draw_class_map(scores: Scores, category: str) -> Figure:
    """Draw the true share of a class in each chip, the predicted one, and their difference.

    Parameters
    ----------
    scores : Scores
        With the dataset it was scored on; of several seeds the first is shown.
    category : str
        Name of the class.

    Returns
    -------
    Figure
        Chips are squares, divisions have dark outlines; chips without a label are left out.
        Shares are shown from 0, white, to 1; differences on one scale for all classes.

    Raises
    ------
    LLPBenchError
        If the scores were read from JSON and hold no chips.
    UnknownNameError
        If there is no such class.
    """
    ds, chips = _opened(scores), scores.first_seed()
    if category not in scores.categories:
        raise UnknownNameError(unknown("class", category, scores.categories))
    number = scores.categories.index(category)
    bounds = ds["bounds"].sel(chip=chips.chip).to_numpy()
    truth, predicted = chips.truth[:, number], chips.predicted[:, number]
    widest = float(np.abs(chips.predicted - chips.truth).max())
    extent = map_extent(bounds)
    wide, high = map_size(extent)
    figure = new_figure(width=3 * wide + 1.4, height=high + 2.1)
    pack(figure, extent)
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    colour = score_colours(scores)[number]
    shares: dict[str, Any] = {"cmap": share_colours(colour), "clim": (0, 1)}
    differences: dict[str, Any] = {"cmap": DIFFERENCES, "clim": (-widest, widest)}
    outlines = ds.llp.divisions()
    for axis, title, values, scale in (
        (panels[0], "truth", truth, shares),
        (panels[1], "predicted", predicted, shares),
        (panels[2], "predicted minus truth", predicted - truth, differences),
    ):
        drawn = draw_squares(axis, bounds, array=values, **scale)
        axis.set_title(title, fontsize=10)
        draw_outlines(axis, outlines, INK)
        frame(axis, extent)
    draw_share_bar(panels[:2], [category], [colour], span=(2 * wide, high))
    bar = figure.colorbar(
        drawn, ax=panels[2], location="bottom", shrink=0.8, aspect=20, pad=0.03, fraction=0.2
    )
    bar.set_label("difference of shares; one scale for all classes", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    legend_below(figure, [missing_patch("no label, or not in this split")], columns=1)
    figure.suptitle(f"Map of {short(category)} · {scores.subject}", fontsize=11)
    return figure


def widest_category(scores: Scores) -> str:
    """Name the class whose true shares vary most between chips."""
    return scores.categories[int(scores.first_seed().truth.std(axis=0).argmax())]


def _opened(scores: Scores) -> xr.Dataset:
    if scores.opened is None:
        raise LLPBenchError("scores read from JSON hold no maps; evaluate the predictions again")
    return scores.opened
