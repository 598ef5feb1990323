"""The ranking in a real browser: sections, sorting, filters, tabs, downloads, 500 entries."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from browsing import PLACE, Visitor, ranked, value
from made_standings import make_standings

from llpbench.board.site import render_page
from llpbench.board.standings import Row, Standings
from llpbench.scoring.score import Score

if TYPE_CHECKING:
    from playwright.sync_api import Page

LINES = "tr[data-row]"


def shown(page: Page) -> list[str]:
    ids = page.locator(LINES).evaluate_all("lines => lines.map((line) => line.dataset.row)")
    return list(ids)


def test_ranked_entries_come_first_in_their_ties_and_columns_sort_them(
    visitor: Visitor, site: Path, rows: list[Row]
) -> None:
    page = visitor.open(site)
    assert shown(page) == [row.id for row in rows]
    heads = page.locator(".ranking th[scope=rowgroup]").all_inner_texts()
    groups = Counter(row.rank.group for row in rows if row.rank)
    ties = [number for number, size in groups.items() if size > 1]
    leader = next(row for row in rows if row.rank and row.rank.group == ties[0])
    assert heads[0].startswith("Tie A, ranks ")
    assert heads[0].endswith(f"not told apart from {leader.title}")
    assert len(heads) == len(ties) + 3
    assert "outside the ranking" in heads[-2]
    first = page.locator("tr[data-row]").first
    rank = rows[0].rank
    assert rank is not None
    assert first.locator(".range").inner_text().endswith(f"{rank.low}\u2013{rank.high}")
    assert f"{rows[0].metrics['mae'].low:.4f}" in first.locator(".limits").first.inner_text()
    tied = {row.id for row in rows if row.rank and groups[row.rank.group] > 1}
    edged = page.locator("tr:is(.tie0, .tie1)").evaluate_all("all => all.map((o) => o.dataset.row)")
    assert set(edged) == tied
    assert page.locator(".ties .edge").count() == 2
    assert f"scored on {rows[0].scored}" in (first.text_content() or "")
    # columns sort inside their sections
    head = page.locator("th[data-column=f1_micro]")
    head.locator(".sort").click()
    best_first = sorted(ranked(rows), key=lambda row: -value(row, "f1_micro"))
    assert head.get_attribute("aria-sort") == "descending"
    assert shown(page)[: len(best_first)] == [row.id for row in best_first]
    assert shown(page)[len(best_first) :] == [row.id for row in rows[len(best_first) :]]
    head.locator(".sort").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert shown(page)[0] == best_first[-1].id
    assert page.locator("[aria-sort]").count() == 1
    page.locator("th[data-column=parameters] .sort").click()
    cheapest = min(ranked(rows), key=lambda row: row.footprint["parameters"] or 0)
    assert shown(page)[0] == cheapest.id
    assert page.locator("#announcer").inner_text() == "Sorted by Parameters, ascending"
    assert page.locator("tr.tie0 .tie").count() > 0  # ties are told in every order


def test_search_and_tier_filter_rows_and_plot(
    visitor: Visitor, site: Path, rows: list[Row]
) -> None:
    page = visitor.open(site)
    points = page.locator(".plot .scatter[role] a")
    places = points.evaluate_all(PLACES)
    page.get_by_label("Search").fill("ridge bogota")
    expected = [row.id for row in rows if "ridge" in row.id and row.team == "bogota"]
    assert shown(page) == expected
    assert page.locator(".count").inner_text() == f"{len(expected)} of {len(rows)} rows"
    points.nth(len(expected)).wait_for(state="detached")
    left = points.evaluate_all(PLACES)
    assert left.keys() == set(expected)
    assert all(places[name] == place for name, place in left.items())  # axes stay
    page.get_by_label("Search").fill("")
    page.get_by_label("Tier").select_option("reproduced")
    assert shown(page) == [row.id for row in rows if row.tier == "reproduced"]
    page.get_by_label("Search").fill("nobody")
    assert (
        page.locator(".empty")
        .inner_text()
        .startswith("No row matches: search \u201cnobody\u201d, tier reproduced.")
    )
    page.get_by_role("button", name="Clear the filters").click()
    assert shown(page) == [row.id for row in rows]
    assert page.locator(".empty").inner_text() == ""
    points.nth(len(places) - 1).wait_for()
    assert points.evaluate_all(PLACES) == places


PLACES = """all => Object.fromEntries(all.map((one) => [one.href.baseVal.split("/").at(-1),
  ["cx", "d", "x"].map((name) => one.lastChild.getAttribute(name))]))"""

CONDITIONS: list[tuple[str, str, Any]] = [
    ("mae", "0.12", lambda row: "mae" in row.metrics and value(row, "mae") <= 0.12),
    ("f1_micro", "0.4", lambda row: value(row, "f1_micro") >= 0.4),
    ("mae", "> .15", lambda row: "mae" in row.metrics and value(row, "mae") > 0.15),
    ("mae", "10%..15%", lambda row: "mae" in row.metrics and 0.1 <= value(row, "mae") <= 0.15),
    ("parameters", "1k..1M", lambda row: 1e3 <= row.footprint["parameters"] <= 1e6),
    ("parameters", "= 5", lambda row: row.footprint["parameters"] == 5),
]


def test_columns_filter_by_conditions(visitor: Visitor, site: Path, rows: list[Row]) -> None:
    """What cannot be read hides nothing, and is said in words that belong to the input."""
    page = visitor.open(site)
    page.get_by_role("button", name="Filter columns").click()
    for column, written, keeps in CONDITIONS:
        field = page.locator(f"[data-condition={column}]")
        field.fill(written)
        expected = [row.id for row in rows if keeps(row)]
        assert 0 < len(expected) < len(rows)
        assert shown(page) == expected, written
        field.fill("")
    field = page.locator("[data-condition=mae]")
    field.fill("small, please")
    assert field.get_attribute("aria-invalid") == "true"
    said = page.locator(f"#{field.get_attribute('aria-describedby')}").inner_text()
    assert said.startswith("\u201csmall, please\u201d for MAE cannot be read and keeps every row.")
    assert "<0.1, >= 5k or 0.1..0.2" in said
    assert len(shown(page)) == len(rows)


def chosen_track(page: Page) -> str | None:
    return page.get_by_role("tab", selected=True).nth(1).text_content()


def test_tabs_by_mouse_and_by_keyboard(visitor: Visitor, site: Path, made: Standings) -> None:
    page = visitor.open(site)
    page.get_by_role("tab", name="disaggregation").click()
    other = [row.id for row in made.tables[1].rows]
    page.locator("tr[data-row]").nth(len(other)).wait_for(state="detached")
    assert shown(page) == other
    assert chosen_track(page) == "disaggregation"
    page.get_by_role("tab", name="disaggregation").focus()
    page.keyboard.press("ArrowLeft")
    page.locator("[role=tab]:focus", has_text="inductive").wait_for()
    assert page.url.endswith(PLACE)
    assert chosen_track(page) == "inductive"


def test_what_is_shown_is_downloaded(
    visitor: Visitor, site: Path, made: Standings, rows: list[Row]
) -> None:
    """The rows in their order, each with what it is from; or all rows, on demand."""
    page = visitor.open(site, f"{PLACE}?sort=parameters&q=ridge&mae=%3C0.15")
    expected = shown(page)
    table = made.tables[0]
    assert 2 < len(expected) < len(rows)
    texts = {}
    for name in ("CSV", "JSON", "all"):
        kind = name if name != "all" else "CSV"
        if name == "all":
            page.get_by_label("all rows").check()
        with page.expect_download() as download:
            page.get_by_role("button", name=kind).click()
        texts[name] = Path(download.value.path()).read_text(encoding="utf-8")
        file = f"llpbench-{table.dataset}-inductive-2026-11-28.{kind.lower()}"
        assert download.value.suggested_filename == file
    lines = list(csv.DictReader(io.StringIO(texts["CSV"], newline="")))
    frame = pd.read_csv(io.StringIO(texts["CSV"]))
    assert [line["id"] for line in lines] == frame["id"].tolist() == expected
    by_id = {row.id: row for row in rows}
    assert frame["mae"].tolist() == [value(by_id[name], "mae") for name in expected]
    assert frame["designed_here"].tolist() == [by_id[name].designed_here for name in expected]
    origin = {
        **{"dataset": table.dataset, "track": "inductive", "digest": table.digest},
        **{"protocol": 1, "scorer": "1.0", "llpbench_version": "0.0", "built": "2026-11-28"},
        **{"filters": "search \u201cridge\u201d, MAE <0.15"},
        "view": f"{PLACE}?sort=parameters&q=ridge&mae=%3C0.15",
    }
    for line in lines:
        assert {name: line[name] for name in origin} == {n: str(v) for n, v in origin.items()}
    content = json.loads(texts["JSON"])
    assert {name: content[name] for name in origin} == origin
    assert [row["id"] for row in content["rows"]] == expected
    first = by_id[expected[0]]
    assert content["rows"][0]["entry"]["licence"] == "CC-BY-4.0"
    assert content["rows"][0]["errors"] == first.errors
    assert content["rows"][0]["metrics"]["mae"] == first.metrics["mae"].model_dump()
    pairs = [(one["first"], one["second"]) for one in content["comparisons"]]
    assert len(pairs) == len(expected) * (len(expected) - 1) / 2
    every = list(csv.DictReader(io.StringIO(texts["all"], newline="")))
    assert [line["id"] for line in every] == [row.id for row in rows]
    assert (every[0]["filters"], every[0]["view"]) == ("all rows", PLACE)
    assert every[-1]["mae"] == ""


def test_rows_without_a_rank_stand_by_the_score_their_table_is_sorted_by(
    visitor: Visitor, tmp_path: Path, made: Standings
) -> None:
    """As arXiv:2306.12461 prints them, a row without that score is last either way."""
    table = made.tables[0]
    (printed,) = (row for row in table.rows if row.kind == "reported")
    scores = {
        "train-mean": {"mae": Score(value=0.165)},
        "vgg16unet": {"mae_hard": Score(value=0.085)},
        "downconv": {"mae_hard": Score(value=0.068)},
    }
    rows = [
        printed.model_copy(update={"id": name, "title": name, "metrics": metrics})
        for name, metrics in scores.items()
    ]
    path = tmp_path / "index.html"
    table = table.model_copy(update={"rows": rows, "comparisons": [], "sorted_by": "mae_hard"})
    path.write_text(render_page(made.model_copy(update={"tables": [table]})), encoding="utf-8")
    page = visitor.open(path)
    assert shown(page) == ["downconv", "vgg16unet", "train-mean"]
    page.locator("th[data-column=rank] .sort").click()
    assert shown(page) == ["vgg16unet", "downconv", "train-mean"]


def test_five_hundred_entries_are_shown_and_sorted(
    visitor: Visitor, tmp_path: Path, record_property: Any
) -> None:
    """The first at once, the others as their end comes near, on demand and before a print.

    What the browser says of its time goes into the report, and is no matter of the test.
    """
    standings = make_standings(500, 20, tables=1)
    path = tmp_path / "index.html"
    path.write_text(render_page(standings), encoding="utf-8")
    page = visitor.open(path)
    record_property(
        "load_ms",
        page.evaluate("performance.timing.loadEventEnd")
        - page.evaluate("performance.timing.navigationStart"),
    )
    record_property("megabytes", path.stat().st_size / 1e6)
    ids = [row.id for row in standings.tables[0].rows]
    first = shown(page)
    assert 20 < len(first) < 100
    assert first == ids[: len(first)]
    assert page.locator(".plot .scatter[role]").count() == 0
    page.locator(".scroller").evaluate("one => one.scrollTo(0, one.scrollHeight)")
    page.locator("tr[data-row]").nth(len(first)).wait_for()
    page.locator("th[data-column=parameters] .sort").click()
    rows = ranked(standings.tables[0].rows)
    by_cost = sorted(rows, key=lambda row: row.footprint["parameters"] or 0)
    assert shown(page)[: len(first)] == [row.id for row in by_cost[: len(first)]]
    page.get_by_label("Search").fill(f"{by_cost[-1].title}")
    assert by_cost[-1].id in shown(page)
    page.get_by_label("Search").fill("")
    page.get_by_role("button", name=f"Show {len(ids) - len(first)} more").dispatch_event("click")
    assert set(shown(page)) == set(ids)
    page.locator("th[data-column=rank] .sort").click()
    page.keyboard.press("Control+f")
    assert shown(page) == ids
    page.locator("th[data-column=rank] .sort").click()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(shown(page)) == len(ids)
    assert page.locator(".plot .scatter[role] a").count() > 500


def test_a_board_without_tables_says_so(visitor: Visitor, tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text(
        render_page(Standings(tables=[], scorer="1.0", llpbench_version="0", protocol=1)),
        encoding="utf-8",
    )
    assert "no tables yet" in visitor.open(path).locator("main").inner_text()
