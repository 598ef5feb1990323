"""The page made of the standings: ``leaderboard/site/index.html``, one file without a server."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from llpbench.board.assembling import make_standings
from llpbench.board.badges import write_badges
from llpbench.board.hiding import hide_truth
from llpbench.board.layout import Board
from llpbench.board.markdown import update_readme
from llpbench.board.page_data import page_data
from llpbench.board.standings import Standings
from llpbench.templates import page_templates
from llpbench.writing import replace_text

if TYPE_CHECKING:
    from markupsafe import Markup

STYLES = ("theme", "page", "ranking", "figures", "entry", "definitions", "overview", "print")
SCRIPTS = (
    *("elements", "numbers", "address", "rows", "board", "badges", "definitions", "later"),
    *("overview", "files", "columns", "filters", "view", "ties", "heads", "lines", "csv"),
    *("downloads", "ranking", "labels", "marks", "scatter", "files_plot", "over_time", "maps"),
    *("charts", "examples", "citation", "disclosure", "entry", "compare", "missing", "tabs"),
    *("visits", "main"),
)
"""Modules of ``templates/scripts``, each after those that it imports: one scope on the page."""

_MODULE_SYNTAX = re.compile(r"^(import .*;\n|export )", re.MULTILINE)
"""What binds modules in files to one another; each import is one line."""


def build_site(board: Board, *, without_truth: bool = False) -> list[Path]:
    """Write the page, ``site/index.html``, badges, and the ranking into ``README.md``.

    The paths of the page and, where it has a place for the ranking, of the README are returned. A
    page ``without_truth`` shows nothing from which test labels follow; ``truth/`` and ``results/``
    beside it still hold all.
    """
    standings = make_standings(board)
    if without_truth:
        standings = hide_truth(standings)
    page = board.site / "index.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    replace_text(page, render_page(standings))
    write_badges(board, standings.tables)
    readme = board.folder / "README.md"
    return [page, readme] if update_readme(readme, standings) else [page]


def render_page(standings: Standings) -> str:
    """Make the page: markup, style, scripts and data in one text.

    The same standings give the same text. All that submitters wrote stands in JSON in which
    ``<``, ``>`` and ``&`` are escaped, or in text that the template escapes; besides, a content
    security policy allows no script but the page's own, by digest, and no connection at all.

    Examples
    --------
    >>> page = render_page(Standings(tables=[], scorer="1", llpbench_version="0", protocol=1))
    >>> page.splitlines()[:2]
    ['<!doctype html>', '<html lang="en">']
    """
    environment = page_templates("llpbench.board")
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "ensure_ascii": False}
    style = _join("styles", [f"{name}.css" for name in STYLES])
    early = _join("scripts", ["theme.js"])
    script = _join("scripts", [f"{name}.js" for name in SCRIPTS])
    return environment.get_template("page.html").render(
        standings=standings,
        style=style,
        early=early,
        script=script,
        digests={"style": _digest(style), "scripts": [_digest(early), _digest(script)]},
        **page_data(standings),
    )


def _join(folder: str, names: list[str]) -> Markup:
    """Our own files in one; nothing of anybody else is in them."""
    from markupsafe import Markup

    place = resources.files("llpbench.board") / "templates" / folder
    texts = [(place / name).read_text(encoding="utf-8") for name in names]
    return Markup(_MODULE_SYNTAX.sub("", "\n".join(texts)))  # noqa: S704


def _digest(text: str) -> str:
    """As a content security policy states it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
