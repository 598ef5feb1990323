"""Predictions that are written file by file: those of one pass, and nothing predicted twice."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from regions import make_region, write_region

import llpbench
from llpbench.cli import cli
from llpbench.crew import gather
from llpbench.data.region import ChipBlock
from llpbench.errors import (
    BusyError,
    LLPBenchError,
    MethodError,
    PredictionsError,
    StoreError,
)
from llpbench.methods import gate
from llpbench.running.mapping import map_predictions
from llpbench.running.predicting_dataset import predict_dataset
from llpbench.runs.record import read_run
from llpbench.runs.trained import load_trained
from llpbench.writing import locked

pytestmark = pytest.mark.usefixtures("no_pictures", "no_map_pictures")

CHIPS = 20
"""Of a file: the region has 72 chips, of which 23 or 24 are of a split."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(12, 6, 6, 3), path)
    return path


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is looked at some chips at a time, and methods predict a file at once."""
    monkeypatch.setattr("llpbench.running.predicting_parts.FILE", CHIPS)
    monkeypatch.setattr("llpbench.methods.parts.PART", CHIPS)
    monkeypatch.setattr("llpbench.data.split_images.CHIPS_AT_ONCE", 7)


@pytest.fixture(scope="module")
def run(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(store, tmp_path_factory.mktemp("runs") / "run")


def train(store: Path, folder: Path, method: str = "bag-ridge", **settings: Any) -> Path:
    return llpbench.run_method(method, store, settings=settings, out=folder).folder


def predict(run: Path, store: Path | str, out: Path, *options: Any) -> Result:
    arguments = ["predict", run, "--dataset", store, "--out", out, *options]
    return CliRunner().invoke(cli, list(map(str, arguments)))


def refused(kind: type[Exception], *arguments: Any) -> str:
    """The sentence with which a prediction is refused; it leaves the folder as it was."""
    out = Path(arguments[2])
    before = sorted(out.rglob("*"))
    done = predict(*arguments)
    assert isinstance(done.exception, kind), done.output
    assert sorted(out.rglob("*")) == before
    return str(done.exception)


def edit_json(file: Path, **values: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def parts(folder: Path) -> list[Path]:
    assert (folder / "plan.json").is_file()
    return sorted(folder.glob("[!.]*.parquet"))


def written(folder: Path) -> list[tuple[int, int]]:
    """What changes of a file that is written again."""
    return [(file.stat().st_ino, file.stat().st_mtime_ns) for file in parts(folder)]


def test_parts_are_scored_as_one_file(run: Path, store: Path, tmp_path: Path) -> None:
    """Those of the test split have the digest of the run's own file, and all its scores."""
    done = predict(run, store, tmp_path / "parts", "--split", "test", "--json")
    assert json.loads(done.stdout) == {"folder": str(tmp_path / "parts"), "files": 2, "new": 2}
    assert [file.name for file in parts(tmp_path / "parts")] == [
        f"part-{number:06}.parquet" for number in range(2)
    ]
    scores = []
    for predictions in (tmp_path / "parts", run / "predictions-test.parquet"):
        command = ["evaluate", str(predictions), "--dataset", str(store), "--json"]
        scores.append(json.loads(CliRunner().invoke(cli, command).stdout))
    assert scores[0] == scores[1]


def test_all_chips_of_a_dataset(run: Path, store: Path, tmp_path: Path) -> None:
    """Those of one pass, to the bit; what they say of themselves, too."""
    out = predict_dataset(run, store, tmp_path / "parts").folder
    assert len(parts(out)) == 4
    found = llpbench.read_predictions(out)
    ds = llpbench.open_dataset(store).llp.group()
    method = load_trained(run, read_run(run).record)
    facts: dict[str, Any] = {"name": "bag-ridge", "seed": 0, "trained_on": "grid"}
    assert found.identical(gate.predict(method, ds, "all", **facts))


KILLED = f"""
import os, signal
import llpbench.methods.parts, llpbench.writing
from llpbench.cli import main
from llpbench.running import predicting_parts
predicting_parts.FILE = llpbench.methods.parts.PART = {CHIPS}
flush = llpbench.writing.flush
def dying(part):
    if "part-000002" in part.name:
        os.kill(os.getpid(), signal.SIGKILL)
    flush(part)
llpbench.writing.flush = dying
main()
"""


def test_a_killed_command_goes_on(run: Path, store: Path, tmp_path: Path) -> None:
    """The third file has its bytes and no name yet; those before it are not written again."""
    out = tmp_path / "parts"
    command = ["predict", run, "--dataset", store, "--out", out]
    killed = subprocess.run(
        [sys.executable, "-P", "-c", KILLED, *map(str, command)], check=False, timeout=120
    )
    assert killed.returncode == -signal.SIGKILL
    first = written(out)
    assert len(first) == 2
    assert predict(run, store, out).stdout == f"2 of 4 files of predictions written to {out}\n"
    assert written(out)[:2] == first
    assert not [path for path in out.iterdir() if path.name.startswith(".")]
    whole = predict_dataset(run, store, tmp_path / "whole").folder
    for file, other in zip(parts(out), parts(whole), strict=True):
        assert file.read_bytes() == other.read_bytes()
    again = written(out)
    assert predict(run, store, out).stdout == f"0 of 4 files of predictions written to {out}\n"
    assert written(out) == again


def test_others_predict_the_same(
    run: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers, and then those of a user's cluster, which go on."""
    here = predict_dataset(run, store, tmp_path / "here").folder
    with gather(2) as crew:
        assert crew._client is not None
        address = crew._client.scheduler.address
        monkeypatch.setattr("llpbench.crew._AHEAD", 1)
        there = predict_dataset(run, store, tmp_path / "there", scheduler=address).folder
        parts(there)[1].unlink()
        done = predict_dataset(run, store, there, scheduler=address)
    assert done.new == 1
    for file, other in zip(parts(here), parts(there), strict=True):
        assert file.read_bytes() == other.read_bytes()


def test_a_dataset_in_a_bucket(run: Path, store: Path, tmp_path: Path, bucket: Any) -> None:
    address = bucket.upload(store, "grid")
    there = predict_dataset(run, address, tmp_path / "there", split="val").folder
    here = predict_dataset(run, store, tmp_path / "here", split="val").folder
    for file, other in zip(parts(here), parts(there), strict=True):
        assert file.read_bytes() == other.read_bytes()


def test_other_predictions_are_not_gone_on_with(run: Path, store: Path, tmp_path: Path) -> None:
    out = tmp_path / "parts"
    predict_dataset(run, store, out, split="test")
    other = "holds other predictions, which differ in "
    again = shutil.copytree(run, tmp_path / "again")
    edit_json(again / "run.json", seed=1)
    assert f"{other}'seed'" in refused(PredictionsError, again, store, out, "--split", "test")
    edit_json(again / "run.json", seed=0)
    weights = dict(np.load(again / "weights" / "weights.npz"))
    weights["intercept"] = weights["intercept"] + 1e-9
    np.savez(again / "weights" / "weights.npz", **weights)
    assert f"{other}'model'" in refused(PredictionsError, again, store, out, "--split", "test")
    assert f"{other}'split'" in refused(PredictionsError, run, store, out)
    shutil.copytree(store, tmp_path / "copy")
    assert predict(run, tmp_path / "copy", out, "--split", "test").exit_code == 0  # is the same
    (out / "plan.json").write_text("[]")
    assert f"{other}'dataset'" in refused(PredictionsError, run, store, out, "--split", "test")
    (out / "plan.json").unlink()
    assert "no predictions in parts were begun there" in refused(
        PredictionsError, run, store, out, "--split", "test"
    )
    with locked(tmp_path / "busy"):
        assert "another process" in refused(BusyError, run, store, tmp_path / "busy")


def test_what_cannot_be_predicted_so(run: Path, store: Path, tmp_path: Path) -> None:
    raked = train(store, tmp_path / "raked", "train-mean+rake")
    assert "looks at all chips at once" in refused(MethodError, raked, store, tmp_path / "out")
    write_region(make_region(12, 6, 6, 3, labels="humanpop"), tmp_path / "people")
    assert "cannot predict ['none'" in refused(
        MethodError, run, tmp_path / "people", tmp_path / "out"
    )
    write_region(make_region(2, 2, 1, 1), tmp_path / "small")
    options = (tmp_path / "out", "--split", "test", "--force")
    assert "has no chips" in refused(MethodError, run, tmp_path / "small", *options)
    with pytest.raises(LLPBenchError, match="there is no split 'tset'; did you mean 'test'"):
        predict_dataset(run, store, tmp_path / "out", split="tset")
    done = predict(run, store, tmp_path / "out", "--bands", "1,2,3")
    assert "--bands is of new images, and a dataset has its own" in done.output
    done = CliRunner().invoke(cli, ["predict", str(run), "--split", "test", "--out", "new"])
    assert "--split goes with --dataset" in done.output


def test_images_that_look_otherwise(run: Path, tmp_path: Path) -> None:
    """They are refused as those of a file are; overruled, the predictions say so."""
    region, out = make_region(12, 6, 6, 3, seed=5), tmp_path / "parts"
    write_region(replace(region, read=Dark(region.read)), tmp_path / "dark")
    sentence = str(predict(run, tmp_path / "dark", out).exception)
    assert "then check how the images of this dataset became what it stores" in sentence
    assert {path.name for path in out.iterdir()} == {"drift.csv", "drift.png"}
    done = predict(run, tmp_path / "dark", out, "--force")
    assert done.exit_code == 0, done.output
    said = llpbench.read_predictions(out).attrs
    assert said["track"] == "cross-region"
    assert said["warning"] in sentence


@dataclass(frozen=True)
class Dark:
    """Images of a source at night."""

    read: Callable[[Any], ChipBlock]

    def __call__(self, chips: Any) -> ChipBlock:
        block = self.read(chips)
        assert block.image is not None
        return replace(block, image=block.image // 16)


def test_damaged_pixels_are_an_error_of_the_store(run: Path, store: Path, tmp_path: Path) -> None:
    shutil.copytree(store, tmp_path / "bad")
    for file in (tmp_path / "bad" / "chips.zarr" / "image" / "c").rglob("*"):
        if file.is_file():
            file.write_bytes(b"x" * file.stat().st_size)
    done = predict(run, tmp_path / "bad", tmp_path / "out")
    assert isinstance(done.exception, StoreError)
    assert parts(tmp_path / "out") == []


def test_a_large_map_of_a_run_is_predicted_in_parts(
    run: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = map_predictions(run, tmp_path / "small.tif", dataset=str(store), split="all")
    for place in ("running.mapping", "maps.writing"):
        monkeypatch.setattr(f"llpbench.{place}.MOST_IN_FILE", 5)
    large = map_predictions(run, tmp_path / "large.tif", dataset=str(store), split="all")
    assert len(parts(tmp_path / "large-predictions")) == 4
    assert large.divisions.read_bytes() == small.divisions.read_bytes()
