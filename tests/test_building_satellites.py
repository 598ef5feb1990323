"""Scenes of satellites become datasets of their bands, and are read back exactly.

Expected numbers are those that were written, by numpy; of coarser pixels, numpy's interpolation.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import xarray as xr
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from own_region import OwnRegion, edit_raster, north_up
from scenes import (
    SIDES,
    TILE,
    TIME,
    classes,
    numbers,
    on_pixels,
    write_band,
    write_level_2,
    write_product,
)

import llpbench
from llpbench.cli import cli
from llpbench.data.building import Recipe
from llpbench.data.building.images import open_images
from llpbench.data.building.scenes import parse_name
from llpbench.data.sensors import SENTINEL2
from llpbench.errors import BuildError, LLPBenchError

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")


@pytest.fixture
def own(tmp_path: Path) -> OwnRegion:
    return OwnRegion(tmp_path, rows=3)


def call(own: OwnRegion, *options: Any) -> Result:
    """Build a dataset as a user does."""
    recipe = own.recipe(images=[own.folder])
    told = ("--labels", recipe.labels[0], "--divisions", recipe.divisions, "--chip-km", 0.1)
    arguments = ("build", "mine", *told, *options)
    return CliRunner().invoke(cli, list(map(str, arguments)))


def build(own: OwnRegion, image: Any, *options: Any) -> tuple[xr.Dataset, str]:
    """The dataset, and what was said of it."""
    images = image if isinstance(image, list) else [image]
    done = call(own, *(part for path in images for part in ("--image", path)), *options)
    assert done.exit_code == 0, done.output
    return llpbench.open_dataset("mine"), done.stderr


def refuse(own: OwnRegion, *options: Any) -> str:
    done = call(own, *options)
    assert isinstance(done.exception, LLPBenchError), done.output
    assert not (own.folder / "cache" / "mine").exists()
    return str(done.exception)


def whole(own: OwnRegion, ds: xr.Dataset, array: Any = None) -> NDArray[Any]:
    """What chips make up, (band, row, column), by their ids alone: metres east and north / 100."""
    image = (ds["image"] if array is None else array).transpose("chip", "band", "y", "x")
    found = np.zeros((image.shape[1], 100 * own.rows, 100 * own.columns), dtype=image.dtype)
    for chip, pixels in zip(ds["chip"].to_numpy(), image.to_numpy(), strict=True):
        east, north = map(int, str(chip).split("_")[1:])
        row, column = int(own.north) - 100 * (north + 1), 100 * east - int(own.west)
        found[:, row : row + 100, column : column + 100] = pixels
    return found


# Sentinel-2


def test_a_product_of_13_bands_is_read_back(own: OwnRegion) -> None:
    ds, said = build(own, write_product(own))
    image = ds.llp.info.images["image"]
    assert image.names == list(SIDES)
    assert image.dtype == ds["image"].dtype == "uint16"
    assert image.source == "Sentinel-2"
    assert [(b.role, b.wavelength) for b in image.bands] == [s[:2] for s in SENTINEL2.values()]
    assert (image.coding.scale, image.coding.offset, image.coding.missing) == (1e-4, -0.1, 0)
    found = whole(own, ds)
    for pixels, (band, side) in zip(found, SIDES.items(), strict=True):
        away = np.abs(pixels - on_pixels(numbers(own, band), side))
        assert away.max() <= (0 if side == 1 else 0.51), band
    values = whole(own, ds, ds.llp.values())
    np.testing.assert_allclose(values[1], numbers(own, "B02") / 1e4 - 0.1, atol=1e-6)
    assert "1000 is taken off the numbers (MTD_MSIL1C.xml)" in said
    assert "bands are 1 (B01) coastal, 2 (B02) blue, 3 (B03) green, 4 (B04) red, 5 (B05)" in said


def test_the_finest_of_each_band_is_taken(own: OwnRegion) -> None:
    ds, said = build(own, write_level_2(own), "--bands", "nir,B05,blue")
    assert ds.llp.info.images["image"].names == ["B08", "B05", "B02"]
    found = whole(own, ds)
    np.testing.assert_array_equal(found[0], numbers(own, "B08"))
    np.testing.assert_array_equal(found[2], numbers(own, "B02"))
    assert "left out, as it is no band: 'T31UFS_20230601T104619_AOT_10m.tif'" in said
    assert "SCL_20m.tif' was not used; --clouds" in said
    recipe = ds.llp.info.recipe
    assert [band.name for band in recipe.bands] == ["B08", "B05", "B02"]
    assert recipe.limits is None


def test_clouds_are_missing_where_that_is_asked_for(own: OwnRegion) -> None:
    """One chip is under a cloud, a tenth of another under cirrus: 10 x 25 of 50 x 50 pixels."""
    safe = write_level_2(own)
    ds, said = build(own, safe, "--bands", "B02,B08", "--clouds", "--max-missing", 0.1)
    assert ds.sizes["chip"] == 17
    assert "up to 10.00%" in said
    hidden = np.isin(classes(own).repeat(2, axis=0).repeat(2, axis=1), (9, 10))
    expected = np.where(hidden, 0, np.stack([numbers(own, "B02"), numbers(own, "B08")]))
    np.testing.assert_array_equal(whole(own, ds), expected)
    assert np.isnan(ds.llp.values().to_numpy()).sum() == 2 * 1000
    assert "11,000 pixels (6.1%) of the chips looked at are missing" in said


def test_colours_of_a_product_are_bytes_after_the_offset(own: OwnRegion) -> None:
    ds, _ = build(own, write_level_2(own), "--bands", "red,green,blue")
    assert ds.llp.info.images["image"].dtype == "uint8"
    stored = np.stack([numbers(own, band) for band in ("B04", "B03", "B02")]).astype(float)
    expected = np.rint(255 * np.clip((stored - 1000) / 3000, 0, 1))
    assert np.abs(whole(own, ds) - expected).max() <= 1
    assert np.mean(whole(own, ds) != expected) < 1e-3  # halves that a rounding of 1e-13 decides


ASSETS = {"a": {"href": "x/B02.tif", "raster:bands": [{"scale": 1e-4, "offset": -0.1}]}}
NOT_APPLIED = {"earthsearch:boa_offset_applied": False}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"properties": {"earthsearch:boa_offset_applied": True}}, (1e-4, 0)),
        (
            {"assets": {"a": {"href": "x/B02.tif", "raster:bands": [{"offset": -0.1}]}}},
            (1e-4, -0.1),
        ),
        (
            {"assets": {"a": {"href": "B02.tif", "raster:scale": 1e-4, "raster:offset": 0}}},
            (1e-4, 0),
        ),
        (
            {
                "properties": {"earthsearch:boa_offset_applied": False},
                "collection": "sentinel-2-l2a",
                "assets": {"a": {"href": "B02.tif", "raster:bands": [{"offset": -0.1}]}},
            },
            None,
        ),
        ({}, None),
        ([], None),
        ({"properties": 3, "assets": [{"href": 5}]}, None),
    ],
)
def test_an_item_beside_a_file_says_what_was_added(
    own: OwnRegion, item: Any, expected: tuple[float, float] | None
) -> None:
    """A COG of Element 84, and STAC 1.0 and 1.1; where nothing is sure, it asks."""
    folder = own.folder / "S2A_31UFS_20230601_0_L2A"
    path = write_band(own, folder / "B02.tif", numbers(own, "B02"))
    (folder / "S2A_31UFS_20230601_0_L2A.json").write_text(json.dumps(item))
    if expected is None:
        with pytest.raises(BuildError, match="say --boa-offset -1000 if it was"):
            open_images(Recipe(images=[path]))
    recipe = Recipe(images=[path], boa_offset="auto" if expected else "-1000")
    (band,) = open_images(recipe)[0].bands
    assert (band.scale, band.offset) == pytest.approx(expected or (1e-4, -0.1))


def test_a_name_that_says_baseline_4_is_asked_about(own: OwnRegion) -> None:
    safe = write_product(own)
    (safe / "MTD_MSIL1C.xml").unlink()
    assert "(its baseline is 04.00 or later)" in refuse(own, "--image", safe)
    ds, said = build(own, safe, "--boa-offset", "none", "--bands", "B02")
    assert ds.llp.info.images["image"].coding.offset == 0
    assert "nothing is taken off the numbers (--boa-offset)" in said


def test_before_baseline_4_nothing_was_added(own: OwnRegion) -> None:
    safe = write_product(own, baseline="0301", offset=None)
    (safe / "MTD_MSIL1C.xml").unlink()
    ds, said = build(own, safe, "--bands", "B02")
    assert ds.llp.info.images["image"].coding.offset == 0
    assert "nothing is taken off the numbers (baseline 03.01)" in said


def test_metadata_with_entities_are_refused(own: OwnRegion) -> None:
    safe = write_product(own)
    file = safe / "MTD_MSIL1C.xml"
    for text in ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<a", "<QUANTIFICATION_VALUE/>"):
        file.write_text(text)
        assert "MTD_MSIL1C.xml" in refuse(own, "--image", safe)


def test_tiles_of_several_bands(own: OwnRegion) -> None:
    """Two tiles, west and east, each a file a band; the band of another is named."""
    half = 50 * own.columns
    paths = []
    for tile, columns in (("31UFS", slice(0, half)), ("31UGS", slice(half, None))):
        corner = north_up(own.west + columns.indices(2 * half)[0], own.north, 1)
        for band in ("B04", "B08"):
            path = own.folder / f"S2A_{tile}_20210601_0_L2A_{band}.tif"
            pixels = numbers(own, band)[np.newaxis, :, columns]
            paths.append(own.write_image(pixels, path.name, transform=corner))
    ds, said = build(own, paths)
    np.testing.assert_array_equal(whole(own, ds), [numbers(own, "B04"), numbers(own, "B08")])
    assert "of 20210601, before 1000 was added" in said


@given(st.text("STL1208_-.xvh", max_size=25), st.sampled_from([*SIDES]), st.sampled_from([*SIDES]))
def test_bands_of_one_scene_are_called_alike(head: str, one: str, other: str) -> None:
    first, second = (parse_name(Path(f"{head}_{band}_20m.tif")) for band in (one, other))
    assert first is not None
    assert second is not None
    assert (first.band, first.metres, first.sensor) == (one, 20, "Sentinel-2")
    assert first.scene == second.scene


@given(st.text(max_size=40))
def test_any_name_of_a_file_is_read(name: str) -> None:
    parse_name(Path(f"{name}.tif"))


# Other satellites


def test_radar_keeps_decibels(own: OwnRegion) -> None:
    rng = np.random.default_rng(0)
    decibels = rng.normal(-12, 4, (2, 300, 600)).astype("float32")
    decibels[:, 10:20, 10:20] = np.nan
    stem = "S1A_IW_GRDH_1SDV_20230601T055500_20230601T055525_048789_05DE0A"
    for name, pixels in zip(("VH", "VV"), decibels, strict=True):
        write_band(own, own.folder / "s1" / f"{stem}_{name}.tif", pixels)
    ds, _ = build(own, own.folder / "s1")
    image = ds.llp.info.images["image"]
    assert [(band.name, band.role) for band in image.bands] == [("VH", "vh"), ("VV", "vv")]
    assert (image.dtype, image.source, image.coding.missing) == ("float32", "Sentinel-1", None)
    np.testing.assert_array_equal(whole(own, ds), decibels)


def test_landsat_is_known_by_its_number(own: OwnRegion) -> None:
    """B5 is near infrared on Landsat 8, shortwave infrared on Landsat 5 (USGS)."""
    for sensor, role in (("LC08", "nir08"), ("LT05", "swir16")):
        own = OwnRegion(own.folder / sensor, rows=3)
        own.folder.mkdir()
        stem = f"{sensor}_L2SP_199024_20110601_20200101_02_T1"
        for band in ("B4", "B5"):
            pixels = numbers(own, f"B0{band[1]}")[:, :300]
            write_band(own, own.folder / f"{stem}_SR_{band}.TIF", pixels, nodata=0)
        (own.folder / f"{stem}_QA_PIXEL.TIF").write_bytes(b"II*\0")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LLPBENCH_CACHE", str(own.folder / "cache"))
            ds, said = build(own, f"{own.folder}/*.TIF", "--crs", own.crs)
        assert ds.llp.info.images["image"].roles[1] == role
        assert ds.llp.info.images["image"].coding.missing == 0
        assert "QA_PIXEL" in said


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("S2A_31UFS_20210601_0_L2A_B04", "S1A_IW_20210601T0_VV"), "must be of one satellite"),
        (("T31UFS_20210601T1_B04", "T31UFS_20210701T1_B04"), "are two images of one place"),
        (("T31UFS_20210601T1_B04", "T31UGS_20210601T1_B05"), "but not beside"),
        (("T31UFS_20210601T1_B04", "dem"), "but 'dem.tif' not: give the files"),
        (("a/T31UFS_20210601T1_B04", "b/T31UFS_20210601T1_B04"), "are both band B04 of one"),
    ],
)
def test_wrong_mixes_are_said(own: OwnRegion, names: tuple[str, ...], expected: str) -> None:
    paths = [write_band(own, own.folder / f"{name}.tif", numbers(own, "B05")) for name in names]
    said = refuse(own, *(part for path in paths for part in ("--image", path)))
    assert expected in said
    assert len(said.strip().splitlines()) == 1


def test_no_clouds_without_a_classification(own: OwnRegion) -> None:
    path = own.write_image(own.image[:2])
    assert "needs the scene classification" in refuse(own, "--image", path, "--clouds")


# Files of many bands


def test_a_classification_may_be_a_band(own: OwnRegion) -> None:
    scl = classes(own).repeat(2, axis=0).repeat(2, axis=1).astype("uint16")
    values = np.stack([numbers(own, "B02"), scl, numbers(own, "B08")])
    path = edit_raster(own.write_image(values), descriptions=["B2", "SCL", "B8"])
    ds, _ = build(own, path, "--clouds")
    assert ds.llp.info.images["image"].names == ["B2", "B8"]
    assert ds.sizes["chip"] == 16


def test_four_bands_keep_their_numbers(own: OwnRegion) -> None:
    values = np.concatenate([own.image, own.image[:1] // 2])
    names = ["red", "green", "blue", "nir"]
    ds, said = build(own, edit_raster(own.write_image(values), descriptions=names))
    assert ds.llp.info.images["image"].names == names
    assert ds.llp.info.images["image"].coding.missing is None
    np.testing.assert_array_equal(whole(own, ds), values)
    assert "bands are 1 (red), 2 (green), 3 (blue), 4 (nir) of image.tif" in said


def test_64_bands_without_names(own: OwnRegion) -> None:
    values = np.arange(64 * 300).reshape(64, 300, 1).repeat(600, axis=2).astype("int8")
    ds, said = build(own, own.write_image(values))
    assert ds.llp.info.images["image"].names[::63] == ["band1", "band64"]
    assert "13 and 51 more of image.tif" in said
    np.testing.assert_array_equal(whole(own, ds), values)


@pytest.mark.parametrize("dtype", ["int16", "uint16", "int32"])
def test_missing_pixels_have_a_number(own: OwnRegion, dtype: str) -> None:
    """Nodata that differs between bands, or a mask: a number that the type leaves free, or NaN."""
    values = numbers(own, "B02")[np.newaxis].repeat(2, axis=0).astype(dtype)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        path = own.write_image(values)
        shown = np.full((300, 600), 255, dtype=np.uint8)
        shown[150:155, 250:255] = 0
        with rasterio.open(path, "r+") as file:
            file.write_mask(shown)
    ds, _ = build(own, path)
    stored = ds["image"].dtype.name
    coding = ds.llp.info.images["image"].coding
    assert (stored, coding.missing) == {
        "int16": ("int16", -32768),
        "uint16": ("uint16", 0),
        "int32": ("float32", None),
    }[dtype]
    values = values.astype(float)
    values[:, 150:155, 250:255] = np.nan
    np.testing.assert_array_equal(whole(own, ds, ds.llp.values()), values)


def test_no_number_is_left_for_missing_pixels(own: OwnRegion) -> None:
    values = own.image[:2].copy()
    values[:, 0, :2] = 0, 255
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        path = own.write_image(values)
        shown = np.full((300, 600), 255, dtype=np.uint8)
        shown[150:155, 250:255] = 0
        with rasterio.open(path, "r+") as file:
            file.write_mask(shown)
    assert "uses all numbers of its type (uint8)" in refuse(own, "--image", path)
    ds, _ = build(own, path, "--max-missing", 0)
    assert ds.sizes["chip"] == 17


def test_a_scale_makes_bytes_of_any_bands(own: OwnRegion) -> None:
    values = np.stack([numbers(own, "B02"), numbers(own, "B08")])
    ds, said = build(own, own.write_image(values), "--scale", 0, 5100)
    np.testing.assert_array_equal(whole(own, ds), np.rint(values / 20))
    np.testing.assert_allclose(whole(own, ds, ds.llp.values()), values, atol=10.01)
    assert "image values 0 to 5100 became 0 to 255" in said


@pytest.mark.parametrize(("bands", "shift"), [(1, 0.0), (3, 0.0), (1, 0.5)])
def test_a_file_from_the_bottom_up_is_right_side_up(
    own: OwnRegion, bands: int, shift: float
) -> None:
    """Rows from south to north, on the lattice of chips and half a pixel beside it."""
    values = np.round(own.image[:bands] / 255, 3).astype("float32")
    flipped = rasterio.Affine(1, 0, own.west + shift, 0, 1, own.north - 300)
    path = own.write_image(values[:, ::-1], transform=flipped)
    options = ("--crs", own.crs, "--max-missing", 0.02, *(("--scale", 0, 1) if bands == 3 else ()))
    ds, _ = build(own, path, *options)
    expected = values.astype(float)
    if shift:
        expected[:, :, 1:] = (expected[:, :, 1:] + expected[:, :, :-1]) / 2
    expected = np.rint(255 * expected) if bands == 3 else expected
    away = np.abs(whole(own, ds) - expected)[:, :, 1:]
    assert away.max() <= (1 if bands == 3 else 1e-6)


def test_a_jpeg_2000_is_read_back(own: OwnRegion) -> None:
    path = own.folder / f"T{TILE}_{TIME.replace('2023', '2021')}_B08_10m.jp2"
    lossless = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"}
    pixels = numbers(own, "B08")
    shape = {"count": 1, "height": 300, "width": 600, "dtype": "uint16"}
    with rasterio.open(
        path, "w", crs=own.crs, transform=own.transform, **shape, **lossless
    ) as file:
        file.write(pixels[np.newaxis])
    ds, _ = build(own, path)
    np.testing.assert_array_equal(whole(own, ds), pixels[np.newaxis])


def test_bands_of_other_kinds(own: OwnRegion) -> None:
    """Tiles of one band must be alike; without it, nothing says what their numbers mean."""
    first = own.write_image(own.image[:2, :, :300].astype("uint16"), "west.tif")
    east = north_up(own.west + 300, own.north, 1)
    second = own.write_image(own.image[:2, :, 300:].astype("float32"), "east.tif", transform=east)
    assert "must store the same kind" in refuse(own, "--image", first, "--image", second)
    third = own.write_image(own.image[:, :, 300:].astype("uint16"), "three.tif", transform=east)
    assert "must have the same bands" in refuse(own, "--image", first, "--image", third)
