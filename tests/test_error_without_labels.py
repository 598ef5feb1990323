"""Errors and intervals without labels, through the commands: crossvalidate, estimate, map, run."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rasterio
from regions import Unlabelled, make_region, write_region

import llpbench
from llpbench.cli import main
from llpbench.data.region import Region
from llpbench.errors import LLPBenchError, MethodError
from llpbench.methods import gate
from llpbench.methods.crossfitting import FOLDS, predict_held_out
from llpbench.methods.registry import make_method
from llpbench.predictions.files import read_predictions
from llpbench.predictions.intervals import levels_of
from llpbench.protocol import INTERVAL_LEVELS, training_inputs
from llpbench.running.fold_errors import read_fold_errors
from llpbench.running.run import run_method
from llpbench.uncertainty.files import read_error_model, write_error_model

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")

QUICK = {"words": 8, "sample": 500, "patch_size": 16}
SETTINGS = [word for key, value in QUICK.items() for word in ("--set", f"{key}={value}")]


@pytest.fixture(scope="module")
def region() -> Region:
    """Fifteen divisions of 2 x 2 chips."""
    return make_region(10, 6, 5, 3)


@pytest.fixture(scope="module")
def store(region: Region, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(region, path)
    return path


@pytest.fixture(scope="module")
def folder(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-validation, with its pictures."""
    out = tmp_path_factory.mktemp("runs") / "cv"
    main(["crossvalidate", "bag-ridge", *SETTINGS, "--dataset", str(store), "-o", str(out)])
    return out


def refused(capsys: pytest.CaptureFixture[str], *words: Any) -> str:
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    assert left.value.code == 1
    return capsys.readouterr().err


def test_crossvalidate_says_how_far_chips_are_off(folder: Path) -> None:
    content = json.loads((folder / "crossvalidation.json").read_text())
    error = content["chip_error"]
    assert 0 < error["low"] < error["value"] < error["high"] < 1
    each = [row["value"] for row in error["per_class"].values()]
    assert np.mean(each) == pytest.approx(error["value"])
    assert "estimated from held-out divisions alone" in error["assumptions"]
    said = (folder / "crossvalidation.md").read_text()
    assert f" {error['value']:.3f} (95 %" in said
    assert "chips (est.)" in said
    assert (folder / "chip-errors.png").stat().st_size > 0
    levels = [level for level, _low, _high in levels_of(read_predictions(_predictions(folder)))]
    assert levels == pytest.approx(INTERVAL_LEVELS)


def test_intervals_of_divisions_are_checked_on_their_known_shares(folder: Path) -> None:
    content = json.loads((folder / "crossvalidation.json").read_text())
    rows = pd.read_csv(folder / "divisions.csv")
    inside = [
        rows[f"{name} known"].between(rows[f"{name}_low90"] - 1e-6, rows[f"{name}_high90"] + 1e-6)
        for name in content["scores"]["categories"]
    ]
    assert content["division_coverage_90"] == pytest.approx(np.mean(inside))
    assert 0.5 < content["division_coverage_90"] <= 1
    assert rows["chip_error"].between(0, 1).all()


def _predictions(folder: Path) -> Path:
    return next(path for path in folder.glob("predictions.*"))


def test_areas_have_intervals_from_a_crossvalidation(
    store: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The area of the region is that of its chips; 1.96 standard errors on both sides."""
    words = ["estimate", _predictions(folder), "--dataset", store, "--json"]
    main([str(word) for word in (*words, "--crossvalidation", folder)])
    rows = json.loads(capsys.readouterr().out)
    main([str(word) for word in words])
    bare = json.loads(capsys.readouterr().out)
    assert [row["km2"] for row in rows] == pytest.approx([row["km2"] for row in bare])
    assert [row["low"] for row in bare] == [None] * len(bare)
    for row in rows:
        assert row["low"] < row["km2"] < row["high"]
    model = read_fold_errors(folder, read_predictions(_predictions(folder)), _open(store))
    assert model.divisions == 15


def _open(path: Path) -> Any:
    return llpbench.open_dataset(path)


def test_a_map_takes_intervals_from_a_crossvalidation(
    store: Path, folder: Path, tmp_path: Path
) -> None:
    """Classes in another order, as a file of a user's may have them, keep their intervals."""
    predictions = read_predictions(_predictions(folder)).drop_vars(["low", "high", "level"])
    turned = predictions.isel(category=slice(None, None, -1))
    turned["proportions"].to_pandas().rename_axis("chip").to_csv(tmp_path / "mine.csv")
    words = ["map", tmp_path / "mine.csv", "--dataset", store, "--crossvalidation", folder]
    main([str(word) for word in (*words, "-o", tmp_path / "map.tif")])
    with (
        rasterio.open(tmp_path / "map-intervals.tif") as found,
        rasterio.open(folder / "map-intervals.tif") as expected,
    ):
        assert found.descriptions == expected.descriptions
        np.testing.assert_allclose(found.read(), expected.read(), atol=1e-5)


def test_what_is_no_crossvalidation_of_the_dataset_is_refused(
    region: Region, folder: Path, store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shares = region.division_proportions[:, ::-1].copy()
    write_region(replace(region, division_proportions=shares), tmp_path / "other")
    predictions = read_predictions(_predictions(folder))
    with pytest.raises(LLPBenchError, match="is a cross-validation on"):
        read_fold_errors(folder, predictions, _open(tmp_path / "other"))
    words = ("estimate", _predictions(folder), "--dataset", store, "--crossvalidation")
    assert "there is no file" in refused(capsys, *words, tmp_path)
    broken = shutil.copytree(folder, tmp_path / "broken", ignore=shutil.ignore_patterns("folds"))
    model = read_error_model(broken / "error_model.npz", predictions.sizes["category"])
    write_error_model(replace(model, scales=-model.scales), broken / "error_model.npz")
    assert "out of their range" in refused(capsys, *words, broken)
    write_error_model(replace(model, mean=model.mean[:2]), broken / "error_model.npz")
    assert "holds no error model of" in refused(capsys, *words, broken)
    (broken / "error_model.npz").write_bytes(b"PK")
    assert "is no file of arrays" in refused(capsys, *words, broken)
    (broken / "error_model.npz").unlink()
    assert "could not tell the errors of chips" in refused(capsys, *words, broken)
    (broken / "crossvalidation.json").write_text('{"method": 3}')
    assert "is no record of a cross-validation" in refused(capsys, *words, broken)


def test_intervals_come_with_a_run_and_stay_with_its_weights(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "bag-ridge+interval", *SETTINGS, "--train-on", "all", "--dataset", store]
    main([str(word) for word in (*words, "-o", tmp_path / "run")])
    capsys.readouterr()
    predictions = read_predictions(tmp_path / "run/predictions-all.parquet")
    low, high = (predictions[name].to_numpy() for name in ("low", "high"))
    assert predictions["level"].to_numpy() == pytest.approx(INTERVAL_LEVELS)
    assert (np.diff(high - low, axis=0) >= 0).all(), "higher levels are wider"
    main(["estimate", str(tmp_path / "run"), "--dataset", str(store), "--json"])
    rows = json.loads(capsys.readouterr().out)
    assert all(row["low"] < row["km2"] < row["high"] for row in rows)
    words = ["map", tmp_path / "run", "--dataset", store, "--split", "test"]
    main([str(word) for word in (*words, "-o", tmp_path / "map.tif")])
    with rasterio.open(tmp_path / "map-intervals.tif") as raster:
        first = str(predictions["category"].to_numpy()[0])
        band = raster.read(raster.descriptions.index(f"{first} low 90 %") + 1)
    test = _open(store).llp.split("test")["chip"].to_numpy()
    known = predictions["low"].sel(chip=test).isel(level=2, category=0).to_numpy()
    assert np.sort(band[np.isfinite(band)]) == pytest.approx(np.sort(known), abs=1e-6)


def test_labels_move_no_interval(region: Region, store: Path, tmp_path: Path) -> None:
    write_region(replace(region, read=Unlabelled(region.read)), tmp_path / "bare")
    found = []
    for name, path in (("labels", store), ("bare", tmp_path / "bare")):
        out = tmp_path / f"run-{name}"
        run = run_method("bag-ridge+interval", path, train_on="all", settings=QUICK, out=out)
        found.append(read_predictions(run.predictions))
    for name in ("proportions", "low", "high"):
        np.testing.assert_array_equal(found[0][name], found[1][name])


def test_held_out_divisions_are_predicted_without_their_shares(store: Path) -> None:
    """Other shares of a fold: its own predictions stay, to the bit, those of others change."""
    ds = _open(store).llp.group()
    train = training_inputs(ds, "division", places=True)
    estimates = []
    for turn in (False, True):
        shares = train["division_proportions"].copy()
        if turn:
            shares[0] = shares[0].to_numpy()[::-1]
        changed = train.assign(division_proportions=shares)
        made = predict_held_out(lambda: make_method("bag-ridge", **QUICK), changed, train)
        assert made is not None
        estimates.append(made)
    (first, chips), (second, _) = estimates
    fold = llpbench.data.folds.fold_divisions(ds, FOLDS)
    rows = chips.indexes["division"].get_indexer(chips["own_division"].to_numpy())
    inside = fold[rows] == fold[0]
    np.testing.assert_array_equal(first.shares[inside], second.shares[inside])
    assert (first.shares[~inside] != second.shares[~inside]).any()


def test_only_what_makes_intervals_sees_where_chips_lie(store: Path) -> None:
    seen: list[set[str]] = []

    class Curious(type(make_method("train-mean"))):  # type: ignore[misc]
        def fit(self, train: Any, val: Any, **further: Any) -> Any:
            seen.append({"lon", "lat"} & set(train.coords))
            return super().fit(train, val, **further)

    ds = _open(store).llp.group()
    gate.fit(Curious(), ds.llp.split("train"), ds.llp.split("val"))
    assert seen == [set()]


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("bag-ridge+rake+interval", "is told the shares of those it predicts"),
        ("bag-ridge+interval+calibrate", "stands last"),
    ],
)
def test_chains_that_cannot_make_intervals_are_refused(method: str, said: str) -> None:
    with pytest.raises(MethodError, match=said):
        make_method(method)


def test_few_divisions_make_no_intervals(tmp_path: Path) -> None:
    write_region(make_region(9, 6, 3, 2), tmp_path / "few")
    with pytest.raises(MethodError, match="at least 10 with known shares"):
        run_method("bag-ridge+interval", tmp_path / "few", settings=QUICK, out=tmp_path / "run")
