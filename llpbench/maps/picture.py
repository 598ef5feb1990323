"""A map as a picture: the classes, and the share of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from llpbench.catalog import NO_LABEL
from llpbench.plots.share_bar import bar_height, draw_share_bar
from llpbench.style import (
    INK,
    hatch_missing,
    missing_patch,
    new_figure,
    rim,
    share_colours,
    short,
    wrapped,
)

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST = 1600
"""Pixels along the longer side of what is drawn."""

_PANEL = 2.6
"""Inches of the longer side of a share map."""


def draw_map(
    classes: Path,
    shares: Path,
    divisions: gpd.GeoDataFrame,
    colours: Sequence[str],
    title: str,
) -> Figure:
    """Draw the classes of a map, and the share of each class beside them.

    ``classes`` and ``shares`` are GeoTIFFs of :mod:`llpbench.maps.rasters`; only as much is read as
    can be seen.
    """
    import rasterio
    from matplotlib.colors import ListedColormap

    with rasterio.open(shares) as file:
        names = list(file.descriptions)
        values, bounds = file.read(), file.bounds
        metres = file.crs.linear_units_factor[1]
    with rasterio.open(classes) as file:
        scale = min(1.0, _MOST / max(file.shape))
        sides = tuple(max(1, round(scale * side)) for side in file.shape)
        numbers = file.read(1, out_shape=sides)
    columns = int(np.ceil(len(names) / 2))
    wide, high = _panel(bounds)
    span = columns * (wide + 0.2), 2 * (high + 0.45)
    size = {"width": span[0] + 2 * (wide + 0.2), "height": span[1] + 0.5 + bar_height(len(names))}
    figure = new_figure(**size)
    places = figure.add_gridspec(2, 2 + columns)
    extent = (bounds.left, bounds.right, bounds.bottom, bounds.top)
    large = figure.add_subplot(places[:, :2])
    large.imshow(
        np.ma.masked_equal(numbers, NO_LABEL),
        cmap=ListedColormap(list(colours)),
        vmin=-0.5,
        vmax=len(colours) - 0.5,
        extent=extent,
        interpolation="nearest",
    )
    _add_legend(large, names, colours)
    _add_scale_bar(large, bounds, metres)
    panels = []
    for number, (name, colour) in enumerate(zip(names, colours, strict=True)):
        axis = figure.add_subplot(places[number // columns, 2 + number % columns])
        shown: dict[str, Any] = {"cmap": share_colours(colour), "vmin": 0, "vmax": 1}
        axis.imshow(values[number], extent=extent, interpolation="nearest", **shown)
        axis.set_title(wrapped(name, wide, 9), fontsize=9)
        panels.append(axis)
    draw_share_bar(panels, names, colours, span=span)
    for axis in (large, *panels):
        _finish(axis, divisions, extent)
    figure.suptitle(title, fontsize=11)
    return figure


def _panel(bounds: Any) -> tuple[float, float]:
    width, height = bounds.right - bounds.left, bounds.top - bounds.bottom
    scale = _PANEL / max(width, height)
    return max(width * scale, 1.2), max(height * scale, 1.2)


def _finish(axis: Axes, divisions: gpd.GeoDataFrame, extent: tuple[float, ...]) -> None:
    width = float(np.clip(5 / np.sqrt(len(divisions)), 0.2, 0.8))
    edges = divisions.boundary
    edges.plot(ax=axis, color=INK, linewidth=width, path_effects=rim(width + 0.6))
    axis.set(xlim=extent[:2], ylim=extent[2:], xlabel="", ylabel="", xticks=[], yticks=[])
    hatch_missing(axis)
    axis.set_aspect("equal")
    axis.spines[:].set_visible(False)


def _add_legend(axis: Axes, names: Sequence[str], colours: Sequence[str]) -> None:
    from matplotlib.patches import Patch

    patches = [
        Patch(color=colour, label=short(name)) for name, colour in zip(names, colours, strict=True)
    ]
    patches.append(missing_patch("no prediction"))
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.01)}
    sizes: dict[str, Any] = {"columnspacing": 1.2, "handlelength": 1.2, "fontsize": 8}
    axis.legend(handles=patches, ncols=min(len(patches), 3), frameon=False, **place, **sizes)


def _add_scale_bar(axis: Axes, bounds: Any, metres: float) -> None:
    """A bar of a round number of kilometres, about a fifth of the width."""
    fifth = (bounds.right - bounds.left) * metres / 1000 / 5
    power = 10 ** np.floor(np.log10(fifth))
    length = max(step * power for step in (1, 2, 5) if step * power <= fifth)
    left = bounds.left + 0.03 * (bounds.right - bounds.left)
    low = bounds.bottom + 0.03 * (bounds.top - bounds.bottom)
    ends = [left, left + length * 1000 / metres]
    axis.plot(ends, [low, low], color=INK, linewidth=2.5, path_effects=rim(5))
    text: dict[str, Any] = {"fontsize": 9, "color": INK, "path_effects": rim(2.5)}
    axis.annotate(f"{length:g} km", (left, low), (0, 5), textcoords="offset points", **text)
