"""Entries that try to run something, on the page: in a browser, with and without its policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from browsing import Visitor, go
from made_standings import make_overview, make_standings
from pydantic import BaseModel

from llpbench.board.badges import badge
from llpbench.board.finding import describe_finding
from llpbench.board.site import render_page
from llpbench.board.standings import Link, Row, Standings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PAYLOADS = (
    "</script><script>pwned()</script>",
    "<!--<script>pwned()</script>",
    "<img src=x onerror=pwned()>",
    "\"><svg onload=pwned()><a b='",
    "' onfocus=pwned() autofocus x='",
    "javascript:pwned()",
    "{{ 7 * 7 }}{% raw %}${pwned()}`",
    "\\u003cimg src=x onerror=pwned()\\u003e",
    "]]><script>pwned()</script>\u2028\u2029",
    "data:text/html,<script>pwned()</script>",
    "</title></style></noscript></table><script>pwned()</script>",
    "__proto__",
)
QUICK = (PAYLOADS[0], PAYLOADS[2], PAYLOADS[3], PAYLOADS[-1])
"""The end of a script, an element, the end of an attribute, a name that objects have."""
WATCH = "window.count = 0; window.pwned = () => { window.count += 1; };"


pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")


def spoil(content: Any, payload: str) -> Any:
    """Every text in nested data replaced, past all validation."""
    if isinstance(content, str):
        return payload
    if isinstance(content, list | tuple):
        return [spoil(one, payload) for one in content]
    if isinstance(content, dict):
        return {name: spoil(one, payload) for name, one in content.items()}
    if isinstance(content, BaseModel):
        return content.model_copy(update=spoil(dict(content), payload))
    return content


def spoiled_row(row: Row, payload: str) -> Row:
    kept = {"id": f"{row.id}{payload}", "kind": row.kind, "tier": row.tier}
    if row.entry is None or row.result is None:
        return spoil(row, payload).model_copy(update=kept)
    entry = spoil(row.entry, payload).model_copy(
        update={
            "hyperparameters": {payload: payload},
            "external_data": [payload],
            "pretrained_weights": [payload],
        }
    )
    result = spoil(row.result, payload).model_copy(
        update={
            "seeds": {payload: 0.1},
            "examples": {payload: [0.2] * 5},
            "pixels": spoil(row.result.pixels, payload).model_copy(
                update={"examples": {payload: payload}}
            ),
            "reliability": row.result.reliability,
        }
    )
    return spoil(row, payload).model_copy(update={**kept, "entry": entry, "result": result})


def spoiled(payload: str) -> Standings:
    """Text of submitters, and what comes from the makers of datasets."""
    standings = make_standings(4, 6, tables=1)
    table = standings.tables[0]
    changes = {
        "track": table.track,
        "metrics": table.metrics,
        "categories": table.categories,
        "rows": [spoiled_row(row, payload) for row in table.rows],
        "comparisons": [
            one.model_copy(update={"first": one.first + payload, "second": one.second + payload})
            for one in table.comparisons
        ],
    }
    made = spoil(table, payload).model_copy(update=changes)
    overview = make_overview([made]).model_copy(
        update={"titles": [payload], "aggregated": payload, "note": payload}
    )
    links = [Link(title=payload, url=payload)]
    everywhere = {"tables": [made], "overviews": [overview], "links": links, "built": payload}
    return standings.model_copy(update=everywhere)


def look_everywhere(page: Page, standings: Standings) -> None:
    """All views, with everything opened that can be."""
    table = standings.tables[0]
    place = f"#{quote(table.dataset, safe='')}/inductive"
    ids = [quote(row.id, safe="") for row in table.rows]
    views = {
        "#overview": ".overview a",
        f"{place}/entry/{ids[0]}": ".scores",
        f"{place}/entry/{ids[-1]}": ".scores",
        f"{place}/compare/{ids[0]}/{ids[1]}": ".sides",
        place: ".ranking",
    }
    for view, shown in views.items():
        go(page, view)
        page.wait_for_selector(shown)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        page.evaluate("document.querySelectorAll('[onfocus], input').forEach((one) => one.focus())")
        links = page.locator("a").evaluate_all("all => all.map((a) => a.getAttribute('href'))")
        assert all(link.startswith(("#", "https://", "http://", "mailto:")) for link in links)
        kinds = page.evaluate(
            "[...new Set([...document.querySelectorAll('*')].flatMap("
            "(one) => one.getAttributeNames()))]"
        )
        assert not [name for name in kinds if name.startswith("on")]
        assert page.locator("main :is(script, style, iframe, object, embed, img)").count() == 0
    assert page.locator("tr[data-row]").count() == len(table.rows)


@pytest.mark.parametrize(
    ("payload", "without_policy"),
    [
        (PAYLOADS[0], False),
        *((one, True) for one in QUICK),
        *(pytest.param(one, True, marks=pytest.mark.full) for one in PAYLOADS if one not in QUICK),
    ],
)
def test_nothing_of_an_entry_runs(
    browser: Browser, tmp_path: Path, payload: str, without_policy: bool
) -> None:
    standings = spoiled(payload)
    path = tmp_path / "index.html"
    path.write_text(render_page(standings), encoding="utf-8")
    visitor = Visitor(browser)
    try:
        page = visitor.open(path, bypass_csp=without_policy)
        page.add_init_script(WATCH)
        page.reload()
        assert page.evaluate("window.count") == 0
        look_everywhere(page, standings)
        assert page.evaluate("window.count") == 0
        title = page.locator("tr[data-row] th.method a").first.text_content()
        assert title == payload
        bare = visitor.open(path, java_script_enabled=False)
        assert bare.locator("noscript tbody th").first.text_content() == payload
    finally:
        visitor.close()
    assert visitor.troubles == []


def test_the_watch_sees_what_runs(browser: Browser, tmp_path: Path) -> None:
    """A page that is not escaped is caught, without the policy; with it nothing runs."""
    text = render_page(spoiled("harmless words")).replace(
        "<main ", "<img src=x onerror=pwned()><script>pwned()</script><main "
    )
    path = tmp_path / "index.html"
    path.write_text(text, encoding="utf-8")
    counts = []
    for without_policy in (False, True):
        visitor = Visitor(browser)
        page = visitor.open(path, bypass_csp=without_policy)
        page.add_init_script(WATCH)
        page.reload()
        page.wait_for_timeout(200)
        counts.append(page.evaluate("window.count"))
        visitor.close()
    assert counts == [0, 2]


def test_badges_and_findings_are_text(browser: Browser, tmp_path: Path) -> None:
    """As files by a parser of XML; put into a page as they are, in a browser."""
    badges = []
    for payload in PAYLOADS:
        table = spoiled(payload).tables[0]
        assert payload in describe_finding(table)
        badges.append(badge((table, table.rows[0])))
        drawn = ElementTree.fromstring(badges[-1])
        kinds = {one.tag.removeprefix("{http://www.w3.org/2000/svg}") for one in drawn.iter()}
        assert kinds == {"svg", "title", "rect", "path", "g", "text"}
        title, *_, message = (one.text or "" for one in drawn.iter() if one.text)
        assert title == drawn.get("aria-label")
        assert f"llpbench: {payload} by {payload}, rank 1" in title
        assert message.endswith(f"of 4, {payload} (synthetic)")
        assert not [name for one in drawn.iter() for name in one.attrib if name[:2] == "on"]
    path = tmp_path / "badges.html"
    path.write_text(f"<!doctype html><meta charset=utf-8>{''.join(badges)}", encoding="utf-8")
    visitor = Visitor(browser)
    page = visitor.open(path, bypass_csp=True)
    page.add_init_script(WATCH)
    page.reload()
    assert page.evaluate("window.count") == 0
    assert page.locator("svg").count() == len(PAYLOADS)
    assert page.locator("img, script, a, iframe").count() == 0
    visitor.close()


def test_a_spreadsheet_finds_no_formula(browser: Browser, tmp_path: Path) -> None:
    standings = make_standings(4, 6, tables=1)
    table = standings.tables[0]
    first = table.rows[0].model_copy(update={"title": '=HYPERLINK("x")', "team": "@a,b"})
    changed = table.model_copy(update={"rows": [first, *table.rows[1:]]})
    path = tmp_path / "index.html"
    text = render_page(standings.model_copy(update={"tables": [changed]}))
    path.write_text(text, encoding="utf-8")
    visitor = Visitor(browser)
    page = visitor.open(path)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    visitor.close()
    assert ""","'=HYPERLINK(""x"")","'@a,b",entry""" in text
