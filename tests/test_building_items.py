"""Items of a STAC catalogue become a dataset: the median of each pixel over those that show it.

Expected numbers are numpy's median (``numpy.ma``) of what was written, under the classes that ESA's
product specification calls clouds, shadows, saturated or without data.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from items import COLOURS, Series, asset, item, masked_median, serve, write_cog, write_items
from own_builds import call, refuse, whole
from own_region import OwnRegion, north_up

import llpbench

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")


@pytest.fixture
def own(tmp_path: Path) -> OwnRegion:
    return OwnRegion(tmp_path, rows=3, columns=4)


def build(own: OwnRegion, items: Path, *options: Any) -> tuple[Any, str]:
    done = call(own, "--stac", items, *options)
    assert done.exit_code == 0, done.output
    return llpbench.open_dataset("mine"), done.stderr


@pytest.mark.parametrize("count", [1, 4, 5])
def test_the_median_of_what_is_clear(own: OwnRegion, count: int) -> None:
    series = Series(own, count)
    options = ("--clouds", "--max-missing", 0.9, "--bands", "red,green,blue")
    ds, said = build(own, series.write(), *options, "--scale", 1000, 4000)
    expected = masked_median(series.numbers, series.clear)
    seen = ~np.isnan(expected)
    stretched = np.where(seen, np.rint(255 * (np.rint(np.nan_to_num(expected)) - 1000) / 3000), 0)
    np.testing.assert_array_equal(whole(own, ds), stretched)
    assert seen.mean() < 1 if count == 1 else seen.mean() > 0.8
    assert f"the image is the median of {count} items of 2023-06-01 to 2023-06-0{count}" in said
    assert "without pixels that 'SCL' hides; its bands are the assets 'red', 'green'," in said
    made = ds.llp.info.recipe.composite
    assert (made.items[0], made.count, made.mask, made.how) == ("S2_0", count, "SCL", "median")
    assert made.hidden == (0, 1, 3, 8, 9, 10)


def test_numbers_are_kept_where_bands_are_others(own: OwnRegion) -> None:
    series = Series(own, 3)
    ds, _ = build(own, series.write(), "--bands", "green,red", "--clouds", "--max-missing", 0.9)
    expected = masked_median(series.numbers, series.clear)[[1, 0]]
    image = ds.llp.info.images["image"]
    assert image.names == ["green", "red"]
    found = whole(own, ds)
    seen = ~np.isnan(expected)
    np.testing.assert_array_equal(found[seen], np.rint(expected)[seen])
    assert (found[~seen] == image.coding.missing).all()


def test_another_mask_hides_where_it_is_not_zero(own: OwnRegion) -> None:
    series = Series(own, 3)
    hidden = (np.random.default_rng(3).random((3, 1, 300, 400)) < 0.3).astype(np.uint8)
    items = series.items()
    for number, one in enumerate(items):
        href = write_cog(own, f"{number}mask", hidden[number], nodata=0)
        one["assets"]["cloud"] = {"href": href}
    path = write_items(own.folder / "items.json", items)
    ds, _ = build(own, path, "--mask", "cloud", "--max-missing", 0.5, "--bands", "red,blue")
    expected = masked_median(series.numbers, hidden[:, 0] == 0)[[0, 2]]
    seen = ~np.isnan(expected)
    np.testing.assert_array_equal(whole(own, ds)[seen], np.rint(expected)[seen])
    assert ds.llp.info.recipe.composite.hidden == ()


def test_items_side_by_side_and_one_far_away(own: OwnRegion) -> None:
    """Each half lies in one item, a strip in both; the third lies apart and is never opened."""
    numbers = np.random.default_rng(0).integers(0, 255, (3, 300, 400), dtype=np.uint8)
    parts = {"west": slice(0, 250), "east": slice(150, 400)}
    items = []
    for name, part in parts.items():
        transform = north_up(own.west + part.start, own.north, 1)
        href = write_cog(own, name, numbers[:, :, part], transform=transform)
        items.append(item(name, {"image": asset(href, *COLOURS)}))
    items.append(item("far", {"image": asset("nothing.tif", *COLOURS)}, bbox=[20, 40, 21, 41]))
    ds, said = build(own, write_items(own.folder / "items.json", items))
    np.testing.assert_array_equal(whole(own, ds), numbers)
    assert ds.sizes["chip"] == 12
    assert "1 items lie apart from all divisions" in said
    assert ds.llp.info.recipe.composite.count == 2


def test_items_of_two_projections_are_warped(own: OwnRegion) -> None:
    """A plane, which bilinear interpolation keeps: its median is the plane, in both zones."""
    from pyproj import Transformer

    row, column = np.mgrid[:300, :400] + 0.5
    plane = np.stack([1000 + 5 * column + 3 * row] * 3)
    items = [item("own", {"image": asset(write_cog(own, "own", plane), *COLOURS)})]
    there = Transformer.from_crs("EPSG:32632", own.crs, always_xy=True)
    back = Transformer.from_crs(own.crs, "EPSG:32632", always_xy=True)
    x, y = back.transform(own.west + 200, own.north - 150)
    transform = north_up(np.floor(x) - 300, np.ceil(y) + 300, 1)
    row, column = np.mgrid[:600, :600] + 0.5
    x, y = there.transform(transform.c + column, transform.f - row)
    turned = np.stack([1000 + 5 * (x - own.west) + 3 * (own.north - y)] * 3)
    href = write_cog(own, "other", turned, transform=transform, crs="EPSG:32632")
    items.append(item("other", {"image": asset(href, *COLOURS)}))
    ds, _ = build(
        own, write_items(own.folder / "items.json", items), "--scale", 0, 10000, "--crs", own.crs
    )
    expected = 255 * plane / 10000
    assert np.abs(whole(own, ds) - expected).max() <= 0.51
    assert ds.llp.info.recipe.resampling == ("bilinear", "none")


@pytest.mark.parametrize("place", ["beside", "elsewhere"])
def test_lists_and_files_on_the_web(own: OwnRegion, place: str) -> None:
    """The list by its address and files beside it, or a list here of files on the web."""
    series = Series(own, 2)
    items = series.items()
    with serve(own.folder) as (url, asked):
        if place == "elsewhere":
            for asset_ in (asset_ for one in items for asset_ in one["assets"].values()):
                asset_["href"] = asset_["href"].replace(".", url, 1) + "?key=secret&x=%2F"
        path = write_items(own.folder / "items.json", items)
        ds, _ = build(own, f"{url}/items.json" if place == "beside" else path, "--scale", 0, 4000)
    assert any("0red.tif" in path for path in asked)
    assert not any(".aux.xml" in path or ".msk" in path or path.endswith("/") for path in asked)
    if place == "elsewhere":
        files = {path for path in asked if path.endswith(".tif?key=secret&x=%2F")}
        assert len(files) == 6
        assert "secret" not in str(ds.attrs)
    everything = np.ones((2, 300, 400), dtype=bool)
    expected = np.rint(masked_median(series.numbers, everything))
    np.testing.assert_array_equal(whole(own, ds), np.rint(255 * expected / 4000))


E84 = {"earthsearch:boa_offset_applied": True, "platform": "sentinel-2a"}
PLANETARY = {"platform": "Sentinel-2A", "s2:processing_baseline": "04.00"}


@pytest.mark.parametrize(
    ("properties", "said", "offset"),
    [
        ({}, {"raster:bands": [{"scale": 1e-4, "offset": -0.1}]}, -0.1),
        ({}, {"raster:scale": 1e-4, "raster:offset": -0.1}, -0.1),
        (E84, {"raster:bands": [{"scale": 1e-4, "offset": -0.1}]}, 0.0),
        (PLANETARY | {"s2:processing_baseline": "03.01"}, {}, 0.0),
        ({"platform": "sentinel-2b", "datetime": "2022-01-24T23:59:59Z"}, {}, 0.0),
    ],
)
def test_what_numbers_mean_is_read_in_the_items(
    own: OwnRegion, properties: dict[str, Any], said: dict[str, Any], offset: float
) -> None:
    series = Series(own, 1)
    items = series.items()
    for band in COLOURS:
        items[0]["assets"][band] |= said
    items[0]["properties"] |= properties
    path = write_items(own.folder / "items.json", items)
    ds, _ = build(own, path, "--bands", "red,green", "--max-missing", 0.1)
    expected = series.numbers[0, :2] / 1e4 + offset
    np.testing.assert_allclose(whole(own, ds, ds.llp.values()), expected, atol=1e-6)


@pytest.mark.parametrize("option", ["none", "-1000"])
def test_an_offset_that_nobody_knows_is_asked_for(own: OwnRegion, option: str) -> None:
    series = Series(own, 1, properties=PLANETARY)
    path = series.write()
    assert "say --boa-offset -1000 if it was" in refuse(own, "--stac", path)
    ds, _ = build(own, path, "--bands", "red,blue", "--boa-offset", option)
    expected = series.numbers[0, ::2] / 1e4 - (0.1 if option == "-1000" else 0)
    np.testing.assert_allclose(whole(own, ds, ds.llp.values()), expected, atol=1e-6)


def test_a_method_trained_on_items_predicts_others(own: OwnRegion) -> None:
    """Bands are found by the names that they had in training."""
    from click.testing import CliRunner

    from llpbench.cli import cli

    build(own, Series(own, 2).write(), "--bands", "blue,red", "--splits", "folds", "--folds", 3)
    run = own.folder / "run"
    told = ["run", "train-mean", "--dataset", "mine", "--train-on", "all", "-o", run]
    done = CliRunner().invoke(cli, list(map(str, told)))
    assert done.exit_code == 0, done.output
    told = ["predict", run, "--stac", own.folder / "items.json", "-o", own.folder / "new"]
    done = CliRunner().invoke(cli, list(map(str, told)))
    assert done.exit_code == 0, done.output
    made = llpbench.open_dataset(own.folder / "new" / "dataset")
    assert made.llp.info.images["image"].names == ["blue", "red"]
