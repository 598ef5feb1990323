"""Fit, predict, score: one run and the folder it leaves."""

from __future__ import annotations

import json
import logging
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llpbench._version import __version__
from llpbench.crew import Crew, gather
from llpbench.data.appearance import look_at
from llpbench.data.dataset import open_grouped
from llpbench.data.imagery import RGB_ONLY
from llpbench.data.splits import take_part
from llpbench.environment import package_versions
from llpbench.errors import MethodError
from llpbench.methods import gate
from llpbench.methods.footprint import measure_footprint
from llpbench.methods.journal import CHECKPOINT, Journal
from llpbench.methods.method import Method
from llpbench.methods.registry import make_method
from llpbench.protocol import ALL, VERSION, scores_chips
from llpbench.running.evaluating import Evaluation, clock, evaluate_split, validate
from llpbench.running.hardware import describe_hardware
from llpbench.running.interrupts import stop_on_interrupt
from llpbench.running.progress import summarise, training_bar
from llpbench.running.task import Task
from llpbench.running.tracking import Tracker, open_tracker
from llpbench.runs.folder import claimed_folder, working_folder
from llpbench.runs.record import APPEARANCE, FORMAT, RECORD, Run, RunRecord

if TYPE_CHECKING:
    import xarray as xr

log = logging.getLogger(__name__)


def run_method(
    name: str,
    dataset: str | os.PathLike[str] | xr.Dataset,
    *,
    train_on: str = "train",
    split: str | None = None,
    score: str | None = None,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    apply_to: str | os.PathLike[str] | xr.Dataset | None = None,
    out: Path | None = None,
    resume: bool = False,
    deterministic: bool = False,
    tracker: str | None = None,
    tracker_tag: str | None = None,
    plots: bool = False,
    workers: int = 1,
    scheduler: str | None = None,
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
    dataset : str, path or Dataset
        What :func:`llpbench.open_dataset` opens, or opened; a method's ``inputs`` may be added.
    train_on : {"train", "all"}
        With all, all chips are predicted, for a map, and nothing is scored: no division is left
        that the method has not seen.
    split : {"test", "val", "train"}, optional
        What is predicted and scored; by default test, or all chips if all are trained on.
    score : {"divisions", "chips"}, optional
        Whether the means of divisions alone are scored, or chips by their labels as well; by
        default chips as well, but on val, where what is chosen is chosen by divisions.
    seed : int
        The method's ``random_state``.
    settings : mapping, optional
        Further keywords of the method's constructor.
    apply_to : str, path or Dataset, optional
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
        A service that receives the figures of every epoch, the scores and the pictures, if any.
    tracker_tag : str, optional
        A word to find the run by, there.
    plots : bool
        Whether to draw pictures of the scores; ``llpbench evaluate --plots`` does so later.
    workers : int
        Processes that the work on chips is shared out to, by a method that needs each once.
    scheduler : str, optional
        Address of a dask scheduler whose workers are used instead, see
        :func:`llpbench.crew.gather`.
    progress : bool
        Whether to show progress bars.

    Returns
    -------
    Run
        Without ``scores`` where no chip of the split has a label; without ``divisions`` where no
        shares are known or the method is shown them; without both if all are trained on.

    Raises
    ------
    LLPBenchError
        If a name is unknown, a split is empty, the method cannot promise the same bits or share
        its work out, the folder is taken, or training fails.
    """
    if settings and "random_state" in settings:
        raise MethodError("random_state is the seed; give it as such")
    method = _make(name, {**(settings or {}), "random_state": seed}, deterministic)
    if not method.is_one_pass and (workers > 1 or scheduler is not None):
        raise MethodError(
            f"{name} is trained in one process, and only methods that need each chip once share "
            "work out; leave --workers and --scheduler out, or take one such as bag-ridge"
        )
    region = open_grouped(dataset)
    other = region if apply_to is None else open_grouped(apply_to)
    task = Task(name, method, region, other, seed, train_on)
    split = split or (ALL if train_on == ALL else "test")
    with gather(workers, scheduler) as crew:
        return run_task(
            task,
            split,
            score=score,
            out=out,
            resume=resume,
            tracker=tracker,
            tracker_tag=tracker_tag,
            plots=plots,
            crew=crew,
            progress=progress,
        )


def run_task(
    task: Task,
    split: str,
    *,
    score: str | None = None,
    out: Path | None = None,
    resume: bool = False,
    tracker: str | None = None,
    tracker_tag: str | None = None,
    plots: bool = False,
    crew: Crew | None = None,
    progress: bool = False,
) -> Run:
    """Do a task, and keep all of it in a folder; options are those of :func:`run_method`."""
    task.check(split)
    scores_chips(split, score)  # refuses, before anything is trained, what is no way to score
    with (
        claimed_folder(out, task.title, resume=resume) as folder,
        working_folder(folder, resume=resume) as part,
        open_tracker(tracker, part, task.identity, tag=tracker_tag) as service,
    ):
        record, evaluation = _run(task, split, score, part, service, crew, progress)
        if plots:
            draw(evaluation, part / "plots")
        service.finish(part, record, evaluation)
        if not record.interrupted:
            (part / CHECKPOINT).unlink(missing_ok=True)
    return Run(folder, record, evaluation.scores, evaluation.divisions)


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
    task: Task,
    split: str,
    score: str | None,
    folder: Path,
    tracker: Tracker,
    crew: Crew | None,
    progress: bool,
) -> tuple[RunRecord, Evaluation]:
    """Do all of it in a folder; what was trained and scored is whole before any picture."""
    method, begun = task.method, clock()
    journal = _fit(task, folder, tracker, crew, progress)
    interrupted = journal.interrupted
    fit_seconds, fit_cpu = (clock() - begun).tolist()
    method.save(folder / "weights")
    if interrupted:  # training may go on, and test is looked at once: at its end
        task, split = replace(task, other=task.region), "val"
    evaluation = evaluate_split(task, split, score, folder, crew)
    predict_seconds, predict_cpu = evaluation.seconds
    trained, predicted = task.region.llp.info, task.other.llp.info
    seen = take_part(task.region, task.train_on)
    (folder / APPEARANCE).write_text(look_at(seen).to_json(), encoding="utf-8")
    record = RunRecord(
        format=FORMAT,
        protocol=VERSION,
        llpbench_version=__version__,
        python_version=platform.python_version(),
        versions=package_versions(),
        method=task.name,
        supervision=method.supervision,
        track=task.track,
        settings=task.settings,
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
        probabilities=evaluation.probabilities,
        train_on=task.train_on,
        recipe=trained.recipe,
        validation=validate(task, evaluation, crew),
        fold=task.fold,
        images=None if trained.images == RGB_ONLY else dict(trained.images),
        inputs=task.inputs,
        hardware=describe_hardware(),
    )
    log.info("%s", summarise(record, journal.epochs))
    (folder / RECORD).write_text(json.dumps(asdict(record), indent=1), encoding="utf-8")
    return record, evaluation


def draw(evaluation: Evaluation, folder: Path) -> None:
    """Draw pictures; a run is whole without them, whatever a name or a number makes of one."""
    from llpbench.plots import widest_category, write_division_plots, write_plots

    scores, divisions = evaluation.scores, evaluation.divisions
    try:
        if scores is not None:
            write_plots(scores, folder, categories=[widest_category(scores)])
        if divisions is not None:
            write_division_plots(divisions, folder)
    except Exception as error:
        log.warning("the pictures could not be drawn (%r); the run is kept without them", error)


def _fit(task: Task, folder: Path, tracker: Tracker, crew: Crew | None, progress: bool) -> Journal:
    """Train; the journal says whether somebody interrupted it."""
    train, val = (take_part(task.region, name) for name in (task.train_on, "val"))
    bar = training_bar(task.name) if progress else None
    if not task.method.is_iterative:
        gate.fit(task.method, train, val, progress=bar, crew=crew)
        return Journal(folder, task.identity)
    with stop_on_interrupt() as stop:
        journal = Journal(folder, task.identity, stop=stop, on_epoch=tracker.log)
        gate.fit(task.method, train, val, progress=bar, journal=journal)
    return journal
