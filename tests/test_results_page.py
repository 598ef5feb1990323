"""docs/results.md says what its runs scored, in tables and pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
import results_page
import results_table
from regions import make_region, write_region

from llpbench.markdown import replace_between
from llpbench.running.run import run_method

pytestmark = pytest.mark.usefixtures("no_pictures")


def test_a_row_holds_scores_and_command_of_its_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_region(make_region(8, 6, 4, 2), tmp_path / "grid")
    monkeypatch.setattr(results_page, "TITLES", {"grid": "A grid"})
    options = {"words": 4, "sample": 500}
    runs = [
        run_method(
            "bag-ridge",
            tmp_path / "grid",
            seed=seed,
            settings=options,
            out=tmp_path / "runs" / f"{seed}",
        )
        for seed in (1, 2)
    ]
    (section,) = _sections(tmp_path)
    errors = [run.scores.value("mae") for run in runs if run.scores]
    assert f"| `bag-ridge` | {sum(errors) / 2:.4f} |" in section
    settings = "--set sample=500 --set words=4"
    assert f"$ llpbench run bag-ridge --dataset grid {settings} --seed 1 --seed 2\n" in section
    other = {"settings": {"words": 8, "sample": 500}, "out": tmp_path / "runs" / "other"}
    run_method("bag-ridge", tmp_path / "grid", **other)
    (section,) = _sections(tmp_path)
    assert section.count("| `bag-ridge words=") == 2, "settings are not seeds of one another"


def _sections(folder: Path) -> list[str]:
    """What the page says of the runs below a folder."""
    results_table.table(folder / "runs").to_csv(folder / "results.csv", index=False)
    return list(results_page.sections(results_page.read(folder / "results.csv")))


def test_the_page_is_that_of_its_numbers() -> None:
    page = results_page.PAGE_DATA.parents[1] / "results.md"
    text = page.read_text("utf-8")
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
