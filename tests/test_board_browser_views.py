"""Entries, comparisons and the plot in a real browser."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from browsing import PLACE, Visitor, ranked, value
from made_standings import make_standings

from llpbench.board.site import render_page
from llpbench.board.standings import Row, Standings
from llpbench.statistics import paired_bootstrap, sign_flip_test

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_an_entry_has_its_page(
    visitor: Visitor, site: Path, made: Standings, rows: list[Row]
) -> None:
    table, row = made.tables[0], rows[2]
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
