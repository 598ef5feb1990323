"""How far off chips are, estimated where none has a label: on the map, and by class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llpbench.plots.geography import draw_outlines, draw_squares, frame, map_extent, map_size, pack
from llpbench.plots.maps import ERRORS
from llpbench.style import INK, category_colours, new_figure, short

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from llpbench.uncertainty.chip_error import ChipError


def draw_chip_errors(chips: xr.Dataset, error: ChipError, subject: str) -> Figure:
    """Draw the estimated error of each chip, and that of each class with its 95 % interval.

    Parameters
    ----------
    chips : Dataset
        Grouped, in the order of the error's chips.
    error : ChipError
        Estimated.
    subject : str
        What was predicted, for the title.
    """
    extent = map_extent(chips["bounds"].to_numpy())
    wide, high = map_size(extent)
    figure = new_figure(width=wide + 4.4, height=max(high, 2.4) + 0.9)
    pack(figure, extent)
    place, classes = figure.subplots(1, 2, width_ratios=(wide, 3.0))
    values = error.of_chips.mean(axis=1)
    limits = (0, float(np.quantile(values, 0.99)))
    squares = draw_squares(
        place, chips["bounds"].to_numpy(), array=values, cmap=ERRORS, clim=limits
    )
    draw_outlines(place, chips.llp.divisions(), "white")
    frame(place, extent)
    place.set_title("of each chip", fontsize=10)
    bar = figure.colorbar(squares, ax=place, shrink=0.8, aspect=25, extend="max")
    bar.set_label("estimated MAE of the chip", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    _draw_classes(classes, error, category_colours(chips))
    figure.suptitle(f"Estimated error (MAE) · {subject}", fontsize=11)
    return figure


def _draw_classes(axis: Axes, error: ChipError, colours: list[str]) -> None:
    table = error.per_class
    rows = np.arange(len(table))
    value = table["value"].to_numpy()
    spans = np.abs(table[["low", "high"]].to_numpy().T - value)
    axis.errorbar(value, rows, xerr=spans, fmt="none", ecolor=INK, elinewidth=1.2, capsize=3)
    axis.scatter(value, rows, c=colours, s=45, edgecolors=INK, linewidths=0.8, zorder=3)
    axis.axvline(error.value, color=INK, linewidth=0.8, linestyle=":")
    axis.set_yticks(rows, [short(str(name)) for name in table.index])
    axis.set(xlim=(0, None), ylim=(len(table) - 0.4, -0.6))
    axis.set_xlabel("MAE of chips, with 95 % interval", fontsize=9)
    axis.set_title("of each class; dotted: of all", fontsize=10)
    axis.tick_params(labelsize=9)
