"""The documentation builds without a warning, and is whole."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
import types
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest

from llpbench import catalog
from llpbench.methods.registry import method_names

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[1]
INDEX = ROOT / "docs" / "api" / "index.rst"
PUBLIC = (
    "llpbench",
    *(f"llpbench.{room}" for room in ("catalog", "estimation", "maps", "metrics", "plots")),
    *(f"llpbench.{room}" for room in ("scoring", "statistics", "data.batches", "data.building")),
)
LOOKED_AT = (
    *("index", "results", "protocol", "beside-other-tools", "notebooks/first-steps"),
    *("api/index", "api/generated/llpbench.Scores"),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pages."""
    pytest.importorskip("myst_nb")
    folder = tmp_path_factory.mktemp("documentation")
    leftovers = shutil.ignore_patterns("_build", "generated", "jupyter_execute")
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=leftovers)
    for name in ("benchmarks/README.md", "CHANGELOG.md", "leaderboard/site/index.html"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    out = folder / "site"
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q"]
    command += [str(folder / "docs"), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-5000:]
    return out


class References(HTMLParser):
    """Where a page points to, and the places in it that can be pointed to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.places: set[str] = {""}
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        self.places |= {values.get("id") or "", values.get("name") or ""}
        if tag == "a":
            self.links.append(values.get("href") or "")
        elif tag in ("img", "script", "iframe") and values.get("src"):
            self.loaded.append(str(values["src"]))
        elif tag == "link" and values.get("rel") in ("stylesheet", "preload"):
            self.loaded.append(values.get("href") or "")


def test_every_internal_link_leads_somewhere(site: Path) -> None:
    pages = {page.resolve(): References(page) for page in site.rglob("*.html")}
    for page, references in pages.items():
        for link in references.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            assert target.exists(), f"{page.name} links to {link}"
            if target in pages:
                assert unquote(parts.fragment) in pages[target].places, f"{page.name}: {link}"


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    loaded = {urlsplit(source).netloc for page in pages for source in References(page).loaded}
    assert loaded == {""}


def test_formulas_are_typeset_without_scripts(site: Path) -> None:
    page = (site / "methods.html").read_text("utf-8")
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">' in page
    assert not re.search(r"\$|<m[ion][^>]*>\\", page), "a command was not understood"


def test_datasets_methods_and_public_names_have_pages(site: Path) -> None:
    for name in catalog.load().datasets:
        assert (site / "datasets" / "generated" / f"{name}.html").exists()
    reference = (site / "api" / "methods.html").read_text("utf-8")
    assert reference.count("llpbench_baselines.") >= len(method_names())


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_has_a_page(module: str) -> None:
    """By itself or, where a room passes on what is defined elsewhere, under its other name."""
    listed = re.findall(r"^   (llpbench[\w.]+)$", INDEX.read_text("utf-8"), re.MULTILINE)
    assert len(listed) == len(set(listed))
    documented = list(map(_named, listed))
    for name in importlib.import_module(module).__all__:
        public = getattr(importlib.import_module(module), name)
        if name == "__version__" or isinstance(public, types.GenericAlias):
            continue
        here = f"{module}.{name}" in listed or any(public is known for known in documented)
        assert here, f"docs/api/index.rst lacks {module}.{name}"


def _named(name: str) -> object:
    """What is called so: a module, or what a module holds."""
    home, _, last = name.rpartition(".")
    try:
        module = importlib.import_module(home)
    except ModuleNotFoundError:
        return getattr(_named(home), last)
    return getattr(module, last)


def test_files_and_names_in_texts_are_there() -> None:
    """What is written as code and begins like a path of the repository, or like a Python name."""
    pages = [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "howto").glob("*.md")]
    pages += [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md")]
    pages += [ROOT / "leaderboard" / "README.md"]
    checked = 0
    for page in pages:
        text = page.read_text("utf-8")
        for path in re.findall(r"`((?:llpbench|tests|benchmarks|baselines|docs)/[^\s`]+)`", text):
            checked += 1
            assert (ROOT / path).exists(), f"{page.name} names {path}"
        for name in re.findall(r"`(llpbench(?:\.\w+){2,})(?:\(\))?`", text):
            checked += 1
            assert _named(name), f"{page.name} names {name}"
    assert checked > 10


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "leaderboard/README.md"])
def test_relative_links_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if not urlsplit(link).scheme]
    assert links
    for link in links:
        assert ((ROOT / name).parent / link).exists(), f"{name} links to {link}"


def test_references_list_the_numbers_of_arxiv_that_are_cited() -> None:
    number = re.compile(r"arxiv[^\d]{0,20}(\d{4}\.\d{4,5})", re.IGNORECASE)
    references = ROOT / "docs" / "references.md"
    pages = {*(ROOT / "docs").glob("*.md"), *(ROOT / "docs" / "howto").glob("*.md")}
    sources = [path for room in ("llpbench", "baselines") for path in (ROOT / room).rglob("*.py")]
    cited = {
        found
        for path in (*pages - {references}, *sources)
        for found in number.findall(path.read_text("utf-8"))
    }
    assert cited == set(number.findall(references.read_text("utf-8")))
    assert len(cited) > 20


def test_every_method_is_explained(site: Path) -> None:
    text = (site / "methods.html").read_text("utf-8")
    for name in method_names():
        assert f">{name}<" in text, f"docs/methods.md does not mention {name}"


def test_the_board_is_a_page_of_the_documentation(site: Path) -> None:
    """Under a relative address, from pages of any depth: it works from a disk."""
    built = (site / "leaderboard" / "index.html").read_bytes()
    assert built == (ROOT / "leaderboard" / "site" / "index.html").read_bytes()
    for page in (site / "index.html", site / "howto" / "figures.html"):
        links = [link for link in References(page).links if link.endswith("leaderboard/index.html")]
        assert links
        assert all((page.parent / link).exists() for link in links)


def test_pictures_of_notebooks_open_at_full_size(site: Path) -> None:
    page = (site / "notebooks" / "first-steps.html").read_text("utf-8")
    pictures = re.findall(r'<a [^>]*href="([^"]+\.png)"[^>]*><img', page)
    assert len(pictures) >= 3
    assert all((site / "notebooks" / picture).exists() for picture in pictures)


@pytest.mark.full
@pytest.mark.parametrize("width", [1360, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_pass_an_audit(browser: Browser, site: Path, scheme: Any, width: int) -> None:
    """axe-core finds nothing, and nothing is wider than the window."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    size: Any = {"width": width, "height": 900}
    context = browser.new_context(color_scheme=scheme, viewport=size)
    for name in LOOKED_AT:
        page = context.new_page()
        page.goto((site / f"{name}.html").as_uri())
        found = axe.run(page).response["violations"]
        assert not found, [(name, one["id"], one["nodes"][0]["html"]) for one in found]
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    context.close()
