"""A region of one's own: rasters, division outlines and tables become a dataset."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llpbench.data.building.assignment import Splitting
    from llpbench.data.building.recipe import Recipe
    from llpbench.data.building.region import build_dataset, build_region

_HOMES = {
    "Recipe": "recipe",
    "Splitting": "assignment",
    "build_dataset": "region",
    "build_region": "region",
}
"""Imported when first used: the process that reads outlines needs none of them."""

__all__ = ["Recipe", "Splitting", "build_dataset", "build_region"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
