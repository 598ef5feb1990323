"""The page as text, and the ranking as Markdown: complete, the same each time, of one piece."""

from __future__ import annotations

import base64
import colorsys
import hashlib
import json
import re
import shutil
from collections import Counter
from html.parser import HTMLParser
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from boards import make_board, write_entry
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from made_standings import make_standings

import llpbench
from llpbench.board.layout import Board
from llpbench.board.markdown import BEGIN, END, escape_markdown, ranking_markdown, update_readme
from llpbench.board.site import SCRIPTS, STYLES, render_page
from llpbench.board.standings import Standings
from llpbench.board.truth import read_truth
from llpbench.board.upkeep import score_board
from llpbench.cli import cli


class Parts(HTMLParser):
    """Elements of a page, and the text of its scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.is_inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.is_inside = tag in ("script", "style")
        if self.is_inside:
            self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.is_inside = False

    def handle_data(self, data: str) -> None:
        if self.is_inside:
            self.texts[-1] += data

    def text_of(self, **wanted: str) -> str:
        """Text of the one script or style with these attributes."""
        both = [one for one in self.tags if one[0] in ("script", "style")]
        (found,) = (n for n, (_tag, has) in enumerate(both) if wanted.items() <= has.items())
        return self.texts[found]


@pytest.fixture(scope="module")
def standings() -> Standings:
    return make_standings()


@pytest.fixture(scope="module")
def page(standings: Standings) -> str:
    return render_page(standings)


def test_the_page_is_the_same_each_time(standings: Standings, page: str) -> None:
    assert render_page(standings) == page


def test_the_page_asks_for_nothing_elsewhere(page: str) -> None:
    for tag, attributes in Parts(page).tags:
        assert tag not in ("iframe", "object", "embed", "form", "base", "img")
        for name in ("src", "srcset", "action", "href"):
            allowed = ("#", "https://") if tag == "a" else ("#", "data:")  # one may go elsewhere
            assert (attributes.get(name) or "#").startswith(allowed), (tag, attributes)
    style = Parts(page).texts[0]
    assert "url(" not in style
    assert "@import" not in style
    assert "fetch(" not in page


def test_only_its_own_scripts_may_run(page: str) -> None:
    """The policy's digests are those of the text between the tags."""
    parts = Parts(page)
    policy = next(
        str(attributes["content"])
        for tag, attributes in parts.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    early = next(text for text in parts.texts if "llpbench-theme" in text)
    for text in (parts.texts[0], early, parts.text_of(type="module")):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_all_data_are_in_the_page(standings: Standings, page: str) -> None:
    parts = Parts(page)
    board = json.loads(parts.text_of(id="board"))
    for number, table in enumerate(standings.tables):
        details = json.loads(parts.text_of(id=f"details-{number}"))
        shown = board["tables"][number]
        assert [row["id"] for row in shown["rows"]] == [row.id for row in table.rows]
        for row, line in zip(table.rows, shown["rows"], strict=True):
            for name, score in row.metrics.items():
                assert line["metrics"][name] == score.model_dump(exclude={"per_class"})
            more = details["rows"][row.id]
            assert more["errors"] == row.errors
            assert more["metrics"]["mae" if row.entry else "mae_hard"]["per_class"] == (
                row.metrics["mae"].per_class if row.entry else {}
            )
            assert more["entry"] == (row.entry and row.entry.model_dump(exclude={"datasets"}))
        pairs = [(one["first"], one["second"]) for one in details["comparisons"]]
        assert pairs == [(one.first, one.second) for one in table.comparisons]
    (dataset,) = {table.dataset for table in standings.tables}
    place = json.loads(parts.text_of(**{"data-dataset": dataset}))
    assert len(place["divisions"]) == 60


def test_every_template_is_used_and_holds_no_end_of_a_script() -> None:
    folder = resources.files("llpbench.board") / "templates"
    names = {path.name for path in (folder / "scripts").iterdir()}
    assert names == {f"{name}.js" for name in (*SCRIPTS, "theme")}
    assert {path.name for path in (folder / "styles").iterdir()} == {f"{n}.css" for n in STYLES}
    for kind in ("scripts", "styles"):
        for path in (folder / kind).iterdir():
            text = path.read_text(encoding="utf-8")
            assert "</" not in text, path.name
            assert len(text.splitlines()) < 300, path.name
            assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval", text)


def test_steps_of_maps_are_told_apart_by_lightness_alone() -> None:
    """So that neither a deficiency of colour vision nor a grey print hides their order."""
    theme = resources.files("llpbench.board") / "templates" / "styles" / "theme.css"
    steps = re.findall(
        r"--seq\d: light-dark\(#(\w{6}), #(\w{6})\)", theme.read_text(encoding="utf-8")
    )
    assert len(steps) == 7
    for colours, sign in zip(zip(*steps, strict=True), (-1, 1), strict=True):
        luma = [colorsys.rgb_to_yiq(*(byte / 255 for byte in bytes.fromhex(c)))[0] for c in colours]
        assert min(sign * (b - a) for a, b in pairwise(luma)) > 0.04


@pytest.fixture(scope="module")
def board(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Board:
    ds: xr.Dataset = llpbench.open_dataset(store)
    board = make_board(tmp_path_factory.mktemp("board"), ds)
    truth = read_truth(board.truth(ds.attrs["name"]))
    write_entry(board.entry("tartu__good"), truth, changes={"title": "Good | <b>ridge</b>"})
    return board


def test_the_command_writes_page_and_ranking(board: Board) -> None:
    readme = board.folder / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    arguments = ["leaderboard", "build", "--board", str(board.folder)]
    refused = CliRunner().invoke(cli, arguments)
    assert refused.exit_code == 1
    assert not board.site.exists()  # nothing half-made of an entry without scores
    list(score_board(board))
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert str(board.site / "index.html") in done.output
    text = readme.read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text
    assert r"| 1 | Good \| &lt;b&gt;ridge&lt;/b&gt; | tartu |" in text
    assert "Good | \\u003cb\\u003eridge" in (board.site / "index.html").read_text(encoding="utf-8")
    assert sorted(path.name for path in board.site.iterdir()) == ["badges", "index.html"]
    badge = (board.site / "badges" / "tartu__good.svg").read_text(encoding="utf-8")
    assert ">rank 1 of 1, grid</text>" in badge
    assert "by MAE 0." in badge
    shutil.rmtree(board.entry("tartu__good"))
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    assert sorted(path.name for path in board.site.iterdir()) == ["index.html"]


def test_a_readme_without_marks_stays_as_it_is(standings: Standings, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    assert not update_readme(readme, standings)
    for text in ("nothing\n", f"{END} turned {BEGIN}\n", f"{BEGIN} without an end\n"):
        readme.write_text(text, encoding="utf-8")
        assert not update_readme(readme, standings)
        assert readme.read_text(encoding="utf-8") == text


def test_markdown_has_the_rows_of_each_table(standings: Standings) -> None:
    text = ranking_markdown(standings)
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    rows = [row for table in standings.tables for row in table.rows]
    assert len(lines) == len(rows) + 2  # and two heads
    best = rows[0]
    assert lines[1].startswith(f"| 1 (1 to 2) | {best.title} | {best.team} |")
    assert "| reference | Train mean |" in text
    assert "| bound | Chip supervised |" in text


def parse_markdown(text: str) -> Any:
    """By another implementation, which keras brings along."""
    markdown_it = pytest.importorskip("markdown_it", reason="pip install markdown-it-py")
    return markdown_it.MarkdownIt("gfm-like", {"linkify": False}).parse(text)


PRINTABLE = st.characters(exclude_categories=["C", "Z"], include_characters=" \n")


@given(st.text(PRINTABLE, max_size=60))
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    """No element, no image, no link comes of it."""
    tokens = parse_markdown(f"x {escape_markdown(text)} x")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    shown = "".join(child.content for child in tokens[1].children or [])
    assert {child.type for child in tokens[1].children or []} <= {"text", "text_special"}
    assert shown.split() == ["x", *text.split(), "x"]


@pytest.mark.parametrize("text", ["1. a", "12) a", "- a", "+ a", "= a", "$a_1$", "www.a.org"])
def test_what_opens_a_list_or_means_more_on_github_is_shown_as_it_is(text: str) -> None:
    """A finding begins with what submitters wrote; formulas and addresses by GitHub's own rules."""
    kinds = [token.type for token in parse_markdown(escape_markdown(text))]
    assert kinds == ["paragraph_open", "inline", "paragraph_close"]
    escaped = escape_markdown(text).replace(r"\$", "").replace(r"www\.", "")
    assert "$" not in escaped
    assert "www." not in escaped


def test_cells_stay_in_their_columns(standings: Standings) -> None:
    table = standings.tables[0]
    first = table.rows[0].model_copy(update={"title": "a | b\n| c", "team": "|||"})
    rows = [first, *table.rows[1:]]
    changed = table.model_copy(update={"rows": rows})
    text = ranking_markdown(standings.model_copy(update={"tables": [changed]}))
    kinds = Counter(token.type for token in parse_markdown(text))
    assert kinds["td_open"] == kinds["th_open"] * len(rows) == 9 * len(rows)


def test_markdown_says_the_finding_and_leaves_out_empty_columns(standings: Standings) -> None:
    table = standings.tables[0]
    plain = [
        row.model_copy(update={"metrics": {"mae": row.metrics["mae"]}}) for row in table.rows[:2]
    ]
    plain[1] = plain[1].model_copy(update={"designed_here": True})
    changed = table.model_copy(update={"rows": plain, "finding": "A [finding](x) | of <b>it</b>."})
    text = ranking_markdown(standings.model_copy(update={"tables": [changed]}))
    assert "\n\nA \\[finding\\](x) \\| of &lt;b&gt;it&lt;/b&gt;.\n\n| rank | method |" in text
    assert "F1" not in text
    assert "hard" not in text
    assert f"| {plain[0].title} | " in text
    assert f"| {plain[1].title} \\* | " in text
    assert "\n\n\\* designed or tuned on labels of these data" in text
