"""Error against the coarseness of supervision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llpbench.style import DISTINCT, new_figure, strip

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_MARKS = "osD^vXP"
_LINES = {"merge": "-", "random": ":"}
_WAYS = {"merge": "neighbours merged", "random": "random bags"}


def draw_coarseness(table: pd.DataFrame, title: str) -> Figure:
    """Draw the error of each method against how many chips a division has.

    A line a method and way of :func:`llpbench.running.coarseness.coarseness`, with 95 % intervals
    over test divisions.
    """
    figure = new_figure(width=7.0, height=4.2)
    axis = figure.subplots()
    numbers = {name: number for number, name in enumerate(table["method"].unique())}
    several = table["way"].nunique() > 1
    for (method, way), line in table.groupby(["method", "way"], sort=False):
        number = numbers[str(method)]
        colour = DISTINCT[number % len(DISTINCT)]
        label = f"{method}, {_WAYS[str(way)]}" if several else str(method)
        axis.fill_between(line["chips"], line["low"], line["high"], color=colour, alpha=0.12, lw=0)
        axis.plot(
            *(line["chips"], line["mae"], _LINES[str(way)]),
            marker=_MARKS[number % len(_MARKS)],
            markersize=4,
            color=colour,
            label=label,
        )
    chips = sorted(table["chips"].unique())
    axis.set_xscale("log", base=2)
    axis.set_xticks(chips, [f"{number:.0f}" for number in chips])
    axis.xaxis.minorticks_off()
    axis.set_xlabel("chips that a training division owns, on average")
    axis.set_ylabel("MAE on the test split (lower is better)")
    axis.set_title(title, fontsize=11)
    strip(axis)
    axis.legend(frameon=False, fontsize=8)
    return figure
