"""What a terminal shows: tables as wide as it is, messages in lines, colours, bars, help."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pytest
from click.testing import CliRunner
from regions import make_region, write_region

from llpbench.cli import cli, main, tables
from llpbench.cli.results import print_runs
from llpbench.cli.tables import table_lines
from llpbench.cli.terminal import wrap
from llpbench.runs.record import read_run

pytestmark = pytest.mark.usefixtures("no_pictures")

Call = Callable[..., tuple[str, str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A dataset, ``grid``, and runs on it."""
    place = tmp_path_factory.mktemp("terminal")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLPBENCH_CACHE", str(place / "cache"))
        (place / "cache").mkdir()
        write_region(make_region(12, 12, 3, 3), place / "cache" / "grid")
        small = ["--set", "words=8", "--set", "sample=500"]
        for method, *settings in (["train-mean"], ["bag-ridge", *small]):
            out = ["--dataset", "grid", "--out", str(place / "runs" / method)]
            assert CliRunner().invoke(cli, ["run", method, *settings, *out]).exit_code == 0
        yield place


@pytest.fixture
def call(made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs a command where its output is looked at on a terminal of so many columns, or piped."""
    monkeypatch.setenv("LLPBENCH_CACHE", str(made / "cache"))
    monkeypatch.chdir(made)
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str, columns: int | None = None) -> tuple[str, str]:
        if columns is not None:
            monkeypatch.setenv("COLUMNS", str(columns))
        for stream in (sys.stdout, sys.stderr):
            monkeypatch.setattr(stream, "isatty", lambda: columns is not None)
        capsys.readouterr()
        with contextlib.suppress(SystemExit):
            main(list(arguments))
        done = capsys.readouterr()
        return done.out, done.err

    return run


BOARD = str(Path(__file__).parents[1] / "leaderboard")
EVALUATED = ["runs/bag-ridge/predictions-test.parquet", "--dataset", "grid"]
COMMANDS_WITH_TABLES = {
    "datasets": ["datasets"],
    "info": ["info", "grid"],
    "clean": ["clean"],
    "baselines": ["baselines"],
    "run": ["run", "train-mean", "--dataset", "grid"],
    "compare": ["compare", "runs"],
    "evaluate": ["evaluate", *EVALUATED],
    "coarseness": ["coarseness", "--dataset", "grid"],
    "estimate": ["estimate", *EVALUATED, "--sample", "9"],
    "leaderboard": [
        *("leaderboard", "compare", "llpbench__train-mean", "llpbench__bag-ridge"),
        *("--board", BOARD),
    ],
}


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of coarseness as it is, without what takes long."""
    columns = ("method", "way", "coarser", "divisions", "chips", "mae", "low", "high")
    values = ("aggregated-multinomial", "merge", 16.0, 12, 104.5, 0.1234, 0.1111, 0.1357)
    table = pd.DataFrame([{**dict(zip(columns, values, strict=True)), "mae_hard": None}])
    monkeypatch.setattr("llpbench.running.coarseness.coarseness", lambda *_, **__: table)
    monkeypatch.setattr("llpbench.plots.write_figure", lambda *_: None)


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize("name", COMMANDS_WITH_TABLES)
def test_a_table_is_as_wide_as_the_terminal(
    name: str, call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 60 columns as it is printed; at 80 and 120 what the command gives to be laid out."""
    given: list[tuple[Any, Any]] = []

    def spy(rows: Any, width: int | None, **layout: Any) -> Any:
        given.append((rows, layout))
        return table_lines(rows, width, **layout)

    monkeypatch.setattr(tables, "table_lines", spy)
    out = ["--out", str(tmp_path / "out")] if name in ("run", "coarseness") else []
    printed, error = call(*COMMANDS_WITH_TABLES[name], *out, columns=60)
    assert given, error
    text = " ".join(printed.split())
    for rows, layout in given:
        lines, left_out = table_lines(rows, 60, **layout)
        assert "\n".join(lines) in printed
        assert not left_out or f"also: {', '.join(left_out)}; --wide shows all" in text
        for width in (60, 80, 120):
            fitted, left_out = table_lines(rows, width, **layout)
            assert max(len(click.unstyle(line)) for line in fitted) <= width
            assert len(rows[0]) - len(left_out) >= 3, "enough is left to say something"
            telling = {name for name in rows[0] if len({row[name] for row in rows}) > 1}
            assert not telling & {"dataset", "way", "class", "difference"} & set(left_out)
        named = {*layout.get("order", ()), *layout.get("prose", ())}
        assert named <= set(rows[0]), "what is said of columns is said of those that are there"


def test_programs_and_wide_get_every_column(call: Call) -> None:
    piped, _error = call("baselines")
    narrow, _error = call("baselines", columns=60)
    wide, _error = call("baselines", "--wide", columns=60)
    assert piped == wide
    assert "encoder He et al., arXiv 1512.03385" in piped
    assert "also: non_trainable, source; --wide shows all" in narrow


ROWS = [
    {"method": "a long name of two settings", "seed": 12, "MAE": 0.25, "said": "so and so"},
    {"method": "short", "seed": 3, "MAE": 0.125, "said": ""},
]


def test_columns_leave_by_importance_and_only_prose_is_broken() -> None:
    """Widths by hand: 27 + 4 + 5 + 9 and three gaps of two are 51. Names may shrink to 14 before
    another column leaves: that makes 38 and, without said, 27.
    """
    heads = {}
    for width in (51, 38, 37, 27, 26):
        lines, left_out = table_lines(ROWS, width, order=("method", "MAE"))
        heads[width] = (lines[0].split(), left_out)
    assert heads[51] == heads[38] == (["method", "seed", "MAE", "said"], [])
    assert heads[37] == heads[27] == (["method", "seed", "MAE"], ["said"])
    assert heads[26] == (["method", "MAE"], ["seed", "said"])
    assert table_lines(ROWS, 31, order=("method", "MAE"))[0] == [
        "method              seed    MAE",
        "------------------  ----  -----",
        "a long name of two    12  0.250",
        "settings",
        "short                  3  0.125",
    ]


def test_the_best_of_settings_stands_out(
    call: Call, made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two as good stand out both, and the reference does not, which is as good as they are."""
    call("datasets", columns=100)
    reference = read_run(made / "runs" / "train-mean")
    records = [replace(reference.record, method=name, is_reference=False) for name in ("a", "b")]
    tied = [replace(reference, record=record) for record in records]
    print_runs([reference, *tied])
    lines = [line for line in capsys.readouterr().out.splitlines() if "\x1b[1m" in line]
    error = f"{reference.scores.value('mae'):.3f}"
    assert [line.split()[0] for line in lines] == ["a", "b"] * 2, "of chips, then of divisions"
    assert all(
        f"\x1b[1m{error}\x1b[0m" in line.replace("\x1b[1m  ", "\x1b[1m") for line in lines[:2]
    )
    print_runs([reference, tied[0]])
    alone = capsys.readouterr().out
    assert "\x1b[1m" not in alone, "there is nothing to compare with"
    assert "\nonly " in alone
    more = replace(reference.record, dataset="more", trained_on="more", dataset_digest="a")
    print_runs([reference, replace(reference, record=more)])
    printed = " ".join(capsys.readouterr().out.split())
    for name in ("grid", "more"):
        assert f"{name}, test split: only " in printed, "of several datasets notes name theirs"


def test_messages_have_colour_and_lines_on_a_terminal_alone(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "'a folder of mine/of a name that is long enough/to fill a line.csv'"
    arguments = ["evaluate", path.strip("'"), "--dataset", "grid"]
    _printed, piped = call(*arguments)
    assert piped.count("\n") == 1
    assert "\x1b" not in piped
    _printed, error = call(*arguments, columns=50)
    assert error.startswith("\x1b[31mllpbench: \x1b[0m")
    lines = click.unstyle(error).splitlines()
    assert f"{path};" in lines, "whole, in a line of its own"
    assert max(len(line) for line in lines if path not in line) <= 50
    assert " ".join(lines) == piped.strip()
    Path(empty := "a-folder-without-any-run").mkdir()
    narrow = click.unstyle(call("compare", empty, columns=20)[1])
    assert narrow.startswith(f"llpbench:\n'{empty}'\nholds no"), "a word too long stands below"
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert call(*arguments, columns=50)[1] == click.unstyle(error)


def test_lines_end_at_words() -> None:
    text = "the divisions' shares are in 'a b/c d.csv', not in /one/long/path-of-a-file"
    assert wrap(text, 24) == [
        "the divisions' shares",
        "are in 'a b/c d.csv',",
        "not in",
        "/one/long/path-of-a-file",
    ]


def test_letters_that_take_two_columns_count_twice() -> None:
    """Widths of East Asian letters by hand: two columns each, none for a mark on another."""
    names = ["土地覆盖分类 数据集", "a\u0301b", "demo-humanpop (synthetic)"]
    rows = [{"name": name, "chips": 12} for name in names]
    lines, _left_out = table_lines(rows)
    assert lines == [
        "name                       chips",
        "-------------------------  -----",
        "土地覆盖分类 数据集           12",
        "a\u0301b                            12",
        "demo-humanpop (synthetic)     12",
    ]
    narrow, _left_out = table_lines(rows, 21)
    assert narrow[2:4] == ["土地覆盖分类       12", "数据集"]
    assert narrow[5:] == ["demo-humanpop      12", "(synthetic)"]
    assert wrap("土地覆盖 分类 map", 9) == ["土地覆盖", "分类 map"]


def _screen(text: str) -> list[str]:
    """What is left to see of lines that carriage returns wrote over."""
    lines = []
    for line in text.split("\n"):
        seen: list[str] = []
        for part in line.split("\r"):
            seen[: len(part)] = part
        lines.append("".join(seen).rstrip())
    return [line for line in lines if line]


def test_a_training_has_one_bar_and_leaves_one_line(call: Call, tmp_path: Path) -> None:
    arguments = ["run", "downconv", "--dataset", "grid", "--epochs", "3"]
    _printed, error = call(*arguments, "--out", str(tmp_path / "run"), columns=80)
    bars = [part for part in re.split("[\r\n]", error) if part.startswith("downconv: ")]
    assert max(map(len, bars)) <= 80
    (last,) = [bar for bar in bars if "100%" in bar][-1:]
    assert re.search(r"left, epoch 3/3, val MAE 0\.\d{4}, best 0\.\d{4}$", last)
    (line,) = [line for line in _screen(error) if "downconv" in line]
    assert re.fullmatch(r"downconv on grid, seed 0: 3 epochs, val MAE 0\.\d{4}, \d+ s", line)
    quiet = ["--quiet", "run", "train-mean", "--dataset", "grid", "--out", str(tmp_path / "q")]
    assert call(*quiet, columns=80)[1] == ""


def _walk(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from _walk(command, click.Context(command, info_name=name))


def test_help_is_in_whole_sentences() -> None:
    context = click.Context(cli, info_name="llpbench")
    for name, command in [("llpbench", cli), *_walk(cli, context)]:
        for option in command.params:
            if isinstance(option, click.Option):
                said = option.help or ""
                assert re.match(r"[A-Z].*\.$", said, re.DOTALL), f"{name} {option.opts}: {said!r}"
                assert not re.search(r"(; several\.|^Several)", said)
        text = command.get_help(click.Context(command, info_name=name, parent=context))
        lines = text.splitlines()
        assert max(map(len, lines)) <= 80, name
        assert not [line for line in lines if line.endswith("...") and "Usage" not in line], name
        assert command.help
        assert command.help.strip().partition("\n\n")[0].endswith("."), name


def test_help_names_all_that_can_be_run() -> None:
    from importlib.metadata import entry_points

    context = click.Context(cli, info_name="llpbench")
    command = cli.get_command(context, "run")
    assert command is not None
    text = command.get_help(click.Context(command, info_name="run"))
    words = set(re.findall(r"[a-z0-9-]+", text.partition("Methods (")[2]))
    for group in ("llpbench.baselines", "llpbench.post"):
        assert {point.name for point in entry_points(group=group)} <= words
