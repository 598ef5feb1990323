"""The overview of all datasets, explained terms and entry pages, in a real browser."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from browsing import NARROW, PLACE, Visitor, go, ranked
from made_standings import TUNED, make_standings

from llpbench.board.site import render_page
from llpbench.board.standings import Row, Standings

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


@pytest.fixture(scope="module")
def made() -> Standings:
    """A real place and a synthetic one; the last entry has scores on the latter alone."""
    return make_standings(elsewhere=1)


@pytest.fixture(scope="module")
def rows(made: Standings) -> list[Row]:
    """Of the synthetic one."""
    return made.tables[1].rows


def written(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.\d+", text.replace("\u2212", "-"))]


def test_the_overview_has_every_score_and_says_who_is_best(
    visitor: Visitor, site: Path, made: Standings
) -> None:
    page = visitor.open(site, "#overview")
    heads = page.locator(".overview thead th").all_inner_texts()
    assert heads[2].startswith("Place 1")
    assert "synthetic" not in heads[2]
    assert "synthetic" in heads[3]
    tables = made.tables[:2]
    (overview,) = made.overviews
    kinds = ["entry", "reference", "bound"]
    lines = sorted(overview.lines, key=lambda line: kinds.index(line.kind))
    shown = page.locator(".overview tbody tr:not(.heading)").all()
    for line, cells in zip(lines, shown, strict=True):
        assert line.title in cells.locator("th").inner_text()
        for table, cell in zip(tables, cells.locator("td").all()[1:], strict=True):
            row = next((row for row in table.rows if row.id == line.id), None)
            if row is None:
                assert "not scored" in (cell.text_content() or "")
                continue
            skill = row.metrics["skill"]
            assert written(cell.inner_text()) == pytest.approx(
                [skill.value, skill.low, skill.high], abs=6e-4
            )
            link = cell.locator("a").get_attribute("href")
            assert link == f"#{table.dataset}/inductive/entry/{line.id}"
            assert cell.get_by_text("designed here").count() == row.designed_here
    best, second = [line for line in overview.lines if line.kind == "entry"][:2]
    assert best.aggregate
    sentence = page.locator(".verdict").inner_text()
    assert sentence.startswith(f"{best.title} has the best mean skill")
    assert written(sentence)[:3] == pytest.approx(
        [best.aggregate.value, best.aggregate.low, best.aggregate.high], abs=6e-4
    )
    assert f"before {second.title}" in sentence
    assert "Synthetic: Made land" in sentence
    assert page.get_by_text(overview.note).last.is_visible()
    for table, column in zip(made.tables[:2], (3, 4), strict=True):
        first = {row.title for row in table.rows if row.rank and row.rank.group == 1}
        marked = page.locator(f".overview tr:has(> :nth-child({column}) .leader) th.method")
        assert {text.split("\n")[0] for text in marked.all_inner_texts()} == first


def is_open(page: Page) -> bool:
    return page.locator(".explanation:popover-open").count() == 1


@pytest.mark.parametrize("options", [{}, {"viewport": NARROW, "has_touch": True}])
def test_a_score_is_explained_by_hand_and_by_key(
    visitor: Visitor, site: Path, rows: list[Row], made: Standings, options: dict[str, object]
) -> None:
    page = visitor.open(site, f"{PLACE}/entry/{rows[0].id}", **options)
    buttons = page.locator(".scores .explain")
    assert buttons.count() == len(made.tables[1].metrics)
    page.locator(".plain.scores").scroll_into_view_if_needed()
    for metric, button in zip(made.tables[1].metrics, buttons.all(), strict=True):
        described = button.get_attribute("aria-describedby")
        assert metric.definition in (page.locator(f"#{described}").text_content() or "")
    (button, other) = buttons.first, buttons.last
    for close in ("key", "elsewhere", "itself"):
        (button.tap if options else button.click)()
        assert is_open(page)
        assert button.get_attribute("aria-expanded") == "true"
        box, width = shown_box(page.locator(".explanation:popover-open")), page.viewport_size
        assert width
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width["width"]
        if close == "key":
            page.keyboard.press("Escape")
        else:
            (page.locator("h3").first if close == "elsewhere" else button).click()
        assert not is_open(page)
        assert button.get_attribute("aria-expanded") == "false"
    other.press("Enter")
    assert is_open(page)
    page.keyboard.press("Escape")
    assert page.evaluate("one => document.activeElement === one", other.element_handle())


def shown_box(one: Locator) -> dict[str, float]:
    box = one.bounding_box()
    assert box is not None
    return dict(box)


def test_an_explanation_is_whole_in_a_head_that_scrolls(visitor: Visitor, site: Path) -> None:
    page = visitor.open(site, "#overview", viewport=NARROW)
    page.locator(".overview thead .explain").click()
    box = shown_box(page.locator(".explanation:popover-open"))
    assert 0 <= box["x"] < box["x"] + box["width"] <= NARROW["width"]
    middle = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
    assert page.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).closest('.explanation') !== null", middle
    )


def test_what_a_method_was_designed_on_stands_on_top(
    visitor: Visitor, site: Path, made: Standings
) -> None:
    tuned = next(row for row in made.tables[1].rows if row.designed_here)
    assert str(TUNED) in tuned.title
    page = visitor.open(site, f"{PLACE}/entry/{tuned.id}")
    heading = page.locator(".heading").first
    assert "designed here" in heading.inner_text()
    assert "labels of: Made land." in heading.inner_text()
    assert "no independent result" in heading.inner_text()
    day = date.fromisoformat(tuned.scored)
    assert f"scored on {day.day} {day:%B %Y}" in heading.inner_text()
    assert f"(badges/{tuned.id}.svg)" in page.locator("main").inner_text()
    page.get_by_role("link", name="Place 1, inductive").click()
    page.get_by_text("Not on those of this dataset").wait_for()
    assert "#real-1/inductive/entry/" in page.url
    text = page.locator(".heading").first.inner_text()
    assert "designed here" not in text
    assert "labels of: Made land. Not on those of this dataset" in text


def test_maps_of_all_entries_share_one_scale(
    visitor: Visitor, site: Path, made: Standings, rows: list[Row]
) -> None:
    """A division's step is the number of limits below its error, as the legend writes them."""
    chips = np.array([division.chips for division in made.tables[1].divisions])
    legends: set[tuple[str, ...]] = set()
    page = visitor.open(site, PLACE)
    for row in (rows[0], ranked(rows)[-1]):
        go(page, f"{PLACE}/entry/{row.id}")
        written_limits = page.locator(".maplegend text").all_text_contents()
        legends.add(tuple(written_limits))
        steps = np.searchsorted(
            [float(limit) for limit in written_limits], np.array(row.errors) / chips
        )
        drawn = page.locator(".mapframe > svg path").evaluate_all(
            "all => all.map((one) => Number(one.getAttribute('class').slice(3)))"
        )
        assert drawn == steps.tolist()
        assert "or more" in page.locator(".maplegend").inner_text()
    (limits,) = legends
    errors = np.array([row.errors for row in rows if row.result]) / chips
    few_exceed, highest = np.quantile(errors, 0.98), float(limits[-1])
    assert highest <= few_exceed < 2.5 * highest  # of 1, 2 and 5 times powers of ten


def test_the_best_over_time_needs_two_days(
    visitor: Visitor, site: Path, made: Standings, rows: list[Row], tmp_path: Path
) -> None:
    page = visitor.open(site, PLACE)
    dated = sorted(ranked(rows), key=lambda row: (row.scored, row.metrics["mae"].value))
    best: list[Row] = []
    for row in dated:
        if not best or (row.metrics["mae"].value or 0) < (best[-1].metrics["mae"].value or 0):
            best.append(row)
    section = page.locator("section", has=page.get_by_role("heading", name="Best so far"))
    section.scroll_into_view_if_needed()  # drawn when it comes near
    section.locator("svg a").nth(len(dated) - 1).wait_for()
    assert section.locator("svg a").count() == len(dated)
    links = section.locator("svg a.best").evaluate_all("all => all.map((a) => a.href.baseVal)")
    assert [link.rsplit("/", 1)[-1] for link in links] == [row.id for row in best]
    section.locator("svg a.best").last.focus()
    assert best[-1].title in section.locator("p").inner_text()
    same = [row.model_copy(update={"scored": "2026-11-28"}) for row in rows]
    table = made.tables[1].model_copy(update={"rows": same})
    path = tmp_path / "index.html"
    path.write_text(render_page(made.model_copy(update={"tables": [table]})), encoding="utf-8")
    page = visitor.open(path, PLACE)
    page.wait_for_selector(".ranking")
    assert page.get_by_role("heading", name="Best so far").count() == 0


def test_the_page_leads_elsewhere_and_says_its_day(visitor: Visitor, site: Path) -> None:
    page = visitor.open(site)
    link = page.get_by_role("link", name="Repository")
    assert link.get_attribute("href") == "https://example.org/llpbench"
    assert page.locator("footer time").get_attribute("datetime") == "2026-11-28"
    bare = visitor.open(site, java_script_enabled=False)
    assert "so that nobody is best" in bare.locator("noscript p").first.inner_text()
