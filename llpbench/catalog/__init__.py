"""The benchmark as data: its datasets, label classes and groups, and the paper's results."""

from llpbench.catalog.benchmark import (
    SYNTHETIC_LICENCE,
    Catalog,
    DatasetEntry,
    Publication,
    dataset,
    label_set,
    load,
    parse,
    recoloured,
)
from llpbench.catalog.label_sets import (
    NO_LABEL,
    ClassGroup,
    LabelClass,
    LabelSet,
    check_printable,
)
from llpbench.catalog.record_file import RecordFile
from llpbench.catalog.reported import ReportedResult, reported_results

__all__ = [
    "NO_LABEL",
    "SYNTHETIC_LICENCE",
    "Catalog",
    "ClassGroup",
    "DatasetEntry",
    "LabelClass",
    "LabelSet",
    "Publication",
    "RecordFile",
    "ReportedResult",
    "check_printable",
    "dataset",
    "label_set",
    "load",
    "parse",
    "recoloured",
    "reported_results",
]
