"""Files of one, two, four or many bands are built and read back, missing pixels too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from own_builds import build, refuse, whole
from own_region import OwnRegion, edit_raster, north_up
from scenes import classes, numbers

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")


@pytest.fixture
def own(tmp_path: Path) -> OwnRegion:
    return OwnRegion(tmp_path, rows=3)


def write_masked(own: OwnRegion, values: NDArray[Any]) -> Path:
    """A file whose mask hides a square of 5 pixels."""
    shown = np.full((300, 600), 255, dtype=np.uint8)
    shown[150:155, 250:255] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        path = own.write_image(values)
        with rasterio.open(path, "r+") as file:
            file.write_mask(shown)
    return path


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


def test_many_bands_without_names(own: OwnRegion) -> None:
    values = np.arange(20 * 300).reshape(20, 300, 1).repeat(600, axis=2).astype("int8")
    ds, said = build(own, own.write_image(values))
    assert ds.llp.info.images["image"].names[::19] == ["band1", "band20"]
    assert "13 and 7 more of image.tif" in said
    np.testing.assert_array_equal(whole(own, ds), values)


@pytest.mark.parametrize("dtype", ["int16", "uint16", "int32"])
def test_missing_pixels_have_a_number(own: OwnRegion, dtype: str) -> None:
    """Nodata that differs between bands, or a mask: a number that the type leaves free, or NaN."""
    values = numbers(own, "B02")[np.newaxis].repeat(2, axis=0).astype(dtype)
    path = write_masked(own, values)
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
    path = write_masked(own, values)
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


def test_bands_of_other_kinds(own: OwnRegion) -> None:
    """Tiles of one band must be alike; without it, nothing says what their numbers mean."""
    first = own.write_image(own.image[:2, :, :300].astype("uint16"), "west.tif")
    east = north_up(own.west + 300, own.north, 1)
    second = own.write_image(own.image[:2, :, 300:].astype("float32"), "east.tif", transform=east)
    assert "must store the same kind" in refuse(own, "--image", first, "--image", second)
    third = own.write_image(own.image[:, :, 300:].astype("uint16"), "three.tif", transform=east)
    assert "must have the same bands" in refuse(own, "--image", first, "--image", third)


def test_no_clouds_without_a_classification(own: OwnRegion) -> None:
    path = own.write_image(own.image[:2])
    assert "needs the scene classification" in refuse(own, "--image", path, "--clouds")
