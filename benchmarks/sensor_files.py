"""Files of a made region as satellites and models of embeddings deliver them: none is of a place.

Usage: python benchmarks/sensor_files.py FOLDER [--chips 400]

What docs/howto/more-than-rgb.md builds datasets from: two Sentinel-2 products of level 2A (folders
of files of one band each, the second a year later), four bands in one file, COGs that do not tell
their offset, radar, AlphaEarth's GeoTIFF and TESSERA's Zarr, with outlines, labels and a table of
shares. Radar is worked out from the infrared and knows nothing more.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import rasterio
import zarr
from affine import Affine
from numpy.typing import NDArray

from llpbench.data.imagery import CELL, CELLS, EMBEDDING, IMAGE
from llpbench.data.region import Region
from llpbench.data.synthetic import synthesize
from llpbench.protocol import CHIP_SIZE, SCORE_WINDOW

CRS, WEST, NORTH, METRES = "EPSG:32631", 600_000, 5_600_000, 10
CODES = np.array([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100], dtype=np.uint8)
"""Of ESA WorldCover, by class number."""
PRODUCTS = {
    2023: "S2A_MSIL2A_20230601T104619_N0509_R051_T31UFS_20230601T180000.SAFE",
    2024: "S2B_MSIL2A_20240605T104619_N0510_R051_T31UFS_20240605T180000.SAFE",
}
SUNLIGHT = {2023: 1.0, 2024: 1.04}
COARSE = ("B05", "B06", "B07", "B8A", "B11", "B12")
"""Bands of 20 m."""
ADDED = 1000
"""What ESA adds to the numbers of Sentinel-2 since 2022."""
METADATA = """<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-2A_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product.xsd">
  <BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>
  <BOA_ADD_OFFSET band_id="0">-1000</BOA_ADD_OFFSET>
</n1:Level-2A_User_Product>
"""
_WITHIN = np.clip((np.arange(CHIP_SIZE) - SCORE_WINDOW.start) // CELL, 0, CELLS - 1)
"""The cell that each row of a chip's pixels lies in, or next to."""


def north_up(metres: float) -> Affine:
    """Place pixels of that side at the north-west corner of the region."""
    return Affine(metres, 0, WEST, 0, -metres, NORTH)


def main() -> None:
    """Write all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chips", type=int, default=400)
    chosen = parser.parse_args()
    write_files(chosen.folder, chosen.chips)


def write_files(folder: Path, chips: int, seed: int = 0) -> None:
    """Make a region, and write what sensors see of it."""
    folder.mkdir(parents=True, exist_ok=True)
    region = synthesize("esaworldcover", chips, seed, bands=10, embedding=64)
    land = Mosaic.of(region)
    land.write_tables(folder, region)
    for year in PRODUCTS:
        land.write_product(folder, year)
    colours = {name: land.bands[name] for name in ("B02", "B03", "B04", "B08")}
    write_raster(folder / "s2.tif", np.stack([*colours.values()]), names=[*colours], nodata=0)
    for name, pixels in colours.items():
        cog = folder / "cogs" / f"S2A_31UFS_20230601_0_L2A_{name}.tif"
        write_raster(cog, added(pixels)[np.newaxis])
    for name, decibels in land.radar().items():
        write_raster(folder / "s1" / f"S1A_IW_20230602_{name}.tif", decibels[np.newaxis])
    land.write_alphaearth(folder / "GOOGLE_SATELLITE_EMBEDDING_V1_ANNUAL_2023.tif")
    land.write_tessera(folder / "tessera.zarr")


@dataclass(frozen=True)
class Mosaic:
    """All chips of a region side by side; 0, or NaN, where there are none.

    Parameters
    ----------
    bands : mapping of str to ndarray of uint16, shape (row, column)
        10,000 times the reflectance.
    cells : ndarray of float32, shape (row of cells, column of cells, feature)
        The embedding, of the cells of chips alone.
    label : ndarray of uint8, shape (row, column)
        Class numbers.
    corner : tuple of float
        West and north of it, in metres of the region's own plane.
    """

    bands: Mapping[str, NDArray[np.uint16]]
    cells: NDArray[np.float32]
    label: NDArray[np.uint8]
    corner: tuple[float, float]

    @classmethod
    def of(cls, region: Region) -> Mosaic:
        """Put the chips of a region in their places."""
        assert region.grid is not None
        left, low, right, top = region.chips.bounds.to_numpy().T
        places = region.grid.cells((left + right) / 2, (low + top) / 2)
        rows, columns = (np.floor(numbers).astype(int) for numbers in places)
        first = region.grid.affine(rows.min(), columns.min())
        rows, columns = rows - rows.min(), columns - columns.min()
        shape = np.array([rows.max() + 1, columns.max() + 1])
        names = [name.replace("B", "B0") if len(name) == 2 else name for name in _names(region)]
        image = np.zeros((*CHIP_SIZE * shape, len(names)), dtype=np.uint16)
        label = np.zeros(CHIP_SIZE * shape, dtype=np.uint8)
        cells = np.full((*CELLS * shape, 64), np.nan, dtype=np.float32)
        coding = region.images[EMBEDDING].coding
        for chip, *place in zip(region.chips.index, rows, columns, strict=True):
            block = region.read([chip])
            assert block.image is not None
            assert block.embedding is not None
            assert block.label is not None
            here = _square(place, CHIP_SIZE)
            image[here], label[here] = block.image[0], block.label[0]
            cells[_square(place, CELLS)] = coding.decode(block.embedding[0])
        bands = dict(zip(names, np.moveaxis(image, -1, 0), strict=True))
        return cls(bands, cells, label, (first.c, first.f))

    def write_tables(self, folder: Path, region: Region) -> None:
        """Outlines, class shares of divisions, and labels with the codes of ESA WorldCover."""
        assert region.grid is not None
        assert region.division_proportions is not None
        outlines = region.divisions.to_crs(region.grid.crs)
        west, north = self.corner
        moved = outlines.translate(WEST - west, NORTH - north).set_crs(CRS, allow_override=True)
        communes = outlines.set_geometry(moved).rename_axis("code").reset_index()
        communes[["code", "geometry"]].to_file(folder / "communes.gpkg", driver="GPKG")
        names = [label_class.name for label_class in region.label_set.classes]
        shares = pd.DataFrame(region.division_proportions, region.divisions.index, names)
        shares = shares.loc[:, shares.any()]
        shares.round(4).to_csv(folder / "shares.csv", index_label="code")
        write_raster(folder / "labels.tif", CODES[self.label][np.newaxis], nodata=0)

    def write_product(self, folder: Path, year: int) -> None:
        """A product of Sentinel-2, with clouds over a part of it, elsewhere in each year."""
        safe = folder / PRODUCTS[year]
        _, _, time, *_, tile, _ = safe.stem.split("_")
        data = safe / "GRANULE" / f"L2A_{tile}_A041477_{time}" / "IMG_DATA"
        rows, columns = self.label.shape
        down, right = np.ogrid[:rows, :columns]
        middle = (0.3 * rows, 0.7 * columns) if year % 2 else (0.6 * rows, 0.4 * columns)
        clouds = np.hypot(down - middle[0], right - middle[1]) < 0.1 * min(rows, columns)
        for name, pixels in {**self.bands, "SCL": np.where(self.label > 0, 4, 0)}.items():
            side = 2 if name in (*COARSE, "SCL") else 1
            kind = np.uint8(9) if name == "SCL" else np.uint16(6000)
            lit = pixels if name == "SCL" else np.rint(pixels * SUNLIGHT[year])
            seen = np.where(clouds & (self.label > 0), kind, lit).astype(kind.dtype)
            seen = (seen if name == "SCL" else added(seen))[np.newaxis, ::side, ::side]
            path = data / f"R{side}0m" / f"{tile}_{time}_{name}_{side}0m.jp2"
            how = {"driver": "JP2OpenJPEG", "quality": 100, "reversible": True}
            write_raster(path, seen, transform=north_up(METRES * side), **how)
        (safe / "MTD_MSIL2A.xml").write_text(METADATA)

    def radar(self) -> dict[str, NDArray[np.float32]]:
        """Decibels of both polarisations, with speckle; NaN where there are no chips."""
        wet = np.stack([self.bands["B11"], self.bands["B12"]]).mean(axis=0) / 10_000
        speckle = np.random.default_rng(0).gamma(20, 1 / 20, (2, *wet.shape))
        decibels = np.stack([20 * wet - 15, 16 * wet - 21]) + 10 * np.log10(speckle)
        decibels[:, self.label == 0] = np.nan
        return dict(zip(("VV", "VH"), decibels.astype(np.float32), strict=True))

    def on_pixels(self, cells: NDArray[Any]) -> Iterator[tuple[slice, NDArray[Any]]]:
        """Spread numbers of cells over all pixels, a row of chips after another."""
        right = [CELLS * (n // CHIP_SIZE) + _WITHIN[n % CHIP_SIZE] for n in range(self.width)]
        for number in range(len(self.label) // CHIP_SIZE):
            here = slice(CHIP_SIZE * number, CHIP_SIZE * (number + 1))
            yield here, cells[np.ix_(CELLS * number + _WITHIN, right)]

    @property
    def width(self) -> int:
        """Pixels from west to east."""
        return self.label.shape[1]

    def write_alphaearth(self, path: Path) -> None:
        """As in Google's bucket: int8, rows from south to north, features A00 to A63."""
        height = len(self.label)
        south = NORTH - METRES * height
        numbers = np.rint(np.sign(self.cells) * np.sqrt(np.abs(self.cells)) * 127.5)
        numbers = np.nan_to_num(numbers, nan=-128).astype(np.int8)
        codes = np.empty((64, *self.label.shape), dtype=np.int8)
        for here, pixels in self.on_pixels(numbers):
            codes[:, here] = np.moveaxis(pixels, -1, 0)
        names = [f"A{number:02}" for number in range(64)]
        upward = Affine(METRES, 0, WEST, 0, METRES, south)
        write_raster(path, codes[:, ::-1], names=names, transform=upward, nodata=-128)

    def write_tessera(self, path: Path) -> None:
        """As published: int8 of 128 features and a scale of each pixel, in a zone of UTM."""
        said = {"geoemb:model": "https://geotessera.org/model/1.0", "geoemb:type": "pixel"}
        zone = zarr.open_group(path, mode="w", zarr_format=3, attributes=said).create_group("utm31")
        zone.attrs.update(
            {
                "proj:code": CRS,
                "spatial:dimensions": ["y", "x"],
                "spatial:transform": [METRES, 0, WEST, 0, -METRES, NORTH],
            }
        )
        common: dict[str, Any] = {"compressors": zarr.codecs.BloscCodec(cname="zstd", clevel=3)}
        shape = (1, 128, *self.label.shape)
        embeddings = zone.create_array(
            "embeddings",
            **{"shape": shape, "dtype": np.int8, "chunks": (1, 128, 100, 100), **common},
            dimension_names=("time", "band", "y", "x"),
        )
        scales = zone.create_array(
            "scales",
            **{"shape": (1, *shape[2:]), "dtype": np.float32, "chunks": (1, 100, 100), **common},
            dimension_names=("time", "y", "x"),
        )
        zone.create_array("time", data=np.array([2023], np.int32), dimension_names=("time",))
        mixing = np.random.default_rng(0).normal(size=(64, 128)).astype(np.float32)
        values = self.cells @ mixing
        scale = np.abs(values).max(axis=-1) / 127
        codes = np.rint(np.nan_to_num(values / scale[..., np.newaxis])).astype(np.int8)
        for here, pixels in self.on_pixels(codes):
            embeddings[0, :, here] = np.moveaxis(pixels, -1, 0)
        for here, pixels in self.on_pixels(np.nan_to_num(scale, nan=np.inf)):
            scales[0, here] = pixels


def added(pixels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Numbers as ESA stores them since 2022; 0 stays for no data."""
    return np.where(pixels > 0, pixels + ADDED, 0).astype(np.uint16)


def write_raster(
    path: Path,
    pixels: NDArray[Any],
    *,
    names: Sequence[str] = (),
    transform: Affine | None = None,
    driver: str = "GTiff",
    **options: Any,
) -> None:
    """Write (band, row, column)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count, height, width = pixels.shape
    shape = {"count": count, "height": height, "width": width, "dtype": pixels.dtype}
    packed = {"compress": "deflate"} if driver == "GTiff" else {}
    place = transform or north_up(METRES)
    with rasterio.open(
        path, "w", driver=driver, crs=CRS, transform=place, **shape, **packed, **options
    ) as file:
        file.write(pixels)
        if names:
            file.descriptions = names


def _names(region: Region) -> list[str]:
    return region.images[IMAGE].names


def _square(place: list[int], side: int) -> tuple[slice, slice]:
    row, column = (slice(side * number, side * (number + 1)) for number in place)
    return row, column


if __name__ == "__main__":
    main()
