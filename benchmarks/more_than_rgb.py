"""What bands beyond red, green and blue bring on synthetic regions: errors, and pictures of chips.

Usage: python benchmarks/more_than_rgb.py [--chips 2000] [--out docs/howto/more-than-rgb]

The same land four times: red, green and blue; with near infrared; in ten bands; as an embedding
alone. Each run adds a row to results.csv, and what stands there is not run again: remove it to
measure anew. Writes errors.png of what it holds, and chips.png.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from small_png import write_small

import llpbench
from llpbench.data.imagery import EMBEDDING, IMAGE
from llpbench.data.labels import scored_labels
from llpbench.data.picture import picture
from llpbench.plots.samples import choose_samples
from llpbench.protocol import SCORE_WINDOW
from llpbench.style import (
    DISTINCT,
    category_colours,
    draw_image,
    draw_labels,
    legend_below,
    new_figure,
    strip,
)

LAYOUTS = {"RGB": (3, 0), "4 bands": (4, 0), "10 bands": (10, 0), "embedding": (0, 64)}
"""Bands of the image and features of the embedding."""
METHODS = {"bag-ridge": 2, "embedding-ridge": 2, "llpnet": 1}
"""How many regions each is trained on."""
SHOWN = {
    "red, green, blue": ("red", "green", "blue"),
    "nir, red, green": ("nir", "red", "green"),
    "swir16, nir, red": ("swir16", "nir", "red"),
}
CHIPS, PICTURED = 4, 400
"""Chips in the picture, and in the region that they are of."""


def main() -> None:
    """Run what is missing, and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chips", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=Path("docs/howto/more-than-rgb"))
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    results = chosen.out / "results.csv"
    for method, regions in METHODS.items():
        for seed in range(regions):
            for layout in layouts(method):
                measure(results, method, layout, chosen.chips, seed)
    write_small(draw_errors(pd.read_csv(results)), chosen.out / "errors.png")
    region = open_region("every", (10, 64), PICTURED, 0)
    write_small(draw_chips(region), chosen.out / "chips.png")


def layouts(method: str) -> list[str]:
    """What a method can be trained on."""
    return ["embedding"] if method.startswith("embedding") else list(LAYOUTS)


def open_region(name: str, sizes: tuple[int, int], chips: int, seed: int) -> xr.Dataset:
    """Open a synthetic region, made if it is not there."""
    name = f"{name.replace(' ', '-')}-{chips}-{seed}"
    try:
        return llpbench.open_dataset(name)
    except llpbench.errors.UnknownNameError:
        bands, embedding = sizes
        llpbench.synthesize(
            name, "esaworldcover", chips=chips, seed=seed, bands=bands, embedding=embedding
        )
        return llpbench.open_dataset(name)


def measure(results: Path, method: str, layout: str, chips: int, seed: int) -> None:
    """Run a method on a layout of a region unless that was done, and keep its error on test."""
    run = {"method": method, "layout": layout, "chips": str(chips), "seed": str(seed)}
    done = list(csv.DictReader(results.open())) if results.exists() else []
    if any(run.items() <= row.items() for row in done):
        return
    ds = open_region(layout, LAYOUTS[layout], chips, seed)
    with tempfile.TemporaryDirectory() as folder:
        scores = llpbench.run_method(method, ds, seed=seed, out=Path(folder) / "run").scores
    assert scores is not None
    mae = scores.score("mae").rounded(4)
    row = {**run, "mae": mae.value, "low": mae.low, "high": mae.high}
    with results.open("a", newline="") as file:
        writer = csv.DictWriter(file, row, lineterminator="\n")
        if not done:
            writer.writeheader()
        writer.writerow(row)
    print(*row.values(), flush=True)


def draw_errors(table: pd.DataFrame) -> Figure:
    """Error of each method with each layout, a panel a method, a colour a region."""
    widths = [len(layouts(method)) for method in METHODS]
    figure = new_figure(width=9.5, height=3.2)
    panels = figure.subplots(1, len(METHODS), sharey=True, width_ratios=widths)
    for axis, method in zip(panels, METHODS, strict=True):
        shown = layouts(method)
        for seed, rows in table[table["method"] == method].groupby("seed"):
            rows = rows.set_index("layout").reindex(shown)
            axis.errorbar(
                [number + 0.2 * (seed - 0.5) for number in range(len(shown))],
                rows["mae"],
                yerr=[rows["mae"] - rows["low"], rows["high"] - rows["mae"]],
                fmt="o",
                markersize=4,
                linewidth=1.2,
                color=DISTINCT[seed],
                label=f"region of seed {seed}",
            )
        axis.set_xticks(range(len(shown)), [name.replace(" ", "\n") for name in shown])
        axis.set_xlim(-0.5, len(shown) - 0.5)
        axis.set_title(method, fontsize=9)
        strip(axis)
    panels[0].set_ylim(0)
    panels[0].set_ylabel("MAE of test chips, 95 %")
    panels[-1].legend(*panels[0].get_legend_handles_labels(), frameon=False, fontsize=8)
    return figure


def draw_chips(region: xr.Dataset) -> Figure:
    """Chips in three choices of bands and as components of their cells, beside their labels."""
    test = region.llp.group().llp.split("test")
    part = test.isel(chip=choose_samples(test["chip_proportions"].to_numpy())[:CHIPS])
    columns = {
        title: picture(part[IMAGE], bands)[:, SCORE_WINDOW, SCORE_WINDOW]
        for title, bands in SHOWN.items()
    }
    columns["embedding"] = picture(part[EMBEDDING])
    figure = new_figure(width=1.7 * (len(columns) + 1), height=1.7 * CHIPS + 0.3)
    panels = figure.subplots(CHIPS, len(columns) + 1)
    colours = category_colours(part)
    for row, labels in zip(range(CHIPS), scored_labels(part).to_numpy(), strict=True):
        for axis, pictures in zip(panels[row], columns.values(), strict=False):
            draw_image(axis, pictures[row])
        draw_labels(panels[row, -1], labels, colours)
    for axis, title in zip(panels[0], (*columns, "labels"), strict=True):
        axis.set_title(title, fontsize=9)
    names = part["category_name"].to_numpy()
    patches = [Patch(color=colour, label=name) for name, colour in zip(names, colours, strict=True)]
    legend_below(figure, patches, columns=len(patches))
    return figure


if __name__ == "__main__":
    main()
