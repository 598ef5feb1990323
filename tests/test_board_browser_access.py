"""The page for every eye and hand: dark, narrow, by keyboard, read aloud, without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browsing import AXE, NARROW, PLACE, WIDE, Visitor, axe_script, go
from made_standings import make_standings

from llpbench.board.site import render_page
from llpbench.board.standings import Row

if TYPE_CHECKING:
    from playwright.sync_api import Page


GROUND = {"light": "rgb(250, 250, 247)", "dark": "rgb(18, 23, 26)"}


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A small board, and the addresses of all its views."""
    made = make_standings(4, 14, tables=1, elsewhere=1, exported=3)
    path = tmp_path_factory.mktemp("audited") / "index.html"
    path.write_text(render_page(made), encoding="utf-8")
    tuned, other = sorted(made.tables[1].rows, key=lambda row: not row.designed_here)[:2]
    views = {
        "overview": "#overview",
        "ranking": PLACE,
        "entry": f"{PLACE}/entry/{tuned.id}",
        "reported": f"{PLACE}/entry/reported%3Adownconv",
        "compare": f"{PLACE}/compare/{tuned.id}/{other.id}",
        "dead link": f"{PLACE}/entry/nobody",
    }
    return path, views


def audit(page: Page, views: Iterable[str]) -> dict[str, list[str]]:
    """What axe-core finds in views of a page, whatever can be opened being open."""
    page.evaluate(axe_script())
    found = {}
    for view in views:
        go(page, view)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        found[view] = page.evaluate(AXE, "html")
    return found


MAIN = ("overview", "ranking", "entry")
OTHERS = ("reported", "compare", "dead link")


@pytest.mark.parametrize(
    ("scheme", "size", "views"),
    [
        ("light", WIDE, MAIN),
        ("dark", WIDE, MAIN),
        ("light", NARROW, ("ranking",)),
        *(
            pytest.param(scheme, size, views, marks=pytest.mark.full)
            for scheme in GROUND
            for size, views in ((WIDE, OTHERS), (NARROW, (*MAIN, *OTHERS)))
        ),
    ],
)
def test_axe_finds_no_violation(
    visitor: Visitor,
    audited: tuple[Path, dict[str, str]],
    scheme: str,
    size: Any,
    views: Sequence[str],
) -> None:
    """Rules of WCAG 2.2, levels A and AA, and best practice, as axe-core has them."""
    path, addresses = audited
    page = visitor.open(path, color_scheme=scheme, viewport=size, bypass_csp=True)
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == GROUND[scheme]
    found = audit(page, [addresses[view] for view in views])
    assert [one for ones in found.values() for one in ones] == []
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    assert any(one.startswith("image-alt") for one in page.evaluate(AXE, "main > img"))


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


def test_a_phone_scrolls_tables_but_no_page(visitor: Visitor, site: Path, rows: list[Row]) -> None:
    page = visitor.open(site, PLACE, viewport=NARROW)
    method = page.locator("th.method").nth(1)
    page.locator(".scroller").evaluate("one => { one.scrollLeft = 400; }")
    box, frame = method.bounding_box(), page.locator(".scroller").bounding_box()
    assert box is not None
    assert frame is not None
    assert frame["x"] <= box["x"] <= frame["x"] + 2
    for rest in ("?", f"/entry/{rows[0].id}", f"/compare/{rows[0].id}/{rows[1].id}"):
        go(page, PLACE + rest)
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


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


def test_without_scripts_the_ranking_is_there(
    visitor: Visitor, site: Path, rows: list[Row]
) -> None:
    page = visitor.open(site, java_script_enabled=False)
    assert page.locator("noscript h2").count() == 2
    assert rows[0].title in page.locator("main").inner_text()
