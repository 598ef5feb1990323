"""Fit, predict, score: one run and the folder it leaves."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from llpbench import metrics
from llpbench._version import __version__
from llpbench.data.dataset import open_dataset
from llpbench.data.labels import scored_labels
from llpbench.errors import LLPBenchError, MethodError
from llpbench.methods.footprint import measure_footprint
from llpbench.methods.journal import CHECKPOINT, Journal
from llpbench.methods.method import IterativeMethod, Method
from llpbench.methods.registry import make_method
from llpbench.plots import widest_category, write_plots
from llpbench.predictions.files import write_predictions
from llpbench.protocol import SPLITS, VERSION, prediction_inputs
from llpbench.running.interrupts import stop_on_interrupt
from llpbench.running.tracking import Tracker, open_tracker
from llpbench.runs.folder import can_resume, choose_folder, working_folder
from llpbench.runs.record import FORMAT, RECORD, Run, RunRecord, read_run
from llpbench.scoring import evaluate
from llpbench.scoring.scores import Scores

if TYPE_CHECKING:
    import xarray as xr


def run_method(
    name: str,
    dataset: str | os.PathLike[str],
    *,
    split: str = "test",
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
    apply_to: str | os.PathLike[str] | None = None,
    out: Path | None = None,
    resume: bool = False,
    deterministic: bool = False,
    track: str | None = None,
    track_tag: str | None = None,
    progress: bool = False,
) -> Run:
    """Train a method on a dataset, predict one split, score it, and keep all of it.

    The method is fitted to the train split and may choose on the val split, both behind the
    label firewall of its supervision; it predicts from what its track may see. An interrupt
    (Ctrl-C) while a network is trained ends the training; the best weights so far are then
    evaluated on every split, and a checkpoint stays in the folder.

    Parameters
    ----------
    name : str
        Of an installed method.
    dataset : str or path
        What :func:`llpbench.open_dataset` opens.
    split : {"test", "val", "train"}
        What is predicted and scored.
    seed : int
        The method's ``random_state``.
    parameters : mapping, optional
        Further parameters of the method.
    apply_to : str or path, optional
        Another dataset, of which the split is predicted instead: the cross-region track.
    out : Path, optional
        The run folder; must be new or empty. By default one below ``runs/`` in the working
        folder, named after method, dataset and seed.
    resume : bool
        Whether to go on with the interrupted run in that folder, or with the last one of that
        name.
    deterministic : bool
        Whether the same seed must give the same bits on one machine.
    track : {"wandb"}, optional
        A service that receives the figures of every epoch, the scores and the pictures.
    track_tag : str, optional
        A word to find the run by, there.
    progress : bool
        Whether to show progress bars.

    Returns
    -------
    Run
        Without scores where no chip of the split has a label.

    Raises
    ------
    LLPBenchError
        If a name is unknown, the folder is taken, or training fails.
    """
    method = make_method(name, random_state=seed, **(parameters or {}))
    if deterministic and "deterministic" in method.get_params():
        method.set_params(deterministic=True)
    region = open_dataset(dataset).llp.group()
    other = region if apply_to is None else open_dataset(apply_to).llp.group()
    task = _Task(name, method, region, other, seed)
    task.check()
    folder = choose_folder(out, task.title, resume=resume)
    with (
        working_folder(folder, resume=resume) as beside,
        open_tracker(track, beside, task.identity, tag=track_tag) as tracker,
    ):
        record, scores = _run(task, split, beside, tracker, progress)
    return Run(folder, record, scores)


def complete_run(name: str, dataset: str | os.PathLike[str], *, out: Path, **options: Any) -> Run:
    """Make sure that a run is done: read it, go on with it or begin it.

    Parameters
    ----------
    name, dataset, out
        As for :func:`run_method`.
    **options
        Its other parameters, but for ``resume``.

    Returns
    -------
    Run
    """
    if (out / RECORD).exists() and not can_resume(out):
        return read_run(out)
    return run_method(name, dataset, out=out, resume=can_resume(out), **options)


@dataclass(frozen=True)
class _Task:
    """A method, what it is trained on, and what it predicts."""

    name: str
    method: Method
    region: xr.Dataset
    other: xr.Dataset
    seed: int

    @property
    def track(self) -> str:
        return self.method.track if self.other is self.region else "cross-region"

    @property
    def title(self) -> str:
        onto = "" if self.other is self.region else f"-on-{self.other.llp.info.name}"
        return f"{self.name}-{self.region.llp.info.name}{onto}-seed{self.seed}"

    @property
    def identity(self) -> dict[str, Any]:
        """What must be the same when it is resumed."""
        digest = self.region.llp.info.digest
        return {"method": self.name, **self.method.get_params(), "dataset digest": digest}

    def check(self) -> None:
        """Refuse to carry a method over to where it cannot go."""
        here, there = (
            list(ds["category_name"].to_numpy().astype(str)) for ds in (self.region, self.other)
        )
        if here != there:
            raise MethodError(
                f"a method trained on the categories {here} cannot predict {there}: "
                "apply it to a dataset with the same label set"
            )
        if self.track == "cross-region" and self.method.track != "inductive":
            raise MethodError(
                f"{self.name} is of the track {self.method.track!r}; only inductive methods can "
                "be applied to another dataset"
            )


def _run(
    task: _Task, split: str, folder: Path, tracker: Tracker, progress: bool
) -> tuple[RunRecord, Scores | None]:
    """Do all of it in a folder; the record is written last."""
    method = task.method
    wall, cpu = time.perf_counter(), time.process_time()
    train, interrupted = _fit(task, folder, tracker, progress)
    fitted = time.perf_counter()
    predictions = _predict(task, split)
    predicted, cpu = time.perf_counter(), time.process_time() - cpu
    part = task.other.llp.split(split)
    inputs = prediction_inputs(part, task.track)
    method.save(folder / "weights")
    scores = _score(task, predictions, split, folder)
    if scores is not None:
        write_plots(scores, folder / "plots", categories=[widest_category(scores)])
    if interrupted:
        for further in _other_splits(task.other, split):
            _score(task, _predict(task, further), further, folder)
    else:
        (folder / CHECKPOINT).unlink(missing_ok=True)
    record = RunRecord(
        format=FORMAT,
        protocol=VERSION,
        llpbench_version=__version__,
        python_version=platform.python_version(),
        method=task.name,
        supervision=method.supervision,
        track=task.track,
        parameters=method.get_params(),
        is_reference=method.is_reference,
        dataset=task.other.llp.info.name,
        dataset_digest=task.other.llp.info.digest,
        trained_on=task.region.llp.info.name,
        trained_on_digest=task.region.llp.info.digest,
        split=split,
        synthetic=task.region.llp.info.synthetic or task.other.llp.info.synthetic,
        seed=task.seed,
        interrupted=interrupted,
        fit_seconds=round(fitted - wall, 3),
        predict_seconds=round(predicted - fitted, 3),
        cpu_seconds=round(cpu, 3),
        footprint=measure_footprint(method, train, inputs),
        probabilities=_score_probabilities(method, inputs, part) if scores else {},
    )
    (folder / RECORD).write_text(json.dumps(asdict(record), indent=1), encoding="utf-8")
    if scores is not None:
        tracker.finish(folder, scores)
    return record, scores


def _fit(task: _Task, folder: Path, tracker: Tracker, progress: bool) -> tuple[xr.Dataset, bool]:
    """Train; what was trained on, and whether somebody interrupted it."""
    from tqdm import tqdm

    method = task.method
    train, val = (
        task.region.llp.split(part).llp.restrict(method.supervision) for part in ("train", "val")
    )
    bar = tqdm if progress else None
    try:
        if not isinstance(method, IterativeMethod):
            method.fit(train, val, progress=bar)
            return train, False
        with stop_on_interrupt() as stop:
            journal = Journal(folder, task.identity, stop=stop, on_epoch=tracker.log)
            method.fit(train, val, progress=bar, journal=journal)
    except (TypeError, ValueError) as error:
        if isinstance(error, LLPBenchError):
            raise
        raise MethodError(
            f"{task.name} cannot be trained with {method.get_params()}: {error}"
        ) from error
    return train, journal.interrupted


def _predict(task: _Task, split: str) -> xr.Dataset:
    inputs = prediction_inputs(task.other.llp.split(split), task.track)
    return task.method.predict(inputs).assign_attrs(
        dataset=task.other.llp.info.name,
        digest=task.other.llp.info.digest,
        split=split,
        method=task.name,
        seed=task.seed,
        track=task.track,
        trained_on=task.region.llp.info.name,
    )


def _score(task: _Task, predictions: xr.Dataset, split: str, folder: Path) -> Scores | None:
    """Score predictions, if there is any label, and write both."""
    ending = "zarr" if "segmentation" in predictions else "parquet"
    write_predictions(predictions, folder / f"predictions-{split}.{ending}")
    if task.other.llp.split(split)["chip_proportions"].isnull().all():
        return None
    scores = evaluate(predictions, task.other, split)
    text = scores.to_json()
    for name in [f"scores-{split}.json", *(["scores.json"] if split == "test" else [])]:
        (folder / name).write_text(text, encoding="utf-8")
    return scores


def _other_splits(ds: xr.Dataset, split: str) -> list[str]:
    present = set(ds["split"].to_numpy())
    return [name for name in SPLITS if name in present and name != split]


def _score_probabilities(method: Method, inputs: xr.Dataset, part: xr.Dataset) -> dict[str, float]:
    """Brier score and calibration error of pixel probabilities, a batch at a time."""
    if type(method).predict_proba is Method.predict_proba:
        return {}
    labels = scored_labels(part)
    brier, tables, start = [], [], 0
    for chips, probabilities in method.predict_proba(inputs):
        truth = labels.isel(chip=slice(start, start + len(chips))).to_numpy()
        brier.append(metrics.brier(truth, probabilities, per="chip"))
        tables.append(metrics.reliability_table(truth, probabilities))
        start += len(chips)
    return {
        "brier": float(np.nanmean(np.concatenate(brier))),
        "expected_calibration_error": metrics.calibration_error_of(np.sum(tables, axis=0)),
    }
