"""Run folders, settings and names of strangers: one sentence, never a traceback or a raw escape."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hostile import assert_sentence
from regions import make_region, write_region

from llpbench.cli import cli
from llpbench.errors import LLPBenchError, MethodError
from llpbench.methods.registry import load_method, make_method
from llpbench.reading import read_arrays
from llpbench.running.mapping import map_predictions
from llpbench.running.run import run_method
from llpbench.runs.command import parse_run_command
from llpbench.runs.comparing import compare_runs
from llpbench.runs.record import read_run

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    write_region(make_region(8, 3, 4, 1), folder / "grid")
    return run_method("train-mean", folder / "grid", out=folder / "run").folder


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on a region without labels, whose divisions alone are scored."""
    folder = tmp_path_factory.mktemp("bare")
    write_region(make_region(12, 3, 6, 1, unlabelled=36), folder / "grid")
    return run_method("train-mean", folder / "grid", out=folder / "run").folder


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "run"))


def read_all(run: Path) -> None:
    """What commands do with the run of somebody else."""
    read_run(run)
    load_method("train-mean", run / "weights")


def refuse(run: Path, name: str, content: bytes) -> None:
    (run / name).write_bytes(content)
    with pytest.raises(LLPBenchError) as caught:
        read_all(run)
    assert_sentence(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        *({"dataset": name} for name in ("../../x", "/etc", "..", "", "\ud800", None, ["a"])),
        *({"split": value} for value in ("../test", "every", 3)),
        *({"method": value} for value in ("../x", "a+../b", {})),
        *({name: "x"} for name in ("seed", "settings", "footprint", "interrupted", "format")),
        *({"seed": value} for value in (True, 1.5)),
        {"unheard": 1},
    ],
    ids=str,
)
def test_records_of_strangers(run: Path, change: dict[str, Any]) -> None:
    content = json.loads((run / "run.json").read_text()) | change
    refuse(run, "run.json", json.dumps(content).encode())


@pytest.mark.parametrize("content", [b"", b"[]", b"3", b"\xff", b"[" * 100_000, b" " * 2**21])
@pytest.mark.parametrize("name", ["run.json", "weights/method.json"])
def test_files_that_are_no_json_of_a_run(run: Path, name: str, content: bytes) -> None:
    if (name, content) != ("weights/method.json", b" " * 2**21):
        refuse(run, name, content)


@pytest.mark.parametrize("content", [b"", b"PK", b"\x93NUMPY"])
def test_weights_that_are_none(run: Path, content: bytes) -> None:
    refuse(run, "weights/weights.npz", content)


def test_arrays_are_no_larger_than_their_bytes(run: Path, tmp_path: Path) -> None:
    """A header of 10^12 numbers, a checksum that is wrong, and a sparse file of 4 GB."""
    path = tmp_path / "a.npz"
    header = str({"descr": "<f8", "fortran_order": False, "shape": (10**12,)}).encode()
    stated = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", stated)
    with pytest.raises(LLPBenchError, match="is not the one it states"):
        read_arrays(path)
    np.savez(path, a=np.arange(100.0))
    content = bytearray(path.read_bytes())
    content[300] ^= 1
    path.write_bytes(content)
    with pytest.raises(LLPBenchError, match="CRC"):
        read_arrays(path)
    with path.open("wb") as file:
        file.truncate(2**32)
    with pytest.raises(LLPBenchError, match="at most"):
        read_arrays(path)


def test_a_run_has_predictions_once(run: Path, made: Path) -> None:
    (run / "predictions-test.zarr").mkdir()
    with pytest.raises(LLPBenchError, match="found both"):
        _ = read_run(run).predictions
    with pytest.raises(LLPBenchError, match="found both"):
        map_predictions(run, run / "map.tif", dataset=str(made.parent / "grid"))
    (run / "predictions-test.zarr").rmdir()
    (run / "predictions-test.parquet").unlink()
    with pytest.raises(LLPBenchError, match="found none"):
        _ = read_run(run).predictions


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("bag-ridge", {"features": None}),
        ("bag-ridge", {"patch_size": 0}),
        ("bag-ridge", {"words": float("inf")}),
        ("bag-ridge", {"words": True}),
        ("bag-ridge", {"area_exponent": float("nan")}),
        ("bag-ridge", {"random_state": -1}),
    ],
)
def test_settings_have_types_and_ranges(method: str, settings: dict[str, Any]) -> None:
    with pytest.raises(MethodError, match=f"bag-ridge: .*{next(iter(settings))}") as caught:
        make_method(method, **settings)
    assert_sentence(caught.value)


def test_the_seed_is_no_setting(made: Path) -> None:
    command = "llpbench run bag-ridge --dataset grid --set random_state=5"
    with pytest.raises(MethodError, match="give it as --seed"):
        parse_run_command(command)
    arguments = ["run", "bag-ridge", "--dataset", "grid", "--set", "random_state=5"]
    assert "give it as --seed" in CliRunner().invoke(cli, arguments).output


def test_names_of_strangers_are_shown_and_not_obeyed(made: Path, tmp_path: Path) -> None:
    """A title that would clear the terminal, and change the direction of what follows."""
    store = Path(shutil.copytree(made.parent / "grid", tmp_path / "grid"))
    info = json.loads((store / "store.json").read_text())
    (store / "store.json").write_text(json.dumps(info | {"title": "\x1b[2J\u202ered"}))
    shown = CliRunner().invoke(cli, ["info", str(store)])
    assert "do not print" in str(shown.exception)
    assert not {"\x1b", "\u202e"} & set(str(shown.exception))
    (store / "store.json").write_text(json.dumps(info | {"title": "red [x](javascript:y) <b>"}))
    shown = CliRunner().invoke(cli, ["datasheet", str(store)])
    assert shown.exit_code == 0, shown.output
    assert "[x](" not in shown.output.replace("\\[x\\](", "")
    assert "<b>" not in shown.output


def _empty_digests(content: dict[str, Any]) -> None:
    content["digests"] = {}


def _division_twice(content: dict[str, Any]) -> None:
    content["divisions"] = content["divisions"][:1] * len(content["divisions"])


def _fewer_divisions(content: dict[str, Any]) -> None:
    for name in ("divisions", "known", "coverage", "areas"):
        content[name] = content[name][:1]
    content["predicted"] = [shares[:1] for shares in content["predicted"]]


def _other_shares(content: dict[str, Any]) -> None:
    content["known"] = [shares[::-1] for shares in content["known"]]


@pytest.mark.parametrize("as_seed", [True, False], ids=["seeds", "methods"])
@pytest.mark.parametrize(
    "change", [_empty_digests, _division_twice, _fewer_divisions, _other_shares]
)
def test_scores_of_divisions_that_do_not_fit(
    bare: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None], as_seed: bool
) -> None:
    """They are neither compared nor taken for those of another seed."""
    for name in ("first", "second", "third"):
        shutil.copytree(bare, tmp_path / name)
    changed = tmp_path / "second/divisions.json"
    content = json.loads(changed.read_text())
    change(content)
    changed.write_text(json.dumps(content))
    for name in ("third",) if as_seed else ("second",):
        record = tmp_path / name / "run.json"
        record.write_text(record.read_text().replace("train-mean", "goodman"))
    with pytest.raises(LLPBenchError) as caught:
        compare_runs([tmp_path])
    assert_sentence(caught.value)
