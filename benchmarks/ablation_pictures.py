"""Pictures of what `ablation.py` wrote: what each part brings, and maps beside the truth.

Usage: python benchmarks/ablation_pictures.py FOLDER [--dataset demo-esaworldcover] [--out DOCS]

FOLDER is the one given to `ablation.py --out`. Writes, of the full method on one dataset, seed 0,
map.png and chips.png (beside others); what each part brings `ablation_page.py` draws.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from ablation import DATA, prediction_path
from ablation_variants import FULL
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from small_png import write_small

import llpbench
from llpbench import metrics
from llpbench.data.geometry import GEOGRAPHIC
from llpbench.data.labels import scored_labels
from llpbench.plots.captions import score_colours
from llpbench.plots.share_bar import draw_share_bar
from llpbench.protocol import SCORE_WINDOW
from llpbench.scoring.scores import Scores
from llpbench.style import (
    DISTINCT,
    INK,
    MUTED,
    draw_image,
    draw_labels,
    hatch_missing,
    new_figure,
    share_colours,
    strip,
)

SHOWN = {
    "local": "cells alone",
    "rounds-1": "1 round",
    FULL: "llpnet",
    "pixels": "labels of pixels",
}
QUANTILES = (0.3, 0.5, 0.7, 0.9)
PANELS = {"mae": "MAE", "f1_micro": "F1, micro"}


def main() -> None:
    """Draw all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dataset", default="demo-esaworldcover")
    parser.add_argument("--out", type=Path, default=DATA)
    chosen = parser.parse_args()
    folder = chosen.folder / chosen.dataset
    scores = {
        title: llpbench.evaluate(prediction_path(folder, name, 0), chosen.dataset)
        for name, title in SHOWN.items()
    }
    pictures = {
        "map": draw_maps(scores["llpnet"]),
        "chips": draw_chips(scores, scores["llpnet"]),
    }
    chosen.out.mkdir(parents=True, exist_ok=True)
    for name, figure in pictures.items():
        write_small(figure, chosen.out / f"{name}.png")


def draw_differences(tables: dict[str, pd.DataFrame]) -> Figure:
    """Each variant minus the full method, with 95 % intervals.

    A panel a metric, a row a variant, a colour a dataset, from tables of
    :func:`ablation.summarise`.
    """
    titles = next(iter(tables.values())).query("variant != @FULL")["title"].tolist()
    figure = new_figure(width=9.5, height=0.8 + 0.36 * len(titles))
    panels = figure.subplots(1, len(PANELS), sharey=True)
    for axis, (metric, name) in zip(panels, PANELS.items(), strict=True):
        for number, (dataset, table) in enumerate(tables.items()):
            rows = table.set_index("title").reindex(titles)
            middle, low, high = (rows[f"{metric}_difference{end}"] for end in ("", "_low", "_high"))
            places = np.arange(len(titles)) + 0.15 * (2 * number - len(tables) + 1)
            axis.errorbar(
                *(middle, places),
                xerr=[middle - low, high - middle],
                fmt="o",
                markersize=4,
                linewidth=1.2,
                color=DISTINCT[number],
                label=dataset,
            )
        axis.axvline(0, color=MUTED, linewidth=0.8)
        axis.set_xlabel(f"{name}, minus that of llpnet")
        axis.locator_params(axis="x", nbins=6)
        strip(axis)
    panels[0].set_yticks(range(len(titles)), titles)
    panels[0].invert_yaxis()
    panels[0].legend(frameon=False, fontsize=8)
    return figure


def draw_maps(scores: Scores) -> Figure:
    """True and predicted shares of every class in each chip of a split, by the first seed.

    A column a class; truth above, prediction below, all from 0, white, to 1.
    """
    assert scores.opened is not None
    chips = scores.first_seed()
    bounds = scores.opened["bounds"].sel(chip=chips.chip).to_numpy()
    frame = gpd.GeoDataFrame(geometry=shapely.box(*bounds.T), crs=GEOGRAPHIC)
    outlines = scores.opened.llp.divisions()
    figure = new_figure(width=2.3 * len(scores.categories), height=5.2)
    panels = figure.subplots(2, len(scores.categories), squeeze=False)
    for number, (category, colour) in enumerate(
        zip(scores.categories, score_colours(scores), strict=True)
    ):
        rows = [chips.truth[:, number], chips.predicted[:, number]]
        scale: dict[str, Any] = {"cmap": share_colours(colour), "vmin": 0, "vmax": 1}
        for axis, values in zip(panels[:, number], rows, strict=True):
            frame.plot(ax=axis, column=values, edgecolor="face", linewidth=0.2, **scale)
            outlines.boundary.plot(ax=axis, color=INK, linewidth=0.3)
            axis.set(xticks=[], yticks=[], xlabel="", ylabel="")
            hatch_missing(axis)
            axis.spines[:].set_visible(False)
        panels[0, number].set_title(category, fontsize=9)
    for axis, label in zip(panels[:, 0], ("truth", "llpnet"), strict=True):
        axis.set_ylabel(label, fontsize=10)
    span = 2.3 * len(scores.categories), 4.4
    draw_share_bar(panels.flat, scores.categories, score_colours(scores), span=span)
    return figure


def draw_chips(scores: Mapping[str, Scores], by: Scores) -> Figure:
    """Images, labels and segmentations of chips of small, middling and large error, a row a chip.

    The chips stand at quantiles of the error of ``by``; all scores have a segmentation.
    """
    assert by.opened is not None
    chips, colours = by.first_seed(), score_colours(by)
    errors = metrics.mae(chips.truth, chips.predicted, per="chip")
    part = by.opened.sel(chip=chips.chip[nearest_to_quantiles(errors)])
    images = part["image"].isel(y=SCORE_WINDOW, x=SCORE_WINDOW).to_numpy()
    labels = {"truth": scored_labels(part).to_numpy()}
    for title, one in scores.items():
        assert one.segmentation is not None
        labels[title] = one.segmentation.sel(chip=part["chip"]).to_numpy()
    figure = new_figure(width=1.55 * (1 + len(labels)), height=1.55 * len(images) + 0.5)
    panels = figure.subplots(len(images), 1 + len(labels), squeeze=False)
    for row, image in zip(range(len(images)), images, strict=True):
        draw_image(panels[row, 0], image)
        for axis, numbers in zip(panels[row, 1:], labels.values(), strict=True):
            draw_labels(axis, numbers[row], colours)
    for axis, title in zip(panels[0], ("image", *labels), strict=True):
        axis.set_title(title, fontsize=9)
    for axis, quantile in zip(panels[:, 0], QUANTILES, strict=True):
        axis.set_ylabel(f"{quantile:.0%} of chips\nerr less", fontsize=8, color=INK)
    named = zip(by.categories, colours, strict=True)
    figure.legend(
        handles=[Patch(color=colour, label=name) for name, colour in named],
        loc="outside lower center",
        ncols=len(colours),
        frameon=False,
        fontsize=8,
    )
    return figure


def nearest_to_quantiles(values: NDArray[np.floating]) -> NDArray[np.intp]:
    """Positions of the values at :data:`QUANTILES`."""
    order = np.argsort(values, kind="stable")
    return order[[round(quantile * (len(values) - 1)) for quantile in QUANTILES]]


if __name__ == "__main__":
    main()
