"""A region of one's own: rasters, division outlines and tables become a dataset."""

from llpbench.building.assignment import Splitting
from llpbench.building.dataset import build_dataset
from llpbench.building.region import Recipe, build_region

__all__ = ["Recipe", "Splitting", "build_dataset", "build_region"]
