"""Embeddings are built through the command, and read back as they were written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr
import zarr
from affine import Affine
from embeddings import (
    COLUMNS,
    CRS,
    NORTH,
    ROWS,
    WEST,
    alphaearth_codes,
    alphaearth_values,
    build,
    cells,
    corner,
    refusal,
    tessera_codes,
    tessera_values,
    write_alphaearth,
    write_tables,
    write_tessera,
)
from own_region import write_raster

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tables(tmp_path_factory.mktemp("own"))


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


@pytest.mark.parametrize("years", [pytest.param((2024,), marks=pytest.mark.full), (2023, 2024)])
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
