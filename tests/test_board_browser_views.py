"""Entries, comparisons and the plot in a real browser."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from browsing import PLACE, Visitor, go, ranked, value
from made_standings import make_standings

from llpbench.board.site import render_page
from llpbench.board.standings import Row, Standings


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
    assert "In tie B, not told apart from 1 other." in text
    for name in (
        "Marie Õun",
        "Matches bag proportions",
        row.part and row.part.command,
        "@misc{" + row.id,
    ):
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
    go(page, f"{PLACE}/entry/reported%3Adownconv")
    text = page.locator("main").inner_text()
    assert "Reported elsewhere, not scored here" in text
    assert "arXiv:2306.12461" in text


def test_a_comparison_is_shown_as_it_was_stored(
    visitor: Visitor, site: Path, made: Standings
) -> None:
    """In either order of the two; entries that are ranked also have a corrected p-value."""
    page = visitor.open(site, PLACE)
    stored = made.tables[0].comparisons
    for pair, turned in product((stored[0], stored[-1]), (False, True)):
        ids = [pair.second, pair.first] if turned else [pair.first, pair.second]
        go(page, f"{PLACE}/compare/{ids[0]}/{ids[1]}")
        lines = page.locator(".facts-list.narrow > div").all_inner_texts()
        found = dict(line.replace("\u2212", "-").split("\n") for line in lines)
        sign = -1 if turned else 1
        limits = sorted(sign * limit for limit in (pair.low, pair.high) if limit is not None)
        assert pair.difference is not None
        assert float(found["Difference in MAE"]) == pytest.approx(sign * pair.difference, abs=6e-5)
        assert [float(one) for one in found["95 % interval"].split(" to ")] == pytest.approx(
            limits, abs=6e-5
        )
        for name, p_value in (("", pair.p_value), (", corrected", pair.corrected)):
            if p_value is None:
                assert f"p-value{name}" not in found
            elif p_value < 0.001:
                assert found[f"p-value{name}"] == "below 0.001"
            else:
                assert float(found[f"p-value{name}"]) == pytest.approx(p_value, abs=6e-4)


def test_a_pair_that_was_not_compared_has_the_command(visitor: Visitor, tmp_path: Path) -> None:
    made = make_standings(4, 6, tables=1)
    table = made.tables[0].model_copy(update={"comparisons": []})
    path = tmp_path / "index.html"
    path.write_text(render_page(made.model_copy(update={"tables": [table]})), encoding="utf-8")
    first, second = table.rows[0].id, table.rows[1].id
    page = visitor.open(path, f"{PLACE}/compare/{first}/{second}")
    assert "not compared when the page was made" in page.locator(".verdict").inner_text()
    assert f"llpbench leaderboard compare {first} {second}" in page.locator("main").inner_text()
    assert page.locator("path[class^=div]").count() == len(table.divisions)


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
    best = page.locator(".plot .scatter a.best").evaluate_all(
        "all => all.map((a) => a.href.baseVal)"
    )
    expected = {row.id for row in ranked(rows) if not beaten(row)}
    assert {address.rsplit("/", 1)[-1] for address in best} == expected
    plot = page.locator(".plot .scatter[role]")
    layers = plot.locator("a").evaluate_all("all => all.map((a) => a.getAttribute('class'))")
    assert layers[0] == "bound"  # below all else
    assert set(layers[-len(expected) :]) == {"entry best"}
    page.get_by_label("Cost").select_option("latency_p50_ms")
    axes = plot.locator(".axis").all_text_contents()
    assert axes == ["Latency in Python, ms a chip", "MAE (lower is better)"]
    plot.locator("a[tabindex='0']").focus()
    names = set()
    for _ in range(plot.locator("a").count()):
        names.add(page.locator(".plot .tip b").inner_text())
        page.keyboard.press("ArrowRight")
    assert names == {row.title for row in rows if "latency_p50_ms" in row.footprint}
    page.mouse.move(0, 0)
    plot.locator("a.best").first.hover()
    assert page.locator(".plot .tip").is_visible()
    page.get_by_label("Search").fill(rows[0].title)
    plot.locator("a").nth(1).wait_for(state="detached")
    assert page.locator(".plot .front").count() == 0  # nor in the legend
