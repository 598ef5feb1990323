"""Maps: errors of divisions, and predicted shares of a class beside the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from llpbench.errors import LLPBenchError, UnknownNameError, unknown
from llpbench.plots.geography import (
    draw_outlines,
    draw_squares,
    frame,
    label_degrees,
    map_extent,
    map_size,
)
from llpbench.scoring.measures import BY_NAME
from llpbench.style import INK, new_figure, short, strip

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from llpbench.scoring.scores import Scores

ERRORS, SHARES, DIFFERENCES = "cividis_r", "viridis", "RdBu_r"
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
    drawn.plot(
        column=metric,
        ax=places,
        cmap=ERRORS,
        edgecolor="white",
        linewidth=0.4,
        legend=True,
        legend_kwds={"shrink": 0.8, "aspect": 25},
    )
    places.figure.axes[-1].tick_params(labelsize=8)
    label_degrees(places)
    _draw_sizes(sizes, scores, metric, title)
    figure.suptitle(f"{title} by division · {scores.subject}", fontsize=11)
    return figure


def _draw_sizes(axis: Axes, scores: Scores, metric: str, title: str) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    table = scores.per_division
    overall = scores.value(metric)
    axis.scatter(
        table["chips"], table[metric], c=table[metric], cmap=ERRORS, edgecolor=INK, linewidth=0.5
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
        Chips are squares, divisions have white outlines; chips without a label are left out.

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
    highest = max(float(truth.max()), float(predicted.max()))
    widest = float(np.abs(predicted - truth).max())
    extent = map_extent(bounds)
    wide, high = map_size(extent)
    figure = new_figure(width=3 * wide + 1.4, height=high + 2.6)
    figure.set_layout_engine("compressed")
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    shares: dict[str, Any] = {"cmap": SHARES, "clim": (0, highest)}
    differences: dict[str, Any] = {"cmap": DIFFERENCES, "clim": (-widest, widest)}
    drawn, outlines = [], ds.llp.divisions()
    for axis, title, values, scale, colour in (
        (panels[0], "truth", truth, shares, "white"),
        (panels[1], "predicted", predicted, shares, "white"),
        (panels[2], "predicted minus truth", predicted - truth, differences, INK),
    ):
        drawn.append(draw_squares(axis, bounds, array=values, **scale))
        axis.set_title(title, fontsize=10)
        draw_outlines(axis, outlines, colour)
        frame(axis, extent)
    for squares, axes, label in (
        (drawn[1], panels[:2], f"share of {short(category)}"),
        (drawn[2], panels[2], "difference of shares"),
    ):
        drawn_bar = figure.colorbar(squares, ax=axes, location="bottom", shrink=0.6, aspect=30)
        drawn_bar.set_label(label, fontsize=9)
        drawn_bar.ax.tick_params(labelsize=8)
    figure.suptitle(f"Map of {short(category)} · {scores.subject}", fontsize=11)
    return figure


def widest_category(scores: Scores) -> str:
    """Name the class whose true shares vary most between chips."""
    return scores.categories[int(scores.first_seed().truth.std(axis=0).argmax())]


def _opened(scores: Scores) -> xr.Dataset:
    if scores.opened is None:
        raise LLPBenchError("scores read from JSON hold no maps; evaluate the predictions again")
    return scores.opened
