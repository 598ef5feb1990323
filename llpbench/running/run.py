"""Fit, predict, score: one run and the folder it leaves."""

from __future__ import annotations

import json
import logging
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench._version import __version__
from llpbench.data.appearance import look_at
from llpbench.data.dataset import open_dataset
from llpbench.data.splits import take_part
from llpbench.errors import MethodError
from llpbench.methods import gate
from llpbench.methods.estimate import Estimate
from llpbench.methods.footprint import measure_footprint
from llpbench.methods.journal import CHECKPOINT, Journal
from llpbench.methods.method import Method
from llpbench.methods.registry import make_method
from llpbench.plots import widest_category, write_plots
from llpbench.predictions.files import write_predictions
from llpbench.protocol import ALL, VERSION
from llpbench.running.interrupts import stop_on_interrupt
from llpbench.running.pixel_scores import PixelScores
from llpbench.running.task import Task
from llpbench.running.tracking import Tracker, open_tracker
from llpbench.runs.folder import can_resume, claimed_folder, working_folder
from llpbench.runs.record import APPEARANCE, FORMAT, RECORD, Run, RunRecord, read_run, scores_file
from llpbench.scoring import evaluate
from llpbench.scoring.scores import Scores
from llpbench.writing import recover

log = logging.getLogger(__name__)


def run_method(
    name: str,
    dataset: str | os.PathLike[str],
    *,
    train_on: str = "train",
    split: str | None = None,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    apply_to: str | os.PathLike[str] | None = None,
    out: Path | None = None,
    resume: bool = False,
    deterministic: bool = False,
    tracker: str | None = None,
    tracker_tag: str | None = None,
    progress: bool = False,
) -> Run:
    """Train a method on a dataset, predict one split, score it, and keep all of it.

    The method is fitted to the train split, or to all chips and divisions, and may choose on the
    val split, both behind the label firewall of its supervision; it predicts from what its track
    may see, each chip once.

    An interrupt (Ctrl-C) while a network is trained ends the training. The best weights so far
    are then evaluated on the val split, and a checkpoint stays in the folder to go on from; the
    split that was asked for is predicted when the training has come to its end.

    Parameters
    ----------
    name : str
        Of an installed method.
    dataset : str or path
        What :func:`llpbench.open_dataset` opens.
    train_on : {"train", "all"}
        With all, all chips are predicted, for a map, and nothing is scored: no division is left
        that the method has not seen.
    split : {"test", "val", "train"}, optional
        What is predicted and scored; by default test, or all chips if all are trained on.
    seed : int
        The method's ``random_state``.
    settings : mapping, optional
        Further keywords of the method's constructor.
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
    tracker : {"wandb"}, optional
        A service that receives the figures of every epoch, the scores and the pictures.
    tracker_tag : str, optional
        A word to find the run by, there.
    progress : bool
        Whether to show progress bars.

    Returns
    -------
    Run
        Without scores where no chip of the split has a label, or all are trained on.

    Raises
    ------
    LLPBenchError
        If a name is unknown, a split is empty, the method cannot promise the same bits, the
        folder is taken, or training fails.
    """
    if settings and "random_state" in settings:
        raise MethodError("random_state is the seed; give it as such")
    method = _make(name, {**(settings or {}), "random_state": seed}, deterministic)
    region = open_dataset(dataset).llp.group()
    other = region if apply_to is None else open_dataset(apply_to).llp.group()
    task = Task(name, method, region, other, seed, train_on)
    split = split or (ALL if train_on == ALL else "test")
    task.check(split)
    with (
        claimed_folder(out, task.title, resume=resume) as folder,
        working_folder(folder, resume=resume) as part,
        open_tracker(tracker, part, task.identity, tag=tracker_tag) as service,
    ):
        record, scores = _run(task, split, part, service, progress)
    return Run(folder, record, scores)


def complete_run(name: str, dataset: str | os.PathLike[str], *, out: Path, **options: Any) -> Run:
    """Make sure that a run of :func:`run_method` is done: read it, go on with it or begin it."""
    recover(out)
    if (out / RECORD).exists() and not can_resume(out):
        return read_run(out)
    return run_method(name, dataset, out=out, resume=can_resume(out), **options)


def _make(name: str, settings: Mapping[str, Any], deterministic: bool) -> Method:
    method = make_method(name, **settings)
    if not deterministic or method.is_deterministic:
        return method
    if "deterministic" not in method.settings:
        raise MethodError(
            f"{name} cannot promise the same bits for the same seed; leave --deterministic out"
        )
    return make_method(name, **{**settings, "deterministic": True})


def _run(
    task: Task, split: str, folder: Path, tracker: Tracker, progress: bool
) -> tuple[RunRecord, Scores | None]:
    """Do all of it in a folder; what was trained and scored is whole before any picture."""
    method, begun = task.method, _clock()
    interrupted = _fit(task, folder, tracker, progress)
    fit_seconds, fit_cpu = (_clock() - begun).tolist()
    method.save(folder / "weights")
    if interrupted:  # training may go on, and test is looked at once: at its end
        task, split = replace(task, other=task.region), "val"
    scores, probabilities, (predict_seconds, predict_cpu) = _evaluate(task, split, folder)
    trained, predicted = task.region.llp.info, task.other.llp.info
    seen = take_part(task.region, task.train_on)
    (folder / APPEARANCE).write_text(look_at(seen).model_dump_json(), encoding="utf-8")
    record = RunRecord(
        format=FORMAT,
        protocol=VERSION,
        llpbench_version=__version__,
        python_version=platform.python_version(),
        method=task.name,
        supervision=method.supervision,
        track=task.track,
        settings={key: value for key, value in method.settings.items() if key != "random_state"},
        is_reference=method.is_reference,
        dataset=predicted.name,
        dataset_digest=predicted.digest,
        trained_on=trained.name,
        trained_on_digest=trained.digest,
        split=split,
        synthetic=trained.synthetic or predicted.synthetic,
        seed=task.seed,
        interrupted=interrupted,
        fit_seconds=round(fit_seconds, 3),
        predict_seconds=round(predict_seconds, 3),
        cpu_seconds=round(fit_cpu + predict_cpu, 3),
        footprint=measure_footprint(method, seen),
        probabilities=probabilities,
        train_on=task.train_on,
        recipe=trained.recipe,
    )
    (folder / RECORD).write_text(json.dumps(asdict(record), indent=1), encoding="utf-8")
    if scores is not None:
        _draw(scores, folder / "plots")
        tracker.finish(folder, scores)
    if not interrupted:
        (folder / CHECKPOINT).unlink(missing_ok=True)
    return record, scores


def _draw(scores: Scores, folder: Path) -> None:
    """Draw pictures; a run is whole without them, whatever a name or a number makes of one."""
    try:
        write_plots(scores, folder, categories=[widest_category(scores)])
    except Exception as error:
        log.warning("the pictures could not be drawn (%r); the run is kept without them", error)


def _clock() -> NDArray[np.float64]:
    """Seconds of the wall's clock, and of the processor over all threads of this process."""
    return np.array([time.perf_counter(), time.process_time()])


def _fit(task: Task, folder: Path, tracker: Tracker, progress: bool) -> bool:
    """Train, and say whether somebody interrupted it."""
    from tqdm import tqdm

    train, val = (take_part(task.region, name) for name in (task.train_on, "val"))
    bar = tqdm if progress else None
    if not task.method.is_iterative:
        gate.fit(task.method, train, val, progress=bar)
        return False
    with stop_on_interrupt() as stop:
        journal = Journal(folder, task.identity, stop=stop, on_epoch=tracker.log)
        gate.fit(task.method, train, val, progress=bar, journal=journal)
    return journal.interrupted


def _evaluate(
    task: Task, split: str, folder: Path
) -> tuple[Scores | None, dict[str, float], list[float]]:
    """Predict each chip of a split once, write what is predicted, and score it by its labels.

    Nothing is scored that was trained on.

    Returned are scores, those of pixels' probabilities, and wall and processor time in seconds of
    the prediction alone.
    """
    chips, scoring = take_part(task.other, split), np.zeros(2)
    is_scored = task.train_on != ALL and not chips["chip_proportions"].isnull().all()
    pixels = PixelScores(chips) if is_scored else None

    def score_pixels(batch: Estimate) -> None:
        start = _clock()
        if pixels:
            pixels.add(batch)
        scoring[:] += _clock() - start

    begun = _clock()
    predictions = gate.predict(
        task.method,
        task.other,
        split,
        name=task.name,
        seed=task.seed,
        trained_on=task.region.llp.info.name,
        track=task.track,
        on_batch=score_pixels,
    )
    seconds = (_clock() - begun - scoring).tolist()
    ending = "zarr" if "segmentation" in predictions else "parquet"
    write_predictions(predictions, folder / f"predictions-{split}.{ending}")
    scores = None
    if is_scored:
        scores = evaluate(predictions, task.other, split)
        (folder / scores_file(split)).write_text(scores.to_json(), encoding="utf-8")
    return scores, pixels.summary() if pixels else {}, seconds
