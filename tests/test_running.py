"""Runs that are interrupted, resumed, or carried over to another region."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spy
from regions import make_region, write_region

import llpbench
from llpbench.cli import main
from llpbench.errors import LLPBenchError, MethodError
from llpbench.methods import gate
from llpbench.methods.journal import CHECKPOINT, Journal
from llpbench.running.interrupts import stop_on_interrupt
from llpbench.running.run import run_method
from llpbench.runs.folder import can_resume, choose_folder, working_folder
from llpbench.runs.record import read_run

pytestmark = pytest.mark.usefixtures("no_pictures")

SMALL = {"filters": 4, "epochs": 3, "learning_rate": 0.02, "batch_size": 8}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(8, 3, 4, 1), path)
    return path


def small_run(store: Path, out: Path, **options: Any) -> Any:
    pytest.importorskip("tensorflow", reason="downconv needs TensorFlow")
    return run_method("downconv", store, settings=SMALL, out=out, deterministic=True, **options)


@pytest.fixture(autouse=True)
def _interrupts() -> Iterator[None]:
    """Let interrupts interrupt, also where tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def press(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets Ctrl-C be pressed while a batch is trained, so many batches from now."""

    def after(*batches: int) -> None:
        asked, must_stop = 0, Journal.must_stop

        def pressed(self: Journal) -> bool:
            nonlocal asked
            asked += 1
            if asked in batches:
                os.kill(os.getpid(), signal.SIGINT)
            return must_stop(self)

        monkeypatch.setattr(Journal, "must_stop", pressed)

    return after


def test_the_first_interrupt_asks_and_the_second_quits(capfd: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_on_interrupt() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    assert "interrupt again to quit" in capfd.readouterr().err


def test_an_interrupted_run_is_evaluated_and_goes_on(
    store: Path, tmp_path: Path, press: Any
) -> None:
    """Twelve training chips are two batches an epoch; the fifth is in the third epoch."""
    whole = small_run(store, tmp_path / "whole")
    assert not whole.record.interrupted
    assert not (whole.folder / CHECKPOINT).exists()
    history = [float(row["val_mae"]) for row in _rows(whole.folder / "history.csv")]
    assert min(abs(one - whole.record.validation["mae"]) for one in history) < 1e-5
    press(5)
    stopped = small_run(store, tmp_path / "run")
    names = {path.name for path in stopped.folder.iterdir()}
    assert names == {
        *("run.json", "appearance.json", "weights", "history.csv", CHECKPOINT),
        *("predictions-val.zarr", "divisions-val.json", "divisions-val.csv"),
    }, "the test split is not looked at before training has ended"
    assert stopped.record.interrupted
    assert stopped.record.split == stopped.divisions.split == "val"
    assert len((stopped.folder / "history.csv").read_text().splitlines()) == 1 + 2
    with pytest.raises(MethodError, match="its random_state was 0, now it is 1"):
        small_run(store, tmp_path / "run", resume=True, seed=1)
    assert {path.name for path in tmp_path.iterdir()} == {"whole", "run"}
    resumed = small_run(store, tmp_path / "run", resume=True)
    assert not resumed.record.interrupted
    assert {path.name for path in resumed.folder.iterdir()} == {
        path.name for path in whole.folder.iterdir()
    }
    assert resumed.scores.to_json() == whole.scores.to_json()
    for one, other in zip(*(_weights(run.folder) for run in (whole, resumed)), strict=True):
        np.testing.assert_array_equal(one, other)
    assert read_run(resumed.folder).record == resumed.record


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _weights(folder: Path) -> list[Any]:
    with np.load(folder / "weights" / "weights.npz") as file:
        return [file[name] for name in sorted(file)]


def test_two_interrupts_quit_but_keep_the_checkpoint(
    store: Path, tmp_path: Path, press: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first ends the training, in its second epoch; the second comes while it is evaluated."""
    press(3)
    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(
            "llpbench.running.evaluating.score_divisions",
            lambda *_: os.kill(os.getpid(), signal.SIGINT),
        )
        with pytest.raises(KeyboardInterrupt):
            small_run(store, out)
    assert not out.exists()
    assert can_resume(out)
    with pytest.raises(MethodError, match="its random_state was 0, now it is 1"):
        small_run(store, out, resume=True, seed=1)
    assert not small_run(store, out, resume=True).record.interrupted
    assert {path.name for path in tmp_path.iterdir()} == {"run"}


def test_the_command_says_that_it_was_interrupted(
    store: Path, tmp_path: Path, press: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorflow", reason="downconv needs TensorFlow")
    press(1)
    settings = [f"--set={name}={value}" for name, value in SMALL.items()]
    arguments = ["run", "downconv", "--dataset", str(store), *settings, "--seed=1", "--seed=2"]
    with pytest.raises(SystemExit) as left:
        main([*arguments, "--out", str(tmp_path / "runs")])
    assert left.value.code == 130
    printed = capsys.readouterr()
    assert "llpbench: interrupted; go on with the same command and --resume" in printed.err
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["downconv-grid-seed1"]
    main([*arguments, "--out", str(tmp_path / "runs"), "--resume", "--json"])
    first, second = json.loads(capsys.readouterr().out)
    assert first["attributes"]["seed"] == 1
    assert second["attributes"]["seed"] == 2
    main([*arguments, "--out", str(tmp_path / "runs"), "--resume", "--json"])
    assert json.loads(capsys.readouterr().out) == [first, second]


def test_an_objective_is_an_option_and_a_parameter(store: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="downconv needs TensorFlow")
    settings = [f"--set={name}={value}" for name, value in SMALL.items()]
    arguments = ["run", "downconv", "--dataset", str(store), *settings, "--set=bag_size=4"]
    for way in ("--objective=dllp", "--set=objective=dllp"):
        main([*arguments, way, "--deterministic", "--out", str(tmp_path / way.strip("-"))])
    runs = [read_run(folder) for folder in sorted(tmp_path.iterdir())]
    assert [run.record.settings["objective"] for run in runs] == ["dllp", "dllp"]
    assert runs[0].scores.to_json() == runs[1].scores.to_json()
    with pytest.raises(SystemExit):
        main(["run", "bag-ridge", "--dataset", str(store), "--objective=dllp"])


def test_there_must_be_something_to_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LLPBenchError, match="no interrupted run 'a-b-seed1' is in runs/"):
        choose_folder(None, "a-b-seed1", resume=True)
    with pytest.raises(LLPBenchError, match="'there' was never begun"):
        choose_folder(Path("there"), "", resume=True)
    Path("there").mkdir()
    (Path("there") / "run.json").touch()
    with pytest.raises(LLPBenchError, match="'there' is complete"):
        choose_folder(Path("there"), "", resume=True)


def test_folders_are_numbered_and_the_last_interrupted_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = choose_folder(None, "a-seed1", resume=False)
    assert first == Path("runs/a-seed1")
    (first.with_name("a-seed10")).mkdir(parents=True)
    with working_folder(first, resume=False):
        pass
    second = choose_folder(None, "a-seed1", resume=False)
    assert second == Path("runs/a-seed1-2")
    with contextlib.suppress(KeyboardInterrupt), working_folder(second, resume=False) as beside:
        (beside / CHECKPOINT).write_text("kept")
        (beside / "half").mkdir()
        raise KeyboardInterrupt
    assert not second.exists()
    assert choose_folder(None, "a-seed1", resume=True) == second
    with working_folder(second, resume=True) as beside:
        assert [path.name for path in beside.iterdir()] == [CHECKPOINT]
    with pytest.raises(KeyboardInterrupt), working_folder(first, resume=False):
        raise KeyboardInterrupt
    assert {path.name for path in Path("runs").iterdir()} == {"a-seed1", "a-seed1-2", "a-seed10"}


def test_a_method_is_carried_over_to_another_region(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    write_region(make_region(8, 3, 4, 1), here)
    write_region(make_region(8, 6, 4, 2, seed=1), there)
    parameters = {"words": 4, "sample": 200}
    run = run_method("bag-ridge", here, apply_to=there, settings=parameters, out=tmp_path / "run")
    predictions = llpbench.read_predictions(run.folder / "predictions-test.parquet")
    test = llpbench.open_dataset(there, "test")
    assert set(predictions["chip"].to_numpy()) == set(test["chip"].to_numpy())
    said = {"dataset": "there", "trained_on": "here", "track": "cross-region"}
    assert {key: predictions.attrs[key] for key in said} == said
    assert {key: getattr(run.record, key) for key in said} == said
    assert run.record.trained_on_digest != run.record.dataset_digest
    own = run_method("bag-ridge", here, settings=parameters, out=tmp_path / "own")
    for one, two in zip(_weights(own.folder), _weights(run.folder), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_method_stays_where_categories_are_the_same(store: Path, tmp_path: Path) -> None:
    write_region(make_region(8, 3, 4, 1, labels="humanpop"), tmp_path / "people")
    with pytest.raises(MethodError, match="apply it to a dataset with the same label set"):
        run_method("train-mean", store, apply_to=tmp_path / "people", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_same_bits_are_promised_or_refused(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy.install(monkeypatch)
    with pytest.raises(MethodError, match="spy cannot promise the same bits for the same seed"):
        run_method("spy", store, deterministic=True, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
    done = run_method("train-mean", store, deterministic=True, out=tmp_path / "run")
    assert done.record.settings == {}


@pytest.mark.parametrize(
    ("method", "split", "said"),
    [
        ("train-mean", "train", "the train split of grid has no chips to train on"),
        ("spy-epochs", "val", "the val split of grid has no chips for spy-epochs to choose"),
        ("train-mean", "test", "the test split of grid has no chips to predict: choose another"),
    ],
)
def test_an_empty_split_is_noticed_before_training(
    method: str, split: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spy.install(monkeypatch)
    monkeypatch.setattr(gate, "fit", lambda *_, **__: pytest.fail("it was trained"))
    region = make_region(8, 3, 4, 1)
    other = {"train": "val", "val": "train", "test": "train"}[split]
    chips = region.chips.replace({"split": {split: other}})
    write_region(dataclasses.replace(region, chips=chips), tmp_path / "grid")
    with pytest.raises(MethodError, match=said):
        run_method(method, tmp_path / "grid", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_runs_of_earlier_versions_are_read(store: Path, tmp_path: Path) -> None:
    """Format 1 had ``parameters``, the seed among them, and scores of test under two names.

    No format before 4 had ``validation``.
    """
    run = run_method("bag-ridge", store, settings={"words": 4, "sample": 200}, out=tmp_path / "run")
    content = json.loads((run.folder / "run.json").read_text())
    assert content["format"] == 6
    assert content.pop("validation")["mae"] > 0
    content |= {"format": 1, "parameters": {**content.pop("settings"), "random_state": 0}}
    (run.folder / "run.json").write_text(json.dumps(content))
    (run.folder / "scores.json").rename(run.folder / "scores-test.json")
    old = read_run(run.folder)
    assert old.record == dataclasses.replace(run.record, validation=None)
    assert old.scores.to_json() == run.scores.to_json()
    (run.folder / "run.json").write_text(json.dumps({**content, "format": 7}))
    with pytest.raises(LLPBenchError, match="formats up to 6 are read, found 7"):
        read_run(run.folder)
