"""docs/results.md says what its runs scored, in tables and pictures."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import comparison
import comparison_tables
import pytest
import results_page
from click.testing import CliRunner
from regions import make_region, write_region

from llpbench.cli import cli
from llpbench.markdown import replace_between
from llpbench.runs.results import find_results

pytestmark = pytest.mark.usefixtures("no_pictures")


def test_the_command_of_a_row_gives_its_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_region(make_region(8, 6, 4, 2), tmp_path / "grid")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(results_page, "TITLES", {"./grid": "A grid"})
    small: dict[str, Any] = {"words": 4, "sample": 500}
    monkeypatch.setattr(comparison, "settings_of", lambda method: small if "bag" in method else {})
    methods = ["train-mean", "bag-ridge", "bag-ridge+rake"]
    assert len(list(comparison.run_missing(Path("runs.jsonl"), "./grid", methods, [1, 2]))) == 10
    comparison_tables.write_tables(Path("runs.jsonl"), tmp_path)
    (section,) = results_page.sections(results_page.read(tmp_path / "methods.csv"))
    commands = [line.removeprefix("$ ") for line in section.splitlines() if line[:2] == "$ "]
    assert len(commands) == 3, "one of random bags is no command"
    for command in commands:
        _llpbench, *words = shlex.split(command)
        out = tmp_path / words[1]
        assert CliRunner().invoke(cli, [*words, "--out", str(out)]).exit_code == 0
        (result,) = find_results([out])
        assert len(result.runs) == 2
        row = next(line for line in section.splitlines() if line.startswith(f"| `{words[1]}` |"))
        assert f"| {result.scores.value('mae'):.4f} |" in row
        assert f"| {result.value('calibration_slope'):.2f} |" in row
    tracks = [line.split("*")[1] for line in section.splitlines() if line.startswith("| *")]
    assert tracks == ["inductive", "disaggregation", "not ranked"]


def test_the_page_is_that_of_its_numbers() -> None:
    text = results_page.PAGE.read_text("utf-8")
    for section in results_page.sections(results_page.read(results_page.PAGE_DATA)):
        assert section in text, "python benchmarks/results_page.py"


def test_pictures_show_every_method() -> None:
    table = results_page.read(results_page.PAGE_DATA)
    overview = results_page.draw_overview(table, results_page.TITLES)
    named = {label.get_text() for label in overview.axes[0].get_yticklabels()}
    assert named == set(table["method"])
    rows = table[table["dataset"] == "semi-pop"]
    for axis in results_page.draw_costs(rows, "").axes:
        assert sorted(text.get_text() for text in axis.texts) == sorted(rows["method"])


def test_only_what_is_between_the_marks_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<a>\nold\n<b>\nafter\n")
    assert replace_between(page, "<a>", "<b>", "new")
    assert page.read_text() == "before\n<a>\n\nnew\n<b>\nafter\n"
    assert not replace_between(page, "<a>", "<c>", "newer")
    assert "newer" not in page.read_text()
