"""Cross-validation over divisions: how good a method is where no chip has a label."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from llpbench.crew import gather
from llpbench.data.divisions import Divisions, chip_places
from llpbench.data.folds import apart, fold_divisions
from llpbench.errors import LLPBenchError
from llpbench.predictions.files import read_predictions
from llpbench.predictions.intervals import with_intervals
from llpbench.predictions.table import check_predictions
from llpbench.protocol import ALL, INTERVAL_LEVELS
from llpbench.running.completing import complete_task
from llpbench.running.fold_plan import FoldPlan
from llpbench.running.fold_results import CrossValidation
from llpbench.running.progress import runs_bar
from llpbench.running.sweep_plan import Job
from llpbench.runs.record import Run
from llpbench.scoring import score_divisions
from llpbench.scoring.division_scores import DivisionScores
from llpbench.uncertainty.chip_error import ChipError, estimate_chip_error
from llpbench.uncertainty.error_model import ErrorModel
from llpbench.uncertainty.fitting import fit_error_model
from llpbench.writing import locked

if TYPE_CHECKING:
    import xarray as xr

log = logging.getLogger(__name__)


def crossvalidate(
    method: str,
    dataset: str | os.PathLike[str] | xr.Dataset,
    *,
    folds: int = 5,
    splits: str = ALL,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    out: Path | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    progress: bool = False,
) -> CrossValidation:
    """Predict each fold of divisions by a method fitted to others, and score its means.

    Folds are of whole divisions that lie together. Each is predicted by a method that is trained on
    all others but one, by which it chooses; no label is looked at, as what is scored are means over
    divisions against their known shares.

    Called again with the same folder, it reads the folds that are done and goes on with the others.

    Parameters
    ----------
    method : str
        Name of an installed method, with its post-processors.
    dataset : str, path or Dataset
        What :func:`llpbench.open_dataset` opens, or has opened, see :func:`llpbench.run_method`.
    folds : int
        How many, at least 3.
    splits : {"all", "train+val"}
        What is cut in folds; ``train+val`` keeps the test split for a benchmark.
    seed : int
        The method's ``random_state``.
    settings : mapping, optional
        Further keywords of the method's constructor.
    out : Path, optional
        Receives the runs of the folds, predictions, tables, pictures and a map; by default a folder
        below ``runs/`` that is named after all of the above.
    workers : int
        Processes that folds are shared out to.
    scheduler : str, optional
        Address of a dask scheduler whose workers are used instead, see
        :func:`llpbench.crew.gather`.
    progress : bool
        Whether to show progress bars.

    Returns
    -------
    CrossValidation
        Written to its folder.

    Raises
    ------
    LLPBenchError
        If a name is unknown, there are too few divisions, the method sees the shares of what it
        predicts, the folder holds other folds, or training fails.
    BusyError
        If another process is at work in that folder.
    KeyboardInterrupt
        If the training of a network was interrupted; a checkpoint of it stays.
    """
    opened = None if isinstance(dataset, str | os.PathLike) else dataset
    name = os.fspath(dataset) if opened is None else opened.llp.info.name
    plan = FoldPlan(Job(method, name, dict(settings or {}), seed), folds, splits, opened)
    plan.check()
    folder = out or Path("runs") / plan.title
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder, wait=False), gather(workers, scheduler) as crew:
        work = partial(_predict, plan, folder.absolute(), progress and crew.is_here)
        runs = crew.share_out(work, range(folds))
        bar = runs_bar(runs, "folds", total=folds, shown=progress)
        done = _put_together(plan, folder, bar)
        done.write()
    return done


def _predict(plan: FoldPlan, folder: Path, progress: bool, number: int) -> Run:
    out = folder / "folds" / f"fold{number + 1}"
    return complete_task(plan.task(number), "test", score="divisions", out=out, progress=progress)


def _put_together(plan: FoldPlan, folder: Path, runs: Iterable[Run]) -> CrossValidation:
    """Make one set of predictions of those of all folds, and score it."""
    import xarray as xr

    region = plan.region()
    chips, fold = apart(region, plan.folds), fold_divisions(region, plan.folds)
    parts = []
    for run in runs:
        if run.record.interrupted:
            raise KeyboardInterrupt
        parts.append(read_predictions(run.predictions_of("test"), chips))
    joined = xr.concat(parts, "chip", join="exact", combine_attrs="override")
    predictions = check_predictions(joined.assign_attrs(split=plan.splits), chips)
    scores = replace(score_divisions(predictions, chips), split=plan.splits)
    predictions, model, chip_error = _learn_errors(predictions, chips, scores)
    return CrossValidation(
        plan=plan,
        folder=folder,
        region=chips,
        folds=fold[fold >= 0] + 1,
        predictions=predictions,
        scores=scores,
        left_out=region.sizes["chip"] - chips.sizes["chip"],
        model=model,
        chip_error=chip_error,
    )


def _learn_errors(
    predictions: xr.Dataset, chips: xr.Dataset, scores: DivisionScores
) -> tuple[xr.Dataset, ErrorModel | None, ChipError | None]:
    """Learn from the divisions that are scored how far chips are off, and add intervals."""
    shares = predictions["proportions"].to_numpy().astype(np.float64)
    rows = chips.indexes["division"].get_indexer(pd.Index(scores.divisions))
    try:
        model = fit_error_model(shares, chip_places(chips), Divisions.of(chips)[rows])
    except LLPBenchError as error:
        log.warning("the error of chips is not estimated: %s", error)
        return predictions, None, None
    if "low" not in predictions:
        low, high = model.intervals(shares, INTERVAL_LEVELS)
        predictions = with_intervals(predictions, INTERVAL_LEVELS, low, high)
    return predictions, model, estimate_chip_error(model, shares, scores.categories)
