"""How the documentation is built: everything from this repository, nothing from the network."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
from functools import partial
from pathlib import Path
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

from llpbench import __version__, catalog
from llpbench.reporting.datasheet import describe_entry

project = "llpbench"
author = "llpbench contributors"
project_copyright = author
version = release = __version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
]
exclude_patterns = ["_build", ".jupyter_cache", "jupyter_execute", "**.ipynb_checkpoints"]
templates_path = ["_templates"]
language = "en-GB"
highlight_language = "text"
nitpicky = False

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "llpbench"
html_static_path = ["_static"]
html_css_files = ["llpbench.css"]
html_theme_options = {
    "header_links_before_dropdown": 7,
    "navbar_align": "left",
    "navbar_center": ["navbar-nav", "board-link"],
    "navigation_depth": 1,
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": False,
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"*": [], "notebooks/*": []}

autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # outputs are committed: `make notebooks`
nb_merge_streams = True
nb_render_markdown_format = "myst"  # with tables

_HERE = Path(__file__).parent


def _write_dataset_cards() -> None:
    """Write a page for each dataset of the catalog."""
    folder = _HERE / "datasets" / "generated"
    folder.mkdir(exist_ok=True)
    for name, entry in catalog.load().datasets.items():
        (folder / f"{name}.md").write_text(describe_entry(entry), encoding="utf-8")


def _write_method_list() -> None:
    """Write the page of the methods and post-processors that are installed."""
    lines = ["Methods that ship here", "======================", ""]
    for group, title in (("baselines", "Methods"), ("post", "Post-processors")):
        points = importlib.metadata.entry_points(group=f"llpbench.{group}")
        names = sorted(point.value.replace(":", ".") for point in points)
        if names:
            lines += [
                title,
                "-" * len(title),
                "",
                ".. autosummary::",
                "   :toctree: generated/",
                "   :nosignatures:",
                "",
            ]
            lines += [*(f"   ~{name}" for name in names), ""]
    (_HERE / "api" / "methods.rst").write_text("\n".join(lines), encoding="utf-8")


def _write_formula(page: Any, node: nodes.Node, display: str) -> None:
    """Write a formula as MathML, which browsers show without a script from elsewhere."""
    written = convert(node.astext(), display=display)
    for bar in ("&#x0007C;", "&#x02016;"):  # |, ‖: as high as text, and close to what is inside
        still = f'<mo stretchy="false" lspace="0" rspace="0">{bar}</mo>'
        written = written.replace(f"<mo>{bar}</mo>", still)
    page.body.append(written)
    raise nodes.SkipNode


def _link_to_full_size(_: Sphinx, page: nodes.document) -> None:
    """Mark pictures as scaled, which Sphinx links to their files; the style keeps their size."""
    for image in page.findall(nodes.image):
        image["width"] = image.get("width", "100%")


def _blank_corners(_: Sphinx, page: str, template: str, context: dict[str, Any], *__: Any) -> None:
    """Make empty corners of tables plain cells: a heading that says nothing would be read aloud."""
    empty = r"<th(?: [^>]*)?>(?:<p></p>)?</th>"
    context["body"] = re.sub(empty, "<td></td>", context.get("body", ""))


def _add_board(app: Sphinx, failed: Exception | None) -> None:
    """Put the leaderboard, one file without a server, beside the pages."""
    if failed is None:
        place = Path(app.outdir) / "leaderboard" / "index.html"
        place.parent.mkdir(exist_ok=True)
        shutil.copyfile(_HERE.parent / "leaderboard" / "site" / "index.html", place)


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("doctree-read", _link_to_full_size)
    app.connect("html-page-context", _blank_corners)
    app.connect("build-finished", _add_board)
    app.add_html_math_renderer(
        "mathml",
        inline_renderers=(partial(_write_formula, display="inline"), None),
        block_renderers=(partial(_write_formula, display="block"), None),
    )


_write_dataset_cards()
_write_method_list()
