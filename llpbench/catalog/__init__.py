"""The benchmark as data: its datasets, label classes and groups, and the paper's results."""

from llpbench.catalog.benchmark import Catalog, DatasetEntry, dataset, label_set, load
from llpbench.catalog.label_sets import NO_LABEL, ClassGroup, LabelClass, LabelSet
from llpbench.catalog.reported import ReportedResult, reported_results

__all__ = [
    "NO_LABEL",
    "Catalog",
    "ClassGroup",
    "DatasetEntry",
    "LabelClass",
    "LabelSet",
    "ReportedResult",
    "dataset",
    "label_set",
    "load",
    "reported_results",
]
