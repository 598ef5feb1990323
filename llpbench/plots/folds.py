"""Folds of divisions on the map, and how far off the shares of each division are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llpbench.plots.geography import label_degrees, map_size, pack
from llpbench.plots.maps import ERRORS
from llpbench.style import DISTINCT, INK, new_figure, rim

if TYPE_CHECKING:
    import geopandas as gpd
    from matplotlib.figure import Figure


def draw_folds(divisions: gpd.GeoDataFrame, subject: str) -> Figure:
    """Draw the fold that each division is in, and the error of its shares when it was held out.

    Parameters
    ----------
    divisions : GeoDataFrame
        In degrees, with ``fold`` from 1 and ``mae``; NaN, which is hatched, where a division is
        not scored.
    subject : str
        What was cross-validated, for the title.
    """
    from matplotlib.colors import to_rgb

    wide, high = map_size(divisions.total_bounds)
    figure = new_figure(width=2 * wide + 2.2, height=high + 0.9)
    pack(figure, divisions.total_bounds)
    folds, errors = figure.subplots(1, 2, sharex=True, sharey=True)
    tints = 0.5 + 0.5 * np.array([to_rgb(colour) for colour in DISTINCT])
    colours = tints[(divisions["fold"].to_numpy() - 1) % len(tints)]
    edges = {"edgecolor": "white", "linewidth": 0.4}
    divisions.plot(ax=folds, color=colours, **edges)
    divisions.plot(
        column="mae",
        ax=errors,
        cmap=ERRORS,
        legend=True,
        vmin=0,
        legend_kwds={"shrink": 0.8, "aspect": 25, "label": "MAE of its shares (hatched: no score)"},
        missing_kwds={"facecolor": "#e4e4e4", "hatch": "////", "edgecolor": "#b0b0b0"},
        **edges,
    )
    figure.axes[-1].tick_params(labelsize=8)
    figure.axes[-1].yaxis.label.set_fontsize(9)
    whole = divisions[["fold", "geometry"]].dissolve("fold")
    for number, place in whole.representative_point().items():
        folds.text(
            place.x,
            place.y,
            str(number),
            ha="center",
            va="center",
            color=INK,
            path_effects=rim(2.5),
        )
    for axis, title in ((folds, "fold"), (errors, "error of its shares when held out")):
        axis.set_title(title, fontsize=10)
        whole.boundary.plot(ax=axis, color=INK, linewidth=0.8)
        label_degrees(axis)
    figure.suptitle(f"Folds of divisions · {subject}", fontsize=11)
    return figure
