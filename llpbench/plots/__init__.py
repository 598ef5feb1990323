"""Pictures of datasets and scores; every function returns a matplotlib figure."""

from llpbench.data.chip_picture import draw_chip
from llpbench.plots.area import draw_area, draw_splits
from llpbench.plots.chip_errors import draw_chip_errors
from llpbench.plots.classes import draw_classes
from llpbench.plots.coarseness import draw_coarseness
from llpbench.plots.confusion import draw_confusion
from llpbench.plots.distributions import draw_distributions
from llpbench.plots.division_shares import draw_division_shares
from llpbench.plots.extremes import draw_extremes
from llpbench.plots.folds import draw_folds
from llpbench.plots.landscape import draw_landscape
from llpbench.plots.maps import draw_class_map, draw_error_map, widest_category
from llpbench.plots.reliability import draw_reliability
from llpbench.plots.results import draw_results
from llpbench.plots.samples import draw_samples
from llpbench.plots.writing import file_name, write_division_plots, write_figure, write_plots

__all__ = [
    "draw_area",
    "draw_chip",
    "draw_chip_errors",
    "draw_class_map",
    "draw_classes",
    "draw_coarseness",
    "draw_confusion",
    "draw_distributions",
    "draw_division_shares",
    "draw_error_map",
    "draw_extremes",
    "draw_folds",
    "draw_landscape",
    "draw_reliability",
    "draw_results",
    "draw_samples",
    "draw_splits",
    "file_name",
    "widest_category",
    "write_division_plots",
    "write_figure",
    "write_plots",
]
