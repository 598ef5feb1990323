"""Pictures of docs/results.md: errors on all datasets, and errors against costs on each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from comparison_pictures import show_points

from llpbench.plots.results import KINDS
from llpbench.style import INK, MUTED, legend_below, new_figure, strip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {name: KINDS[name][0] for name in ("inductive", "disaggregation")}
COLOURS["not ranked"] = KINDS["reference"][0]
SHOWN_AS = {
    "inductive": "inductive",
    "disaggregation": "disaggregation: is shown the shares of test divisions",
    "not ranked": "not ranked: floor and bounds",
}
COSTS = {"cpu_seconds": "CPU seconds, prediction included", "parameters": "learned weights"}
SIDES = tuple((side * 7, up) for up in (0, 10, -10, 20, -20, 30, -30, 40) for side in (1, -1))
"""Where a name may stand beside its point, in points: to the right, and up."""
LEAST = 0.05
"""What no time at all is drawn as, in seconds, on an axis of powers of ten."""


def draw_overview(table: pd.DataFrame, titles: Mapping[str, str]) -> Figure:
    """Draw the MAE of every method on every dataset, with its interval.

    Methods stand in the order of their mean skill, 1 - MAE / MAE of the train mean, which is
    comparable across datasets.
    """
    order = _skills(table).groupby(table["method"]).mean().sort_values(ascending=False).index
    figure = new_figure(width=12.0, height=1.5 + 0.31 * len(order))
    panels = figure.subplots(1, len(titles), sharey=True)
    places = {method: number for number, method in enumerate(order)}
    for axis, (dataset, title) in zip(panels, titles.items(), strict=True):
        rows = table[table["dataset"] == dataset]
        axis.axvline(_floor(rows), color=MUTED, linewidth=1.0, linestyle="--")
        for _, row in rows.iterrows():
            place, colour = places[row["method"]], COLOURS[row["kind"]]
            if pd.notna(row["low"]):
                axis.hlines(place, row["low"], row["high"], color=colour, linewidth=2)
            axis.plot(row["mae"], place, "o", markersize=5, color=colour)
        axis.set_title(title.replace(" (", "\n(").replace(", ", ",\n"), fontsize=11)
        axis.set_xlabel("MAE of shares", fontsize=10)
        show_points(axis, rows["mae"])
        axis.grid(axis="y", color="#dddddd", linewidth=0.6)
        axis.set_axisbelow(True)
        strip(axis)
    panels[0].set_yticks(range(len(order)), order, fontsize=10)
    panels[0].set_ylim(len(order) - 0.4, -0.6)
    _name_kinds(figure)
    return figure


def draw_costs(rows: pd.DataFrame, title: str) -> Figure:
    """Draw the MAE of methods on one dataset against what they cost, on axes of powers of ten.

    A line joins the ranked methods of the inductive track that none beats in both.
    """
    figure = new_figure(width=12.0, height=6.0)
    for axis, (cost, name) in zip(figure.subplots(1, 2, sharey=True), COSTS.items(), strict=True):
        spent = rows[cost].clip(lower=LEAST).to_numpy()
        errors = rows["mae"].to_numpy()
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter(lambda value, _: count(value))
        for order, kind in enumerate(("not ranked", "disaggregation", "inductive")):
            here = (rows["kind"] == kind).to_numpy()  # what is ranked is never hidden under bounds
            axis.scatter(spent[here], errors[here], s=34, c=COLOURS[kind], zorder=3 + order / 3)
        axis.set_ylim(0.6 * errors.min(), 1.08 * errors.max())
        axis.set_xlim(spent.min() / 2, spent.max() * 12)
        best = front(spent, errors, (rows["kind"] == "inductive").to_numpy())
        axis.step(spent[best], errors[best], where="post", color=COLOURS["inductive"], alpha=0.5)
        axis.set_xlabel(name, fontsize=10)
        strip(axis)
        axis.tick_params(labelsize=9)
        name_points(axis, spent, errors, dict(enumerate(rows["method"])))
    figure.axes[0].set_ylabel("MAE of shares (lower is better)", fontsize=10)
    figure.suptitle(title, fontsize=12)
    _name_kinds(figure)
    return figure


def count(value: float) -> str:
    """Write a mark of an axis of powers of ten: 0.1, 1,000, 10 k, 1 M."""
    for size, unit in ((1e6, " M"), (1e4, " k")):
        if value >= size:
            return f"{value / (1e3 if unit == ' k' else size):g}{unit}"
    return f"{value:,.10g}"


def _skills(table: pd.DataFrame) -> pd.Series:
    floors = {dataset: _floor(rows) for dataset, rows in table.groupby("dataset")}
    return 1 - table["mae"] / table["dataset"].map(floors)


def _floor(rows: pd.DataFrame) -> float:
    """MAE of the train mean."""
    floor: float = rows.loc[rows["method"] == "train-mean", "mae"].iloc[0]
    return floor


def front(spent: np.ndarray, errors: np.ndarray, ranked: np.ndarray) -> list[int]:
    """Positions of those ranked that none beats in cost and error, by their cost."""
    best: list[int] = []
    for number in np.lexsort((errors, spent)):
        if ranked[number] and (not best or errors[number] < errors[best[-1]]):
            best.append(int(number))
    return best


def name_points(axis: Axes, x: np.ndarray, y: np.ndarray, names: Mapping[int, str]) -> None:
    """Write names beside points, by their positions, on the first side where there is room."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.patheffects import withStroke
    from matplotlib.text import Text

    canvas = FigureCanvasAgg(axis.figure)
    canvas.draw()  # lays the axes out: from here on places in pixels are known
    renderer = canvas.get_renderer()
    points = axis.transData.transform(np.column_stack([x, y]))
    taken = [(a - 6, b - 6, a + 6, b + 6) for a, b in points]
    for number in sorted(names, key=lambda place: y[place]):
        for right, up in SIDES:
            text = axis.annotate(
                names[number],
                (x[number], y[number]),
                xytext=(right, up),
                textcoords="offset points",
                fontsize=9,
                color=INK,
                va="center",
                ha="left" if right > 0 else "right",
                arrowprops={"arrowstyle": "-", "color": MUTED, "linewidth": 0.7} if up else None,
                path_effects=[withStroke(linewidth=2.5, foreground="white")],
                zorder=4,
            )
            text.update_positions(renderer)
            box = Text.get_window_extent(text, renderer)  # without its line
            inside = box.x0 >= axis.bbox.x0 and box.x1 <= axis.bbox.x1 + 30
            if inside and not any(_overlap(box.extents, other) for other in taken):
                break
            if (right, up) != SIDES[-1]:
                text.remove()
        taken.append(tuple(box.extents))


def _overlap(one: np.ndarray, other: tuple[float, ...]) -> bool:
    return bool(one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3])


def _name_kinds(figure: Figure) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], marker="o", linestyle="", color=COLOURS[kind], label=name)
        for kind, name in SHOWN_AS.items()
    ]
    legend_below(figure, handles, columns=len(handles))
