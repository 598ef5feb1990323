"""The page in a real browser: what people see and do, by mouse, by keyboard, on a phone."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from browsing import NARROW, Visitor, launch
from made_standings import make_standings

from llpbench.board.site import render_page
from llpbench.board.standings import Row, Standings
from llpbench.statistics import paired_bootstrap, sign_flip_test

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PLACE = "#made-esaworldcover/inductive"
LINES = "tr[data-row]:visible"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    yield from launch()


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    """Whatever a test does, no error, message or request may come of it."""
    visitor = Visitor(browser)
    yield visitor
    visitor.close()
    assert visitor.troubles == []


@pytest.fixture(scope="module")
def standings() -> Standings:
    return make_standings()


@pytest.fixture(scope="module")
def site(standings: Standings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("site") / "index.html"
    path.write_text(render_page(standings), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def rows(standings: Standings) -> list[Row]:
    return standings.tables[0].rows


def shown(page: Page) -> list[str]:
    ids = page.locator(LINES).evaluate_all("lines => lines.map((line) => line.dataset.row)")
    return list(ids)


def ranked(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.kind == "entry"]


def value(row: Row, metric: str) -> float:
    found = row.metrics[metric].value
    assert found is not None
    return found


def test_ranked_entries_come_first_and_tie_groups_are_headed(
    visitor: Visitor, site: Path, rows: list[Row]
) -> None:
    page = visitor.open(site)
    assert shown(page) == [row.id for row in rows]
    heads = page.locator(".ranking th[scope=rowgroup]").all_inner_texts()
    groups = max(row.rank.group for row in rows if row.rank)
    assert heads[0] == "Tie group 1: not told apart from the best"
    assert len(heads) == groups + 3
    assert "outside the ranking" in heads[-2]
    first = page.locator("tr[data-row]").first
    rank = rows[0].rank
    assert rank is not None
    assert first.locator(".range").inner_text().endswith(f"{rank.low}\u2013{rank.high}")
    assert f"{rows[0].metrics['mae'].low:.4f}" in first.locator(".limits").first.inner_text()


def test_columns_sort_inside_their_section(visitor: Visitor, site: Path, rows: list[Row]) -> None:
    page = visitor.open(site)
    head = page.locator("th[data-column=f1_micro]")
    head.get_by_role("button").click()
    best_first = sorted(ranked(rows), key=lambda row: -value(row, "f1_micro"))
    assert head.get_attribute("aria-sort") == "descending"
    assert shown(page)[: len(best_first)] == [row.id for row in best_first]
    assert shown(page)[len(best_first) :] == [row.id for row in rows[len(best_first) :]]
    head.get_by_role("button").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert shown(page)[0] == best_first[-1].id
    assert page.locator("[aria-sort]").count() == 1
    page.locator("th[data-column=parameters] button").click()
    cheapest = min(ranked(rows), key=lambda row: row.footprint["parameters"] or 0)
    assert shown(page)[0] == cheapest.id
    assert page.locator("#announcer").inner_text() == "Sorted by Parameters, ascending"


def test_search_and_tier_filter_rows(visitor: Visitor, site: Path, rows: list[Row]) -> None:
    page = visitor.open(site)
    page.get_by_label("Search").fill("ridge bogota")
    expected = [row.id for row in rows if "ridge" in row.id and row.team == "bogota"]
    assert shown(page) == expected
    assert page.locator(".count").inner_text() == f"{len(expected)} of {len(rows)} rows"
    page.get_by_label("Search").fill("")
    page.get_by_label("Tier").select_option("reproduced")
    assert shown(page) == [row.id for row in rows if row.tier == "reproduced"]


@pytest.mark.parametrize(
    ("column", "written", "keeps"),
    [
        ("mae", "0.12", lambda row: "mae" in row.metrics and value(row, "mae") <= 0.12),
        ("f1_micro", "0.4", lambda row: value(row, "f1_micro") >= 0.4),
        ("mae", "> .15", lambda row: "mae" in row.metrics and value(row, "mae") > 0.15),
        ("mae", "10%..15%", lambda row: "mae" in row.metrics and 0.1 <= value(row, "mae") <= 0.15),
        ("parameters", "1k..1M", lambda row: 1e3 <= row.footprint["parameters"] <= 1e6),
        ("parameters", "= 5", lambda row: row.footprint["parameters"] == 5),
    ],
)
def test_columns_filter_by_conditions(
    visitor: Visitor, site: Path, rows: list[Row], column: str, written: str, keeps: Any
) -> None:
    page = visitor.open(site)
    page.get_by_role("button", name="Filter columns").click()
    page.locator(f"[data-condition={column}]").fill(written)
    expected = [row.id for row in rows if keeps(row)]
    assert 0 < len(expected) < len(rows)
    assert shown(page) == expected


def test_a_condition_that_cannot_be_read_hides_nothing(
    visitor: Visitor, site: Path, rows: list[Row]
) -> None:
    page = visitor.open(site)
    page.get_by_role("button", name="Filter columns").click()
    field = page.locator("[data-condition=mae]")
    field.fill("small, please")
    assert field.get_attribute("aria-invalid") == "true"
    assert len(shown(page)) == len(rows)


def chosen_track(page: Page) -> str | None:
    return page.get_by_role("tab", selected=True).nth(1).text_content()


def test_tabs_by_mouse_and_by_keyboard(visitor: Visitor, site: Path, standings: Standings) -> None:
    page = visitor.open(site)
    page.get_by_role("tab", name="disaggregation").click()
    other = [row.id for row in standings.tables[1].rows]
    page.wait_for_function(f"document.querySelectorAll('tr[data-row]').length === {len(other)}")
    assert shown(page) == other
    assert chosen_track(page) == "disaggregation"
    page.get_by_role("tab", name="disaggregation").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("document.activeElement.textContent === 'inductive'")
    assert page.url.endswith(PLACE)
    assert chosen_track(page) == "inductive"


def test_an_entry_has_its_page(
    visitor: Visitor, site: Path, standings: Standings, rows: list[Row]
) -> None:
    table, row = standings.tables[0], rows[2]
    page = visitor.open(site)
    page.get_by_role("link", name=row.title, exact=True).first.click()
    page.wait_for_selector("h2:has-text('" + row.title + "')")
    assert page.evaluate("document.activeElement.tagName") == "H2"
    assert page.title().startswith(row.title)
    text = page.locator("main").inner_text()
    assert row.rank is not None
    assert f"Rank 3 of 12; the data allow ranks {row.rank.low} to {row.rank.high}" in text
    for name in ("Marie Õun", "Matches bag proportions", row.command, "@misc{" + row.id):
        assert name in text
    assert page.locator("path[class^=seq]").count() == len(table.divisions)
    assert page.locator(".reliability").count() == len(table.categories)
    assert page.locator(".classes tbody tr").count() == len(table.categories)
    assert page.locator(".chip img").evaluate_all("all => all.every((one) => one.naturalWidth)")
    assert page.locator(".chip canvas").count() == len(table.examples)
    page.get_by_text("60 divisions as a table").click()
    errors = np.array(row.errors) / [division.chips for division in table.divisions]
    worst = page.locator(".more td").first.inner_text()
    assert float(worst) == pytest.approx(errors.max(), abs=5e-5)
    page.locator(".back a").click()
    page.wait_for_selector(".ranking")


def test_a_reported_row_has_its_page(visitor: Visitor, site: Path) -> None:
    page = visitor.open(site, f"{PLACE}/entry/reported%3Adownconv")
    text = page.locator("main").inner_text()
    assert "Reported elsewhere, not scored here" in text
    assert "arXiv:2306.12461" in text


def _differences(standings: Standings, rows: list[Row]) -> tuple[Any, Any]:
    chips = [float(division.chips) for division in standings.tables[0].divisions]
    sums = [np.column_stack([row.errors, chips]) for row in rows]
    return sums[0], sums[1]


def _compared(page: Page) -> dict[str, str]:
    pairs = page.locator(".facts-list.narrow > div").all_inner_texts()
    return dict(pair.replace("\u2212", "-").split("\n") for pair in pairs)


@pytest.mark.parametrize("divisions", [9, 60])
def test_comparisons_agree_with_the_library(
    visitor: Visitor, tmp_path: Path, divisions: int
) -> None:
    """All 2**9 swaps give the same p-value; 9,999 random ones its standard error, 5 at most."""
    standings = make_standings(6, divisions, tables=1)
    rows = standings.tables[0].rows
    path = tmp_path / "index.html"
    path.write_text(render_page(standings), encoding="utf-8")
    for first, second in itertools.combinations(ranked(rows)[:4], 2):
        one, other = _differences(standings, [first, second])
        test, interval = sign_flip_test(one, other), paired_bootstrap(one, other)
        found = _compared(visitor.open(path, f"{PLACE}/compare/{first.id}/{second.id}"))
        assert float(found["Difference in MAE"]) == pytest.approx(test.difference, abs=6e-5)
        if found["p-value"] != "below 0.001":
            error = 0 if test.exact else 5 * (test.p_value * (1 - test.p_value) / 9999) ** 0.5
            assert float(found["p-value"]) == pytest.approx(test.p_value, abs=error + 6e-4)
        else:
            assert test.p_value < 0.002
        low, high = map(float, found["95 % interval"].split(" to "))
        width = float(interval.high) - float(interval.low)
        assert low == pytest.approx(interval.low, abs=0.12 * width)
        assert high == pytest.approx(interval.high, abs=0.12 * width)


def test_two_rows_are_picked_and_compared(visitor: Visitor, site: Path, rows: list[Row]) -> None:
    page = visitor.open(site)
    for row in (rows[0], rows[5], rows[7]):  # the third takes the place of the first
        page.get_by_label(f"Compare {row.title}", exact=True).check()
    assert page.locator("input:checked").count() == 2
    page.locator(".pickbar a").click()
    page.wait_for_selector("text=Paired test")
    assert page.url.endswith(f"{PLACE}/compare/{rows[5].id}/{rows[7].id}")
    assert page.locator("path[class^=div]").count() == 60
    page.get_by_label("Second").select_option(rows[1].id)
    page.wait_for_selector(f"h2:has-text('{rows[1].title}')")
    assert page.url.endswith(f"{rows[5].id}/{rows[1].id}")


def test_the_pareto_front_is_that_of_the_entries(
    visitor: Visitor, site: Path, rows: list[Row]
) -> None:
    def beaten(row: Row) -> bool:
        def both(one: Row) -> tuple[float, float]:
            return one.footprint["parameters"] or 0, value(one, "mae")

        return any(
            np.all(np.less_equal(both(one), both(row))) and both(one) != both(row)
            for one in ranked(rows)
        )

    page = visitor.open(site)
    best = page.locator(".scatter a.best").evaluate_all("all => all.map((a) => a.href.baseVal)")
    expected = {row.id for row in ranked(rows) if not beaten(row)}
    assert {address.rsplit("/", 1)[-1] for address in best} == expected
    page.get_by_label("Cost").select_option("latency_p50_ms")
    assert page.locator(".scatter .axis").first.text_content() == "Latency"
    page.locator(".scatter a.best").first.hover()
    assert page.locator(".tip").is_visible()


def test_tables_are_downloaded(visitor: Visitor, site: Path, rows: list[Row]) -> None:
    page = visitor.open(site)
    texts = {}
    for kind in ("CSV", "JSON"):
        with page.expect_download() as download:
            page.get_by_role("button", name=kind).click()
        texts[kind] = Path(download.value.path()).read_text(encoding="utf-8")
        assert download.value.suggested_filename.endswith(f"inductive.{kind.lower()}")
    lines = list(csv.DictReader(io.StringIO(texts["CSV"], newline="")))
    assert [line["id"] for line in lines] == [row.id for row in rows]
    assert float(lines[0]["mae"]) == pytest.approx(value(rows[0], "mae"), abs=1e-6)
    assert lines[-1]["mae"] == ""
    content = json.loads(texts["JSON"])
    assert content["rows"][0]["entry"]["licence"] == "CC-BY-4.0"
    assert content["rows"][0]["errors"] == pytest.approx(rows[0].errors, abs=1e-6)


def _luminance(colour: list[float]) -> float:
    """Relative luminance of sRGB, as WCAG 2.2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


CONTRAST = """all => all.filter((one) => one.offsetParent && one.textContent.trim()).map((one) => {
  const numbers = (text) => text.match(/[0-9.]+/g).slice(0, 3).map((n) => Number(n) / 255);
  let behind = one;
  while (/(, 0\\)|transparent)$/.test(getComputedStyle(behind).backgroundColor)) {
    behind = behind.parentElement;
  }
  const style = getComputedStyle(behind);
  return [one.textContent, numbers(getComputedStyle(one).color), numbers(style.backgroundColor)];
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_themes(visitor: Visitor, site: Path, scheme: Any) -> None:
    """At least 4.5 to 1, as WCAG 2.2 asks of small text (level AA)."""
    page = visitor.open(site, color_scheme=scheme)
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == {"light": "rgb(250, 250, 247)", "dark": "rgb(18, 23, 26)"}[scheme]
    texts = ".place, .range, .who, .badge, .limits, .facts, h2, td, th button, [role=tab], dd, a"
    found = page.locator(texts).evaluate_all(CONTRAST)
    assert len(found) > 100
    for text, ink, paper in found:
        bright, dim = sorted([_luminance(ink), _luminance(paper)], reverse=True)
        assert (bright + 0.05) / (dim + 0.05) >= 4.5, text


def test_the_theme_can_be_chosen_and_stays(visitor: Visitor, site: Path) -> None:
    page = visitor.open(site)
    button = page.get_by_role("button", name="Dark")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    for _ in range(20):  # a browser takes its time to store it
        page.reload()
        if button.get_attribute("aria-pressed") == "true":
            break
        page.wait_for_timeout(100)
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == "rgb(18, 23, 26)"


@pytest.mark.parametrize("view", ["", "entry", "compare"])
def test_a_phone_scrolls_tables_but_no_page(
    visitor: Visitor, site: Path, rows: list[Row], view: str
) -> None:
    ids = {
        "": "",
        "entry": f"/entry/{rows[0].id}",
        "compare": f"/compare/{rows[0].id}/{rows[1].id}",
    }
    page = visitor.open(site, PLACE + ids[view], viewport=NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    if view:
        return
    method = page.locator("th.method").nth(1)
    page.locator(".scroller").evaluate("one => { one.scrollLeft = 400; }")
    box, frame = method.bounding_box(), page.locator(".scroller").bounding_box()
    assert box is not None
    assert frame is not None
    assert frame["x"] <= box["x"] <= frame["x"] + 2


def test_everything_can_be_done_by_keyboard(visitor: Visitor, site: Path, rows: list[Row]) -> None:
    page = visitor.open(site)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
        assert page.evaluate("document.activeElement.matches(':focus-visible')")
        if reached[-1] == rows[0].title:
            break
    assert any(text.startswith("Rank") for text in reached)
    page.keyboard.press("Enter")
    page.wait_for_selector(f"h2:has-text('{rows[0].title}')")
    page.go_back()
    page.wait_for_selector(".ranking")


UNNAMED = """() => [...document.querySelectorAll("input, select, button, a, [role=img]")].filter(
  (one) => !(one.getAttribute("aria-label") || one.labels?.length || one.textContent.trim()))
  .map((one) => one.outerHTML)"""


@pytest.mark.parametrize("view", ["", "entry", "compare"])
def test_screen_readers_are_told_what_things_are(
    visitor: Visitor, site: Path, rows: list[Row], view: str
) -> None:
    ids = {
        "": "",
        "entry": f"/entry/{rows[0].id}",
        "compare": f"/compare/{rows[0].id}/{rows[1].id}",
    }
    page = visitor.open(site, PLACE + ids[view])
    assert page.evaluate(UNNAMED) == []
    names = page.locator("[id]").evaluate_all("all => all.map((one) => one.id)")
    assert len(set(names)) == len(names)
    levels = page.locator(":is(h1, h2, h3):visible").evaluate_all(
        "all => all.map((h) => h.tagName)"
    )
    assert levels[:2] == ["H1", "H2"]
    assert page.locator("table").evaluate_all(
        "all => all.every((one) => one.querySelector('thead th[scope=col]'))"
    )
    assert page.locator("html").get_attribute("lang") == "en"


def test_five_hundred_entries_are_shown_and_sorted(
    visitor: Visitor, tmp_path: Path, record_property: Any
) -> None:
    """What the browser says of its time goes into the report, and is no matter of the test."""
    standings = make_standings(500, 200, tables=1)
    path = tmp_path / "index.html"
    path.write_text(render_page(standings), encoding="utf-8")
    page = visitor.open(path)
    page.wait_for_function("document.querySelectorAll('tr[data-row]').length === 503")
    record_property(
        "load_ms",
        page.evaluate("performance.timing.loadEventEnd")
        - page.evaluate("performance.timing.navigationStart"),
    )
    record_property("megabytes", path.stat().st_size / 1e6)
    page.locator("th[data-column=parameters] button").click()
    rows = ranked(standings.tables[0].rows)
    cheapest = min(rows, key=lambda row: row.footprint["parameters"] or 0)
    assert shown(page)[0] == cheapest.id


def test_an_address_of_nothing_shows_the_ranking(visitor: Visitor, site: Path) -> None:
    for address in (
        "#nowhere",
        "#%",
        f"{PLACE}/entry/nobody",
        f"{PLACE}/compare/a/b",
        "#__proto__/x",
    ):
        page = visitor.open(site, address)
        assert page.locator(".ranking").count() == 1


def test_a_board_without_tables_says_so(visitor: Visitor, tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_text(render_page(Standings([], "1.0", "0", 1)), encoding="utf-8")
    assert "no tables yet" in visitor.open(path).locator("main").inner_text()


def test_without_scripts_the_ranking_is_there(
    visitor: Visitor, site: Path, rows: list[Row]
) -> None:
    page = visitor.open(site, java_script_enabled=False)
    assert page.locator("noscript h2").count() == 2
    assert rows[0].title in page.locator("main").inner_text()
