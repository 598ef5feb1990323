"""Predictions as cloud-optimised GeoTIFFs."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llpbench.catalog import NO_LABEL
from llpbench.predictions.intervals import each_bound, percent_of
from llpbench.protocol import CHIP_SIZE
from llpbench.writing import replacing

if TYPE_CHECKING:
    import xarray as xr

    from llpbench.maps.cells import Cells

_TILE = 256


def write_shares(
    predictions: xr.Dataset, cells: Cells, path: Path, tags: Mapping[str, str]
) -> None:
    """Write the shares of each class, a pixel a chip.

    A band a class, named after it, NaN where there is no chip; ``tags`` are metadata of the file.
    Predictions stand in the order of the cells, here and below.
    """
    with replacing(path) as part_file:
        raster = share_raster(predictions, cells).rio
        raster.to_raster(part_file, tags=dict(tags), **_cog_options(cells.shape, "average"))


def share_raster(predictions: xr.Dataset, cells: Cells) -> xr.DataArray:
    """Lay the shares of chips out in space: float32 (band, y, x), a band a class, a pixel a chip.

    NaN where there is no chip, with coordinates and projection for ``.rio``.
    """
    names = predictions["category"].to_numpy().tolist()
    return _raster(dict(zip(names, predictions["proportions"].to_numpy().T, strict=True)), cells)


def write_intervals(
    predictions: xr.Dataset, cells: Cells, path: Path, tags: Mapping[str, str]
) -> None:
    """Write the bounds of intervals as :func:`write_shares` does the shares.

    Two bands a class and level, such as ``tree low 90 %`` and ``tree high 90 %``.
    """
    bands = {
        f"{category} {bound} {percent_of(level)} %": values
        for category, bound, level, values in each_bound(predictions)
    }
    with replacing(path) as part_file:
        # What is between is no mean of bounds: overviews show single chips.
        options = _cog_options(cells.shape, "nearest")
        _raster(bands, cells).rio.to_raster(part_file, tags=dict(tags), **options)


def _raster(bands: Mapping[str, NDArray[np.float32]], cells: Cells) -> xr.DataArray:
    """Lay values of chips (chip,) out in space, a band for each name."""
    import rioxarray  # noqa: F401  (registers .rio)
    import xarray as xr

    values = np.full((len(bands), *cells.shape), np.nan, dtype=np.float32)
    values[:, cells.rows, cells.columns] = np.stack(list(bands.values()))
    raster = xr.DataArray(values, dims=("band", "y", "x"), attrs={"long_name": tuple(bands)})
    raster = raster.rio.write_crs(cells.grid.crs).rio.write_nodata(np.nan)
    placed: xr.DataArray = raster.rio.write_transform(cells.grid.affine(pixels=1))
    return placed


def write_classes(
    predictions: xr.Dataset,
    cells: Cells,
    path: Path,
    tags: Mapping[str, str],
    colours: Sequence[str],
) -> None:
    """Write the class of each pixel, where pixels were predicted; else the largest of each chip.

    One band of category numbers with a table of ``colours`` (``#rrggbb``), 255 where there is no
    chip. Predictions are about the central 96 x 96 pixels of a chip; its outermost two pixels are
    given the class of their neighbours.
    """
    detailed = "segmentation" in predictions
    pixels = CHIP_SIZE if detailed else 1
    names = predictions["category"].to_numpy().tolist()
    legend = {f"class_{number}": name for number, name in enumerate(names)}
    options = {"dtype": "uint8", "nodata": NO_LABEL, "count": 1}
    rows, columns = cells.shape
    with _cog(path, cells, pixels, {**tags, **legend}, options, overviews="mode") as file:
        for row in range(rows):
            here = np.flatnonzero(cells.rows == row)
            band = np.full((pixels, columns, pixels), NO_LABEL, dtype=np.uint8)
            band[:, cells.columns[here]] = _classes(predictions.isel(chip=here)).swapaxes(0, 1)
            place = ((row * pixels, (row + 1) * pixels), (0, columns * pixels))
            file.write(band.reshape(pixels, -1), 1, window=place)
        file.write_colormap(1, _colour_table(colours))
        file.set_band_description(1, "class")


def _classes(predictions: xr.Dataset) -> Any:
    """Class numbers of whole chips, shape (chip, side, side)."""
    if "segmentation" not in predictions:
        largest = predictions["proportions"].to_numpy().argmax(axis=1).astype(np.uint8)
        return largest[:, np.newaxis, np.newaxis]
    cells = predictions["segmentation"].to_numpy()
    border = 2
    factor = (CHIP_SIZE - 2 * border) // cells.shape[1]
    pixels = cells.repeat(factor, axis=1).repeat(factor, axis=2)
    return np.pad(pixels, ((0, 0), (border, border), (border, border)), mode="edge")


def _colour_table(colours: Sequence[str]) -> dict[int, tuple[int, ...]]:
    table: dict[int, tuple[int, ...]] = {NO_LABEL: (0, 0, 0, 0)}
    for number, colour in enumerate(colours):
        table[number] = (*bytes.fromhex(colour.removeprefix("#")), 255)
    return table


@contextmanager
def _cog(
    path: Path,
    cells: Cells,
    pixels: int,
    tags: Mapping[str, str],
    options: Mapping[str, Any],
    *,
    overviews: str,
) -> Iterator[Any]:
    """A GeoTIFF to write into, which becomes a cloud-optimised one when all is written."""
    import rasterio
    import rasterio.shutil

    from llpbench.data.building.opening import GDAL_OPTIONS

    height, width = (pixels * number for number in cells.shape)
    with (
        rasterio.Env(**GDAL_OPTIONS),
        tempfile.TemporaryDirectory(dir=path.parent, prefix=".map-") as folder,
    ):
        plain = Path(folder) / "plain.tif"
        with rasterio.open(
            plain,
            "w",
            driver="GTiff",
            height=height,
            width=width,
            crs=cells.grid.crs,
            transform=cells.grid.affine(pixels=pixels),
            tiled=True,
            blockxsize=_TILE,
            blockysize=_TILE,
            compress="deflate",
            bigtiff="if_safer",
            **options,
        ) as file:
            yield file
            file.update_tags(**tags)
        with replacing(path) as part_file:
            rasterio.shutil.copy(plain, part_file, **_cog_options((height, width), overviews))


def _cog_options(shape: tuple[int, int], resampling: str) -> dict[str, Any]:
    """What GDAL needs to write a cloud-optimised GeoTIFF, overviews until one tile holds all.

    A single pixel has none.
    """
    least = 0 if max(shape) == 1 else 1
    return {
        **({} if least else {"overviews": "NONE"}),
        "driver": "COG",
        "compress": "deflate",
        "blocksize": _TILE,
        "overview_resampling": resampling,
        "overview_count": max(least, math.ceil(math.log2(max(shape) / _TILE))),
        "bigtiff": "if_safer",
    }
