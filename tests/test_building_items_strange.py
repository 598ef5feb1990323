"""Lists of items by strangers, or with mistakes: a sentence, and no file is opened elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from items import COLOURS, asset, item, write_cog, write_items
from own_builds import refuse
from own_region import OwnRegion

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")

PIXELS = np.ones((3, 100, 200), dtype=np.uint8)


@pytest.fixture
def own(tmp_path: Path) -> OwnRegion:
    folder = tmp_path / "list"
    folder.mkdir()
    return OwnRegion(folder, rows=1, columns=2)


def refuse_items(own: OwnRegion, items: list[Any], *options: Any, **said: Any) -> str:
    return refuse(own, "--stac", write_items(own.folder / "items.json", items, **said), *options)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"type": "Catalog"}, "is no list of STAC items"),
        ([], "is no list of STAC items"),
        ({"type": "FeatureCollection", "features": []}, "is no list of STAC items"),
        ({"type": "FeatureCollection", "features": [7]}, "has an item without an id"),
        ({"type": "Feature", "id": 7, "assets": {}}, "has an item without an id"),
        ({"type": "Feature", "id": "a", "assets": []}, "has no assets"),
        ({"type": "Feature", "id": "a", "assets": {"red": 1}}, "has no GeoTIFF of 'red'"),
        (
            {"type": "FeatureCollection", "features": [item("a", {"b": {}}), item("a", {"b": {}})]},
            "has items twice: 'a'",
        ),
        (
            {"type": "FeatureCollection", "features": [item("a", {"b": {}}, bbox=[9, 9, 10, 10])]},
            "none of the 1 items of items.json lies over the divisions",
        ),
    ],
)
def test_what_is_no_list_of_items(own: OwnRegion, content: Any, words: str) -> None:
    path = own.folder / "items.json"
    path.write_text(json.dumps(content))
    assert words in refuse(own, "--stac", path)


def test_too_many_items_are_refused(own: OwnRegion) -> None:
    assert "has 10,001 items, at most 10,000" in refuse_items(own, [{}] * 10_001)


@pytest.mark.parametrize(
    "href",
    [
        "../outside.tif",
        "link.tif",
        "/etc/passwd",
        "file:///etc/passwd",
        "file://../outside.tif",
        "ftp://127.0.0.1/a.tif",
        "s3://bucket/../../etc/passwd",
        "s3:///etc/passwd",
        "s3://../etc/passwd",
        "https://127.0.0.1/../../etc/passwd",
        "https:///etc/passwd",
        "vrt://list/outside.tif",
        "/vsicurl/http://127.0.0.1/a.tif",
        "%2e%2e/outside.tif",
    ],
)
def test_files_elsewhere_are_not_opened(own: OwnRegion, href: str) -> None:
    write_cog(own, "own", PIXELS)
    outside = own.folder.parent / "outside.tif"
    (own.folder / "assets" / "own.tif").rename(outside)
    (own.folder / "link.tif").symlink_to(outside)
    assert "files are read in the folder of the list" in refuse_items(
        own, [item("a", {"image": asset(href, *COLOURS)})]
    )


def test_other_drivers_are_not_used(own: OwnRegion) -> None:
    """A VRT, called as a GeoTIFF."""
    text = "<VRTDataset rasterXSize='1' rasterYSize='1'></VRTDataset>"
    (own.folder / "a.tif").write_text(text)
    said = refuse_items(own, [item("a", {"image": asset("a.tif", *COLOURS)})])
    assert "asset 'image' of item 'a' is no GeoTIFF (a.tif)" in said


def test_a_file_on_the_web_that_is_none(own: OwnRegion) -> None:
    """Nobody listens there; what GDAL says of it is one sentence."""
    href = "http://127.0.0.1:9/a.tif"
    assert "a.tif cannot be read as a raster" in refuse_items(
        own, [item("a", {"image": asset(href, *COLOURS)})]
    )


def test_bands_that_do_not_fit(own: OwnRegion) -> None:
    href = write_cog(own, "own", PIXELS)
    edges = {name: {"href": href, "eo:bands": [{"common_name": "rededge"}]} for name in "ab"}
    said = refuse_items(own, [item("a", edges)], "--bands", "rededge")
    assert "'rededge' may be the assets 'a', 'b' of item 'a'" in said
    one = {"image": {"href": href, "eo:bands": [{"common_name": "red"}]}}
    said = refuse_items(own, [item("a", one)], "--bands", "red")
    assert "has 1 bands by the item, but its file has 3" in said
    pictures = {"visual": asset(href, *COLOURS), "jp2": asset(href, "red", type="image/jp2")}
    assert "has no GeoTIFF of 'red'" in refuse_items(own, [item("a", pictures)])
    whole = {"image": asset(href, *COLOURS)}
    assert "item 'a' has no GeoTIFF of 'SCL'" in refuse_items(own, [item("a", whole)], "--clouds")
    other = {"image": asset(href, *COLOURS), "m": {"href": write_cog(own, "m", PIXELS[:1] * 0.5)}}
    said = refuse_items(own, [item("a", other)], "--mask", "m")
    assert "holds numbers of type float64, but a mask needs whole ones" in said


def test_options_that_do_not_go_together(own: OwnRegion) -> None:
    image = own.write_image()
    assert "--image and --stac are two images" in refuse(own, "--image", image, "--stac", "a.json")
    assert "--mask names an asset of --stac" in refuse(own, "--image", image, "--mask", "a")
    assert "a region needs --image or --stac, --embedding, or both" in refuse(own)
