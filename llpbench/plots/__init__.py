"""Pictures of datasets and scores; every function returns a matplotlib figure."""

from llpbench.plots.chips import draw_chip
from llpbench.plots.classes import draw_classes
from llpbench.plots.coarseness import draw_coarseness
from llpbench.plots.confusion import draw_confusion
from llpbench.plots.extremes import draw_extremes
from llpbench.plots.maps import draw_class_map, draw_error_map, widest_category
from llpbench.plots.reliability import draw_reliability
from llpbench.plots.writing import write_plots

__all__ = [
    "draw_chip",
    "draw_class_map",
    "draw_classes",
    "draw_coarseness",
    "draw_confusion",
    "draw_error_map",
    "draw_extremes",
    "draw_reliability",
    "widest_category",
    "write_plots",
]
