"""What a cross-validation tells of other predictions of the same region."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from llpbench.errors import LLPBenchError, examples
from llpbench.methods.pipeline import POST_WEIGHTS, weights_of
from llpbench.predictions.intervals import with_intervals
from llpbench.predictions.part import check_part
from llpbench.protocol import INTERVAL_LEVELS
from llpbench.reading import read_arrays
from llpbench.running.fold_results import ERROR_MODEL
from llpbench.runs.fold_record import read_fold_record
from llpbench.uncertainty.error_model import ErrorModel
from llpbench.uncertainty.files import error_model_of, read_error_model

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
    record = read_fold_record(folder, ds.llp.info)
    if not (folder / ERROR_MODEL).exists():
        raise LLPBenchError(
            f"{str(folder)!r} holds no {ERROR_MODEL}: the cross-validation could not tell the "
            "errors of chips, as it said"
        )
    _compare(record.method, predictions.attrs.get("method"))
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


def read_run_errors(folder: Path, categories: int) -> ErrorModel | None:
    """Read how large errors of a run are whose method learned intervals; else None.

    Parameters
    ----------
    folder : Path
        Of a run, or anything else.
    categories : int
        Number of class groups.
    """
    path = folder / "weights" / POST_WEIGHTS
    if not path.is_file():
        return None
    start = weights_of("interval")
    arrays = read_arrays(path)
    own = {name.removeprefix(start): arrays[name] for name in arrays if name.startswith(start)}
    return error_model_of(own, categories, path) if own else None


def _compare(known: str, found: object) -> None:
    """Say so if another method was cross-validated than the one that predicted."""
    made_by = str(found or "an unknown method").removesuffix("+interval")
    if made_by != known:
        log.warning(
            "%s was cross-validated, but %s predicted: the intervals hold if both err alike",
            examples([known]),
            examples([made_by]),
        )
