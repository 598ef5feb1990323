"""The draft of a paper: its numbers, references and pictures are there, and what is not is said."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from llpbench.methods.registry import method_names

PAPER = Path(__file__).resolve().parents[1] / "paper" / "paper.md"
DOCS = PAPER.parents[1] / "docs"
SECTIONS = (
    *("Summary", "Statement of need", "State of the field", "Software design"),
    *("What was measured", "Research impact statement", "AI usage disclosure"),
    *("Acknowledgements", "References"),
)
"""Those that JOSS asks for ("Example paper and bibliography" of its docs), and measurements."""

if not PAPER.exists():
    pytest.skip("only a checkout has the paper", allow_module_level=True)


@pytest.fixture(scope="module")
def text() -> str:
    return PAPER.read_text("utf-8")


def test_numbers_are_those_of_the_tables(text: str) -> None:
    import paper_page

    assert paper_page.numbers() in text, "python benchmarks/paper_page.py"


def test_what_the_prose_counts_is_so(text: str) -> None:
    assert "more than twenty methods" in " ".join(text.split())
    assert len(method_names()) > 20
    rankings = pd.read_csv(DOCS / "comparison" / "rankings.csv").set_index("dataset")
    assert f"{rankings.loc['semi-esa', 'divisions']} test divisions" in text


def test_the_numbers_are_read_and_not_made_up(text: str) -> None:
    """Each error of the table stands in the comparison's own CSV, in the row of its method."""
    rows = pd.read_csv(DOCS / "comparison" / "methods.csv", dtype=str, keep_default_na=False)
    is_meant = (rows["dataset"] == "semi-esa") & (rows["bags"] == "real")
    rows = rows[is_meant].set_index("method")
    lines = re.findall(r"^\| `([^`]+)` \| [^|]+ \| (\S+) \| (\S+) to (\S+) \|", text, re.MULTILINE)
    assert len(lines) == 8
    for method, *errors in lines:
        assert errors == rows.loc[method, ["mae", "low", "high"]].tolist()


def test_it_has_what_joss_asks(text: str) -> None:
    assert tuple(re.findall(r"^# (.+)$", text, re.MULTILINE)) == SECTIONS
    head, body = text.split("---\n", 2)[1:]
    known = yaml.safe_load(head)
    assert {"title", "tags", "authors", "affiliations", "date", "bibliography"} <= set(known)
    prose = re.sub(r"^\|.*$|<!--.*-->", "", body, flags=re.MULTILINE)
    assert 750 <= len(prose.split()) <= 1750
    assert [author["name"] for author in known["authors"]] == ["llpbench contributors"]
    assert text.count("TO BE FILLED") >= 5, "nobody is made up"


def test_references_and_pictures_are_there(text: str) -> None:
    bibliography = PAPER.with_name("paper.bib").read_text("utf-8")
    known = set(re.findall(r"^@\w+\{(\w+),", bibliography, re.MULTILINE))
    assert set(re.findall(r"@([a-z]\w+\d{4}|llplearn)", text)) == known
    assert bibliography.count("{") == bibliography.count("}")
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert pictures
    assert all((PAPER.parent / picture).is_file() for picture in pictures)
