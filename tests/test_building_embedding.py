"""Embeddings as they are published, built through the command and read back as written.

Fixtures follow the published layouts: AlphaEarth's GeoTIFFs
(developers.google.com/earth-engine/guides/aef_on_gcs_readme, source.coop/tge-labs/aef), TESSERA's
Zarr (anil.recoil.org/notes/tessera-embeddings-convention, geotessera/zarr.py) and the Zarr
convention of geo-embeddings. What is expected is decoded here with numpy alone, by the formulas
given there.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
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
from llpbench.data.building import Recipe
from llpbench.data.cache import cache_folder
from llpbench.data.store import verify_store
from llpbench.errors import BuildError, LLPBenchError
from llpbench.running.reusing import reuse_recipe

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Divisions and their shares; files of embeddings come beside them."""
    path = tmp_path_factory.mktemp("own")
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


def test_alphaearth_comes_back_right_side_up(folder: Path) -> None:
    codes = alphaearth_codes()
    values = alphaearth_values(codes)
    path = folder / "GOOGLE_SATELLITE_EMBEDDING_V1_ANNUAL_2024.tif"
    write_alphaearth(path, codes)
    ds, said = build(folder, "aef", "--embedding", path, "--max-missing", 0.02)
    assert "AlphaEarth 1, 2024: 64 features, int8 as sign(v) (v / 127.5)²" in said
    assert ds.sizes["chip"] == 6
    assert "image" not in ds
    assert ds["embedding"].dtype == np.int8
    assert list(ds["feature"].values[:2]) == ["A00", "A01"]
    assert ds.llp.info.images["embedding"].source == "AlphaEarth 1, 2024"
    for number, chip in enumerate(ds["chip"].values):
        expected = cells(values, chip)
        power = np.sign(expected) * np.sqrt(np.abs(expected)) * 127.5
        stored = ds["embedding"].values[number]
        lost = np.isnan(expected)
        assert (stored[lost] == -128).all()
        assert (np.abs(stored[~lost] - power[~lost]) <= 0.5 + 1e-3).all()
        decoded = ds.llp.values("embedding").values[number]
        np.testing.assert_array_equal(np.isnan(decoded), lost)
        slope = np.nanmean(decoded[:, :, 0], axis=1)
        assert (np.diff(slope) > 0).all()
    assert sum(np.isnan(cells(values, chip)).any() for chip in ds["chip"].values) == 1


def test_alphaearth_beside_an_image_in_tiles_of_two_zones(folder: Path) -> None:
    """A whole pixel of the other zone's tile is found by the nearest middle, here by pyproj."""
    from pyproj import Transformer

    codes = alphaearth_codes(2)
    codes[:, 50:60, 50:60] = 7
    place = folder / "v1/annual/2023"
    (place / "31N").mkdir(parents=True)
    (place / "32N").mkdir()
    left = write_alphaearth(place / "31N/xojgayo1-0000000000.tiff", codes[:, :, :150])
    across = Transformer.from_crs(CRS, "EPSG:32632", always_xy=True)
    x, y = across.transform([WEST + 1500, WEST + 3000], [NORTH, NORTH - 2000])
    west, north = 10 * np.floor(min(x) / 10) - 500, 10 * np.ceil(max(y) / 10) + 500
    other = np.random.default_rng(3).integers(1, 100, (64, 400, 300)).astype(np.int8)
    right = place / "32N/abc-0000000000.tiff"
    write_raster(right, other, Affine(10, 0, west, 0, -10, north), "EPSG:32632", nodata=-128)
    with rasterio.open(right, "r+") as file:
        file.descriptions = [f"A{number:02}" for number in range(64)]
    pixels = np.random.default_rng(4).integers(0, 256, (3, ROWS, COLUMNS), dtype=np.uint8)
    image = write_raster(folder / "rgb.tif", pixels, Affine(10, 0, WEST, 0, -10, NORTH))
    ds, _ = build(folder, "zones", "--image", image, "--embedding", left, "--embedding", right)
    assert set(ds.llp.info.images) == {"image", "embedding"}
    assert ds.llp.info.images["embedding"].source == "AlphaEarth 1, 2023"
    column, row = np.meshgrid(np.arange(COLUMNS) + 0.5, np.arange(ROWS) + 0.5)
    x, y = across.transform(WEST + 10 * column, NORTH - 10 * row)
    there = np.floor((north - y) / 10).astype(int), np.floor((x - west) / 10).astype(int)
    whole = np.where(column < 150, codes, other[:, *there])
    for number, chip in enumerate(ds["chip"].values):
        expected = cells(alphaearth_values(whole), chip)
        found = ds["embedding"].values[number]
        power = np.sign(expected) * np.sqrt(np.abs(expected)) * 127.5
        assert (np.abs(found - power) <= 0.5 + 1e-3).all()
        row0, column0 = corner(chip)
        own = pixels[:, row0 : row0 + 100, column0 : column0 + 100]
        np.testing.assert_array_equal(ds["image"].values[number], np.moveaxis(own, 0, -1))


@pytest.mark.parametrize("years", [(2024,), (2023, 2024)])
def test_tessera_of_a_zone(folder: Path, years: tuple[int, ...]) -> None:
    path = write_tessera(folder / f"tessera{len(years)}.zarr", years)
    options = ("--embedding-year", 2023) if len(years) > 1 else ()
    if options:
        assert "(2023, 2024); name the year" in refusal(folder, "--embedding", path)
    ds, _ = build(
        folder, f"tessera{len(years)}", "--embedding", path, "--max-missing", 0.05, *options
    )
    assert ds.llp.info.images["embedding"].source == f"TESSERA 1, {years[0]}"
    values = tessera_values(*tessera_codes())
    for number, chip in enumerate(ds["chip"].values):
        expected = cells(values, chip)
        scale = np.abs(expected).max(axis=-1) / 127
        np.testing.assert_allclose(ds["embedding_scale"].values[number], scale, rtol=1e-5)
        found = ds.llp.values("embedding").values[number]
        np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
        off = np.abs(found - expected) <= 0.5001 * scale[..., np.newaxis] + 1e-6
        assert off[~np.isnan(expected)].all()
    assert ds.sizes["chip"] == 6
    attributes = ds.llp.info.recipe.embedding
    assert (attributes.features, attributes.dtype) == (8, "int8")


def test_first_layout_of_tessera_lacking_a_file(folder: Path) -> None:
    """Over y, x, band, as of version 0.7; a chunk that nobody wrote is no data, not zeros."""
    codes, scales = tessera_codes()
    scales[40:56, 40:48] = 0.02
    path = folder / "utm31_2025.zarr"
    said = {"crs_epsg": 32631, "transform": [10.0, 0, WEST, 0, -10.0, NORTH], "year": 2025}
    group = zarr.open_group(
        path, mode="w", zarr_format=3, attributes={**said, "tessera_dataset_version": "v1"}
    )
    for name, array in {"embeddings": np.moveaxis(codes, 0, -1), "scales": scales}.items():
        group.create_array(
            name,
            data=array,
            chunks=(100, 100, 8)[: array.ndim],
            dimension_names=("y", "x", "band")[: array.ndim],
        )
    (path / "embeddings/c/0/1/0").unlink()
    ds, _ = build(folder, "first", "--embedding", path, "--max-missing", 0.05)
    assert ds.sizes["chip"] == 5
    assert ds.llp.info.images["embedding"].source == "TESSERA 1, 2025"


@pytest.mark.parametrize("kind", ["geotiff", "rioxarray", "attributes"])
def test_floats_come_back(folder: Path, kind: str) -> None:
    values = np.random.default_rng(5).normal(size=(5, ROWS, COLUMNS)).astype(np.float32)
    values[:, 3, 3] = np.nan
    x, y = WEST + 10 * (np.arange(COLUMNS) + 0.5), NORTH - 10 * (np.arange(ROWS) + 0.5)
    if kind == "geotiff":
        path = write_raster(
            folder / "floats.tif", values, Affine(10, 0, WEST, 0, -10, NORTH), nodata=np.nan
        )
        with rasterio.open(path, "r+") as file:  # as geotessera writes it (core.py)
            file.update_tags(
                TESSERA_DATASET_VERSION="1.1", TESSERA_DATASET_VARIANT="cam", TESSERA_YEAR="2024"
            )
    elif kind == "rioxarray":
        import rioxarray  # noqa: F401

        path = folder / "floats.zarr"
        array = xr.DataArray(values, {"y": y, "x": x}, ("feature", "y", "x"), "emb")
        array.rio.write_crs(CRS).to_dataset().to_zarr(path, zarr_format=3, consolidated=False)
    else:
        path = folder / "attributes.zarr"
        said = {"proj:epsg": 32631, "spatial:transform": [10, 0, WEST, 0, 10, NORTH - 10 * ROWS]}
        group = zarr.open_group(path, mode="w", zarr_format=3, attributes=said)
        group.create_array(
            "anything", data=values[:, ::-1], dimension_names=("band", "y", "x"), fill_value=0
        )
    options = () if kind == "geotiff" else ("--embedding-version", "v3")
    ds, _ = build(folder, kind, "--embedding", path, *options)
    source = ds.llp.info.images["embedding"].source
    assert source == ("TESSERA 1.1 cam, 2024" if kind == "geotiff" else "3")
    assert ds["embedding"].dtype == np.float32
    for number, chip in enumerate(ds["chip"].values):
        np.testing.assert_allclose(
            ds["embedding"].values[number], cells(values, chip), rtol=1e-5, atol=1e-6
        )


def _small(path: Path, dtype: str = "int8", features: int = 64, **options: Any) -> Path:
    numbers = np.ones((features, ROWS, COLUMNS), dtype=dtype)
    return write_raster(path, numbers, Affine(10, 0, WEST, 0, -10, NORTH), **options)


def test_what_does_not_fit_is_one_sentence(folder: Path) -> None:
    named = "GOOGLE_SATELLITE_EMBEDDING_V{}_ANNUAL_{}.tif"
    codes = alphaearth_codes()
    first = write_alphaearth(folder / named.format(1, 2020), codes)
    unnamed = _small(folder / "unnamed.tif")
    assert refusal(folder) == "a region needs --image, --embedding, or both"
    for options, expected in {
        (unnamed,): "unnamed.tif become values cannot be told (it stores int8); name it with "
        "--embedding-coding: alphaearth, tessera, linear",
        (unnamed, "--embedding-coding", "tessera"): "it has no scale for each pixel",
        (first, "--embedding-year", 2021): "is of AlphaEarth 1, 2020, but --embedding-year is 2021",
        (first, "--embedding", write_alphaearth(folder / named.format(1, 2021), codes)): "is of "
        "AlphaEarth 1, 2020 and GOOGLE_SATELLITE_EMBEDDING_V1_ANNUAL_2021.tif of AlphaEarth 1, "
        "2021; give files of one",
        (first, "--embedding", write_alphaearth(folder / named.format(2, 2020), codes)): "of "
        "AlphaEarth 2, 2020; give files of one",
        (
            _small(folder / "a.tif", "float32", 5),
            "--embedding",
            _small(folder / "b.tif", "float32", 6),
        ): "is of 5 features and b.tif of 6 features",
        (_small(folder / "c.tif", "float32", 5), "--embedding-coding", "alphaearth"): "c.tif: it "
        "stores float32, which are values already",
        (folder / "none.tif",): "there is no raster",
    }.items():
        assert expected in refusal(folder, "--embedding", *options)


def _edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    metadata = json.loads(path.read_text())
    change(metadata)
    path.write_text(json.dumps(metadata))


def test_hostile_zarr(folder: Path) -> None:
    whole, path = write_tessera(folder / "whole.zarr"), folder / "hostile.zarr"
    zone = path / "utm31"

    def refused_with(change: Callable[[], object]) -> str:
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(whole, path)
        change()
        return refusal(folder, "--embedding", path, "--max-missing", 0.9)

    def huge(metadata: dict[str, Any]) -> None:
        metadata["codecs"][0]["configuration"]["chunk_shape"] = [1, 8, 2**16, 2**16]
        metadata["chunk_grid"]["configuration"]["chunk_shape"] = [1, 8, 2**16, 2**16]

    def bomb() -> None:
        shard = zone / "scales/c/0/0/0"
        data = bytearray(shard.read_bytes())
        at = data.find((32 * 32 * 4).to_bytes(4, "little"))
        data[at : at + 4] = (2**31 - 1).to_bytes(4, "little")
        shard.write_bytes(bytes(data))

    def attributes(**said: Any) -> Callable[[], object]:
        return lambda: _edit(path / "zarr.json", lambda m: m["attributes"].update(said))

    def drop(name: str) -> None:
        _edit(zone / "zarr.json", lambda m: m["attributes"].pop(name))

    def link() -> None:
        shard = zone / "embeddings/c/0/0/0/0"
        shard.unlink()
        shard.symlink_to("/etc/passwd")

    def scales(dimension: str) -> None:
        _edit(
            zone / "scales/zarr.json",
            lambda m: m.update(dimension_names=["time", dimension, "x"]),
        )

    def uneven() -> None:
        values = np.arange(500.0) ** 2
        zarr.open_array(zone / "x", mode="r+")[:] = values

    assert "takes more than" in refused_with(lambda: _edit(zone / "embeddings/zarr.json", huge))
    assert "would inflate to 2147483647 bytes" in refused_with(bomb)
    assert "no regular file" in refused_with(link)
    assert "must have a scale for each pixel" in refused_with(lambda: scales("other"))
    assert "its array 'lost'" in refused_with(
        attributes(**{"geoemb:quantization": {"scale": {"type": "array", "array_name": "lost"}}})
    )
    assert "quantised in a way" in refused_with(
        attributes(**{"geoemb:quantization": {"method": "binary"}})
    )
    assert "coordinate reference system" in refused_with(lambda: drop("proj:code"))
    assert "not evenly spaced" in refused_with(uneven)
    assert "holds no embedding" in refused_with(
        lambda: _edit(
            zone / "embeddings/zarr.json", lambda m: m.update(dimension_names=list("abyx"))
        )
    )


def test_linear_that_is_not(folder: Path) -> None:
    """The example of the convention calls AlphaEarth linear, which its own page does not."""
    path = folder / "aef.zarr"
    said = {
        "geoemb:model": "https://arxiv.org/abs/2507.22291",
        "geoemb:quantization": {
            "method": "linear",
            "original_dtype": "float32",
            "scale": {"type": "scalar", "scale": 0.0078125, "offset": 0.0},
        },
        "proj:code": CRS,
        "spatial:transform": [10.0, 0.0, WEST, 0.0, -10.0, NORTH],
    }
    codes = alphaearth_codes()
    group = zarr.open_group(path, mode="w", zarr_format=3, attributes=said)
    group.create_array("embeddings", data=codes, dimension_names=("band", "y", "x"))
    assert "calls them linear, which it is not" in refusal(folder, "--embedding", path)
    options = ("--embedding", path, "--embedding-coding")
    linear, _ = build(folder, "linear", *options, "linear")
    chip = linear["chip"].values[0]
    expected = cells(codes * 0.0078125, chip)
    np.testing.assert_allclose(linear["embedding"].values[0], expected, atol=1e-6)


def test_a_new_region_needs_the_same_embedding(folder: Path, tmp_path: Path) -> None:
    named = "GOOGLE_SATELLITE_EMBEDDING_{}.tif"
    codes = alphaearth_codes()
    codes[:, 50:60, 50:60] = 5
    kinds = ("V1_ANNUAL_2018", "V2_ANNUAL_2019", "V1_ANNUAL_2019")
    first, other, later = (write_alphaearth(folder / named.format(kind), codes) for kind in kinds)
    pixels = np.random.default_rng(4).integers(0, 256, (3, ROWS, COLUMNS), dtype=np.uint8)
    image = write_raster(folder / "own.tif", pixels, Affine(10, 0, WEST, 0, -10, NORTH))
    build(folder, "trained", "--image", image, "--embedding", first)
    run = tmp_path / "run"
    options = ("--dataset", "trained", "--train-on", "all", "--out", run)
    done = invoke("run", "train-mean", *options)
    assert done.exit_code == 0, done.output
    for given, expected in {
        ("--image", image, "--embedding", other): r"AlphaEarth 2, 2019 with .*AlphaEarth 1, 2018",
        ("--image", image): r"trained on an embedding, .*give it with --embedding",
        ("--embedding", first): r"trained on an image, .*give it with --image",
    }.items():
        with pytest.raises(BuildError, match=expected):
            invoke("predict", run, *given, "--out", tmp_path / "refused")
    given = ("--image", image, "--embedding", later)
    done = invoke("predict", run, *given, "--out", tmp_path / "new")
    assert done.exit_code == 0, done.output
    assert "6 chips predicted" in done.output
    assert "the embedding is of 2019, trained on 2018" in done.output


def test_an_embedding_alone_is_used_again(folder: Path) -> None:
    path = write_alphaearth(folder / "aef_v1_2022.tif", alphaearth_codes())
    ds, _ = build(folder, "alone", "--embedding", path, "--max-missing", 0.02)
    recipe, said, faults = reuse_recipe(ds.llp.info.recipe, Recipe(embeddings=[path]), force=False)
    assert (recipe.chip_km, recipe.crs, faults) == (1, "auto", [])
    assert said == ["as in training: chips of 1 km"]
    with pytest.raises(BuildError, match="without an image; leave --image away"):
        reuse_recipe(ds.llp.info.recipe, Recipe([path], embeddings=[path]), force=False)
