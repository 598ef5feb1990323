"""The command line: what it prints, where errors go, exit codes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from regions import make_region, write_region
from zenodo_server import ZenodoServer

from llpbench.cli import COMMANDS, cli, main


@pytest.fixture
def grid(tmp_path: Path) -> str:
    """A dataset in the cache, known by its name."""
    cache = Path(os.environ["LLPBENCH_CACHE"])
    cache.mkdir()
    write_region(make_region(12, 6, 3, 2), cache / "grid")
    return "grid"


def _call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), catch_exceptions=False)


def _fail(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    captured = capsys.readouterr()
    assert isinstance(left.value.code, int)
    return left.value.code, captured.err


def test_help_lists_every_command_without_importing_it() -> None:
    """In a fresh interpreter, and without the packages that take long."""
    program = (
        "import sys; from llpbench.cli import main\n"
        "try: main(['--help'])\n"
        "finally: print([m for m in sys.modules if m in "
        "('numpy', 'pandas', 'xarray', 'zarr', 'sklearn', 'tensorflow', 'geopandas')])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name, (_where, text) in COMMANDS.items():
        assert name in done.stdout
        assert text.split(",")[0] in done.stdout
    assert done.stdout.rstrip().endswith("[]")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(name: str) -> None:
    assert _call(name, "--help").output.startswith("Usage: ")


def test_datasets_as_text_and_json(grid: str) -> None:
    text = _call("datasets").output
    assert "benelux-esaworldcover" in text
    rows = {row["name"]: row for row in json.loads(_call("datasets", "--json").output)}
    assert rows["grid"]["state"] == "ready"
    assert rows["colombia-ne-humanpop"]["state"] == "absent"
    assert rows["demo-humanpop"]["title"].endswith("(synthetic)")


def test_info_counts_splits_and_classes(grid: str) -> None:
    facts = json.loads(_call("info", grid, "--json").output)
    assert facts["chips"] == 72
    assert facts["divisions"] == 6
    assert [row["chips"] for row in facts["splits"]] == [24, 24, 24]
    total = sum(row["train"] for row in facts["classes"])
    assert total == pytest.approx(1, abs=1e-6)
    assert "72 chips" in _call("info", grid).output


def test_run_evaluate_template(grid: str, tmp_path: Path) -> None:
    out = tmp_path / "run"
    done = _call("run", "train-mean", "--dataset", grid, "--out", str(out))
    assert "predictions-test.parquet" in done.output
    scores = json.loads(
        _call("evaluate", str(out / "predictions-test.parquet"), "--dataset", grid, "--json").output
    )
    assert scores == json.loads((out / "scores.json").read_text())
    assert scores["metrics"]["skill"]["value"] == pytest.approx(0, abs=1e-6)
    filled = _call("template", grid, "-o", str(tmp_path / "t.csv")).output
    assert f"llpbench evaluate {tmp_path / 't.csv'} --dataset grid" in filled


def test_several_files_are_seeds_of_one_method(grid: str, tmp_path: Path) -> None:
    files = []
    for seed in range(2):
        out = tmp_path / str(seed)
        settings = ["--set", "words=8", "--set", "sample=500", "--seed", str(seed)]
        _call("run", "bag-ridge", "--dataset", grid, "--out", str(out), *settings)
        files.append(str(out / "predictions-test.parquet"))
    both = json.loads(_call("evaluate", *files, "--dataset", grid, "--json").output)
    single = [
        json.loads(_call("evaluate", file, "--dataset", grid, "--json").output) for file in files
    ]
    values = [scores["metrics"]["mae"]["value"] for scores in single]
    assert both["metrics"]["mae"]["value"] == pytest.approx(sum(values) / 2)
    assert len(both["digests"]["predictions"]) == 2


def test_verify_and_cite(grid: str) -> None:
    assert "grid is whole: sha256:" in _call("verify", grid).output
    text = _call("cite", "benelux-humanpop").output
    assert "10.5281/zenodo.7939348" in text
    assert "arXiv:2306.12461" in text
    assert "Copernicus Sentinel" in text
    assert "Licence of the labels: CC0-1.0" in _call("cite", "demo-humanpop").output


def test_baselines_as_json() -> None:
    rows = {row["name"]: row for row in json.loads(_call("baselines", "--json").output)}
    assert rows["downconv"]["parameters"] == 5189
    assert rows["bag-ridge"]["supervision"] == "division"
    assert set(rows["train-mean"]) >= {"track", "non_trainable", "source"}


REFUSED = {
    "unknown dataset": (["info", "benelux-esa"], "did you mean 'benelux-esaworldcover'"),
    "not downloaded": (["info", "benelux-humanpop"], "llpbench download benelux-humanpop"),
    "unknown method": (["run", "downconf", "--dataset", "grid"], "did you mean 'downconv'"),
    "unknown parameter": (
        ["run", "bag-ridge", "--dataset", "grid", "--set", "wrods=3"],
        "did you mean 'words'",
    ),
    "epochs where there are none": (
        ["run", "bag-ridge", "--dataset", "grid", "--epochs", "3"],
        "there is no parameter of bag-ridge 'epochs'",
    ),
    "no archive": (["import", "nowhere.zip", "--name", "x"], "there is no archive 'nowhere.zip'"),
    "a name that is a path": (
        ["import", "nowhere.zip", "--name", "../x"],
        "'../x' cannot name a dataset",
    ),
    "a taken name": (["import", "nowhere.zip", "--name", "grid"], "there is a dataset 'grid'"),
    "no predictions": (["evaluate", "p.csv", "--dataset", "grid"], "there are no predictions"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_are_one_line_and_exit_with_1(
    name: str, grid: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, message = REFUSED[name]
    code, error = _fail(capsys, *arguments)
    assert code == 1
    assert message in error
    assert error.count("\n") == 1
    assert error.startswith("llpbench: ")


def test_wrong_usage_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert _fail(capsys, "run")[0] == 2
    assert _fail(capsys, "nonsense")[0] == 2
    assert _fail(capsys, "run", "x", "--dataset", "y", "--set", "novalue")[0] == 2


def test_an_interrupt_exits_with_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr("llpbench.data.dataset.list_datasets", interrupted)
    code, error = _fail(capsys, "datasets")
    assert (code, error.strip()) == (130, "llpbench: interrupted")


def test_a_store_that_is_newer_is_refused(grid: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(os.environ["LLPBENCH_CACHE"]) / grid / "store.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps({**content, "format": 99}))
    code, error = _fail(capsys, "info", grid)
    assert code == 1
    assert "has store format 99, this llpbench reads up to 1: upgrade llpbench" in error


def test_maintainers_pin_the_records(zenodo: ZenodoServer, tmp_path: Path) -> None:
    for record in (7935237, 7939348, 7935303, 7939365):
        zenodo.publish(record, f"{record}.zip", str(record).encode())
    out = tmp_path / "registry.json"
    rows = json.loads(_call("pin-records", "--out", str(out), "--json").output)
    assert rows[0]["name"] == "7935237.zip"
    assert rows[0]["md5"] == hashlib.md5(b"7935237").hexdigest()
    assert out.is_file()


def test_the_demo_ends_with_a_table_and_where_to_look(
    grid: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llpbench.cli.demo.DATASETS", (grid,))
    monkeypatch.setattr("llpbench.cli.demo.METHODS", {"train-mean": {}})
    for number in range(2):  # a second demo keeps the first
        output = _call("demo", "--out", str(tmp_path / "runs")).output
        assert "train-mean" in output
        assert "Next: llpbench" in output
        folder = tmp_path / "runs" / ("" if number == 0 else "2") / f"train-mean-{grid}"
        assert (folder / "scores.json").is_file()
