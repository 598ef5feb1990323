"""Entries that were predicted by exported files, on the page in a browser and in the README."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import PLACE, Visitor, go, value
from made_standings import make_standings

from llpbench.board.entry import Export
from llpbench.board.markdown import ranking_markdown
from llpbench.board.site import render_page
from llpbench.board.standings import Row, Standings

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture(scope="module")
def made() -> Standings:
    return make_standings(9, 6, tables=1, exported=6)


@pytest.fixture
def page(made: Standings, visitor: Visitor, tmp_path: Path) -> Page:
    path = tmp_path / "index.html"
    path.write_text(render_page(made), encoding="utf-8")
    return visitor.open(path, PLACE)


def files_of(standings: Standings) -> list[Row]:
    return [row for row in standings.tables[0].rows if row.kind == "file"]


def file_of(row: Row) -> Export:
    assert row.part is not None
    assert row.part.export is not None
    return row.part.export


def costs(row: Row) -> tuple[float, float, float]:
    return value(row, "mae"), file_of(row).bytes, file_of(row).latency_p50_ms


def beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def test_error_against_size_and_latency(page: Page, made: Standings) -> None:
    """Orange is what none beats in all three; the line passes by what only latency puts there."""
    files = files_of(made)
    front, line = (
        {row.id for row in files if not any(beats(costs(one)[:n], costs(row)[:n]) for one in files)}
        for n in (3, 2)
    )
    assert line < front < {row.id for row in files}
    plot = page.locator(".files .scatter[role]")
    plot.scroll_into_view_if_needed()
    drawn = plot.locator("a").evaluate_all(
        "all => all.map((a) => [a.href.baseVal.split('/').at(-1), a.matches('.best'),"
        " Number(a.lastChild.getAttribute('r'))])"
    )
    assert {name for name, is_best, _ in drawn if is_best} == front
    radius = {name: size for name, _, size in drawn}
    by_latency = sorted(files, key=lambda row: file_of(row).latency_p50_ms)
    sizes = [radius[row.id] for row in by_latency]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == 4  # 0.05, 0.15, 0.45 and 1.35 ms
    steps = page.locator(".files .sizes > span").all_inner_texts()
    assert steps == ["up to 0.1 ms", "0.1 to 0.3 ms", "0.3 to 1 ms", "1 to 3 ms"]
    path = plot.locator(".front").get_attribute("d") or ""
    assert path.count("H") == len(line) - 1
    plot.locator("a.best").last.hover()
    assert "95 % within" in page.locator(".files .tip").inner_text()
    page.locator(".files summary").click()
    cells = page.locator(".files tbody tr").first.locator("td").all_inner_texts()
    assert cells[:1] == [f"{value(files[0], 'mae'):.4f}"]
    assert cells[2:5] == [
        "400\u202fkB\nLiteRT, float32",
        "0.05 ms\n95 % within 0.08 ms",
        "1\u202fMB",
    ]


def test_filters_and_the_address_drive_it(page: Page, made: Standings) -> None:
    files = files_of(made)
    page.get_by_label("Search").fill("ridge")
    page.get_by_role("button", name="Filter columns").click()
    page.locator("[data-condition=export_bytes]").fill("100k")
    small = [row for row in files if file_of(row).bytes <= 1e5]
    assert page.locator("tr[data-row]").count() == len(small) == 4
    points = page.locator(".files .scatter[role] a")
    points.nth(4).wait_for(state="detached")
    assert points.count() == page.locator(".files tbody tr").count() == 4
    go(page, f"{PLACE}?plot=f1_micro,export_bytes")
    first = page.locator(".plot").first
    assert first.locator(".axis").all_text_contents() == [
        "File, bytes",
        "F1, micro (higher is better)",
    ]
    assert first.locator(".sizes").count() == 1
    assert first.locator("a.file").count() == 6
    first.get_by_label("Cost").select_option("parameters")
    assert first.locator("a.file").count() == 0
    assert first.locator(".sizes").count() == 0
    go(page, f"{PLACE}/entry/{files[1].id}")
    facts = page.locator("section:has(h3:text('The file that flies'))").inner_text()
    for said in ("Files of 3 seeds", "LiteRT, int8", "90,000 bytes, the largest", "0.15 ms a chip"):
        assert said in facts
    assert (
        "outside the ranking: what competes is the method" in page.locator(".verdict").inner_text()
    )
    go(page, f"{PLACE}/entry/{made.tables[0].rows[0].id}")
    assert page.get_by_text("The file that flies").count() == 0


def test_one_file_alone_has_no_plot(visitor: Visitor, tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text(render_page(make_standings(3, 6, tables=1, exported=1)), encoding="utf-8")
    page = visitor.open(path, PLACE)
    assert page.locator("[data-column=export_bytes]").count() == 1
    assert page.locator(".files").count() == 0


def test_a_print_has_all_columns_of_files(page: Page) -> None:
    """At the width of A4 without its margins, upright."""
    page.set_viewport_size({"width": 718, "height": 1000})
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 718


def test_the_ranking_in_markdown_names_files(made: Standings) -> None:
    first = next(line for line in ranking_markdown(made).splitlines() if "400,000 B" in line)
    assert first.startswith("| file | ")
    assert "| 400,000 B, litert, float32 | 0.05 | " in first
    assert "| file |" not in ranking_markdown(make_standings(3, 6, tables=1))
