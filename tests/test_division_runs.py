"""Divisions scored and chosen by in runs, sweeps and evaluations, through the commands."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from regions import make_region, write_region

import llpbench
from llpbench.board.drafting import draft_entry
from llpbench.cli import main
from llpbench.data.divisions import Divisions
from llpbench.errors import MethodError, UnknownNameError, UnscoredError
from llpbench.methods import gate
from llpbench.methods.registry import make_method
from llpbench.running.evaluating import evaluate_split, validate
from llpbench.running.run import run_method
from llpbench.running.sweep import run_sweep
from llpbench.running.sweep_plan import Grid
from llpbench.running.task import Task
from llpbench.runs.comparing import compare_runs
from llpbench.runs.record import read_run
from llpbench.runs.results import find_results, pool_divisions
from llpbench.scoring import evaluate_both

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")

CHIPS = 12 * 6
SMALL = {"words": 4, "sample": 200}


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """12 x 6 chips in 8 divisions, with labels and without any."""
    folder = tmp_path_factory.mktemp("stores")
    for name, unlabelled in (("labelled", 0), ("bare", CHIPS)):
        write_region(make_region(12, 6, 4, 2, unlabelled=unlabelled), folder / name)
    return {name: folder / name for name in ("labelled", "bare")}


def call(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> str:
    capsys.readouterr()
    found = 0
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as left:
        found = left.code
    assert found == code
    printed = capsys.readouterr()
    return printed.out if code == 0 else printed.err


def test_without_labels_divisions_are_scored(
    stores: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    options = ("--dataset", stores["bare"], "--set=words=4", "--set=sample=200")
    printed = call(capsys, "run", "bag-ridge", *options, "-o", out)
    assert "division MAE" in printed
    assert "scored: 2 divisions" in printed
    assert "nothing" not in printed
    assert not (out / "scores.json").exists()
    run = read_run(out)
    assert run.scores is None
    assert run.divisions is not None
    with (out / "divisions.csv").open() as file:
        assert [row["division"] for row in csv.DictReader(file)] == run.divisions.divisions
    file = out / "predictions-test.parquet"
    scored = json.loads(call(capsys, "evaluate", file, "--dataset", stores["bare"], "--json"))
    assert scored == {"division_scores": json.loads(run.divisions.to_json())}
    printed = call(capsys, "evaluate", file, "--dataset", stores["bare"])
    assert "MAE of divisions" in printed
    assert "shrub-grass-bare" in printed
    refused = call(
        capsys, "evaluate", file, "--dataset", stores["bare"], "--score", "chips", code=1
    )
    assert "no chip of this split has a label" in refused


def test_on_val_divisions_alone_are_scored_unless_chips_are_asked_for(
    stores: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--dataset", stores["labelled"], "--split", "val")
    call(capsys, "run", "train-mean", *options, "-o", tmp_path / "run")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert "divisions-val.json" in names
    assert "scores-val.json" not in names
    file = tmp_path / "run/predictions-val.parquet"
    assert list(json.loads(call(capsys, "evaluate", file, *options, "--json"))) == [
        "division_scores"
    ]
    both = json.loads(call(capsys, "evaluate", file, *options, "--score", "chips", "--json"))
    assert both["metrics"]["mae"]["value"] > 0
    scores, divisions = evaluate_both(file, stores["labelled"], "val", score="divisions")
    assert scores is None
    assert divisions is not None
    with pytest.raises(UnknownNameError, match="way to score 'all'"):
        run_method("train-mean", stores["bare"], score="all", out=tmp_path / "other")


def test_validation_is_the_error_of_val_divisions_by_area(
    stores: dict[str, Path], tmp_path: Path
) -> None:
    run = run_method("bag-ridge", stores["labelled"], settings=SMALL, out=tmp_path / "run")
    ds = llpbench.open_dataset(stores["labelled"]).llp.group()
    val = ds.llp.split("val")
    method = make_method("bag-ridge", **SMALL, random_state=0)
    gate.fit(method, ds.llp.split("train"), val)
    shares = gate.predict(method, ds, "val", name="", seed=0, trained_on="")["proportions"]
    divisions = Divisions.of(val)
    errors = np.abs(divisions.means(shares.to_numpy()) - divisions.proportions).mean(axis=1)
    assert run.record.validation == {
        "mae": pytest.approx(np.average(errors, weights=divisions.areas)),
        "divisions": 3,
        "chips": val.sizes["chip"],
    }
    assert read_run(run.folder).record == run.record
    on_val = run_method(
        "bag-ridge", stores["labelled"], settings=SMALL, split="val", out=tmp_path / "val"
    )
    assert on_val.record.validation == run.record.validation


def test_labels_move_neither_scores_of_divisions_nor_validation(
    stores: dict[str, Path], tmp_path: Path
) -> None:
    ds = llpbench.open_dataset(stores["labelled"]).llp.group()
    poisoned = ds.assign(label=ds["label"] * 0, chip_proportions=1 - ds["chip_proportions"])
    method = make_method("bag-ridge", **SMALL)
    gate.fit(method, ds.llp.split("train"), ds.llp.split("val"))
    found = []
    for name, region in (("as it is", ds), ("poisoned", poisoned)):
        task = Task("bag-ridge", method, region, region, 0, "train")
        (tmp_path / name).mkdir()
        evaluation = evaluate_split(task, "test", "divisions", tmp_path / name)
        assert evaluation.divisions is not None
        found.append((validate(task, evaluation), evaluation.divisions.to_json()))
    assert found[0] == found[1]


def test_divisions_whose_shares_a_method_is_shown_are_not_scored(
    stores: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    printed = call(capsys, "run", "train-mean+rake", "--dataset", stores["bare"], "-o", out)
    assert "divisions are not scored: the method is shown the known shares" in printed
    assert "no chip was scored" in printed
    run = read_run(out)
    assert run.divisions is None
    assert run.record.validation is None
    everything = run_method("train-mean", stores["bare"], train_on="all", out=tmp_path / "all")
    assert everything.divisions is None
    assert everything.record.validation is None
    with pytest.raises(MethodError, match="is shown the shares"):
        run_sweep(
            [Grid(["train-mean+rake"], [str(stores["bare"])])], tmp_path / "sweep", select=True
        )
    assert not (tmp_path / "sweep").exists()


def test_select_runs_the_best_setting_alone_on_test(
    stores: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "sweep"
    arguments: list[Any] = ["sweep", "--method=bag-ridge", "--dataset", stores["labelled"]]
    arguments += ["--set=words=[4,8]", "--set=sample=200", "--seed=0", "--seed=1"]
    arguments += ["--select", "-o", out]
    printed = call(capsys, *arguments)
    runs = {path.name: read_run(path) for path in (out / "runs").iterdir()}
    errors = {
        words: np.mean(
            [runs[f"{title}-val"].record.validation["mae"] for title in _titles(words)]  # type: ignore[index]
        )
        for words in (4, 8)
    }
    best, worst = sorted(errors, key=lambda words: errors[words])
    assert set(runs) == {
        *(f"{title}-val" for words in (4, 8) for title in _titles(words)),
        *_titles(best),
    }
    assert all(run.scores is None for name, run in runs.items() if name.endswith("-val"))
    assert f"chosen: bag-ridge words={best}" in printed
    ranking, tested = printed.split("chosen: ")
    assert f"words={worst}" in ranking
    assert f"words={worst}" not in tested
    with (out / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        is_chosen = json.loads(row["settings"])["words"] == best
        assert (row["split"] == "test") <= is_chosen
        assert (row["mae"] != "") == (row["split"] == "test")
    assert (
        f"--set words={worst} --set sample=200 --seed 0 --seed 1 --split val`"
        in (out / "results.md").read_text()
    )
    assert call(capsys, *arguments) == printed, "the same command again reads what is done"


def test_runs_without_labels_are_compared_by_divisions(
    stores: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = {
        (name, kind): run_method(name, store, settings=settings, out=tmp_path / kind / name)
        for kind, store in stores.items()
        for name, settings in (("train-mean", {}), ("bag-ridge", SMALL))
    }
    pairs = {"bare": "divisions", "labelled": "chips"}
    rows = {row["of"]: row for row in compare_runs([tmp_path / kind for kind in pairs])}
    assert set(rows) == {"divisions", "chips"}
    for kind, of in pairs.items():
        first, second = (runs[name, kind] for name in (rows[of]["first"], rows[of]["second"]))
        scores = [run.divisions if of == "divisions" else run.scores for run in (first, second)]
        assert rows[of]["difference"] == pytest.approx(
            scores[0].value("mae") - scores[1].value("mae")  # type: ignore[union-attr]
        )
    p_values = [row["p"] for row in rows.values()]
    assert max(row["corrected"] for row in rows.values()) == pytest.approx(
        min(1, max(2 * min(p_values), *p_values))
    )
    (printed,) = json.loads(call(capsys, "compare", tmp_path / "bare", "--metric=r2", "--json"))
    assert printed["low"] is None, "two divisions"
    assert "too few for an interval" in call(capsys, "compare", tmp_path / "bare")
    assert "no metric" in call(capsys, "compare", tmp_path / "bare", "--metric=f1_micro", code=1)
    one = tmp_path / "bare/train-mean"
    assert "at least two settings" in call(capsys, "compare", one, code=1)


def _titles(words: int) -> list[str]:
    return [f"bag-ridge-labelled-words={words}-sample=200-seed{seed}" for seed in (0, 1)]


def test_runs_of_divisions_alone_are_named_where_chips_are_needed(
    stores: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = run_method("train-mean", stores["bare"], out=tmp_path / "runs/one")
    assert find_results([tmp_path / "runs"]) == []
    assert "1 of 1 runs have no scores of chips" in caplog.text
    pooled = pool_divisions([run, run])
    assert pooled is not None
    assert pooled.predicted.shape[0] == 2
    drafted = draft_entry(tmp_path / "us__mean", [run.folder], {})  # a board scores it itself
    assert run.record.dataset_digest in drafted.read_text()


def test_where_nothing_is_known_nothing_is_scored(tmp_path: Path) -> None:
    region = make_region(8, 6, 4, 2, unlabelled=48)
    shares = region.division_proportions.copy()
    shares[np.arange(8) % 3 > 0] = np.nan  # those of val and test
    write_region(dataclasses.replace(region, division_proportions=shares), tmp_path / "grid")
    run = run_method("train-mean", tmp_path / "grid", out=tmp_path / "run")
    assert not run.is_scored
    assert run.record.validation is None
    with pytest.raises(UnscoredError, match=r"no chip.*; no division can be scored"):
        evaluate_both(run.predictions, tmp_path / "grid")
    done = run_sweep([Grid(["train-mean"], [str(tmp_path / "grid")])], tmp_path / "s", select=True)
    assert [reason for _job, reason in done.failed] == [
        "no chip was scored by a label and no division by known shares"
    ]


def test_what_a_step_lacks_is_said_before_anything_is_trained(
    stores: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trained(*_arguments: Any, **_options: Any) -> None:
        raise AssertionError("nothing is to be trained")

    monkeypatch.setattr("llpbench_baselines.train_mean.TrainMean.fit", trained)
    with pytest.raises(MethodError, match=r"at least 10 with known shares .* found 3"):
        run_method("train-mean+interval", stores["bare"], out=tmp_path / "run")
    region = make_region(12, 6, 4, 2, unlabelled=CHIPS)
    split = np.where(region.chips["split"] == "val", "train", region.chips["split"])
    chips = region.chips.assign(split=split, split_chip=split)
    write_region(dataclasses.replace(region, chips=chips), tmp_path / "grid")
    with pytest.raises(MethodError, match=r"calibrate chooses by .* val split, which has no chips"):
        run_method("train-mean+calibrate", tmp_path / "grid", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_steps_that_choose_nothing_need_no_val_split(tmp_path: Path) -> None:
    region = make_region(16, 4, 8, 2)
    split = np.where(region.chips["split"] == "val", "train", region.chips["split"])
    chips = region.chips.assign(split=split, split_chip=split)
    write_region(dataclasses.replace(region, chips=chips), tmp_path / "grid")
    for name in ("bag-ridge+interval", "bag-ridge+rake"):
        run = run_method(name, tmp_path / "grid", settings=SMALL, out=tmp_path / name)
        assert run.record.validation is None
    predicted = llpbench.read_predictions(tmp_path / "bag-ridge+interval/predictions-test.parquet")
    assert "low" in predicted
