"""What maps are made of: their size, squares of chips, outlines of divisions, degrees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llpbench.style import INK, MUTED, hatch_missing, ink_on, rim

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure

LARGEST_SIDE = 3.8
"""Inches of the longer side of a map."""
MARGIN = 0.02
"""Space around a map, as a part of its longer side."""


def map_extent(bounds: ArrayLike) -> tuple[float, float, float, float]:
    """West, south, east, north of all chips (chip, 4), in degrees, and a little more.

    Examples
    --------
    >>> map_extent([[4, 50, 5, 51], [5, 50, 6, 51]])
    (3.96, 49.96, 6.04, 51.04)
    """
    corners = np.asarray(bounds, dtype=np.float64)
    lowest, highest = corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)
    margin = MARGIN * (highest - lowest).max()
    west, south = (lowest - margin).tolist()
    east, north = (highest + margin).tolist()
    return west, south, east, north


def map_size(extent: ArrayLike, largest: float = LARGEST_SIDE) -> tuple[float, float]:
    """Width and height of a map in inches, at least 1.5 each; degrees of longitude are shortened.

    ``extent`` is west, south, east, north in degrees, ``largest`` the longer side in inches.
    """
    west, south, east, north = np.asarray(extent, dtype=np.float64).tolist()
    width = (east - west) * np.cos(np.radians((south + north) / 2))
    scale = largest / max(width, north - south)
    return max(width * scale, 1.5), max((north - south) * scale, 1.5)


def pack(figure: Figure, extent: ArrayLike) -> None:
    """Bring the maps of a figure close together, unless that leaves their texts too little room."""
    wide, high = map_size(extent)
    if 0.4 < wide / high < 2.5:
        figure.set_layout_engine("compressed")


def draw_squares(axis: Axes, bounds: ArrayLike, **options: Any) -> PolyCollection:
    """Draw chips as rectangles from their bounds (chip, 4): west, south, east, north, in degrees.

    Options are those of the collection: ``array``, ``cmap`` and ``clim``, or ``facecolors``.
    """
    from matplotlib.collections import PolyCollection

    west, south, east, north = np.asarray(bounds, dtype=np.float64).T
    corners = np.array([[west, south], [east, south], [east, north], [west, north]])
    squares = corners.transpose(2, 0, 1)
    drawn = PolyCollection(list(squares), **{"edgecolors": "face", "linewidths": 0.2, **options})
    axis.add_collection(drawn)
    axis.autoscale_view()
    return drawn


def draw_outlines(
    axis: Axes,
    divisions: gpd.GeoDataFrame,
    colour: str,
    *,
    width: float | None = None,
    halo: bool = False,
) -> None:
    """Draw outlines of divisions, the thinner the more of them there are.

    ``width`` in points takes the place of that rule; a ``halo``, a rim that is dark around light
    lines and white around dark ones, keeps them visible on any ground.
    """
    from matplotlib.colors import to_rgb

    if width is None:
        width = float(np.clip(5 / np.sqrt(max(len(divisions), 1)), 0.3, 1.0))
    edge = "white" if ink_on(to_rgb(colour)) == "white" else INK
    effects = rim(width + 0.8, edge) if halo else None
    if len(divisions):
        divisions.boundary.plot(ax=axis, color=colour, linewidth=width, path_effects=effects)


def frame(axis: Axes, extent: tuple[float, ...]) -> None:
    """Show a part of the Earth (west, south, east, north, in degrees) on a hatched ground."""
    west, south, east, north = extent
    hatch_missing(axis)
    axis.set(xlim=(west, east), ylim=(south, north))
    axis.set_aspect(1 / np.cos(np.radians((south + north) / 2)))
    label_degrees(axis)


def label_degrees(axis: Axes) -> None:
    """Label both axes in degrees, small and few, the shorter one with fewer."""
    from matplotlib.ticker import FixedLocator, MaxNLocator

    (west, east), (south, north) = axis.get_xlim(), axis.get_ylim()
    sides = np.array([(east - west) * np.cos(np.radians((south + north) / 2)), north - south])
    limits = (axis.xaxis, west, east), (axis.yaxis, south, north)
    for (side, low, high), part in zip(limits, sides / sides.max(), strict=True):
        middle = FixedLocator([round((low + high) / 2, 2)])
        side.set_major_locator(MaxNLocator(round(4 * part)) if part > 0.3 else middle)
        side.set_major_formatter("{x:g}°")
        side.set_label_text("")
    axis.tick_params(labelsize=7, length=2, color=MUTED)
    axis.spines[:].set_color(MUTED)


def split_squares(bounds: ArrayLike, parts: int) -> NDArray[np.float64]:
    """Cut each rectangle into parts x parts smaller ones, row by row from the north-west.

    From (chip, 4), west, south, east, north, to (chip * parts * parts, 4).

    Examples
    --------
    >>> split_squares([[0, 0, 2, 2]], 2).tolist()[0]
    [0.0, 1.0, 1.0, 2.0]
    """
    west, south, east, north = np.asarray(bounds, dtype=np.float64).T[:, :, np.newaxis, np.newaxis]
    row, column = np.mgrid[:parts, :parts] / parts
    wide, high = east - west, north - south
    small = [
        west + wide * column,
        north - high * (row + 1 / parts),
        west + wide * (column + 1 / parts),
        north - high * row,
    ]
    return np.stack(np.broadcast_arrays(*small), axis=-1).reshape(-1, 4)
