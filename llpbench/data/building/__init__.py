"""A region of one's own: rasters, division outlines and tables become a dataset."""

from llpbench.data.building.assignment import Splitting
from llpbench.data.building.recipe import Recipe
from llpbench.data.building.region import build_dataset, build_region

__all__ = ["Recipe", "Splitting", "build_dataset", "build_region"]
