"""A simulation from its plan to its record: passes over a region, and over its next season."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench._version import __version__
from llpbench.data.splits import take_part
from llpbench.errors import MethodError
from llpbench.methods import gate
from llpbench.methods.journal import Journal
from llpbench.methods.registry import make_method
from llpbench.orbit.passes import cut_passes
from llpbench.orbit.plan import OrbitPlan
from llpbench.orbit.record import FORMAT, RECORD, TABLE, Drift, OrbitRecord, Pass
from llpbench.orbit.seasons import in_turn
from llpbench.orbit.training import LEAST_DIVISIONS, Training
from llpbench.protocol import VERSION
from llpbench.running.evaluating import Evaluation, evaluate_split
from llpbench.running.progress import runs_bar
from llpbench.running.task import Task

_WARM = 32
"""Chips on which frameworks are warmed up."""


def simulate(
    plan: OrbitPlan, folder: Path, *, alone: OrbitRecord | None = None, progress: bool = False
) -> OrbitRecord:
    """Train a method in passes, score it, and keep all of it in a folder.

    The method is fitted after each pass and its error measured on val divisions, by which nothing
    is chosen; test chips are predicted once, after the last pass. Memory is measured while chips
    are seen and learned from, not while the ground evaluates the model. Then another season may
    come, in as many passes, of which ``alone`` is what the method comes to without the first.

    Raises
    ------
    LLPBenchError
        If names are unknown, or the memory is not enough.
    """
    task = plan.task()
    later = plan.later(task)
    train = take_part(task.region, "train")
    swaths = cut_passes(train, plan.passes)
    _warm_up(plan, task)
    coming = train if later is None else in_turn(train, take_part(later, "train"))
    training = Training(plan, task, coming)
    passes = _fly(training, swaths, progress=progress)
    if passes[-1].mae is None:
        raise MethodError(
            f"proportions of {LEAST_DIVISIONS} training divisions are needed at least, and "
            f"{passes[-1].divisions} of {task.region.llp.info.name} is known: take another dataset"
        )
    evaluation = evaluate_split(task, "test", None, folder)
    task.method.save(folder / "weights")
    difference = training.difference(evaluation.predictions["proportions"].to_numpy())
    info = task.region.llp.info
    record = OrbitRecord(
        format=FORMAT,
        protocol=VERSION,
        llpbench_version=__version__,
        method=plan.method,
        settings=task.settings,
        seed=plan.seed,
        dataset=info.name,
        dataset_digest=info.digest,
        synthetic=info.synthetic,
        learning=training.learner.way,
        memory=plan.memory,
        frameworks=training.frameworks,
        passes=passes,
        test=_errors(evaluation),
        difference_to_batch=difference,
        then=None if later is None else _drift(training, task, later, alone, progress),
    )
    record.table().to_csv(folder / TABLE, index=False)
    (folder / RECORD).write_text(json.dumps(record.to_dict(), indent=1), encoding="utf-8")
    return record


def _fly(training: Training, swaths: list[NDArray[np.intp]], *, progress: bool) -> tuple[Pass, ...]:
    coming = runs_bar(swaths, "passes", shown=progress)
    return tuple(training.pass_over(chips) for chips in coming)


def _drift(
    training: Training, task: Task, later: xr.Dataset, alone: OrbitRecord | None, progress: bool
) -> Drift:
    """Let another season come, and update the method; predict its test chips before and after."""
    assert alone is not None
    train, before = take_part(task.region, "train"), replace(task, other=later)
    training.turn_to(later)
    unchanged, unchanged_test = training.error(), _test(before)
    swaths = cut_passes(take_part(later, "train"), len(alone.passes))
    passes = _fly(training, [swath + train.sizes["chip"] for swath in swaths], progress=progress)
    ids = take_part(later, "test")["chip"].to_numpy()
    return Drift(
        dataset=later.llp.info.name,
        dataset_digest=later.llp.info.digest,
        unchanged=unchanged,
        unchanged_test=unchanged_test,
        passes=passes,
        test=_test(before),
        test_before=_test(task),
        alone=tuple(each.mae for each in alone.passes),
        alone_test=alone.test,
        known=float(np.isin(ids, train["chip"].to_numpy()).mean()),
    )


def _test(task: Task) -> dict[str, float]:
    with TemporaryDirectory() as folder:
        return _errors(evaluate_split(task, "test", None, Path(folder)))


def _errors(evaluation: Evaluation) -> dict[str, float]:
    scores = {"chips": evaluation.scores, "divisions": evaluation.divisions}
    return {of: float(known.value("mae")) for of, known in scores.items() if known is not None}


def _warm_up(plan: OrbitPlan, task: Task) -> None:
    """Let frameworks take what they need, with a method of its own that is thrown away."""
    method = make_method(plan.method, **{**plan.settings, "random_state": plan.seed})
    train, val = (_spread(take_part(task.region, name)) for name in ("train", "val"))
    stop = Event()
    with TemporaryDirectory() as folder:
        journal = Journal(Path(folder), {}, stop=stop, on_epoch=lambda _row: stop.set())
        gate.fit(method, train, val, journal=journal if method.is_iterative else None)
    for _batch in gate.predict_batches(method, train):
        pass


def _spread(ds: xr.Dataset) -> xr.Dataset:
    """A few chips from all over a split."""
    count = min(_WARM, ds.sizes["chip"])
    return ds.isel(chip=np.linspace(0, ds.sizes["chip"] - 1, count).astype(int))
