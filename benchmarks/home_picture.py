"""The picture of README and home page: image, known shares, predicted map of the synthetic demo.

Usage: python benchmarks/home_picture.py MAP OUT.png

MAP is the `.tif` that `llpbench map` wrote of a run on demo-esaworldcover; `make home-picture`
does all of it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.windows import Window
from small_png import write_small

import llpbench
from llpbench.maps.cells import find_cells
from llpbench.protocol import CHIP_SIZE
from llpbench.style import BRIGHTENING, INK, category_colours, new_figure

DATASET = "demo-esaworldcover"
ROW, COLUMN, SIDE = 16, 12, 18
"""Of the part that is shown, in chips of 1 km."""
TITLES = (
    "a satellite sees this\n(a synthetic region)",
    "an office knows how much of each class\na municipality has, not where",
    "llpnet learns from these two\nand maps cells of 40 m",
)


def main(path: Path, out: Path) -> None:
    """Draw the three side by side."""
    task = llpbench.open_dataset(DATASET).llp.group()
    names = task["category_name"].to_numpy().tolist()
    window = Window(*(CHIP_SIZE * number for number in (COLUMN, ROW, SIDE, SIDE)))
    with rasterio.open(path.with_name(f"{path.stem}-classes.tif")) as file:
        predicted, place = file.read(1, window=window), file.window_transform(window)
        extent = rasterio.transform.array_bounds(*predicted.shape, place)
    divisions = gpd.read_parquet(path.with_name(f"{path.stem}-divisions.parquet"))
    colours = category_colours(task)
    figure = new_figure(width=12.6, height=5.0)
    panels = figure.subplots(1, 3)
    show: dict[str, Any] = {"interpolation": "nearest", "extent": (*extent[::2], *extent[1::2])}
    panels[0].imshow(_image(task), **show)
    for axis, classes in zip(
        panels[1:], (_bands(divisions, names, predicted.shape, place), predicted), strict=True
    ):
        scale = {"cmap": ListedColormap(colours), "vmin": -0.5, "vmax": len(colours) - 0.5}
        axis.imshow(np.ma.masked_greater_equal(classes, len(colours)), **scale, **show)
    for axis, title in zip(panels, TITLES, strict=True):
        _finish(axis, divisions, show["extent"], title)
    _add_scale(panels[0], extent)
    patches = [Patch(color=colour, label=name) for name, colour in zip(names, colours, strict=True)]
    place_below: dict[str, Any] = {"loc": "outside lower center", "ncols": len(names)}
    figure.legend(handles=patches, frameon=False, fontsize=13, **place_below)
    out.parent.mkdir(exist_ok=True)
    write_small(figure, out, dpi=110)


def _image(task: Any) -> NDArray[np.float64]:
    """The chips of the part that is shown, side by side, brightened: (y, x, 3) from 0 to 1."""
    cells = find_cells(task)
    rows, columns = cells.rows - ROW, cells.columns - COLUMN
    inside = np.flatnonzero((rows >= 0) & (rows < SIDE) & (columns >= 0) & (columns < SIDE))
    mosaic = np.full((SIDE, CHIP_SIZE, SIDE, CHIP_SIZE, 3), 255 / BRIGHTENING)
    chips = task["image"].isel(chip=inside).to_numpy()
    mosaic[rows[inside], :, columns[inside]] = chips
    side = SIDE * CHIP_SIZE
    return np.clip(mosaic.reshape(side, side, 3) * (BRIGHTENING / 255), 0, 1)


def _bands(
    divisions: gpd.GeoDataFrame, names: list[str], shape: tuple[int, ...], place: Any
) -> NDArray[np.uint8]:
    """Fill each division from north to south with its classes, each as much as its known share."""
    owner = rasterize(
        zip(divisions.geometry, range(len(divisions)), strict=True), shape, -1, transform=place
    )
    known = divisions[[f"known_{name}" for name in names]].to_numpy()
    classes = np.full(shape, 255, np.uint8)
    for number in np.unique(owner[owner >= 0]):
        rows, columns = np.nonzero(owner == number)  # from north to south
        depth = (np.arange(len(rows)) + 0.5) / len(rows)
        ends = np.cumsum(known[number]) / known[number].sum()
        classes[rows, columns] = np.searchsorted(ends, depth).clip(max=len(names) - 1)
    return classes


def _finish(axis: Axes, divisions: gpd.GeoDataFrame, extent: Any, title: str) -> None:
    divisions.boundary.plot(ax=axis, color="white", linewidth=2.0)
    divisions.boundary.plot(ax=axis, color=INK, linewidth=0.9)
    axis.set(xlim=extent[:2], ylim=extent[2:], xticks=[], yticks=[], xlabel="", ylabel="")
    axis.set_title(title, fontsize=13)
    axis.spines[:].set_visible(False)


def _add_scale(axis: Axes, extent: tuple[float, ...]) -> None:
    west, south = extent[0] + 500, extent[1] + 700
    axis.plot([west, west + 5000], [south, south], color="white", linewidth=6)
    axis.plot([west, west + 5000], [south, south], color=INK, linewidth=3)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    axis.text(west, south + 500, "5 km", fontsize=10, color=INK, bbox=box)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
