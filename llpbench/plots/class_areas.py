"""Areas of classes with their intervals, a dot each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from llpbench.style import INK, legend_below, new_figure, short, strip, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_POLYGONS = 60
"""Rows of a picture: the largest polygons."""

_COLUMNS = 5


def draw_class_areas(table: pd.DataFrame, colours: Sequence[str], title: str) -> Figure:
    """Draw areas of classes as dots with 95 % intervals.

    Parameters
    ----------
    table : DataFrame
        As :meth:`llpbench.estimation.ClassAreas.table` makes it.
    colours : sequence of str
        Of the classes, in their order.
    title : str
        Above all.

    Returns
    -------
    Figure
        The classes of one polygon under one another; or a panel a class, and the 60 largest
        polygons under one another.
    """
    by_polygon = table.groupby("polygon", sort=False)
    largest = by_polygon["km2"].sum().nlargest(MOST_POLYGONS).index
    shown = table[table["polygon"].isin(largest)]
    panels = (
        [shown] if len(largest) == 1 else [rows for _, rows in shown.groupby("class", sort=False)]
    )
    labels = (panels[0]["class"] if len(largest) == 1 else panels[0]["name"]).tolist()
    columns = min(len(panels), _COLUMNS)
    lines = -(-len(panels) // columns)
    high = 1.4 + lines * (0.6 + 0.24 * len(labels))
    figure = new_figure(width=2.2 + (4.5 if columns == 1 else 2.1 * columns), height=high)
    axes = figure.subplots(lines, columns, sharey=True, squeeze=False)
    for number, (axis, rows) in enumerate(zip(axes.flat, panels, strict=False)):
        own = colours if len(panels) == 1 else [colours[number]] * len(rows)
        _draw_dots(axis, rows, own)
        if len(panels) > 1:
            axis.set_title(wrapped(rows["class"].iloc[0], 2.0, 9), fontsize=9)
    for axis in axes.flat[len(panels) :]:
        axis.set_axis_off()
    for axis in axes[:, 0]:
        axis.set_yticks(range(len(labels)), map(short, labels), fontsize=8)
        axis.set_ylim(len(labels) - 0.4, -0.6)
    left_out = table["polygon"].nunique() - len(largest)
    note = f"the {MOST_POLYGONS} largest polygons; {left_out} more are in the table"
    legend_below(
        figure,
        axes.flat[0].get_legend_handles_labels()[0],
        columns=2,
        note=note if left_out else "",
    )
    figure.suptitle(title, fontsize=10)
    return figure


def _draw_dots(axis: Axes, rows: pd.DataFrame, colours: Sequence[str]) -> None:
    from matplotlib.ticker import MaxNLocator

    places = np.arange(len(rows))
    low, high = rows["low"].to_numpy(), rows["high"].to_numpy()
    if np.isfinite(low).any():
        axis.hlines(places, low, high, color=INK, linewidth=1.3, label="95 % interval")
        ends = np.concatenate([low, high])
        axis.vlines(ends, np.tile(places - 0.15, 2), np.tile(places + 0.15, 2), color=INK)
    axis.scatter(
        rows["km2"], places, s=26, c=list(colours), edgecolors=INK, linewidths=0.6, zorder=3,
        label="estimate",
    )  # fmt: skip
    axis.set_xlabel("km²", fontsize=8)
    axis.set_xlim(left=min(0.0, float(rows["km2"].min())))
    axis.xaxis.set_major_locator(MaxNLocator(4))
    axis.grid(axis="y", color="#eeeeee", linewidth=0.6)
    axis.set_axisbelow(True)
    strip(axis)
