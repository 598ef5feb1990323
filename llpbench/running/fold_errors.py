"""What a cross-validation tells of other predictions of the same region."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from llpbench.errors import LLPBenchError, examples
from llpbench.predictions.intervals import with_intervals
from llpbench.predictions.part import check_part
from llpbench.protocol import INTERVAL_LEVELS
from llpbench.reading import read_json
from llpbench.running.fold_results import ERROR_MODEL, RECORD
from llpbench.uncertainty.error_model import ErrorModel
from llpbench.uncertainty.files import read_error_model

if TYPE_CHECKING:
    import xarray as xr

log = logging.getLogger(__name__)


def read_fold_errors(folder: Path, predictions: xr.Dataset, ds: xr.Dataset) -> ErrorModel:
    """Read how large errors of a cross-validated method are.

    Parameters
    ----------
    folder : Path
        That :func:`~llpbench.running.crossvalidation.crossvalidate` wrote.
    predictions : Dataset
        Whose errors are asked for; those of another method are warned of.
    ds : Dataset
        What was predicted: the dataset that was cross-validated.

    Raises
    ------
    LLPBenchError
        If the folder holds none, or one of another dataset.
    """
    record = read_record(folder)
    if record["dataset_digest"] != ds.llp.info.digest:
        raise LLPBenchError(
            f"{str(folder)!r} is a cross-validation on {examples([record['dataset']])}, and not of "
            f"{ds.llp.info.name!r} as it is now: its errors say nothing of these predictions; "
            "cross-validate the method on this dataset"
        )
    if not (folder / ERROR_MODEL).exists():
        raise LLPBenchError(
            f"{str(folder)!r} holds no {ERROR_MODEL}: the cross-validation could not tell the "
            "errors of chips, as it said"
        )
    _compare(record["method"], predictions.attrs.get("method"))
    return read_error_model(folder / ERROR_MODEL, predictions.sizes["category"])


def add_fold_intervals(folder: Path, predictions: xr.Dataset, ds: xr.Dataset) -> xr.Dataset:
    """Add intervals to predictions, from a cross-validation of the method that made them.

    Parameters and errors as of :func:`read_fold_errors`; intervals that are there are replaced.
    """
    model = read_fold_errors(folder, predictions, ds)
    predictions, _chips = check_part(predictions, ds.llp.group())  # classes in the dataset's order
    shares = predictions["proportions"].to_numpy().astype(np.float64)
    low, high = model.intervals(shares, INTERVAL_LEVELS)
    bare = predictions.drop_vars(["low", "high", "level"], errors="ignore")
    return with_intervals(bare, INTERVAL_LEVELS, low, high)


def read_record(folder: Path) -> dict[str, Any]:
    """Read ``crossvalidation.json``: at least ``method``, ``dataset`` and ``dataset_digest``."""
    record = read_json(folder / RECORD)
    names = ("method", "dataset", "dataset_digest")
    if not isinstance(record, dict) or not all(isinstance(record.get(n), str) for n in names):
        raise LLPBenchError(
            f"{str(folder / RECORD)!r} is no record of a cross-validation: {examples(names)} must "
            "be there as text"
        )
    return record


def _compare(known: str, found: object) -> None:
    """Say so if another method was cross-validated than the one that predicted."""
    made_by = str(found or "an unknown method").removesuffix("+interval")
    if made_by != known:
        log.warning(
            "%s was cross-validated, but %s predicted: the intervals hold if both err alike",
            examples([known]),
            examples([made_by]),
        )
