"""Maps of a whole region: every class, truth above prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from llpbench.plots.geography import draw_outlines, draw_squares, frame, map_extent, map_size, pack
from llpbench.plots.share_bar import bar_height, draw_share_bar
from llpbench.style import (
    INK,
    category_colours,
    legend_below,
    missing_patch,
    new_figure,
    share_colours,
    wrapped,
)

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

COLUMNS = 5
"""Classes side by side."""
LARGEST_SIDE = 2.9
"""Inches of the longer side of a map."""


def draw_landscape(ds: xr.Dataset, predictions: xr.Dataset) -> Figure:
    """Draw shares of every class in all chips, and those that were predicted.

    Parameters
    ----------
    ds : Dataset
        All splits, with shares of chips.
    predictions : Dataset
        Of any of its chips, see :func:`llpbench.read_predictions`.

    Returns
    -------
    Figure
        Two maps a class, from 0, white, to 1: shares counted on the whole labels above, predicted
        ones below; where nothing is known the ground is hatched. Divisions of the test split are
        outlined.
    """
    grouped = ds.llp.group()
    bounds = grouped["bounds"].to_numpy()
    predicted = predictions.sel(category=grouped["category_name"].to_numpy())
    rows = grouped.indexes["chip"].get_indexer(predicted["chip"].to_numpy())
    shares = {
        "truth": (bounds, grouped["chip_proportions"].to_numpy()),
        "predicted": (bounds[rows], predicted["proportions"].to_numpy()),
    }
    divisions = grouped.llp.divisions()
    tested = divisions[divisions["split"] == "test"]
    extent, names = map_extent(bounds), grouped["category_name"].to_numpy()
    figure, panels, span = _panels(len(names), extent)
    wide = map_size(extent, LARGEST_SIDE)[0]
    colours = category_colours(grouped)
    for number, (pair, name, colour) in enumerate(zip(panels, names, colours, strict=True)):
        for axis, (what, (squares, values)) in zip(pair, shares.items(), strict=True):
            known = np.isfinite(values[:, number])
            scale: dict[str, Any] = {"cmap": share_colours(colour), "clim": (0, 1)}
            draw_squares(axis, squares[known], array=values[known, number], **scale)
            draw_outlines(axis, tested, INK, width=0.8, halo=True)
            frame(axis, extent)
            axis.set(xticks=[], yticks=[])
            if number % COLUMNS == 0:
                axis.set_ylabel(what, fontsize=10)
        pair[0].set_title(wrapped(name, wide, 10), fontsize=10)
    draw_share_bar(figure.axes, names, colours, span=span)
    legend_below(figure, [missing_patch("not known, or not predicted")], columns=1)
    method = predictions.attrs.get("method", "predictions")
    title = f"{method} on {ds.llp.info.title} · divisions of the test split outlined"
    figure.suptitle(title, fontsize=11)
    return figure


def _panels(count: int, extent: tuple[float, ...]) -> tuple[Figure, Any, tuple[float, float]]:
    """A figure, a column of two axes for each class (count, 2), and the inches of them all."""
    wide, high = map_size(extent, LARGEST_SIDE)
    columns, blocks = min(count, COLUMNS), -(-count // COLUMNS)
    span = columns * (wide + 0.15), blocks * (2 * high + 0.5)
    figure = new_figure(width=span[0] + 0.5, height=span[1] + 0.9 + bar_height(count))
    pack(figure, extent)
    grid = figure.subplots(2 * blocks, columns, squeeze=False)
    panels = grid.reshape(blocks, 2, columns).swapaxes(1, 2).reshape(-1, 2)
    for axis in panels[count:].flat:
        axis.set_axis_off()
    return figure, panels[:count], span
