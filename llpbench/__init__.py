"""The benchmark for learning from label proportions on satellite imagery.

In three lines::

    ds = llpbench.open_dataset("demo-esaworldcover", split="test")
    run = llpbench.run_method("bag-ridge", "demo-esaworldcover")
    scores = llpbench.evaluate("predictions.parquet", "demo-esaworldcover")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from llpbench._version import __version__

if TYPE_CHECKING:
    from llpbench.data.building import Recipe, Splitting, build_dataset
    from llpbench.data.cache import import_archive, synthesize
    from llpbench.data.dataset import list_datasets, open_dataset
    from llpbench.data.downloading import download
    from llpbench.maps import write_map
    from llpbench.methods.method import Method
    from llpbench.predictions.files import read_predictions, write_predictions
    from llpbench.predictions.table import make_predictions
    from llpbench.reporting.citing import cite
    from llpbench.reporting.results import results_table
    from llpbench.running.exporting import export_run
    from llpbench.running.predicting import predict_region
    from llpbench.running.predicting_dataset import predict_dataset
    from llpbench.running.run import run_method
    from llpbench.running.run_exported import run_exported
    from llpbench.scoring import evaluate
    from llpbench.scoring.scores import Scores

_HOMES = {
    "Recipe": "llpbench.data.building",
    "Splitting": "llpbench.data.building",
    "build_dataset": "llpbench.data.building",
    "import_archive": "llpbench.data.cache",
    "synthesize": "llpbench.data.cache",
    "download": "llpbench.data.downloading",
    "list_datasets": "llpbench.data.dataset",
    "open_dataset": "llpbench.data.dataset",
    "Method": "llpbench.methods.method",
    "predict_dataset": "llpbench.running.predicting_dataset",
    "predict_region": "llpbench.running.predicting",
    "write_map": "llpbench.maps",
    "cite": "llpbench.reporting.citing",
    "results_table": "llpbench.reporting.results",
    "make_predictions": "llpbench.predictions.table",
    "read_predictions": "llpbench.predictions.files",
    "write_predictions": "llpbench.predictions.files",
    "export_run": "llpbench.running.exporting",
    "run_exported": "llpbench.running.run_exported",
    "run_method": "llpbench.running.run",
    "Scores": "llpbench.scoring.scores",
    "evaluate": "llpbench.scoring",
}
"""Public names and where they are defined; imported when first used (PEP 562)."""

__all__ = [
    "Method",
    "Recipe",
    "Scores",
    "Splitting",
    "__version__",
    "build_dataset",
    "cite",
    "download",
    "evaluate",
    "export_run",
    "import_archive",
    "list_datasets",
    "make_predictions",
    "open_dataset",
    "predict_dataset",
    "predict_region",
    "read_predictions",
    "results_table",
    "run_exported",
    "run_method",
    "synthesize",
    "write_map",
    "write_predictions",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'llpbench' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
