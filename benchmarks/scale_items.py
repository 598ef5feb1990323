"""A made country as a search of a catalogue would find it: COGs of three days, divisions, shares.

Usage: python scale_items.py FOLDER CHIPS. Pixels repeat, so that files are small; every tenth pixel
is under a cloud. Writes items.json, divisions.geojson and shares.csv.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray
from pyproj import Transformer

from llpbench import catalog
from llpbench.data.building import Recipe

CRS, WEST, NORTH = "EPSG:32631", 400_000.0, 5_700_000.0
LABELS = "esaworldcover"
TILE = 28
"""Chips along a side of an item: 10^5 chips of three days are about 400 items."""
DAYS = ("2023-05-01", "2023-06-01", "2023-07-01")
DIVISION = 10
"""Chips along a side of a division."""


def make_items(folder: Path, chips: int) -> Recipe:
    """Make files of about so many chips, if they are not there; what to build of them."""
    recipe = Recipe(
        items=str(folder / "items.json"),
        clouds=True,
        divisions=folder / "divisions.geojson",
        shares=folder / "shares.csv",
        legend=LABELS,
        max_missing=0.1,
    )
    if not (folder / "shares.csv").exists():
        folder.mkdir(parents=True, exist_ok=True)
        side = math.ceil(math.sqrt(chips))
        items = list(_items(folder, side))
        (folder / "items.json").write_text(
            json.dumps({"type": "FeatureCollection", "features": items})
        )
        _write_divisions(folder, side)
    return recipe


def _items(folder: Path, side: int) -> Iterator[dict[str, Any]]:
    tiles = range(math.ceil(side / TILE))
    for row, column, day in ((r, c, d) for r in tiles for c in tiles for d in DAYS):
        name = f"made_{row}_{column}_{day}"
        seed = np.random.default_rng([row, column, DAYS.index(day)])
        transform = Affine(10, 0, WEST + 1000 * TILE * column, 0, -10, NORTH - 1000 * TILE * row)
        bands = {
            colour: _repeat(seed.integers(200, 3000, (125, 125), dtype=np.uint16))
            for colour in ("red", "green", "blue")
        }
        bands["scl"] = _repeat(np.where(seed.random((125, 125)) < 0.1, 9, 4).astype(np.uint8))
        assets = {band: _asset(folder, name, band, bands[band], transform) for band in bands}
        yield {
            "type": "Feature",
            "id": name,
            "bbox": _degrees(transform),
            "properties": {"datetime": f"{day}T10:30:00Z"},
            "assets": assets,
        }


def _repeat(numbers: NDArray[Any]) -> NDArray[Any]:
    times = -(-100 * TILE // len(numbers))
    return np.tile(numbers, (times, times))[: 100 * TILE, : 100 * TILE]


def _asset(
    folder: Path, name: str, band: str, pixels: NDArray[Any], transform: Affine
) -> dict[str, Any]:
    path = folder / f"{name}_{band}.tif"
    shape = {"width": pixels.shape[1], "height": pixels.shape[0], "count": 1}
    tiles = {"tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "zstd"}
    made = {"crs": CRS, "transform": transform, "dtype": pixels.dtype, **shape, **tiles}
    with rasterio.open(path, "w", driver="GTiff", **made) as file:
        file.write(pixels, 1)
    return {"href": path.name, "type": "image/tiff", "eo:bands": [{"common_name": band}]}


def _degrees(transform: Affine) -> list[float]:
    there = Transformer.from_crs(CRS, 4326, always_xy=True)
    side = 1000 * TILE
    bounds = there.transform_bounds(
        transform.c, transform.f - side, transform.c + side, transform.f
    )
    return [float(degrees) for degrees in bounds]


def _write_divisions(folder: Path, side: int) -> None:
    first = np.arange(0, side, DIVISION)
    row, column = (part.ravel() for part in np.meshgrid(first, first, indexing="ij"))
    west, north = WEST + 1000 * column, NORTH - 1000 * row
    last = 1000 * side
    boxes = shapely.box(
        west,
        np.maximum(north - 1000 * DIVISION, NORTH - last),
        np.minimum(west + 1000 * DIVISION, WEST + last),
        north,
    )
    names = [f"d{number:05d}" for number in range(len(boxes))]
    outlines = gpd.GeoDataFrame({"division": names}, geometry=boxes, crs=CRS)
    outlines.to_file(folder / "divisions.geojson", driver="GeoJSON", RFC7946="NO")
    classes = [part.name for part in catalog.load().label_sets[LABELS].classes]
    shares = np.random.default_rng(0).dirichlet(np.ones(len(classes)), len(boxes)).round(6)
    shares[:, -1] += 1 - shares.sum(axis=1)
    table = pd.DataFrame(shares, columns=classes, index=pd.Index(names, name="division"))
    table.abs().to_csv(folder / "shares.csv.part")
    (folder / "shares.csv.part").rename(folder / "shares.csv")


if __name__ == "__main__":
    make_items(Path(sys.argv[1]), int(sys.argv[2]))
