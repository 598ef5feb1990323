"""Maps of predictions, read back; and methods applied to rasters without labels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
from click.testing import CliRunner
from own_region import OwnRegion, export_region
from pyproj import Transformer
from regions import make_region, write_region

import llpbench
from llpbench.cli import cli
from llpbench.data.building import Recipe, build_dataset, build_region
from llpbench.data.store import write_store
from llpbench.data.synthetic import synthesize
from llpbench.errors import BuildError, LLPBenchError, PredictionsError
from llpbench.maps import write_map
from llpbench.maps.cells import find_cells
from llpbench.predictions.files import read_predictions
from llpbench.predictions.table import make_predictions
from llpbench.running.predicting import predict_region

pytestmark = pytest.mark.usefixtures("no_pictures", "no_map_pictures", "outlines_read_here")


def _open(region: Any, path: Path) -> xr.Dataset:
    write_store(region, path, name=path.name, title="mine", licence="", attribution="us")
    return llpbench.open_dataset(path)


@pytest.fixture(scope="module")
def ds(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """The dataset of such a region; tests only read it."""
    own = OwnRegion(tmp_path_factory.mktemp("region"))
    return _open(build_region(own.recipe())[0], own.folder / "store").llp.group()


def _perfect(ds: xr.Dataset, side: int | None = 96, **attributes: Any) -> xr.Dataset:
    label = ds["label"].to_numpy()[:, 2:98, 2:98]
    step = 96 // (side or 96)
    cells = label[:, ::step, ::step] if side else None
    return make_predictions(
        ds["chip"].to_numpy(), ds["category_name"].to_numpy(), ds.llp.truth(), cells, **attributes
    )


@pytest.mark.parametrize("side", [None, 96])
def test_a_map_of_one_chip(ds: xr.Dataset, own: OwnRegion, side: int | None) -> None:
    """A raster of one pixel has no overviews."""
    one = _perfect(ds, side).isel(chip=[3])
    files = write_map(one, ds, own.folder / "one.tif")
    with rasterio.open(files.shares) as file:
        np.testing.assert_allclose(file.read()[:, 0, 0], one["proportions"].to_numpy()[0])
        assert file.shape == (1, 1)


def test_shares_stand_at_their_place(ds: xr.Dataset, own: OwnRegion) -> None:
    predictions = _perfect(ds, None, method="oracle")
    files = write_map(predictions.isel(chip=slice(None, None, -1)), ds, own.folder / "m.tif")
    with rasterio.open(files.shares) as file:
        assert file.crs == own.crs
        assert file.transform[:6] == (100, 0, own.west, 0, -100, own.north)
        assert file.descriptions == tuple(ds["category_name"].to_numpy())
        assert np.isnan(file.nodata)
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.overviews(1)
        assert file.tags()["TIFFTAG_COPYRIGHT"] == "us"
        shares = file.read()
    groups = {number: n for n, g in enumerate(ds.llp.label_set.groups) for number in g.members}
    label = np.vectorize(groups.get)(own.label)
    for row in range(own.rows):
        for column in range(own.columns):
            window = label[100 * row + 2 : 100 * row + 98, 100 * column + 2 : 100 * column + 98]
            expected = np.bincount(window.ravel(), minlength=5) / 96**2
            np.testing.assert_allclose(shares[:, row, column], expected, atol=1e-6)


def test_known_places_have_known_values(ds: xr.Dataset, own: OwnRegion) -> None:
    """The corners of each chip, from its bounds in degrees, by another projection."""
    files = write_map(_perfect(ds, None), ds, own.folder / "m.tif")
    with rasterio.open(files.shares) as file:
        x, y = Transformer.from_crs(4326, file.crs, always_xy=True).transform(ds.lon, ds.lat)
        found = np.array(list(file.sample(np.stack([x, y], axis=1))))
        corner = Transformer.from_crs(file.crs, 4326, always_xy=True).transform(*file.bounds[:2])
    np.testing.assert_allclose(found, ds.llp.truth(), atol=1e-6)
    lowest = ds["bounds"].to_numpy().min(axis=0)[:2]
    np.testing.assert_allclose(corner, lowest, atol=1e-4)


@pytest.mark.parametrize("side", [96, 24])
def test_pixels_are_mapped(side: int, ds: xr.Dataset, own: OwnRegion) -> None:
    files = write_map(_perfect(ds, side), ds, own.folder / "m.tif")
    with rasterio.open(files.classes) as file:
        assert file.shape == (500, 600)
        assert file.transform[:6] == (1, 0, own.west, 0, -1, own.north)
        assert file.nodata == 255
        assert file.overviews(1)
        table = file.colormap(1)
        classes = file.read(1)
        assert file.tags()["class_1"] == "tree"
    groups = ds.llp.label_set.groups
    for number, group in enumerate(groups):
        assert table[number] == (*bytes.fromhex(group.colour[1:]), 255)
    assert table[255][3] == 0
    members = {number: n for n, group in enumerate(groups) for number in group.members}
    truth = np.vectorize(members.get)(own.label)
    inner = (np.arange(600) % 100 >= 2) & (np.arange(600) % 100 < 98)
    if side == 96:
        np.testing.assert_array_equal(classes[inner[:500]][:, inner], truth[inner[:500]][:, inner])
    border = classes.reshape(5, 100, 6, 100)
    for outer, neighbour in ((0, 2), (1, 2), (98, 97), (99, 97)):
        np.testing.assert_array_equal(border[:, outer, :, 2:98], border[:, neighbour, :, 2:98])
        np.testing.assert_array_equal(border[..., outer], border[..., neighbour])
    if side == 24:
        blocks = border[:, 2:98, :, 2:98].reshape(5, 24, 4, 6, 24, 4)
        assert (blocks == blocks[:, :, :1, :, :, :1]).all()


def test_part_of_the_chips_leaves_the_others_empty(ds: xr.Dataset, own: OwnRegion) -> None:
    test = ds.llp.split("test")
    files = write_map(_perfect(test), ds, own.folder / "m.tif")
    with rasterio.open(files.shares) as shares, rasterio.open(files.classes) as classes:
        assert np.isfinite(shares.read(1)).sum() == test.sizes["chip"]
        assert (classes.read(1) != 255).sum() == test.sizes["chip"] * 10_000
    chips = gpd.read_parquet(files.chips)
    assert set(chips["chip"]) == set(test["chip"].to_numpy())
    assert set(chips["split"]) == {"test"}


def test_tables_hold_shares_and_outlines(ds: xr.Dataset, own: OwnRegion) -> None:
    files = write_map(_perfect(ds), ds, own.folder / "m.tif")
    chips, divisions = gpd.read_parquet(files.chips), gpd.read_parquet(files.divisions)
    assert chips.crs == divisions.crs == own.crs
    np.testing.assert_allclose(chips.area, 100**2)
    assert set(chips["division"]) == set(divisions["division"]) == set(own.quarters)
    names = list(ds["category_name"].to_numpy())
    np.testing.assert_allclose(chips[names].sum(axis=1), 1, atol=1e-6)
    for row in divisions.itertuples():
        outline = own.quarters[row.division]
        weight = chips.intersection(outline).area
        expected = (chips[names].to_numpy() * weight.to_numpy()[:, None]).sum(axis=0) / weight.sum()
        found = divisions.set_index("division").loc[row.division]
        np.testing.assert_allclose(found[names].astype(float), expected, atol=1e-6)
        assert found["predicted_km2"] == pytest.approx(found["area_km2"], rel=1e-5)
    known = ds["division_proportions"].sel(division=divisions["division"].to_list())
    np.testing.assert_allclose(divisions[[f"known_{name}" for name in names]], known)


def test_grids_nobody_named_are_found(tmp_path: Path) -> None:
    """Of chips in degrees, and of chips in UTM of which only bounds are known."""
    write_region(make_region(8, 4), tmp_path / "degrees")
    degrees = llpbench.open_dataset(tmp_path / "degrees")
    cells = find_cells(degrees)
    assert cells.shape == (4, 8)
    west, north = degrees["bounds"][:, 0].min(), degrees["bounds"][:, 3].max()
    (upper_left,) = np.flatnonzero((cells.rows == 0) & (cells.columns == 0))
    assert degrees["bounds"][upper_left, 0] == west
    assert degrees["bounds"][upper_left, 3] == north
    made = synthesize("esaworldcover", chips=40, seed=1)
    named = _open(made, tmp_path / "named")
    guessed = find_cells(named.assign_attrs(grid=""))
    exact = find_cells(named)
    np.testing.assert_array_equal(guessed.rows, exact.rows)
    np.testing.assert_array_equal(guessed.columns, exact.columns)


def test_chips_on_no_grid_are_refused(ds: xr.Dataset) -> None:
    random = np.random.default_rng(0).uniform(-0.1, 0.1, ds.sizes["chip"])
    scattered = ds.assign_coords(lon=ds["lon"] + random).assign_attrs(grid="")
    with pytest.raises(BuildError, match="stand on no regular grid"):
        find_cells(scattered)


def test_predictions_of_other_chips_are_refused(ds: xr.Dataset, own: OwnRegion) -> None:
    strange = _perfect(ds).assign_coords(chip=[f"x{n}" for n in range(ds.sizes["chip"])])
    with pytest.raises(PredictionsError, match="30 predicted chips are not in 'store'"):
        write_map(strange, ds, own.folder / "m.tif")
    with pytest.raises(BuildError, match=r"must end in \.tif"):
        write_map(_perfect(ds), ds, own.folder / "m.png")
    assert not list(own.folder.glob("m*"))


# Predicting


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Recipe]]:
    """A run on a region built from files, and what that was made of."""
    folder = tmp_path_factory.mktemp("trained")
    recipe = export_region(synthesize("esaworldcover", chips=60, seed=2), folder)
    patch = pytest.MonkeyPatch()
    patch.setenv("LLPBENCH_CACHE", str(folder / "cache"))
    build_dataset("mine", recipe)
    llpbench.run_method(
        "bag-ridge", "mine", settings={"words": 16, "sample": 5000}, out=folder / "run"
    )
    yield folder / "run", recipe
    patch.undo()


def test_a_new_raster_is_predicted_as_a_known_one(
    trained: tuple[Path, Recipe], tmp_path: Path
) -> None:
    run, recipe = trained
    done = predict_region(run, Recipe(recipe.images), tmp_path / "out")
    assert done.chips == 60
    new = read_predictions(done.predictions)
    known = read_predictions(run / "predictions-test.parquet")
    both = new.sel(chip=known["chip"].to_numpy())
    np.testing.assert_array_equal(both["proportions"], known["proportions"])
    assert new.attrs["trained_on"] == "mine"
    divisions = gpd.read_parquet(done.map.divisions)
    assert divisions["division"].tolist() == ["all"]
    np.testing.assert_allclose(divisions["predicted_km2"], 60, atol=1e-3)
    assert all(path.exists() for path in done.map.paths.values())
    ds = llpbench.open_dataset(done.dataset)
    assert (ds["label"] == 255).all()
    again = write_map(done.predictions, done.dataset, tmp_path / "again.tif")
    assert again.shares.read_bytes() == done.map.shares.read_bytes()


def test_divisions_and_their_shares_stand_beside_predictions(
    trained: tuple[Path, Recipe], tmp_path: Path
) -> None:
    run, recipe = trained
    recipe = Recipe(recipe.images, divisions=recipe.divisions, shares=recipe.shares)
    done = predict_region(run, recipe, tmp_path / "out")
    assert any("looks at imagery alone" in remark for remark in done.remarks)
    table = gpd.read_parquet(done.map.divisions)
    assert len(table) > 3
    assert np.isfinite(table["known_tree"]).all()


def test_a_failed_prediction_leaves_nothing(trained: tuple[Path, Recipe], tmp_path: Path) -> None:
    run, recipe = trained
    with pytest.raises(BuildError, match="there is no raster"):
        predict_region(run, Recipe([tmp_path / "no.tif"]), tmp_path / "out")
    with pytest.raises(LLPBenchError, match="holds no run"):
        predict_region(tmp_path, Recipe(recipe.images), tmp_path / "out")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(LLPBenchError, match="is not empty"):
        predict_region(run, Recipe(recipe.images), tmp_path / "taken")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


# On the command line


def _call(*arguments: object) -> str:
    done = CliRunner().invoke(cli, [str(part) for part in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_four_commands_from_files_to_a_map(tmp_path: Path) -> None:
    """Without a label raster: a table of class groups, as an office has it."""
    made = synthesize("esaworldcover", chips=60, seed=2)
    recipe = export_region(made, tmp_path)
    groups = {
        g.name: made.division_proportions[:, g.members].sum(axis=1) for g in made.label_set.groups
    }
    table = pd.DataFrame(groups, index=made.divisions.index)
    table.to_csv(tmp_path / "table.csv", index_label="division")
    image, divisions = recipe.images[0], recipe.divisions
    built = json.loads(
        _call(
            *("build", "mine", "--image", image, "--divisions", divisions, "--json"),
            *("--shares", tmp_path / "table.csv", "--legend", "esa-worldcover"),
        )
    )
    assert (built["chips"], built["name"]) == (60, "mine")
    run = tmp_path / "run"
    small = ("--set", "words=16", "--set", "sample=5000")
    text = _call("run", "bag-ridge", "--dataset", "mine", *small, "--out", run)
    assert "division MAE" in text
    assert "scored: " in text
    assert not list(run.glob("scores*"))
    assert (run / "divisions.json").is_file()
    predictions = run / "predictions-test.parquet"
    written = _call("map", predictions, "--dataset", "mine", "-o", tmp_path / "map.tif")
    assert len(written.split()) == 5
    out = json.loads(_call("predict", run, "--image", image, "-o", tmp_path / "new", "--json"))
    assert out["chips"] == 60
    assert Path(out["map"]["classes"]).exists()
    assert "60 chips" in _call("info", "mine")


def test_a_dataset_needs_divisions(own: OwnRegion, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="needs --divisions"):
        _call("build", "mine", "--image", own.write_image())
