"""Points about documents: what newcomers, contributors and reviewers read."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator

from points import ROOT, beyond_code, point, tests_fail, text

import llpbench


@point("pyOpenSci", "README: what problem the package solves, and for whom")
@point("JOSS", "a statement of need")
def states_the_need() -> Iterator[str]:
    """Before the first command of README, and as a section of the paper."""
    beginning = text("README.md").split("```")[0]
    if len(beginning.split()) < 40:
        yield "README begins without saying what for"
    need = text("paper/paper.md").partition("# Statement of need")[2].partition("\n# ")[0]
    if len(need.split()) < 80:
        yield "paper/paper.md has no statement of need"


@point("pyOpenSci", "README: installation, with the extras that there are")
@point("JOSS", "installation instructions")
def says_how_to_install() -> Iterator[str]:
    """Each extra that README names is one of setup.cfg."""
    named = re.findall(r"pip install '\.\[(\w+)\]'", text("README.md"))
    if not named:
        yield "README does not install the package"
    extras = text("setup.cfg").partition("[options.extras_require]")[2]
    for extra in named:
        if f"\n{extra} =" not in extras:
            yield f"README installs [{extra}], which setup.cfg has not"


@point("pyOpenSci", "README: name, short description, links to documentation, how to cite")
def readme_is_whole() -> Iterator[str]:
    """What the template asks for, from top to bottom."""
    readme = text("README.md")
    if not readme.startswith("# llpbench\n"):
        yield "README does not begin with the name"
    for needed in ("docs/protocol.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE"):
        if f"({needed}" not in readme:
            yield f"README does not link to {needed}"
    for link in re.findall(r"\]\((?!https?:)([^)#\s]+)", readme):
        if not (ROOT / link).exists():
            yield f"README links to {link}, which is not there"


@point("pyOpenSci", "vignettes that run: every notebook is executed and has no error")
@point("JOSS", "example usage")
def notebooks_ran() -> Iterator[str]:
    """By their outputs, which are committed (``make notebooks``)."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code" and cell["source"]]
        if any(cell["execution_count"] is None for cell in code):
            yield f"{path.name} has cells that were not run"
        if any(out["output_type"] == "error" for cell in code for out in cell["outputs"]):
            yield f"{path.name} ends in an error"


@point("pyOpenSci", "documentation of all functions that users call")
@point("JOSS", "functionality documentation")
def functions_are_documented() -> Iterator[str]:
    """Public names have docstrings, those with arguments name them, and the reference lists all."""
    listed = text("docs/api/index.rst")
    for name in llpbench.__all__:
        thing = getattr(llpbench, name)
        if not callable(thing):
            continue
        said = inspect.getdoc(thing) or ""
        if inspect.isfunction(thing) and inspect.signature(thing).parameters:
            if "Parameters\n" not in said:
                yield f"llpbench.{name} does not say what it takes"
        elif not said:
            yield f"llpbench.{name} has no docstring"
        if not re.search(rf"\b{name}\b", listed):
            yield f"llpbench.{name} is not in docs/api/index.rst"


@point("pyOpenSci", "examples for all functions that users call")
def functions_have_examples() -> Iterator[str]:
    """In the docstring, or in a block of code of README or the documentation."""
    pages = [path.read_text("utf-8") for path in (ROOT / "README.md", *ROOT.glob("docs/**/*.md"))]
    code = "".join(block for page in pages for block in page.split("```")[1::2])
    for name in llpbench.__all__:
        thing = getattr(llpbench, name)
        said = (inspect.getdoc(thing) or "") if callable(thing) else "Examples"
        if "Examples" not in said and not re.search(rf"\bllpbench\.{name}\b|\b{name}\(", code):
            yield f"llpbench.{name} has no example"


@point("pyOpenSci", "community guidelines: how to contribute, a code of conduct")
@point("JOSS", "community guidelines: how to contribute, report issues, seek support")
def strangers_know_where_to_turn() -> Iterator[str]:
    """Documents, and templates of issues and pull requests."""
    wanted = {
        "CONTRIBUTING.md": "CODE_OF_CONDUCT.md",
        "CODE_OF_CONDUCT.md": "contributor-covenant.org",
        "SUPPORT.md": "issues/new",
        "SECURITY.md": "security/advisories/new",
        ".github/PULL_REQUEST_TEMPLATE.md": "make test",
        **{
            f".github/ISSUE_TEMPLATE/{kind}.yml": "required: true"
            for kind in ("bug", "dataset", "method", "entry")
        },
    }
    for name, link in wanted.items():
        if link not in text(name):
            yield f"{name} does not name {link}" if text(name) else f"there is no {name}"


@point("pyOpenSci", "a changelog that is kept")
def changelog_is_kept() -> Iterator[str]:
    """What is not released has a section of its own."""
    if "## Unreleased" not in text("CHANGELOG.md"):
        yield "CHANGELOG.md has no section Unreleased"


@point("JOSS", "the paper: its sections, length, references, disclosure; its numbers are measured")
def paper_is_whole() -> Iterator[str]:
    """By the tests of the draft."""
    yield from tests_fail("tests/test_paper.py")


@point("JOSS", "functional claims: numbers in the documents are those of files and commands")
def claims_hold() -> Iterator[str]:
    """By tests that read the documents."""
    yield from tests_fail("tests/test_claims.py", "tests/test_results_page.py")


beyond_code("JOSS", "performance claims are confirmed", "a reviewer measures on another machine")
beyond_code("JOSS", "the quality of writing", "a reader judges it")
beyond_code("pyOpenSci", "the package is easy to use", "a newcomer tries it")
