"""A headless chromium for tests of the page; they skip where there is none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from llpbench.board.standings import Row

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PLACE = "#made-esaworldcover/inductive"
WIDE, NARROW = {"width": 1360, "height": 900}, {"width": 360, "height": 780}

AXE = """async (where) => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const found = await axe.run(where, { runOnly: tags });
  return found.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html}`));
}"""
"""Of rules of WCAG 2.2, levels A and AA, and best practice, which part of a page breaks which."""

_GO = """hash => new Promise((done) => {
  addEventListener("hashchange", () => setTimeout(done), { once: true });
  location.hash = hash;
})"""


def go(page: Page, address: str) -> None:
    """Show another view of an open page."""
    page.evaluate(_GO, address)


def axe_script() -> str:
    """What a page runs before :data:`AXE`, or skip."""
    axe = Path(pytest.importorskip("axe_playwright_python").__file__).parent / "axe.min.js"
    return axe.read_text(encoding="utf-8")


def launch() -> Iterator[Browser]:
    """Start the browser of this machine, or skip and say how to get one."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("no chromium here: `apt-get install chromium`, or any that is on the PATH")
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


class Visitor:
    """Opens pages and keeps what went wrong on them: errors, messages, requests elsewhere."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.troubles: list[str] = []

    def open(self, path: Path, address: str = "", **options: Any) -> Page:
        """Show a file, in a window of its own; options are those of a browser context."""
        options = {"viewport": WIDE, "color_scheme": "light"} | options
        page = self.browser.new_context(**options).new_page()
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("console", lambda said: self.troubles.append(said.text))
        page.on("dialog", lambda dialog: self.troubles.append(dialog.message))
        page.on("request", self._note_request)
        page.goto(path.as_uri() + address)
        return page

    def _note_request(self, request: Any) -> None:
        if not request.url.startswith(("file:", "data:", "blob:")):
            self.troubles.append(f"asked for {request.url}")

    def close(self) -> None:
        """Close all windows."""
        for context in self.browser.contexts:
            context.close()


def ranked(rows: list[Row]) -> list[Row]:
    """Those that compete."""
    return [row for row in rows if row.kind == "entry"]


def value(row: Row, metric: str) -> float:
    """A score that is there."""
    found = row.metrics[metric].value
    assert found is not None
    return found
