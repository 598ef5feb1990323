"""Pictures of docs/orbit.md: errors of files, of training on board, and over two seasons."""

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
FLOAT = "float32"
"""What files compute with that are not quantised."""
FILLS = {"litert": ("full", "filled"), "onnx": ("none", "hollow"), "savedmodel": ("left", "half")}

COURSES = {
    "number": ("passes", 1),
    "uplinked_labels": ("label proportions sent up (bytes)", 1),
    "downlinked_model": ("models sent down, together (kB)", 1e3),
    "cpu_seconds": ("processor seconds of training", 1),
}
"""Columns of curves.csv against which errors are drawn, what they are, and their units."""
MODELS = {
    "unchanged": ("as it was after the first season", "--"),
    "updated": ("updated with what came", "o-"),
    "alone": ("of the further season alone", "o-"),
}


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
    handles = [handle(MARKS[name], "full", name.replace("none", FLOAT)) for name in numbers]
    handles += [handle("o", FILLS[name][0], f"{name} ({FILLS[name][1]})") for name in formats]
    legend_below(figure, handles, columns=len(handles))


def draw_curves(table: pd.DataFrame) -> Figure:
    """Draw the error after each pass against what it took, a row of panels a dataset.

    Parameters
    ----------
    table : DataFrame
        Columns ``dataset``, ``method``, ``mae`` and those of :data:`COURSES`.
    """
    from matplotlib.ticker import MaxNLocator

    shown, methods = (list(table[name].unique()) for name in ("dataset", "method"))
    figure = new_figure(width=12.0, height=0.8 + 2.8 * len(shown))
    panels = figure.subplots(len(shown), len(COURSES), sharey="row", squeeze=False)
    for line, dataset in zip(panels, shown, strict=True):
        part = table[table["dataset"] == dataset]
        for axis, (name, (label, unit)) in zip(line, COURSES.items(), strict=True):
            for method, rows in part.groupby("method", sort=False):
                colour = DISTINCT[methods.index(method)]
                look = {"marker": "o", "markersize": 3.5, "lw": 1.2, "label": method}
                axis.plot(rows[name] / unit, rows["mae"], color=colour, **look)
            axis.set_xlabel(label, fontsize=9)
            axis.set_xlim(left=0)
            strip(axis)
        line[0].xaxis.set_major_locator(MaxNLocator(integer=True))
        line[0].set_ylim(0, 1.08 * part["mae"].max())
        line[0].set_ylabel("MAE of val divisions", fontsize=9)
        line[0].set_title(dataset, fontsize=11, loc="left")
    found = [axis.get_legend_handles_labels() for axis in panels[:, 0]]
    handles = {name: handle for pair in found for handle, name in zip(*pair, strict=True)}
    legend_below(figure, list(handles.values()), columns=len(handles))
    return figure


def draw_seasons(table: pd.DataFrame) -> Figure:
    """Draw the error of a further season against its passes, a panel for each that came.

    Parameters
    ----------
    table : DataFrame
        Of drift.csv.
    """
    from matplotlib.ticker import MaxNLocator

    courses = list(table.groupby(["dataset", "then", "method"], sort=False))
    figure = new_figure(width=1.0 + 4.5 * len(courses), height=3.9)
    axes = figure.subplots(1, len(courses), squeeze=False)[0]
    for axis, ((dataset, then, method), rows) in zip(axes, courses, strict=True):
        for colour, (name, (label, look)) in zip(DISTINCT, MODELS.items(), strict=False):
            axis.plot(rows["number"], rows[name], look, color=colour, label=label, markersize=4)
        axis.set_title(f"{method}: {dataset}, then {then}", fontsize=9, loc="left")
        axis.set_xlabel("passes of the further season", fontsize=9)
        axis.set_ylabel("MAE of its val divisions", fontsize=9)
        axis.set_ylim(0, 1.08 * rows[list(MODELS)].max(axis=None))
        axis.set_xlim(left=0)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        strip(axis)
    legend_below(figure, axes[0].get_legend_handles_labels()[0], columns=len(MODELS))
    return figure
