"""Embeddings as they are published, written by hand, and what should become of them.

Layouts are those of AlphaEarth's GeoTIFFs (source.coop/tge-labs/aef, and Earth Engine's guide
aef_on_gcs_readme), of TESSERA's Zarr (anil.recoil.org/notes/tessera-embeddings-convention,
geotessera/zarr.py) and of the geo-embeddings Zarr convention. What is expected is decoded with
numpy alone, by the formulas given there.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
import xarray as xr
import zarr
from affine import Affine
from click.testing import CliRunner
from numpy.typing import NDArray
from own_region import write_divisions, write_raster

import llpbench
from llpbench.cli import cli
from llpbench.data.cache import cache_folder
from llpbench.data.store import verify_store
from llpbench.errors import LLPBenchError

WEST, NORTH, CRS = 600_000.0, 5_600_000.0, "EPSG:32631"
ROWS, COLUMNS = 200, 300
"""Pixels of 10 m: two by three chips of 1 km."""

GEOEMB = {
    "zarr_conventions": [{"uuid": "61c12cc5-0e28-4056-999a-480cf3fb7e4c", "name": "geoemb:"}],
    "geoemb:type": "pixel",
    "geoemb:model": "https://geotessera.org/model/1.0",
    "geoemb:source_data": ["https://sentinel.esa.int/web/sentinel/missions/sentinel-2"],
    "geoemb:data_type": "int8",
    "geoemb:spatial_layout": "utm_zones",
    "geoemb:build_version": "0.7.5",
    "geoemb:quantization": {
        "method": "per_pixel_scale",
        "original_dtype": "float32",
        "quantized_dtype": "int8",
        "scale": {"type": "array", "array_name": "scales", "nodata": "+inf"},
    },
}


def write_tables(path: Path) -> Path:
    """Divisions and their shares; files of embeddings come beside them."""
    names = ["nw", "ne", "sw", "se"]
    corners = [(0, 0), (1500, 0), (0, 1000), (1500, 1000)]
    boxes = [
        shapely.box(WEST + x, NORTH - y - 1000, WEST + x + 1500, NORTH - y) for x, y in corners
    ]
    outlines = gpd.GeoDataFrame({"code": names}, geometry=boxes, crs=CRS)
    write_divisions(path / "divisions.geojson", outlines.to_crs(4326))
    shares = np.array([[0.2, 0.8], [0.5, 0.5], [0.7, 0.3], [0.9, 0.1]])
    table = pd.DataFrame(shares, names, ["crops", "forest"])
    table.to_csv(path / "table.csv", index_label="code")
    return path


def invoke(*arguments: object) -> Any:
    return CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)


def tables(folder: Path) -> tuple[object, ...]:
    return ("--divisions", folder / "divisions.geojson", "--shares", folder / "table.csv")


def build(folder: Path, name: str, *options: object) -> tuple[xr.Dataset, str]:
    """Build a dataset by the command; also what was said."""
    done = invoke("build", name, *tables(folder), *options)
    assert done.exit_code == 0, done.output
    verify_store(cache_folder() / name)
    return llpbench.open_dataset(name), done.output


def refusal(folder: Path, *options: object) -> str:
    with pytest.raises(LLPBenchError) as caught:
        invoke("build", "refused", *tables(folder), *options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def corner(chip: str) -> tuple[int, int]:
    """First row and column of a chip named by kilometres to the east and north."""
    _, east, north = chip.split("_")
    return round((NORTH - 1000 * int(north) - 1000) / 10), round((1000 * int(east) - WEST) / 10)


def cells(values: NDArray[np.floating], chip: str) -> NDArray[np.floating]:
    """Mean of 4 x 4 pixels from row and column 2 of a chip; values are (feature, row, column)."""
    row, column = (first + 2 for first in corner(chip))
    window = np.moveaxis(values[:, row : row + 96, column : column + 96], 0, -1)
    blocks = window.reshape(24, 4, 24, 4, -1).swapaxes(1, 2).reshape(24, 24, 16, -1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Mean of empty slice")
        means: NDArray[np.floating] = np.nanmean(blocks, axis=2)
    return means


def alphaearth_codes(seed: int = 0, rows: int = ROWS, columns: int = COLUMNS) -> NDArray[np.int8]:
    """64 features with a slope from north to south in the first; a hole; -128 in all features."""
    codes = np.random.default_rng(seed).integers(-127, 128, (64, rows, columns)).astype(np.int8)
    codes[0] = np.linspace(-120, 120, rows).astype(np.int8)[:, np.newaxis]
    codes[:, 50:60, 50:60] = -128
    return codes


def alphaearth_values(codes: NDArray[np.int8]) -> NDArray[np.floating]:
    wide = codes.astype(np.float64)
    return np.where(codes == -128, np.nan, np.sign(wide) * (wide / 127.5) ** 2)


def write_alphaearth(
    path: Path, codes: NDArray[np.int8], west: float = WEST, crs: str = CRS, **options: Any
) -> Path:
    """As in the bucket: rows from south to north, a positive step, features named A00 to A63."""
    south = NORTH - 10 * codes.shape[1]
    transform = Affine(10, 0, west, 0, 10, south)
    write_raster(path, codes[:, ::-1], transform, crs, nodata=-128, **options)
    with rasterio.open(path, "r+") as file:
        file.descriptions = [f"A{number:02}" for number in range(64)]
    return path


def tessera_codes(features: int = 8) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    generator = np.random.default_rng(1)
    values = generator.normal(0, 3, (features, ROWS, COLUMNS))
    values[0] += np.linspace(-9, 9, ROWS)[:, np.newaxis]
    scales = (np.abs(values).max(axis=0) / 127).astype(np.float32)
    scales[40:48, 40:48], scales[48:56, 40:48] = np.nan, np.inf
    codes = np.rint(np.nan_to_num(values / scales)).astype(np.int8)
    return codes, scales


def tessera_values(codes: NDArray[np.int8], scales: NDArray[np.float32]) -> NDArray[np.floating]:
    return codes * np.where(np.isfinite(scales), scales.astype(np.float64), np.nan)


def write_tessera(path: Path, years: tuple[int, ...] = (2024,), **changes: Any) -> Path:
    """The published store: a group for a zone, int8 over time, band, y, x in shards, Blosc."""
    codes, scales = tessera_codes()
    attributes = {**GEOEMB, "geoemb:dimensions": len(codes), **changes.pop("attributes", {})}
    root = zarr.open_group(path, mode="w", zarr_format=3, attributes=attributes)
    zone = root.create_group("utm31")
    blosc = zarr.codecs.BloscCodec(cname="zstd", clevel=3)
    margin = 100
    height, width = ROWS + 2 * margin, COLUMNS + 2 * margin
    inner, shard = 32, 128
    arrays = {
        "embeddings": ((len(codes), height, width), np.int8, 0),
        "scales": ((height, width), np.float32, np.float32("inf")),
    }
    for name, (shape, dtype, fill) in arrays.items():
        over = ("band",) if len(shape) == 3 else ()
        zone.create_array(
            name,
            shape=(len(years), *shape),
            dtype=dtype,
            chunks=(1, *shape[:-2], inner, inner),
            shards=(1, *shape[:-2], shard, shard),
            fill_value=fill,
            compressors=blosc,
            dimension_names=("time", *over, "y", "x"),
        )
    here = slice(margin, margin + ROWS), slice(margin, margin + COLUMNS)
    for number in range(len(years)):
        zone["embeddings"][(number, slice(None), *here)] = codes if not number else -codes
        zone["scales"][(number, *here)] = scales
    west, north = WEST - 10 * margin, NORTH + 10 * margin
    for name, values in {
        "time": np.array(years, dtype=np.int32),
        "x": west + 10 * (np.arange(width) + 0.5),
        "y": north - 10 * (np.arange(height) + 0.5),
        "band": np.arange(len(codes), dtype=np.int32),
    }.items():
        zone.create_array(name, data=values, compressors=blosc, dimension_names=(name,))
    zone.attrs.update(
        {
            "proj:code": CRS,
            "spatial:dimensions": ["y", "x"],
            "spatial:transform": [10.0, 0.0, west, 0.0, -10.0, north],
        }
    )
    return path
