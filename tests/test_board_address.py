"""Views in the address, in a real browser: kept, restored, shared; and addresses of nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from browsing import NARROW, PLACE, WIDE, Visitor
from made_standings import make_standings

from llpbench.board.site import render_page
from llpbench.board.standings import Row

if TYPE_CHECKING:
    from playwright.sync_api import Page

STATE = """() => ({
  rows: [...document.querySelectorAll("tr[data-row]:not([hidden])")].map((one) => one.dataset.row),
  search: document.getElementById("search").value,
  tier: document.getElementById("tier").value,
  plot: ["y", "x"].map((axis) => document.getElementById(`plot-${axis}`).value),
  condition: document.querySelector("[data-condition=mae]").value,
  sorted: document.querySelector("[aria-sort]").dataset.column,
  order: document.querySelector("[aria-sort]").ariaSort,
  scrolled: [scrollY, ...["scrollTop", "scrollLeft"].map((one) =>
    document.querySelector(".scroller")[one])],
})"""
PAYLOAD = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


def wait_for_view(page: Page, view: str) -> None:
    page.locator(f"html[data-view={view}]").wait_for()


def test_a_view_is_kept_in_its_address(visitor: Visitor, site: Path, rows: list[Row]) -> None:
    """Typed, reloaded, left for an entry, and come back to by Back and by the entry's link."""
    page = visitor.open(site, PLACE, viewport=WIDE | {"height": 520})
    page.locator("th[data-column=skill] .sort").click()
    page.locator("th[data-column=skill] .sort").click()
    page.get_by_label("Search").fill("ridge")
    page.get_by_role("button", name="Filter columns").click()
    page.get_by_label("Cost").select_option("latency_p50_ms")
    page.locator("[data-condition=mae]").fill("< .15")
    page.reload()  # at once: what was typed last is kept all the same
    kept = f"{PLACE}?sort=skill&order=ascending&q=ridge&plot=mae,latency_p50_ms&mae=%3C+.15"
    assert page.url.endswith(kept)
    page.evaluate("document.querySelector('.scroller').scrollTo(60, 90)")
    page.evaluate("scrollTo({ top: 150, behavior: 'instant' })")
    seen = page.evaluate(STATE)
    assert 2 < len(seen["rows"]) < len(rows)
    assert seen["scrolled"] == [150, 90, 60]
    assert (seen["sorted"], seen["order"]) == ("skill", "ascending")
    assert seen["plot"] == ["mae", "latency_p50_ms"]
    page.reload()
    assert page.evaluate(STATE) == seen
    page.evaluate("document.querySelector('tr[data-row]:not([hidden]) a').click()")
    wait_for_view(page, "entry")
    assert page.url.endswith(f"{PLACE}/entry/{seen['rows'][0]}")
    back = page.locator(".back a").get_attribute("href")
    page.go_back()
    wait_for_view(page, "ranking")
    assert page.evaluate(STATE) == seen
    left = page.evaluate("document.activeElement.closest('tr').dataset.row")
    assert left == seen["rows"][0]  # the link that was followed has the focus again
    page.go_forward()
    wait_for_view(page, "entry")
    page.locator(".back a").click()
    wait_for_view(page, "ranking")
    assert page.url.endswith(str(back))
    assert page.evaluate(STATE)["rows"] == seen["rows"]
    page.get_by_role("tab", name="inductive").click()  # a tab leads to the table as it is at first
    page.locator("tr[data-row]:not([hidden])").nth(len(rows) - 1).wait_for()
    page.go_back()
    page.locator("tr[data-row]:not([hidden])").nth(len(seen["rows"])).wait_for(state="detached")
    assert page.evaluate(STATE)["rows"] == seen["rows"]


def test_nothing_in_an_address_becomes_markup(visitor: Visitor, site: Path) -> None:
    """What is said of a view is text, cut where it is long, and columns are those there are."""
    hostile = quote(PAYLOAD, safe="")
    query = f"?q={hostile}&mae={hostile}&sort=__proto__&order={hostile}&tier={hostile}&x={hostile}"
    page = visitor.open(site, PLACE + query)
    state = page.evaluate(STATE)
    assert (state["search"], state["condition"]) == (PAYLOAD, PAYLOAD[:40])
    assert (state["rows"], state["tier"], state["sorted"]) == ([], "", "rank")
    assert PAYLOAD in page.locator(".empty").inner_text()
    page.goto(f"{site.as_uri()}#{hostile}{'x' * 500}")
    wait_for_view(page, "missing")
    said = page.locator(".verdict").inner_text()
    assert (
        said == f"There is no dataset \u201c{(PAYLOAD + 'x' * 500)[:80]}\u2026\u201d on this board."
    )
    assert page.locator("main :is(img, script)").count() == 0


MISSING = {
    "#nowhere": "There is no dataset \u201cnowhere\u201d on this board.",
    "#__proto__/x": "There is no dataset \u201c__proto__\u201d on this board.",
    "#%": "This address cannot be read.",
    "#made-esaworldcover/x": "Made land has no track \u201cx\u201d.",
    f"{PLACE}/entry/nobody": "There is no entry \u201cnobody\u201d in Made land, inductive.",
    f"{PLACE}/entry": "There is nothing at \u201cmade-esaworldcover/inductive/entry\u201d.",
    f"{PLACE}/compare/a/b": "There is no entry \u201ca\u201d and \u201cb\u201d in Made land",
    f"{PLACE}/compare/tartu__bag-ridge-0/reported%3Adownconv": "downconv was reported elsewhere",
}


def test_an_address_of_nothing_says_so(visitor: Visitor, tmp_path: Path) -> None:
    """And what is near: tables, another track that has the entry, the overview."""
    path = tmp_path / "index.html"
    made = make_standings(4, 6, elsewhere=1)
    path.write_text(render_page(made), encoding="utf-8")
    page = visitor.open(path)
    for home in ("", "#", "#overview"):
        page.goto(path.as_uri() + home)
        wait_for_view(page, "overview")
        assert page.get_by_role("tab", selected=True).inner_text().startswith("Overview")
        assert page.locator(".overview").count() == 1
    for address, sentence in MISSING.items():
        page.goto(path.as_uri() + address)
        page.locator(".verdict").get_by_text(sentence).wait_for()
        assert page.title() == "Not found \u00b7 llpbench leaderboard"
        assert page.locator(".ranking").count() == 0
        near = page.locator(".near a").evaluate_all(
            "all => all.map((one) => one.getAttribute('href'))"
        )
        assert near[-3:] == ["#overview", "#real-1/inductive", PLACE]
    page.goto(f"{path.as_uri()}{PLACE}/entry/tartu__bag-rigde-0")
    page.locator(f".near a[href='{PLACE}/entry/tartu__bag-ridge-0']").wait_for()
    assert page.locator(".near a[href*=entry]").count() <= 5
    inductive, other = made.tables[1:]
    (only,) = {row.id for row in inductive.rows} - {row.id for row in other.rows}
    page.goto(f"{path.as_uri()}#made-esaworldcover/disaggregation/entry/{only}")
    page.locator(f".near a[href='{PLACE}/entry/{only}']").click()
    wait_for_view(page, "entry")
    page.goto(f"{path.as_uri()}#real-1")
    wait_for_view(page, "ranking")
    assert page.locator("tr.entry").count() == 3


@pytest.mark.parametrize("viewport", [WIDE, NARROW])
def test_the_head_stays_above_rows_that_scroll(
    visitor: Visitor, site: Path, viewport: dict[str, int]
) -> None:
    """And what is focused is beside it, not under it."""
    page = visitor.open(site, PLACE, viewport=viewport)
    page.evaluate("document.querySelector('.scroller').scrollTo(200, 400)")
    box = """one => { const { top, bottom, left, right } = one.getBoundingClientRect();
      return [top, bottom, left, right]; }"""
    frame = page.locator(".scroller").evaluate(box)
    head = page.locator("th.mae").evaluate(box)
    assert head[0] == pytest.approx(frame[0], abs=2)
    method = page.locator("thead th.method").evaluate(box)
    on_top = page.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).closest('thead') !== null",
        [(method[2] + method[3]) / 2, head[1] - 8],
    )
    assert on_top
    page.locator("tr[data-row] a").first.focus()
    assert (
        page.evaluate(
            "document.activeElement.getBoundingClientRect().top"
            " - document.querySelector('th.mae').getBoundingClientRect().bottom"
        )
        >= 0
    )


def test_a_print_shows_every_column_and_no_control(visitor: Visitor, site: Path) -> None:
    """At the width of A4 without its margins, upright."""
    page = visitor.open(site, f"{PLACE}?q=ridge", viewport={"width": 718, "height": 1000})
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 718
    last = page.locator("thead th").last.bounding_box()
    assert last is not None
    assert last["x"] + last["width"] <= 718
    assert page.locator(":is(.toolbar, nav, .explain):visible").count() == 0
    said = page.locator(".printed").inner_text()
    assert said.endswith(
        "; search \u201cridge\u201d; sorted by Rank, ascending; page built 2026-11-28."
    )
