"""The publication that the paper's methods are from."""

from llpbench import catalog

_PAPER = catalog.load().paper

PAPER = {"title": _PAPER.title, "url": _PAPER.url}
