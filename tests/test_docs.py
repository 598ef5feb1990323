"""The documentation builds without a warning, and is whole."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from llpbench import catalog
from llpbench.methods.registry import method_names

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All pages, notebooks not executed: they have tests of their own."""
    pytest.importorskip("myst_nb")
    folder = tmp_path_factory.mktemp("documentation")
    leftovers = shutil.ignore_patterns("_build", "generated", "jupyter_execute")
    shutil.copytree(ROOT / "docs", folder / "docs", ignore=leftovers)
    for name in ("benchmarks/README.md", "CHANGELOG.md"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    out = folder / "site"
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q"]
    command += ["-D", "nb_execution_mode=off", str(folder / "docs"), str(out)]
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
    for name in ("open_dataset", "evaluate", "run_method", "Scores", "Method"):
        assert (site / "api" / "generated" / f"llpbench.{name}.html").exists()


def test_every_method_is_explained(site: Path) -> None:
    text = (site / "methods.html").read_text("utf-8")
    for name in method_names():
        assert f">{name}<" in text, f"docs/methods.md does not mention {name}"
