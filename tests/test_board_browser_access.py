"""The page for every eye and hand: dark, narrow, by keyboard, read aloud, without scripts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from browsing import NARROW, PLACE, Visitor

from llpbench.board.standings import Row

if TYPE_CHECKING:
    pass


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


def test_without_scripts_the_ranking_is_there(
    visitor: Visitor, site: Path, rows: list[Row]
) -> None:
    page = visitor.open(site, java_script_enabled=False)
    assert page.locator("noscript h2").count() == 2
    assert rows[0].title in page.locator("main").inner_text()
