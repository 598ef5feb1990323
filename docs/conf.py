"""How the documentation is built: everything from this repository, nothing from the network."""

from __future__ import annotations

import importlib.metadata
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
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": False,
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"*": []}

autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True

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
                "",
            ]
            lines += [*(f"   {name}" for name in names), ""]
    (_HERE / "api" / "methods.rst").write_text("\n".join(lines), encoding="utf-8")


def _write_formula(page: Any, node: nodes.Node, display: str) -> None:
    """Write a formula as MathML, which browsers show without a script from elsewhere."""
    page.body.append(convert(node.astext(), display=display))
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.add_html_math_renderer(
        "mathml",
        inline_renderers=(partial(_write_formula, display="inline"), None),
        block_renderers=(partial(_write_formula, display="block"), None),
    )


_write_dataset_cards()
_write_method_list()
