"""The area of interest: its imagery, the grid of chips and the divisions; and its splits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.picture import View
from llpbench.plots.geography import (
    draw_outlines,
    draw_squares,
    frame,
    map_extent,
    map_size,
    split_squares,
)
from llpbench.protocol import SPLITS
from llpbench.style import BRIGHTENING, INK, SPLIT_COLOURS, legend_below, new_figure

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_SQUARES = 60_000
"""Patches of colour in the mosaic: many a chip where chips are few."""
COARSE, FINE = 10, 25
"""Most patches along a side of a chip, in the whole and in the detail."""
DETAIL = 8
"""Chips along a side of the detail."""
LARGEST_SIDE = 6.0
"""Inches of the longer side of the map."""


def draw_area(ds: xr.Dataset, rgb: Sequence[str] | None = None) -> Figure:
    """Draw the imagery of a region with its divisions, and a detail with the grid of chips.

    Parameters
    ----------
    ds : Dataset
        All splits.
    rgb : sequence of str, optional
        Bands that are shown, as of ``ds.llp.plot_chip``.

    Returns
    -------
    Figure
        Images are averaged over patches and brightened by half. Chips of the detail have white
        edges, divisions yellow ones.
    """
    bounds, divisions = ds["bounds"].to_numpy(), ds.llp.divisions()
    extent = map_extent(bounds)
    wide, high = map_size(extent, LARGEST_SIDE)
    figure = new_figure(width=wide + 5.2, height=max(high, 4) + 0.9)
    left, right = figure.subplots(1, 2, width_ratios=[wide, 4.4])
    view, near = View.of(ds, rgb), _middle_chips(bounds)
    values = view.values(ds)
    patches = _average(values, COARSE, MOST_SQUARES)
    stretch = view.stretch(patches)
    _draw_mosaic(left, stretch.paint(patches), bounds)
    draw_outlines(left, divisions, "white")
    frame(left, extent)
    detail = map_extent(bounds[near])
    patches = _average(values.isel(chip=near), FINE, None)
    _draw_mosaic(right, stretch.paint(patches), bounds[near])
    draw_squares(right, bounds[near], facecolors="none", edgecolors="white", linewidths=0.6)
    draw_outlines(right, divisions, "#ffd92f", width=2.0, halo=True)
    frame(right, detail)
    _mark(left, detail)
    left.set_title(f"{len(bounds):,} chips, {len(divisions):,} divisions", fontsize=9)
    right.set_title("detail: chips (white) and divisions (yellow)", fontsize=9)
    shown = "" if view.title == "image" else f" · {view.title}"
    figure.suptitle(f"{ds.llp.info.title}{shown}", fontsize=11)
    return figure


def draw_splits(ds: xr.Dataset) -> Figure:
    """Draw which chips belong to which split, with the outlines of divisions.

    Parameters
    ----------
    ds : Dataset
        All splits.
    """
    from matplotlib.patches import Patch

    bounds, split = ds["bounds"].to_numpy(), ds["split"].to_numpy()
    extent = map_extent(bounds)
    wide, high = map_size(extent, LARGEST_SIDE)
    figure = new_figure(width=wide + 0.6, height=high + 1.1)
    axis = figure.subplots()
    draw_squares(axis, bounds, facecolors=[SPLIT_COLOURS[name] for name in split])
    draw_outlines(axis, ds.llp.divisions(), "white")
    frame(axis, extent)
    own = ds["own_division"].to_numpy()
    handles = []
    for name in SPLITS:
        here = split == name
        count = len(np.unique(own[here & (own != "")]))
        text = f"{name}: {here.sum():,} chips, {count:,} divisions"
        handles.append(Patch(color=SPLIT_COLOURS[name], label=text))
    legend_below(figure, handles, columns=1 if wide < 5 else 3)
    figure.suptitle(f"Splits · {ds.llp.info.title}", fontsize=11)
    return figure


def _draw_mosaic(axis: Axes, levels: NDArray[np.float64], bounds: NDArray[np.float64]) -> None:
    """Draw patches of chips (chip, y, x, 3), from left to right and down."""
    colours = np.clip(levels.reshape(-1, 3) * (BRIGHTENING / 255), 0, 1)
    squares = split_squares(bounds, levels.shape[1])
    draw_squares(axis, squares, facecolors=colours, antialiaseds=False)


def _average(values: xr.DataArray, most: int, squares: int | None) -> NDArray[np.floating[Any]]:
    """Means of as many patches of chips as divide their sides and keep their number in bounds."""
    side, chips = values.sizes["y"], values.sizes["chip"]
    fitting = [
        parts
        for parts in range(1, most + 1)
        if side % parts == 0 and (squares is None or chips * parts**2 <= squares)
    ]
    size = side // max(fitting, default=1)
    return values.coarsen(y=size, x=size).mean().to_numpy()


def _middle_chips(bounds: NDArray[np.float64]) -> NDArray[np.intp]:
    """The chips of a square in the middle of the region."""
    centres = (bounds[:, :2] + bounds[:, 2:]) / 2
    typical = np.median(bounds[:, 2:] - bounds[:, :2], axis=0)
    middle = centres[np.abs(centres - np.median(centres, axis=0)).sum(axis=1).argmin()]
    away = np.abs(centres - middle) / typical
    return np.flatnonzero((away < DETAIL / 2).all(axis=1))


def _mark(axis: Axes, extent: tuple[float, float, float, float]) -> None:
    """Frame the place of the detail."""
    from matplotlib.patches import Rectangle

    west, south, east, north = extent
    for colour, width in ((INK, 2.6), ("#ffd92f", 1.4)):
        axis.add_patch(
            Rectangle((west, south), east - west, north - south, fill=False, color=colour, lw=width)
        )
