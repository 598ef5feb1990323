"""Pictures of docs/comparison.md: errors on both kinds of bags, and what rankings keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
from comparison_tables import BOUND

from llpbench.style import DISTINCT, INK, MUTED, legend_below, new_figure, strip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAGS = {"random": (DISTINCT[1], "random bags"), "real": (DISTINCT[0], "real divisions")}
"""Colour and name of each kind."""
PAIRS = {
    "same": (DISTINCT[0], "the same order"),
    "open": ("#dddddd", "not told apart"),
    "reversed": (DISTINCT[3], "the other order"),
}
"""What pairs told apart on random bags are on real divisions."""


def draw_errors(table: pd.DataFrame, titles: Mapping[str, str]) -> Figure:
    """Draw the MAE of every method on both kinds of bags, with intervals; a panel a dataset.

    Methods stand in the order of their mean rank on real divisions; a dashed line is the bound.
    """
    real = table[(table["bags"] == "real") & (table["method"] != BOUND)]
    ranks = real.groupby("dataset")["mae"].rank()
    order = ranks.groupby(real["method"]).mean().sort_values().index
    places = {method: place for place, method in enumerate(order)}
    figure = new_figure(width=12.5, height=1.6 + 0.34 * len(order))
    panels = figure.subplots(1, len(titles), sharey=True, squeeze=False)[0]
    for axis, (dataset, title) in zip(panels, titles.items(), strict=True):
        rows = table[table["dataset"] == dataset]
        for side, (bags, (colour, _said)) in zip((-0.13, 0.13), BAGS.items(), strict=True):
            shown = rows[(rows["bags"] == bags) & rows["method"].isin(order)]
            at = shown["method"].map(places) + side
            known = shown["low"].notna()
            limits = (shown["low"][known], shown["high"][known])
            axis.hlines(at[known], *limits, color=colour, linewidth=2)
            axis.plot(shown["mae"], at, "o", markersize=4.5, color=colour)
        for bound in rows.loc[rows["method"] == BOUND, "mae"]:
            axis.axvline(bound, color=MUTED, linewidth=1.0, linestyle="--")
        axis.set_title(title.replace(" (", "\n(").replace(", ", ",\n"), fontsize=10)
        axis.set_xlabel("MAE of shares", fontsize=9)
        show_points(axis, rows["mae"])
        axis.locator_params(axis="x", nbins=4, prune="upper")
        axis.tick_params(labelsize=9)
        axis.grid(axis="y", color="#eeeeee", linewidth=0.6)
        axis.set_axisbelow(True)
        strip(axis)
    panels[0].set_yticks(range(len(order)), order, fontsize=9)
    panels[0].set_ylim(len(order) - 0.4, -0.6)
    name_kinds(figure, BAGS)
    return figure


def show_points(axis: Axes, errors: pd.Series[float]) -> None:
    """From 0 on, all points; an interval many times as long as others may end outside."""
    axis.set_xlim(0, min(axis.get_xlim()[1], 1.6 * errors.max()))


def draw_rankings(rankings: pd.DataFrame, titles: Mapping[str, str]) -> Figure:
    """Draw the rank correlation of both kinds of bags, and what became of pairs told apart."""
    figure = new_figure(width=10.0, height=1.5 + 0.42 * len(rankings))
    left, right = figure.subplots(1, 2, sharey=True)
    places = range(len(rankings))
    known = rankings["correlation_low"].notna().to_numpy()
    limits = rankings.loc[known, ["correlation_low", "correlation_high"]].to_numpy().T
    left.hlines([at for at in places if known[at]], *limits, color=INK, linewidth=2)
    left.plot(rankings["correlation"], places, "o", markersize=6, color=INK)
    lowest = rankings[["correlation", "correlation_low"]].min(axis=None)
    left.set_xlim(min(0.0, float(lowest)) - 0.05, 1.05)
    left.set_xlabel("rank correlation of methods (Spearman)", fontsize=10)
    left.set_yticks(places, rankings["dataset"].map(titles))
    left.set_ylim(len(rankings) - 0.4, -0.6)
    start = pd.Series(0, index=rankings.index)
    for kind, (colour, _said) in PAIRS.items():
        right.barh(places, rankings[kind], left=start, height=0.55, color=colour)
        start = start + rankings[kind]
    right.set_xlabel("pairs of methods told apart on random bags", fontsize=10)
    right.xaxis.get_major_locator().set_params(integer=True)
    for axis in (left, right):
        axis.tick_params(labelsize=9)
        strip(axis)
    name_kinds(figure, PAIRS)
    return figure


def name_kinds(figure: Figure, names: Mapping[str, tuple[str, str]]) -> None:
    """Say below the figure what its colours are."""
    from matplotlib.patches import Patch

    handles = [Patch(color=colour, label=name) for colour, name in names.values()]
    legend_below(figure, handles, columns=len(handles))
