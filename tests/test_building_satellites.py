"""Scenes of satellites become datasets of their bands, and are read back exactly.

Expected numbers are those that were written, by numpy; of coarser pixels, numpy's interpolation.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from own_builds import build, refuse, whole
from own_region import OwnRegion, north_up
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

from llpbench.data.building import Recipe
from llpbench.data.building.images import open_images
from llpbench.data.building.scenes import parse_name
from llpbench.data.sensors import SENTINEL2

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")


@pytest.fixture
def own(tmp_path: Path) -> OwnRegion:
    return OwnRegion(tmp_path, rows=3)


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
    for sensor, roles in (("LC08", ["red", "nir08"]), ("LT05", ["nir08", "swir16"])):
        stem = f"{sensor}_L2SP_199024_20110601_20200101_02_T1"
        for band in ("B4", "B5"):
            pixels = numbers(own, f"B0{band[1]}")[:, :300]
            write_band(own, own.folder / f"{stem}_SR_{band}.TIF", pixels)
        (own.folder / f"{stem}_QA_PIXEL.TIF").write_bytes(b"II*\0")
        stack, said = open_images(Recipe(images=[own.folder / f"{sensor}*.TIF"]))
        assert [band.role for band in stack.bands] == roles
        assert "QA_PIXEL" in said[0]


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
