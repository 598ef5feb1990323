"""Cross-validation over divisions: blind to what is held out, resumed, and no run on test."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from regions import Unlabelled, make_region, write_region

import llpbench
from llpbench.board.drafting import draft_entry
from llpbench.cli import main
from llpbench.data.folds import take_fold
from llpbench.data.region import Region
from llpbench.errors import BoardError, BuildError, LLPBenchError, MethodError
from llpbench.plots import draw_folds
from llpbench.predictions.files import read_predictions
from llpbench.running import crossvalidation
from llpbench.running.crossvalidation import crossvalidate
from llpbench.runs.comparing import compare_runs
from llpbench.runs.results import find_results, find_runs, group_seeds
from llpbench.scoring import DivisionScores

pytestmark = pytest.mark.usefixtures("no_pictures", "no_maps")


@pytest.fixture(scope="module")
def no_maps() -> Any:
    """Cross-validations leave out pictures and maps, but for the test of them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("write_map", "write_figure"):
            patch.setattr(f"llpbench.running.fold_results.{name}", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def region() -> Region:
    """Five columns of two divisions of 4 x 3 chips; two columns of chips are outside all."""
    return make_region(20, 6, 5, 2, outside=2)


@pytest.fixture(scope="module")
def store(region: Region, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(region, path)
    return path


def command(*words: Any) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return int(left.value.code or 0)


def test_the_train_mean_of_each_fold_is_what_it_is_by_hand(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every chip of a fold gets the mean target of the three folds trained on."""
    main(["crossvalidate", "train-mean", "--dataset", str(store), "-o", str(tmp_path / "cv")])
    printed = capsys.readouterr().out
    ds = llpbench.open_dataset(store).llp.group()
    expected = {}
    for number in range(5):
        made = take_fold(ds, number, 5)
        mean = made.llp.split("train")["target"].to_numpy().mean(axis=0)
        held_out = made.llp.split("test")["division"].to_numpy()
        expected |= dict.fromkeys(held_out.tolist(), mean)
    content = json.loads((tmp_path / "cv/crossvalidation.json").read_text())
    scores = DivisionScores.from_json(json.dumps(content["scores"]))
    predicted = np.array([expected[division] for division in scores.divisions])
    np.testing.assert_allclose(scores.predicted[0], predicted, atol=1e-5)
    errors = np.abs(predicted - scores.known).mean(axis=0)
    rows = pd.read_csv(tmp_path / "cv/divisions.csv")
    for name, error in zip(scores.categories, errors, strict=True):
        assert f"{name}: shares of divisions are off by {error:.3f} on average (95 %: " in printed
        found = rows[f"{name} predicted"] - rows[f"{name} known"]
        assert found.abs().mean() == pytest.approx(error, abs=1e-5)
    assert rows["fold"].tolist() == [1, 2, 3, 4, 5] * 2
    assert content["fold_of_division"] == dict(zip(rows["division"], rows["fold"], strict=True))
    assert (content["chips"], content["chips_left_out"]) == (120, 12)
    assert "12 left out (in no division with known shares)" in printed
    assert "| tree | " in (tmp_path / "cv/crossvalidation.md").read_text()
    predictions = read_predictions(tmp_path / "cv/predictions.parquet")
    assert predictions.sizes["chip"] == 120
    assert predictions.attrs["split"] == "all"
    assert predictions.attrs["digest"] == ds.llp.info.digest


def test_no_share_and_no_label_of_a_division_moves_its_own_prediction(
    region: Region, store: Path, tmp_path: Path
) -> None:
    """Other shares of division 8, of the third fold, and no label at all: as predicted before."""
    shares = region.division_proportions.copy()
    shares[8] = shares[8][::-1]
    other = replace(region, division_proportions=shares, read=Unlabelled(region.read))
    write_region(other, tmp_path / "other")
    clean, changed = (
        crossvalidate("train-mean", path, folds=3, out=tmp_path / name)
        for path, name in ((store, "clean"), (tmp_path / "other", "changed"))
    )
    assert all(len(repr(one)) <= 300 for one in (clean, clean.plan, clean.model, clean.chip_error))
    held_out = clean.folds == clean.folds[8]
    difference = np.abs(clean.scores.predicted - changed.scores.predicted)[0].max(axis=1)
    np.testing.assert_array_equal(difference[held_out], 0)
    assert (difference[~held_out] > 1e-6).any(), "other folds are predicted by who saw it"
    assert changed.scores.value("mae") > 0


def test_it_goes_on_where_it_stopped(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    complete, begun = crossvalidation.complete_task, []

    def stopped(task: Any, *arguments: Any, **options: Any) -> Any:
        if len(begun) == 2:
            raise KeyboardInterrupt
        begun.append(task.fold)
        return complete(task, *arguments, **options)

    words = ["crossvalidate", "train-mean", "--dataset", store, "-o", tmp_path / "cv", "--folds"]
    with monkeypatch.context() as patch:
        patch.setattr(crossvalidation, "complete_task", stopped)
        assert command(*words, 3) == 130
    assert "interrupted; go on with the same command" in capsys.readouterr().err
    assert begun == ["1 of 3 over all", "2 of 3 over all"]
    done = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("run.json")}
    assert len(done) == 2
    main([str(word) for word in [*words, 3, "--json"]])
    assert json.loads(capsys.readouterr().out)["folds"] == 3
    assert len(list(tmp_path.rglob("run.json"))) == 3
    assert all(path.stat().st_mtime_ns == before for path, before in done.items())
    assert command(*words, 4) == 1
    assert "its fold was '1 of 3 over all', now it is '1 of 4 over all'" in capsys.readouterr().err
    other = ["crossvalidate", "goodman", *words[2:], 3]
    assert command(*other) == 1
    assert "its method was 'train-mean', now it is 'goodman'" in capsys.readouterr().err
    assert command(*words, 3, "--seed", 1) == 1
    assert "its seed was 0, now it is 1" in capsys.readouterr().err


def test_an_interrupted_fold_ends_it(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = crossvalidation.complete_task

    def interrupted(*arguments: Any, **options: Any) -> Any:
        run = complete(*arguments, **options)
        return replace(run, record=replace(run.record, interrupted=True))

    monkeypatch.setattr(crossvalidation, "complete_task", interrupted)
    assert command("crossvalidate", "train-mean", "--dataset", store, "-o", tmp_path / "cv") == 130
    assert not (tmp_path / "cv/crossvalidation.json").exists()


def test_a_fold_is_no_run_on_the_test_split(store: Path, tmp_path: Path) -> None:
    """Also where its chips have labels, nothing is scored by them."""
    out = tmp_path / "cv"
    crossvalidate("train-mean", store, splits="train+val", folds=3, out=out)
    assert not list(out.rglob("scores*.json"))
    assert find_results([out]) == []
    with pytest.raises(BoardError, match=r"is fold 1 of 3 over train\+val of a cross-validation"):
        draft_entry(tmp_path / "team__mean", [out], {})
    with pytest.raises(LLPBenchError, match=r"is fold '1 of 3 .*' of a cross-validation"):
        compare_runs([out])
    assert [len(seeds) for seeds in group_seeds(find_runs([out]))] == [1, 1, 1]
    ds = llpbench.open_dataset(store)
    predicted = read_predictions(out / "predictions.parquet")
    splits = ds["split"].sel(chip=predicted["chip"].to_numpy()).to_numpy()
    assert set(splits) == {"train", "val"}
    assert predicted.attrs["split"] == "train+val"


def test_what_says_nothing_is_refused_before_anything_is_trained(
    store: Path, tmp_path: Path
) -> None:
    with pytest.raises(MethodError, match=r"shown the known shares .* leave out the step"):
        crossvalidate("train-mean+rake", store, out=tmp_path / "cv")
    with pytest.raises(llpbench.errors.LLPBenchError, match="11 folds need as many divisions"):
        crossvalidate("train-mean", store, folds=11, out=tmp_path / "cv")
    with pytest.raises(llpbench.errors.UnknownNameError, match="no choice of splits 'test'"):
        crossvalidate("train-mean", store, splits="test", out=tmp_path / "cv")
    assert not (tmp_path / "cv").exists()


@pytest.mark.full
def test_workers_do_the_same(store: Path, tmp_path: Path) -> None:
    alone, shared = (
        crossvalidate("train-mean", store, folds=3, out=tmp_path / str(workers), workers=workers)
        for workers in (1, 2)
    )
    assert alone.predictions.equals(shared.predictions)


def test_numbers_stay_where_a_picture_cannot_be_drawn(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(*_: Any) -> None:
        raise BuildError("these chips stand on no grid")

    monkeypatch.setattr("llpbench.running.fold_results.write_map", refused)
    crossvalidate("train-mean", store, folds=3, out=tmp_path / "cv")
    assert "map.tif could not be made" in caplog.text
    assert (tmp_path / "cv/crossvalidation.json").exists()


def test_folds_are_drawn_with_their_numbers_and_hatched_where_nothing_is_scored() -> None:
    boxes = [shapely.box(column, 50, column + 1, 51) for column in range(6)]
    table = gpd.GeoDataFrame(
        {"fold": [1, 1, 2, 2, 3, 3], "mae": [0.1, 0.2, np.nan, 0.1, 0.3, 0.1]},
        geometry=boxes,
        crs="EPSG:4326",
    )
    figure = draw_folds(table, "bag-ridge on grid, all chips")
    folds, errors, scale = figure.axes
    assert [text.get_text() for text in folds.texts] == ["1", "2", "3"]
    assert sum(collection.get_hatch() == "////" for collection in errors.collections) == 1
    assert scale.get_ylim() == (0, 0.3)
    assert "MAE" in scale.get_ylabel()
