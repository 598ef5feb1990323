"""Exported files through the command that scores them: right ones, and those of strangers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import flying
import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from flying import (
    ROOT,
    card_of,
    forbid,
    make_onnx,
    predict,
    refused,
    write_litert,
    write_onnx,
    write_saved_model,
)

import llpbench
from llpbench.cli import cli
from llpbench.data.batches.images import load_images
from llpbench.exported.process import FileProcess
from llpbench.exported.reading import read_exported
from llpbench.predictions.files import read_predictions
from llpbench.runs.record import Run, read_run

pytestmark = pytest.mark.usefixtures("no_pictures")

OFF = {"onnx": {"scale": 1.004}}
"""As sums of rounded numbers are: shares are divided by them."""

WRITERS: dict[str, Any] = {
    "litert": write_litert,
    "onnx": write_onnx,
    "savedmodel": write_saved_model,
}


@pytest.fixture(scope="module")
def ds(store: Path) -> xr.Dataset:
    return llpbench.open_dataset(store).llp.group()


@pytest.fixture(scope="module")
def card(ds: xr.Dataset) -> dict[str, Any]:
    return card_of(ds)


@pytest.fixture(scope="module")
def runs(
    store: Path, card: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Run]:
    """A run by a file of each format that needs no TensorFlow."""
    folder, runs = tmp_path_factory.mktemp("exported"), {}
    for kind in ("litert", "onnx"):
        file = WRITERS[kind](folder / f"file.{kind}", card, **OFF.get(kind, {}))
        llpbench.run_exported(file, store, out=folder / kind)
        runs[kind] = read_run(folder / kind)
    return runs


@pytest.mark.parametrize("kind", ["litert", "onnx"])
def test_a_file_is_scored_as_what_it_computes(
    kind: str, runs: dict[str, Run], ds: xr.Dataset, card: dict[str, Any]
) -> None:
    """Shares and classes are those of numpy; the record says what was run, and by what."""
    run = runs[kind]
    check_predictions(run, ds)
    record, file = run.record, run.folder.parent / f"file.{kind}"
    assert (record.method, record.settings, record.seed) == ("downconv", {"epochs": 3}, 2)
    assert (record.supervision, record.track, record.fit_seconds) == ("chip", "inductive", 0)
    assert record.trained_on_digest == record.dataset_digest == card["digest"]
    assert record.footprint["parameters"] == 15
    assert record.validation is not None
    assert run.scores is not None
    cost = record.export
    assert cost is not None
    assert (cost.file_format, cost.quantize, cost.bytes) == (kind, "none", file.stat().st_size)
    assert 0 < cost.latency_p50_ms <= cost.latency_p95_ms
    assert cost.memory_bytes is None or 0 < cost.memory_bytes < 100e6


@pytest.mark.skipif(sys.platform != "linux", reason="others do not say what was held at most")
def test_memory_is_what_a_file_holds_while_it_predicts(
    card: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """400 copies of 96 x 96 x 3 float32 are 44 MB, which a file of 2 kB makes of a chip."""
    monkeypatch.setattr("llpbench.exported.process.LEAST", 0)
    (tmp_path / "file").write_bytes(make_onnx(card, copies=400).SerializeToString())
    with FileProcess(read_exported(tmp_path / "file")) as process:
        process.answer(np.zeros((96, 96, 3), dtype=np.uint8))
        held = process.footprint().memory_bytes
    assert held is not None
    assert 44e6 < held < 110e6


def check_predictions(run: Run, ds: xr.Dataset) -> None:
    test = ds.llp.split("test")
    shares, classes = predict(load_images(test))
    found = read_predictions(run.predictions)
    np.testing.assert_allclose(found["proportions"], shares, atol=1e-6)
    np.testing.assert_array_equal(found["segmentation"], classes)


@pytest.mark.full
def test_a_saved_model_is_run_and_the_small_file_is_what_tensorflow_makes(
    store: Path, ds: xr.Dataset, card: dict[str, Any], tmp_path: Path
) -> None:
    file = write_saved_model(tmp_path / "saved", card)
    check_predictions(llpbench.run_exported(file, store, out=tmp_path / "run"), ds)
    import tensorflow as tf

    module = flying.as_tensorflow()
    function = module.predict.get_concrete_function()
    made = tf.lite.TFLiteConverter.from_concrete_functions([function], module).convert()
    assert len(made) == flying.LITERT.stat().st_size


def test_a_file_needs_neither_its_method_nor_tensorflow(
    runs: dict[str, Run], store: Path, tmp_path: Path
) -> None:
    code = "import sys; from llpbench.cli import main; main(sys.argv[1:])"
    arguments = [runs["litert"].folder.parent / "file.litert", "--dataset", store]
    command = ["run-exported", *arguments, "-o", tmp_path / "run"]
    path = forbid(tmp_path, "tensorflow", "keras", "llpbench_baselines")
    assert "litert, float32: " in start([sys.executable, "-c", code, *command], path)
    found, expected = (read_run(at).predictions for at in (tmp_path / "run", runs["litert"].folder))
    np.testing.assert_array_equal(
        read_predictions(found)["proportions"], read_predictions(expected)["proportions"]
    )


@pytest.mark.parametrize("kind", ["litert", "onnx"])
def test_others_read_a_file_with_its_runtime_alone(
    kind: str, runs: dict[str, Run], ds: xr.Dataset, tmp_path: Path
) -> None:
    """As docs/orbit/fly.py does."""
    file = runs[kind].folder.parent / f"file.{kind}"
    np.save(tmp_path / "chips.npy", load_images(ds.llp.split("test")))
    path = forbid(tmp_path, "tensorflow", "llpbench", "pandas", "xarray")
    script = [sys.executable, ROOT / "docs/orbit/fly.py", file, tmp_path / "chips.npy"]
    lines = [line.split(",") for line in start(script, path).splitlines()]
    assert lines[0] == ["chip", *ds["category_name"].to_numpy()]
    alone = np.array([line[1:] for line in lines[1:]], dtype=float)
    expected = read_predictions(runs[kind].predictions)
    shares = alone / alone.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shares, expected["proportions"], atol=2e-6)


def start(command: list[Any], path: str) -> str:
    env = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(list(map(str, command)), env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_file_trained_on_everything_is_scored_only_elsewhere(
    store: Path, card: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here = write_litert(tmp_path / "here", {**card, "train_on": "all"})
    said = refused(capsys, here, "--dataset", store, "--split", "test", "-o", tmp_path / "run")
    assert "trained on all chips" in said
    run = llpbench.run_exported(here, store, out=tmp_path / "whole")
    assert (run.record.split, run.is_scored, run.record.validation) == ("all", False, None)
    fold = write_litert(tmp_path / "fold", {**card, "fold": "2/5"})
    assert "fold 2/5" in refused(capsys, fold, "--dataset", store, "-o", tmp_path / "run")
    there = {**card, "train_on": "all", "trained_on": "there", "digest": "sha256:0"}
    run = llpbench.run_exported(
        write_litert(tmp_path / "there", there), store, out=tmp_path / "far"
    )
    assert (run.record.track, run.record.trained_on) == ("cross-region", "there")
    assert run.scores is not None
    assert run.record.validation is None


def test_runs_by_files_stand_beside_others_in_tables(runs: dict[str, Run], store: Path) -> None:
    """As results of their own, with what the files cost."""
    folder = str(runs["onnx"].folder.parent)
    compared = CliRunner().invoke(cli, ["compare", folder], catch_exceptions=False).output
    assert "downconv (litert, float32)" in compared
    assert "downconv (onnx, float32)" in compared
    from llpbench.reporting.tables import footprint_table
    from llpbench.runs.results import find_results

    head, _line, *rows = footprint_table(find_results([Path(folder)])).splitlines()
    assert head.endswith("| bytes of the file | its ms a chip | p95 | memory |")
    assert len(rows) == 2
    command = ["map", str(runs["onnx"].folder), "--dataset", str(store), "--split", "all"]
    again = CliRunner().invoke(cli, [*command, "-o", f"{folder}/map.tif"])
    assert again.exit_code == 1
    assert "exported file" in str(again.exception)
