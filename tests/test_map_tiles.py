"""Maps of large regions: tiles that together are the map in one file."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
from regions import make_region, write_region
from shapely.geometry import box, shape

import llpbench
from llpbench.maps import MapFiles, write_map
from llpbench.predictions import make_predictions

pytestmark = pytest.mark.usefixtures("no_map_pictures")

SIDE = 4


@pytest.fixture(scope="module")
def ds(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """A grid of 10 columns and 9 rows, of which some are not predicted."""
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(10, 9, 5, 3), path)
    return llpbench.open_dataset(path).llp.group()


@pytest.fixture(scope="module")
def predictions(ds: xr.Dataset) -> xr.Dataset:
    random, names = np.random.default_rng(0), ds["category_name"].to_numpy()
    chips = ds["chip"].to_numpy()[7:]
    shares = random.dirichlet(np.ones(len(names)), len(chips))
    classes = random.integers(0, len(names), (len(chips), 24, 24), dtype=np.uint8)
    bounds = {"low": shares[np.newaxis] * 0.9, "high": shares[np.newaxis] * 0.9 + 0.1}
    return make_predictions(chips, names, shares, classes, levels=[0.9], **bounds)


def write_both(
    predictions: xr.Dataset, ds: xr.Dataset, folder: Path, patch: pytest.MonkeyPatch
) -> tuple[MapFiles, MapFiles]:
    whole = write_map(predictions, ds, folder / "whole" / "map.tif")
    patch.setattr("llpbench.maps.writing.MOST_IN_FILE", 5)
    patch.setattr("llpbench.maps.tile.SIDE", SIDE)
    return whole, write_map(predictions, ds, folder / "tiled" / "map.tif")


def test_tiles_seen_together_are_the_map_in_one_file(
    predictions: xr.Dataset, ds: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, tiled = write_both(predictions, ds, tmp_path, monkeypatch)
    assert {path.suffix for path in (tiled.shares, tiled.classes)} == {".vrt"}
    for kind in ("shares", "classes", "intervals"):
        with rasterio.open(whole.paths[kind]) as one, rasterio.open(tiled.paths[kind]) as many:
            np.testing.assert_array_equal(many.read(), one.read(), err_msg=kind)
            assert many.transform == one.transform
            assert many.crs == one.crs
            assert many.descriptions == one.descriptions
            assert many.nodata == one.nodata or np.isnan([many.nodata, one.nodata]).all()
            assert {key: many.tags()[key] for key in one.tags()} == one.tags()
            if kind == "classes":
                assert many.colormap(1) == one.colormap(1)
            # from the overviews of the tiles
            shape = tuple(side // 2 for side in one.shape)
            assert np.isfinite(many.read(1, out_shape=shape)).any()
    assert len(list(tiled.chips.glob("classes-*.tif"))) == 9  # 3 x 3 squares of 4 chips
    tables = [gpd.read_parquet(file) for file in sorted(tiled.chips.glob("chips-*.parquet"))]
    found = pd.concat(tables).sort_values("chip", ignore_index=True)
    expected = gpd.read_parquet(whole.chips).sort_values("chip", ignore_index=True)
    assert found.geometry.geom_equals_exact(expected.geometry, 1e-6).all()
    columns = expected.columns.drop("geometry")
    pd.testing.assert_frame_equal(found[columns], expected[columns])
    assert tiled.divisions.read_bytes() == whole.divisions.read_bytes()


def test_each_tile_is_an_item_of_a_collection(
    predictions: xr.Dataset, ds: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _whole, tiled = write_both(predictions, ds, tmp_path, monkeypatch)
    collection = json.loads((tiled.chips / "collection.json").read_text())
    hrefs = [link["href"] for link in collection["links"] if link["rel"] == "item"]
    items = [json.loads((tiled.chips / href).read_text()) for href in hrefs]
    assert len(items) == 9
    covered = box(*collection["extent"]["spatial"]["bbox"][0])
    for item in items:
        footprint = shape(item["geometry"])
        assert covered.buffer(1e-9).contains(footprint)
        assert item["properties"].keys() & {"proj:code", "proj:wkt2"}
        assert item["properties"]["datetime"]
        with rasterio.open(tiled.chips / item["assets"]["classes"]["href"]) as file:
            corners = rasterio.warp.transform_bounds(file.crs, 4326, *file.bounds)
        np.testing.assert_allclose(item["bbox"], corners, atol=1e-4)
        chips = gpd.read_parquet(tiled.chips / item["assets"]["chips"]["href"])
        assert len(chips) == item["properties"]["llpbench:chips"]
    assert sum(item["properties"]["llpbench:chips"] for item in items) == len(predictions["chip"])


def test_a_map_takes_the_place_of_an_earlier_one(
    predictions: xr.Dataset, ds: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _whole, before = write_both(predictions, ds, tmp_path, monkeypatch)
    few = predictions.isel(chip=slice(20)).drop_vars(["low", "high", "level"])
    after = write_map(few, ds, tmp_path / "tiled" / "map.tif")
    assert after.intervals is None
    assert before.intervals is not None
    assert not before.intervals.exists()
    assert not list(after.chips.glob("intervals-*"))
    assert sum(len(gpd.read_parquet(file)) for file in after.chips.glob("chips-*")) == 20
