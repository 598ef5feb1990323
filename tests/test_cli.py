"""The command line: what it prints, where errors go, exit codes."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from regions import make_region, write_region

from llpbench.cli import COMMANDS, cli, main

pytestmark = pytest.mark.usefixtures("no_pictures")


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
    assert "train-mean on grid, seed 0: val MAE" in done.stderr
    scores = json.loads(
        _call("evaluate", str(out / "predictions-test.parquet"), "--dataset", grid, "--json").output
    )
    divisions = scores.pop("division_scores")
    assert divisions == json.loads((out / "divisions.json").read_text())
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


def test_baselines_as_json() -> None:
    rows = {row["name"]: row for row in json.loads(_call("baselines", "--json").output)}
    assert rows["downconv"]["parameters"] == 5189
    assert rows["bag-ridge"]["supervision"] == "division"
    assert set(rows["train-mean"]) >= {"track", "non_trainable", "source"}


REFUSED = {
    "unknown dataset": (["info", "benelux-esa"], "did you mean 'benelux-esaworldcover'"),
    "not downloaded": (["info", "benelux-humanpop"], "llpbench download benelux-humanpop"),
    "unknown method": (["run", "downconf", "--dataset", "grid"], "did you mean 'downconv'"),
    "unknown setting": (
        ["run", "bag-ridge", "--dataset", "grid", "--set", "wrods=3"],
        "did you mean 'words'",
    ),
    "epochs where there are none": (
        ["run", "bag-ridge", "--dataset", "grid", "--epochs", "3"],
        "bag-ridge: there is no setting 'epochs'",
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
    assert "has store format 99, this llpbench reads up to 2: upgrade llpbench" in error


def test_the_demo_ends_with_a_table_and_where_to_look(
    grid: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llpbench.cli.experiments.DEMO_DATASETS", (grid,))
    monkeypatch.setattr("llpbench.cli.experiments.DEMO_METHODS", {"train-mean": {}})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "llpbench.plots.write_plots",
        lambda _, folder, **__: [folder.mkdir(), (folder / "chips.png").touch()],
    )
    output = _call("demo").output
    assert "train-mean" in output
    (picture,) = re.findall(r"Look at (.+)\n", output)
    assert Path(picture).is_file()
    assert re.findall(r"  llpbench (\S+)", output.partition("Next:")[2]) == [
        "datasets",
        "info",
        "run",
    ]
    assert (tmp_path / f"runs/demo/train-mean-{grid}/scores.json").is_file()
    (row,) = json.loads(CliRunner().invoke(cli, ["demo", "--json"]).stdout)
    assert (row["method"], row["dataset"]) == ("train-mean", grid)
    assert (tmp_path / f"runs/demo-2/train-mean-{grid}/scores.json").is_file()


def _all_commands() -> dict[str, click.Command]:
    """Every command, those of groups as ``group command``."""
    context = click.Context(cli)
    commands: dict[str, click.Command] = {}
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            commands |= {f"{name} {inner}": one for inner, one in command.commands.items()}
        else:
            commands[name] = command
    return commands


SHARED = {
    *(
        "--board",
        "--dataset",
        "--format",
        "--help",
        "--json",
        "--method",
        "--out",
        "--score",
        "--seed",
        "--set",
        "--split",
        "--wide",
    ),
    *("--bands", "--boa-offset", "--chip-km", "--clouds", "--column", "--crs", "--division-id"),
    *("--divisions", "--embedding", "--embedding-coding", "--embedding-version", "--image"),
    *("--embedding-year", "--mask", "--stac"),
    *("--layer", "--max-missing", "--renormalise", "--scale", "--shares", "--sheet", "--unit"),
    *("--folds", "--post", "--scheduler", "--workers"),
    *("--all", "--chips", "--crossvalidation", "--labels", "--licence", "--metric"),
    *("--challenge", "--database", "--hide-truth", "--predictions", "--rai", "--rgb", "--title"),
}
"""Options of several commands: each means one thing in all of them."""

COUNTED = {("synthesize", "bands"), ("synthesize", "embedding")}
"""But where bands and features are made, it is said how many."""


def test_an_option_means_one_thing() -> None:
    by_name: dict[str, list[click.Option]] = {}
    for command in _all_commands().values():
        for option in command.params:
            if isinstance(option, click.Option) and (command.name, option.name) not in COUNTED:
                by_name.setdefault(option.opts[-1], []).append(option)
    assert {name for name, options in by_name.items() if len(options) > 1} <= SHARED
    for name, options in by_name.items():
        kinds = {
            "path" if isinstance(one.type, click.Path) else (one.type.name, one.is_flag)
            for one in options
        }
        assert len(kinds) == 1, name
    assert {tuple(option.opts) for option in by_name["--out"]} == {("-o", "--out")}
    assert {option.metavar for option in by_name["--dataset"]} == {"DATASET"}


def test_datasets_are_arguments_or_options_but_never_names() -> None:
    """NAME is what a new dataset will be called, DATASET one that is there."""
    named = {
        name: {param.metavar for param in command.params if isinstance(param, click.Argument)}
        for name, command in _all_commands().items()
    }
    assert {name for name, metavars in named.items() if "NAME" in metavars} == {
        "build",
        "synthesize",
    }


def test_the_cache_is_where_cache_dir_says(grid: str, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    made = _call("--cache-dir", str(elsewhere), "synthesize", "tiny", "--chips", "60")
    assert str(elsewhere / "tiny") in made.output
    names = {row["name"] for row in json.loads(_call("datasets", "--json").output)}
    assert "tiny" in names
    assert grid not in names


def test_quiet_is_silent_and_verbose_tells_more(
    grid: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _call("run", "train-mean", "--dataset", grid, "--out", str(tmp_path / "run"))
    predictions = str(tmp_path / "run" / "predictions-test.parquet")
    for name, written in (("write_plots", [Path("one.png")]), ("write_division_plots", [])):
        monkeypatch.setattr(f"llpbench.plots.{name}", lambda *_, w=written, **__: [*w])
    evaluate = ["evaluate", predictions, "--dataset", grid, "--plots", str(tmp_path / "plots")]
    said = {
        option: CliRunner().invoke(cli, [*option.split(), *evaluate]).stderr
        for option in ("", "--quiet", "--verbose")
    }
    assert said[""].count("\n") == 1
    assert "pictures are in" in said[""]
    assert said["--quiet"] == ""
    assert said["--verbose"].startswith(f"reading the dataset {grid}")
    assert said["--verbose"].endswith("s in all\n")
    assert not logging.getLogger("llpbench").handlers
    assert CliRunner().invoke(cli, ["--quiet", "--verbose", "datasets"]).exit_code == 2


def test_several_seeds_have_a_row_of_their_mean(grid: str, tmp_path: Path) -> None:
    options = ["--set", "words=8", "--set", "sample=500", "--seed", "0", "--seed", "1"]
    output = _call("run", "bag-ridge", "--dataset", grid, "--out", str(tmp_path), *options).stdout
    rows = [line.split() for line in output.splitlines() if line.startswith("bag-ridge")]
    assert [row[1] for row in rows] == ["0", "1", "mean"] * 2, "of chips, then of divisions"
    errors = [
        json.loads((tmp_path / f"bag-ridge-{grid}-seed{seed}/scores.json").read_text())
        for seed in (0, 1)
    ]
    mean = sum(scores["metrics"]["mae"]["value"] for scores in errors) / 2
    assert float(rows[2][2]) == pytest.approx(mean, abs=5e-4)
    assert "nan" not in output, "two test divisions have no interval: blank"
    assert max(map(len, output.split("only")[0].splitlines())) <= 80


def test_what_must_be_cited_is_what_the_dataset_says(grid: str) -> None:
    _call("synthesize", "people", "--chips", "10", "--label-set", "humanpop")
    assert "Licence of the labels: CC0-1.0" in _call("cite", "people").output
    assert "arXiv" not in _call("cite", grid).output


def test_help_of_sweep_names_all_presets() -> None:
    presets = tomllib.loads(files("llpbench.running").joinpath("sweeps.toml").read_text("utf-8"))
    help_text = " ".join(_call("sweep", "--help").output.split())
    assert " or ".join(presets) in help_text


def test_a_place_that_must_be_given_is_asked_for(grid: str) -> None:
    result = CliRunner().invoke(cli, ["figures", grid])
    assert result.exit_code == 2
    assert "Missing option '-o' / '--out'" in result.output
