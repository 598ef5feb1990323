"""Class areas of polygons: from predictions alone, or with a sample of labelled chips."""

from llpbench.estimation.areas import ClassAreas
from llpbench.estimation.estimating import estimate_areas
from llpbench.estimation.fay_herriot import FayHerriot, fay_herriot
from llpbench.estimation.means import Means
from llpbench.estimation.sample import Sample
from llpbench.estimation.sampling import draw_sample
from llpbench.estimation.survey import survey_means

__all__ = [
    "ClassAreas",
    "FayHerriot",
    "Means",
    "Sample",
    "draw_sample",
    "estimate_areas",
    "fay_herriot",
    "survey_means",
]
