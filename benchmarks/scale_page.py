"""Tables and picture of docs/scale.md, from what scale.py measured.

Usage: python scale_page.py [JSON [PAGE]]: docs/scale/costs.json and docs/scale.md by default. The
picture is written beside JSON.

A power law is laid through the CPU seconds of each step by least squares of their logarithms. The
extrapolation begins at the largest size; an exponent below 1 is what a process costs before its
first chip, so it is taken for 1 there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from results_pictures import count
from scale import DATA, STEPS, read
from small_png import write_small

from llpbench.data.store.layout import BLOCK
from llpbench.markdown import markdown_table, replace_between
from llpbench.style import DISTINCT, new_figure, strip

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LARGE = (1e6, 1e7, 1e8)
"""Chips: a country, a large one, a continent."""
BEGIN, END = "<!-- tables of scale_page.py -->", "<!-- end of the tables -->"
PIXELS = 30_000
"""Bytes of a chip's image before it is compressed."""


def fit(rows: pd.DataFrame) -> tuple[float, float]:
    """Exponent of CPU seconds over chips, and those a chip at the largest size.

    Examples
    --------
    >>> fit(pd.DataFrame({"chips": [10, 100], "cpu_s": [1.0, 100.0]}))
    (2.0, 1.0)
    """
    rows = rows.sort_values("chips")
    last = rows.iloc[-1]
    slope = 1.0
    if len(rows) > 1:
        slope = np.polyfit(np.log(rows["chips"]), np.log(rows["cpu_s"]), 1)[0]
    return round(float(slope), 6), float(last["cpu_s"] / last["chips"])


def core_hours(rows: pd.DataFrame, chips: float) -> float:
    """What a step would cost for so many chips, by its power law."""
    exponent, each = fit(rows)
    return each * chips * (chips / rows["chips"].max()) ** max(exponent - 1, 0) / 3600


def steps(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Rows of each step that was measured, in the order of the steps."""
    return {step: rows for step in STEPS if len(rows := table[table["step"] == step])}


def costs(table: pd.DataFrame) -> str:
    """Write what was measured: chips a CPU second at each size, exponent, bytes, memory."""
    sizes = sorted(table["chips"].unique())
    heads = ["step", *(f"{size:,} chips" for size in sizes), "exponent", "bytes a chip", "memory"]
    rows = []
    for step, found in steps(table).items():
        speeds = {row.chips: f"{row.chips / row.cpu_s:,.0f}" for row in found.itertuples()}
        largest = found.loc[found["chips"].idxmax()]
        written = f"{largest['bytes'] / largest['chips']:,.0f}" if largest["bytes"] else ""
        exponent = f"{fit(found)[0]:.2f}" if len(found) > 1 else ""
        rows.append(
            [
                step,
                *(speeds.get(size, "") for size in sizes),
                exponent,
                written,
                f"{largest['peak_mb']:,.0f} MB",
            ]
        )
    return markdown_table(heads, rows)


def extrapolated(table: pd.DataFrame) -> str:
    """Write core hours at each large size."""
    heads = ["step", *(f"{size:,.0f} chips" for size in LARGE)]
    rows = [
        [step, *(f"{core_hours(found, size):,.1f}" for size in LARGE)]
        for step, found in steps(table).items()
    ]
    return markdown_table(heads, rows)


def stored(table: pd.DataFrame) -> str:
    """Write storage and requests: objects of a store, and reads of all its images."""
    made = steps(table)["import"]
    largest = made.loc[made["chips"].idxmax()]
    each = largest["bytes"] / largest["chips"]
    objects = largest["files"] / largest["chips"]
    reads = (1 + -(-BLOCK * PIXELS // 2**20)) / BLOCK  # the index of a shard, and its chunks
    heads = ["", *(f"{size:,.0f} chips" for size in LARGE)]
    rows = [
        ["store", *(f"{size * each / 1e12:,.3g} TB" for size in LARGE)],
        ["objects written", *(f"{size * objects:,.0f}" for size in LARGE)],
        ["reads of all images", *(f"{size * reads:,.0f}" for size in LARGE)],
    ]
    return markdown_table(heads, rows)


def draw(table: pd.DataFrame) -> Figure:
    """Draw CPU seconds of each step over chips, and its power law up to the largest size."""
    figure = new_figure(width=7.0, height=4.6)
    axis = figure.subplots()
    for place, (step, rows) in enumerate(steps(table).items()):
        colour = DISTINCT[place % len(DISTINCT)]
        axis.plot(rows["chips"], rows["cpu_s"], "o", color=colour, label=step)
        sizes = np.geomspace(rows["chips"].max(), LARGE[-1], 20)
        hours = [3600 * core_hours(rows, size) for size in sizes]
        axis.plot(sizes, hours, "--", color=colour, linewidth=1)
    axis.set(xscale="log", yscale="log", xlabel="chips", ylabel="CPU seconds")
    axis.legend(fontsize=8, frameon=False)
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_formatter(lambda value, _: count(value))
    strip(axis)
    return figure


def main(data: Path = DATA, page: Path | None = None) -> None:
    """Write tables and picture."""
    page = page or data.parent.with_suffix(".md")
    table = pd.DataFrame(read(data))
    parts = [
        "Chips a CPU second:\n",
        costs(table),
        "\nCore hours, by the power laws:\n",
        extrapolated(table),
        "\nStorage and requests:\n",
        stored(table),
    ]
    if not replace_between(page, BEGIN, END, "\n".join(parts)):
        sys.exit(f"{page} has no marks {BEGIN} and {END}")
    write_small(draw(table), data.parent / "costs.png", dpi=130)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
