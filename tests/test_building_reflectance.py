"""What numbers of Sentinel-2 and Landsat mean is read in their metadata and names, or asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_builds import build, refuse, whole
from own_region import OwnRegion
from scenes import numbers, write_band, write_level_2, write_product

from llpbench.data.building import Recipe
from llpbench.data.building.images import open_images
from llpbench.errors import BuildError

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")


@pytest.fixture
def own(tmp_path: Path) -> OwnRegion:
    return OwnRegion(tmp_path, rows=3)


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


def test_landsat_of_collection_2_is_reflectance_and_kelvin(own: OwnRegion) -> None:
    """USGS, 'How do I use a scale factor': 18,639 is .313, and 44,947 is 302.6 K."""
    stem = "LC08_L2SP_199024_20210601_20210608_02_T1"
    red, thermal = (np.full((300, 600), number, dtype=np.uint16) for number in (18_639, 44_947))
    red[0, :2] = thermal[0, :2] = 0
    paths = [write_band(own, own.folder / f"{stem}_SR_B4.TIF", red)]
    paths += [write_band(own, own.folder / f"{stem}_ST_B10.TIF", thermal)]
    ds, said = build(own, paths)
    values = whole(own, ds, ds.llp.values())
    assert np.isnan(values[:, 0, :2]).all()
    np.testing.assert_allclose(values[:, 1:].reshape(2, -1).T, [[0.31257, 302.629]] * 179_400, 1e-5)
    assert "reflectance is 0.0000275 n - 0.2 (Landsat Collection 2)" in said
    (band,) = open_images(Recipe(images=paths[:1]))[0].bands
    assert (band.scale, band.offset, band.nodata) == (2.75e-5, -0.2, 0)
    level_1 = write_band(own, own.folder / f"{stem.replace('L2SP', 'L1TP')}_B4.TIF", red)
    assert open_images(Recipe(images=[level_1]))[0].bands[0].scale == 1
