"""From an office's files to a map, and the next year's image: what was done once is done again."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from own_region import OwnRegion, north_up, write_divisions, write_raster
from regions import make_region, write_region

import llpbench
from llpbench.cli import cli
from llpbench.data.building import build_region
from llpbench.data.recipe import FileBand
from llpbench.data.store import read_info, write_store
from llpbench.errors import BoardError, BuildError, DriftError, LLPBenchError, MethodError
from llpbench.predictions.files import read_predictions
from llpbench.runs.record import read_run

pytestmark = pytest.mark.usefixtures("no_pictures", "no_map_pictures", "outlines_read_here")

NAMES = ("B2", "B3", "B4", "B8")
SETTINGS = ("--set", "words=8", "--set", "sample=500")


def call(*arguments: object) -> Result:
    done = CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def digital_numbers(own: OwnRegion, year: int = 0) -> NDArray[np.uint16]:
    """B2, B3, B4, B8 of Sentinel-2: a colour a class, with noise of its own each year."""
    colours = np.random.default_rng(5).uniform(300, 2500, (12, 4))
    noise = np.random.default_rng(year).normal(0, 40, (*own.label.shape, 4))
    return np.moveaxis(colours[own.label] + noise, -1, 0).clip(0).astype(np.uint16)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A dataset of a table alone, and runs on its train split and on all of it."""
    own = OwnRegion(tmp_path_factory.mktemp("office"))
    patch = pytest.MonkeyPatch()
    patch.setenv("LLPBENCH_CACHE", str(own.folder / "cache"))
    write_divisions(own.folder / "divisions.geojson", own.divisions().to_crs(4326))
    shares = np.random.default_rng(0).dirichlet(np.ones(3), 4)
    table = pd.DataFrame(shares, index=list(own.quarters), columns=["crops", "forest", "towns"])
    table.to_csv(own.folder / "table.csv", index_label="code")
    files = ("--divisions", own.folder / "divisions.geojson", "--shares", own.folder / "table.csv")
    image = write_year(own, "image.tif")
    call(*("build", "mine", "--image", image, "--bands", 3, 2, 1, "--chip-km", 0.1), *files)
    for part in ("train", "all"):
        where = ("--out", own.folder / f"run-{part}", "--train-on", part)
        call("run", "bag-ridge", "--dataset", "mine", *SETTINGS, *where)
    yield own
    patch.undo()


@pytest.fixture(autouse=True)
def _cache(office: OwnRegion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLPBENCH_CACHE", str(office.folder / "cache"))
    monkeypatch.setattr("llpbench.maps.writing.draw_map", lambda *_: None)  # takes a second
    monkeypatch.setattr("llpbench.maps.writing.write_figure", lambda *_: None)


def write_year(own: OwnRegion, name: str, pixels: Any = None, names: Any = NAMES) -> Path:
    path = own.folder / name
    pixels = digital_numbers(own) if pixels is None else pixels
    write_raster(path, pixels, own.transform, own.crs)
    if names:
        with rasterio.open(path, "r+") as file:
            file.descriptions = names
    return path


def predict(own: OwnRegion, image: Path, out: Path, *options: Any, run: str = "all") -> Result:
    return call("predict", own.folder / f"run-{run}", "--image", image, "-o", out, *options)


def pixels_of(dataset: Any) -> NDArray[np.uint8]:
    """In the order of the chips' places."""
    ds = llpbench.open_dataset(dataset)
    return np.asarray(ds["image"].sortby(ds["chip"]).to_numpy())


# What was done


def test_store_dataset_and_run_say_the_same(office: OwnRegion) -> None:
    known = llpbench.open_dataset("mine").llp.info.recipe
    assert known is not None
    assert known.bands == (FileBand(3, "B4"), FileBand(2, "B3"), FileBand(1, "B2"))
    assert (known.low, known.high) == (0, 3000)  # chosen by the type alone
    assert (known.files, known.count, known.dtype) == (("image.tif",), 4, "uint16")
    assert (known.resampling, known.chip_km, known.crs) == (("none",), 0.1, "EPSG:32631")
    assert known.pixel_m == pytest.approx(1, rel=1e-3)
    assert read_info(office.folder / "cache" / "mine").recipe == known
    assert "bands 3 (B4), 2 (B3), 1 (B2); 0 to 3000 became" in call("info", "mine").stdout
    assert read_run(office.folder / "run-all").record.recipe == known
    assert "recipe" not in llpbench.open_dataset("mine", "train").llp.restrict("division").attrs


def test_values_are_written_down_after_the_files_own_scale(tmp_path: Path) -> None:
    own = OwnRegion(tmp_path)
    image = write_year(own, "tagged.tif")
    with rasterio.open(image, "r+") as file:
        file.scales, file.offsets = (1e-4,) * 4, (-0.1,) * 4
    region, _ = build_region(own.recipe(images=[image], bands=(3, 2, 1)))
    assert region.recipe is not None
    assert (region.recipe.low, region.recipe.high) == (0, 0.3)
    assert (region.recipe.scale, region.recipe.offset) == (1e-4, -0.1)


def test_a_recipe_changes_format_but_not_digest(tmp_path: Path) -> None:
    region, _ = build_region(OwnRegion(tmp_path).recipe())
    said = {"title": "", "licence": "", "attribution": ""}
    new = write_store(region, tmp_path / "new", name="new", **said)
    old = write_store(replace(region, recipe=None), tmp_path / "old", name="old", **said)
    assert new.digest == old.digest
    formats = [json.loads((one.path / "store.json").read_text())["format"] for one in (new, old)]
    assert formats == [2, 1]
    assert "recipe" not in json.loads((old.path / "store.json").read_text())
    assert llpbench.open_dataset(old.path).llp.info.recipe is None


# Done again


def test_the_same_image_gives_the_same_chips(office: OwnRegion, tmp_path: Path) -> None:
    done = predict(office, office.folder / "image.tif", tmp_path / "new")
    assert "bands [3, 2, 1] (by name)" in done.stderr
    np.testing.assert_array_equal(pixels_of(tmp_path / "new/dataset"), pixels_of("mine"))
    files = tmp_path / "new/predictions.parquet", office.folder / "run-all/predictions-all.parquet"
    new, known = (read_predictions(file).sortby("chip")["proportions"] for file in files)
    np.testing.assert_allclose(new, known, atol=1e-6)


@pytest.mark.parametrize(
    ("order", "names", "said"),
    [
        ((3, 2, 1, 0), ("B8", "B04", "b03", "B2"), "bands [2, 3, 4] (by name)"),
        ((0, 1, 2), ("B2", "B3", "B4"), "bands [3, 2, 1] (by name)"),
        ((0, 1, 2, 3), None, "bands [3, 2, 1] (by number)"),
    ],
)
def test_bands_are_found(
    order: tuple[int, ...], names: Any, said: str, office: OwnRegion, tmp_path: Path
) -> None:
    image = write_year(office, "ordered.tif", digital_numbers(office)[list(order)], names)
    done = predict(office, image, tmp_path / "new")
    assert said in done.stderr
    np.testing.assert_array_equal(pixels_of(tmp_path / "new/dataset"), pixels_of("mine"))


def _coarse(own: OwnRegion) -> Path:
    transform = north_up(own.west, own.north, 3)
    return write_raster(own.folder / "coarse.tif", digital_numbers(own), transform, own.crs)


STRANGE = {
    "fewer bands": (
        lambda own: write_year(own, "s.tif", digital_numbers(own)[:3], None),
        "has 3 bands, the images trained on had 4",
    ),
    "a band that is missing": (
        lambda own: write_year(own, "s.tif", names=("B2", "B3", "B5", "B8")),
        "has no band 'B4'",
    ),
    "fractions": (
        lambda own: write_year(own, "s.tif", digital_numbers(own).astype(np.float32) / 1e4),
        r"stores fractions \(float32\), trained on whole numbers \(uint16\)",
    ),
    "bytes": (
        lambda own: write_year(own, "s.tif", (digital_numbers(own) // 12).astype(np.uint8)),
        r"stores bytes \(uint8\)",
    ),
    "pixels of another size": (_coarse, "has pixels of 3 m, trained on pixels of 1 m"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_another_kind_of_image_is_refused(name: str, office: OwnRegion, tmp_path: Path) -> None:
    make, said = STRANGE[name]
    with pytest.raises(BuildError, match=said) as refused:
        predict(office, make(office), tmp_path / "new")
    assert "--" in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_what_is_wanted_otherwise_is_said(office: OwnRegion, tmp_path: Path) -> None:
    image = office.folder / "image.tif"
    with pytest.raises(BuildError, match=r"chips of 0\.2 km, trained on chips of 0\.1 km"):
        predict(office, image, tmp_path / "new", "--chip-km", 0.2)
    with pytest.raises(BuildError, match="--bands names 'B2', 'B3', 'B4', trained on 'B4'"):
        predict(office, image, tmp_path / "new", "--bands", 1, 2, 3)
    done = predict(office, image, tmp_path / "new", "--chip-km", 0.2, "--force")
    assert "trained on chips of 0.1 km" in done.stderr
    warning = read_predictions(tmp_path / "new/predictions.parquet").attrs["warning"]
    assert "chips of 0.2 km, trained on chips of 0.1 km" in warning
    fractions = digital_numbers(office).astype(np.float32) / 1e4
    image = write_year(office, "fractions.tif", fractions)
    done = predict(office, image, tmp_path / "scaled", "--scale", 0, 0.3)
    assert "in training 0 to 3000 became 0 to 255" in done.stderr
    away = pixels_of(tmp_path / "scaled/dataset").astype(int) - pixels_of("mine")
    assert np.abs(away).max() <= 1


# Another year


@pytest.fixture(scope="module")
def later(office: OwnRegion) -> Path:
    """The same place a year later, after Sentinel-2 began to add 1000."""
    return write_year(office, "later.tif", digital_numbers(office, year=1) + np.uint16(1000))


def test_an_offset_stops_before_mapping(office: OwnRegion, later: Path, tmp_path: Path) -> None:
    out = tmp_path / "new"
    with pytest.raises(DriftError, match=r"lie outside those .* drift .*; see .*drift.png"):
        predict(office, later, out)
    assert {path.name for path in out.iterdir()} == {"drift.csv", "drift.png"}
    table = pd.read_csv(out / "drift.csv")
    assert (table["drift"] > table["at most"])[:3].all()
    shift = table["new mean"] - table["training mean"]
    assert shift[:3].to_numpy() == pytest.approx(85, abs=15)  # some saturate
    assert CliRunner().invoke(cli, ["predict", "--help"]).output.count("--force")

    done = predict(office, later, out, "--force")
    assert "lie outside" in done.stderr
    warning = read_predictions(out / "predictions.parquet").attrs["warning"]
    for file in ("map.tif", "map-classes.tif"):
        with rasterio.open(out / file) as opened:
            assert opened.tags()["warning"] == warning
            assert "lie outside" in warning


@pytest.mark.parametrize("options", [("--scale", 1000, 4000), ("--match", "histogram")])
def test_what_mends_an_offset(
    options: tuple[Any, ...], office: OwnRegion, later: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new"
    done = json.loads(predict(office, later, out, *options, "--json").stdout)
    assert all(row["drift"] <= row["at most"] for row in done["drift"])
    with rasterio.open(out / "map.tif") as file:
        assert "warning" not in file.tags()
        assert file.tags().get("match") == (None if "--scale" in options else "histogram")
    away = pixels_of(out / "dataset").astype(int) - pixels_of("mine")
    assert np.abs(away).mean() < 6  # the years' noise alone: sqrt(2) * 40 * 255 / 3000 = 4.8


# All of a region


def test_all_are_trained_on_and_predicted(office: OwnRegion) -> None:
    run = read_run(office.folder / "run-all")
    assert (run.record.train_on, run.record.split, run.scores) == ("all", "all", None)
    predicted = read_predictions(office.folder / "run-all/predictions-all.parquet")
    assert predicted.sizes["chip"] == 30
    looked = [
        json.loads((office.folder / f"run-{part}/appearance.json").read_text())
        for part in ("all", "train")
    ]
    ds = llpbench.open_dataset("mine")
    assert [one["chips"] for one in looked] == [30, int((ds["split"] == "train").sum())]


def test_nothing_is_scored_where_labels_are(tmp_path: Path) -> None:
    write_region(make_region(8, 4, 4, 1), tmp_path / "grid")
    run = ("run", "train-mean", "--dataset", tmp_path / "grid", "--out", tmp_path / "run")
    done = call(*run, "--train-on", "all")
    assert "all divisions were trained on, so nothing is left to score by" in done.stdout
    assert "no chip was scored" not in done.stdout
    assert not [*(tmp_path / "run").glob("scores*"), *(tmp_path / "run").glob("divisions*")]
    ds = llpbench.open_dataset(tmp_path / "grid").llp.group()
    predicted = read_predictions(tmp_path / "run/predictions-all.parquet")["proportions"]
    targets = ds["target"].to_numpy().astype(float)
    np.testing.assert_allclose(predicted, np.tile(targets.mean(axis=0), (32, 1)), atol=1e-6)
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(MethodError, match="predicts all chips"):
        call(*run, "--train-on", "all", "--split", "test")


def test_the_board_wants_none_of_it(office: OwnRegion, tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="was trained on all divisions"):
        call("leaderboard", "new", tmp_path / "a__b", "--from-run", office.folder / "run-all")
    assert not list(tmp_path.iterdir())


def test_a_run_is_mapped_whole(office: OwnRegion, tmp_path: Path) -> None:
    """Those of its split are predicted as they were before, others for the first time."""
    chips = {}
    for run, options in (("all", ()), ("train", ()), ("train", ("--split", "all"))):
        path = tmp_path / f"{run}{len(options)}.tif"
        call("map", office.folder / f"run-{run}", *options, "-o", path)
        chips[path.stem] = gpd.read_parquet(path.with_name(f"{path.stem}-chips.parquet"))
    test = llpbench.open_dataset("mine", "test")["chip"].to_numpy()
    assert [len(table) for table in chips.values()] == [30, len(test), 30]
    whole, part = (chips[name].set_index("chip") for name in ("train2", "train0"))
    assert set(part.index) == set(test)
    names = ["crops", "forest", "towns"]
    pd.testing.assert_frame_equal(whole.loc[part.index, names], part[names], atol=1e-6)


def test_maps_that_cannot_be_drawn(office: OwnRegion, tmp_path: Path) -> None:
    file, out = office.folder / "run-train/predictions-test.parquet", tmp_path / "m.tif"
    call("map", file, "--dataset", "mine", "-o", out)
    with pytest.raises(BuildError, match="say with --dataset what was predicted"):
        call("map", file, "-o", out)
    with pytest.raises(LLPBenchError, match="of the 30 chips to draw are not predicted"):
        call("map", file, "--dataset", "mine", "--split", "all", "-o", out)
    shutil.copytree(office.folder / "run-train", tmp_path / "run")
    record = tmp_path / "run/run.json"
    content = json.loads(record.read_text())
    record.write_text(json.dumps({**content, "dataset": "elsewhere"}))
    with pytest.raises(BuildError, match="not among the datasets here"):
        call("map", tmp_path / "run", "-o", out)
    record.write_text(json.dumps({**content, "dataset_digest": "sha256:0"}))
    with pytest.raises(BuildError, match="is not what it was"):
        call("map", tmp_path / "run", "--split", "all", "-o", out)


# Runs of other versions, and of strangers


def test_a_run_without_recipe_still_predicts(office: OwnRegion, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(office.folder / "run-all", run)
    content = json.loads((run / "run.json").read_text())
    del content["recipe"], content["train_on"]
    (run / "run.json").write_text(json.dumps({**content, "format": 2}))
    (run / "appearance.json").unlink()
    image = ("--image", office.folder / "image.tif", "--bands", 3, 2, 1, "--chip-km", 0.1)
    done = call("predict", run, *image, "-o", tmp_path / "new")
    assert "does not know how its images were made into chips" in done.stderr
    assert "cannot be told" in done.stderr
    np.testing.assert_array_equal(pixels_of(tmp_path / "new/dataset"), pixels_of("mine"))
    with pytest.raises(BuildError, match="train it again to match"):
        call("predict", run, *image, "-o", tmp_path / "matched", "--match", "histogram")


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("run.json", {"recipe": {"bands": "all"}}),
        ("run.json", {"recipe": [1]}),
        ("appearance.json", {"counts": [[1]] * 5}),
        ("appearance.json", {"spread": [float("nan")] * 5}),
    ],
)
def test_a_damaged_run_is_refused(
    file: str, change: dict[str, Any], office: OwnRegion, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(office.folder / "run-all", run)
    content = json.loads((run / file).read_text())
    (run / file).write_text(json.dumps({**content, **change}))
    with pytest.raises(LLPBenchError, match="read") as refused:
        call("predict", run, "--image", office.folder / "image.tif", "-o", tmp_path / "new")
    assert len(str(refused.value).splitlines()) == 1
    assert not (tmp_path / "new").exists()
