"""Files of a small region, as somebody might bring them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from affine import Affine
from numpy.typing import NDArray

from llpbench.data.building import Recipe
from llpbench.data.region import Region

CODES = np.array([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100], dtype=np.uint8)
"""Of ESA WorldCover, by class number."""


def north_up(west: float, north: float, size: float) -> Affine:
    """A geotransform of square pixels."""
    return Affine(size, 0, west, 0, -size, north)


def write_raster(
    path: Path,
    pixels: NDArray[Any],
    transform: Affine,
    crs: str | None = "EPSG:32631",
    **options: Any,
) -> Path:
    """A GeoTIFF of (band, row, column)."""
    count, height, width = pixels.shape
    shape = {"count": count, "height": height, "width": width, "dtype": pixels.dtype}
    with rasterio.open(
        path, "w", driver="GTiff", crs=crs, transform=transform, **shape, **options
    ) as file:
        file.write(pixels)
    return path


def edit_raster(path: Path, **facts: Any) -> Path:
    """Write what a file says of its bands; ``tags`` are by number of the band."""
    with rasterio.open(path, "r+") as file:
        for number, tags in facts.pop("tags", {}).items():
            file.update_tags(number, **tags)
        for name, value in facts.items():
            setattr(file, name, value)
    return path


def write_divisions(path: Path, divisions: gpd.GeoDataFrame) -> Path:
    """GeoJSON with all digits: by default it is written to the centimetre."""
    divisions.to_file(path, driver="GeoJSON", COORDINATE_PRECISION=15)
    return path


@dataclass(frozen=True)
class OwnRegion:
    """Chips of 100 m, six to the east and five to the south, of pixels of 1 m."""

    folder: Path
    west: float = 600_000.0
    north: float = 5_600_000.0
    crs: str = "EPSG:32631"
    columns: int = 6
    rows: int = 5
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def transform(self) -> Affine:
        return north_up(self.west, self.north, 1)

    @property
    def image(self) -> NDArray[np.uint8]:
        rng = np.random.default_rng(0)
        shape = (3, 100 * self.rows, 100 * self.columns)
        return rng.integers(0, 256, shape, dtype=np.uint8)

    @property
    def label(self) -> NDArray[np.uint8]:
        """Class numbers in fields of 20 m, another mix in each chip."""
        rng = np.random.default_rng(1)
        fields = rng.choice([1, 3, 4, 5, 8], (5 * self.rows, 5 * self.columns))
        return fields.astype(np.uint8).repeat(20, axis=0).repeat(20, axis=1)

    def box(self, left: float, top: float, right: float, bottom: float) -> shapely.Polygon:
        """A rectangle, in chips from the upper left corner."""
        return shapely.box(
            self.west + 100 * left,
            self.north - 100 * bottom,
            self.west + 100 * right,
            self.north - 100 * top,
        )

    @property
    def quarters(self) -> dict[str, Any]:
        """Four divisions; the border between west and east cuts the third column in half."""
        middle, right, bottom = 2.5, self.columns, self.rows
        return {
            "nw": self.box(0, 0, middle, 2),
            "ne": self.box(middle, 0, right, 2),
            "sw": self.box(0, 2, middle, bottom),
            "se": self.box(middle, 2, right, bottom),
        }

    def divisions(self, outlines: dict[str, Any] | None = None) -> gpd.GeoDataFrame:
        outlines = outlines or self.quarters
        names = {"code": list(outlines), "name": [f"Division {key}" for key in outlines]}
        return gpd.GeoDataFrame(names, geometry=list(outlines.values()), crs=self.crs)

    def recipe(self, outlines: dict[str, Any] | None = None, **options: Any) -> Recipe:
        """Write image, labels and divisions, and say what to make of them."""
        divisions = self.divisions(outlines).to_crs(4326)
        made: dict[str, Any] = {"chip_km": 0.1, **options}
        if "images" not in made:
            made["images"] = [self.write_image()]
        if "labels" not in made:
            made["labels"] = [self.write_label()]
        if "divisions" not in made:
            made["divisions"] = write_divisions(self.folder / "divisions.geojson", divisions)
        return Recipe(**made)

    def corners(self, region: Region) -> dict[str, tuple[int, int]]:
        """First row and column of the pixels of each chip."""
        assert region.grid is not None
        places = region.read.places  # type: ignore[attr-defined]
        down = round(self.north - region.grid.north)
        right = round(region.grid.west - self.west)
        return {
            chip: (100 * row + down, 100 * column + right) for chip, (row, column) in places.items()
        }

    def pixels(self, region: Region) -> NDArray[Any]:
        """The image that chips make up, black where there are none; shape (band, row, column)."""
        chips = list(region.chips.index)
        images = region.read(chips).image
        assert images is not None
        kind = np.float64 if images.dtype.kind == "f" else np.int64
        shape = (images.shape[-1], 100 * self.rows, 100 * self.columns)
        whole = np.zeros(shape, dtype=kind)
        corners = self.corners(region)
        for chip, image in zip(chips, images, strict=True):
            row, column = corners[chip]
            whole[:, row : row + 100, column : column + 100] = np.moveaxis(image, -1, 0)
        return whole

    def write_image(self, pixels: Any = None, name: str = "image.tif", **options: Any) -> Path:
        pixels = self.image if pixels is None else pixels
        options = {"transform": self.transform, "crs": self.crs, **options}
        return write_raster(self.folder / name, pixels, **options)

    def write_label(self, pixels: Any = None, name: str = "label.tif", **options: Any) -> Path:
        pixels = CODES[self.label] if pixels is None else pixels
        options = {"transform": self.transform, "crs": self.crs, **options}
        return write_raster(self.folder / name, pixels[np.newaxis], **options)


def export_region(region: Region, folder: Path) -> Recipe:
    """A made region as GeoTIFFs, GeoJSON and csv: what it would be made of."""
    assert region.grid is not None
    grid = region.grid
    centre = region.chips.bounds
    rows, columns = (
        np.floor(numbers).astype(int)
        for numbers in grid.cells(
            (centre["minx"] + centre["maxx"]) / 2, (centre["miny"] + centre["maxy"]) / 2
        )
    )
    top, left = rows.min(), columns.min()
    height, width = 100 * (np.ptp(rows) + 1), 100 * (np.ptp(columns) + 1)
    image = np.zeros((3, height, width), dtype=np.uint8)
    label = np.full((1, height, width), 255, dtype=np.uint8)
    covered = np.zeros((1, height, width), dtype=np.uint8)
    pixels = region.read(list(region.chips.index))
    for number, (row, column) in enumerate(
        zip(100 * (rows - top), 100 * (columns - left), strict=True)
    ):
        here = (slice(None), slice(row, row + 100), slice(column, column + 100))
        image[here] = np.moveaxis(pixels.image[number], -1, 0)
        label[here], covered[here] = pixels.label[number], 255
    transform = grid.affine(top, left, pixels=100)
    shares = pd.DataFrame(
        region.division_proportions,
        columns=[label_class.name for label_class in region.label_set.classes],
        index=region.divisions.index,
    )
    shares.to_csv(folder / "shares.csv")
    return Recipe(
        images=[
            write_raster(
                folder / "image.tif",
                np.concatenate([image, covered]),
                transform,
                grid.crs,
                photometric="RGB",
                alpha="YES",
            )
        ],
        labels=[write_raster(folder / "label.tif", label, transform, grid.crs, nodata=255)],
        divisions=write_divisions(
            folder / "divisions.geojson", region.divisions.rename_axis("division").reset_index()
        ),
        shares=folder / "shares.csv",
        legend=region.label_set.name,
    )
