"""The picture of docs/orbit.md: errors of exported files against their bytes and their latency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from results_pictures import count, front, name_points

from llpbench.style import DISTINCT, INK, legend_below, new_figure, strip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COSTS = {"bytes": "bytes of the file", "latency_p50_ms": "ms a chip, one thread (median)"}
MARKS = {"none": "o", "dynamic": "s", "int8": "D", "int16x8": "^"}
FILLS = {"litert": ("full", "filled"), "onnx": ("none", "hollow"), "savedmodel": ("left", "half")}


def draw_pareto(table: pd.DataFrame, titles: Mapping[str, str]) -> Figure:
    """Draw the MAE of files against their bytes and their latency, a row of panels a dataset.

    Parameters
    ----------
    table : DataFrame
        Columns ``dataset``, ``method``, ``file_format``, ``quantize``, ``mae`` and those of
        :data:`COSTS`.
    titles : mapping of str to str
        What datasets are called; those without a row are left out.
    """
    shown = [name for name in titles if (table["dataset"] == name).any()]
    methods = list(table["method"].unique())
    colours = {name: DISTINCT[place % len(DISTINCT)] for place, name in enumerate(methods)}
    figure = new_figure(width=12.0, height=0.8 + 3.6 * len(shown))
    panels = figure.subplots(len(shown), len(COSTS), sharey="row", squeeze=False)
    for line, dataset in zip(panels, shown, strict=True):
        rows = table[table["dataset"] == dataset]
        for axis, (cost, name) in zip(line, COSTS.items(), strict=True):
            _draw_panel(axis, rows, cost, colours)
            axis.set_xlabel(name, fontsize=10)
        line[0].set_title(titles[dataset], fontsize=11, loc="left")
        line[0].set_ylabel("MAE of shares (lower is better)", fontsize=10)
    _name_marks(figure, table)
    return figure


def _draw_panel(axis: Axes, rows: pd.DataFrame, cost: str, colours: Mapping[str, str]) -> None:
    spent, errors = rows[cost].to_numpy(float), rows["mae"].to_numpy(float)
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(lambda value, _: count(value))
    axis.set_xlim(spent.min() / 2, spent.max() * 4)
    axis.set_ylim(0, 1.1 * errors.max())
    best = front(spent, errors, np.ones(len(rows), dtype=bool))
    axis.step(spent[best], errors[best], where="post", color=INK, alpha=0.4, linewidth=1)
    for place, (_, row) in enumerate(rows.iterrows()):
        colour = colours[row["method"]]
        axis.plot(
            *(spent[place], errors[place], MARKS[row["quantize"]]),
            fillstyle=FILLS[row["file_format"]][0],
            color=colour,
            markersize=6,
            zorder=3,
        )
    strip(axis)
    axis.tick_params(labelsize=9)
    named = _best_of_each(rows, cost)
    name_points(axis, spent, errors, dict(zip(named, rows["method"].iloc[named], strict=True)))


def _best_of_each(rows: pd.DataFrame, cost: str) -> list[int]:
    """Positions of the file of each method that errs least, the cheapest of equals."""
    order = np.lexsort((rows[cost].to_numpy(float), rows["mae"].to_numpy(float)))
    methods = rows["method"].to_numpy()
    return [int(place) for place in order if place == order[methods[order] == methods[place]][0]]


def _name_marks(figure: Figure, table: pd.DataFrame) -> None:
    """Explain the marks and fills that are there."""
    from matplotlib.lines import Line2D

    def handle(mark: str, fill: str, label: str) -> Line2D:
        return Line2D(*([], []), marker=mark, fillstyle=fill, linestyle="", color=INK, label=label)

    numbers = [name for name in MARKS if (table["quantize"] == name).any()]
    formats = [name for name in FILLS if (table["file_format"] == name).any()]
    handles = [handle(MARKS[name], "full", name) for name in numbers]
    handles += [handle("o", FILLS[name][0], f"{name} ({FILLS[name][1]})") for name in formats]
    legend_below(figure, handles, columns=len(handles))
