"""Passes over a region, one after another: what comes, what is learned, what is sent."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench._version import __version__
from llpbench.data.divisions import Divisions
from llpbench.data.splits import take_part
from llpbench.errors import MethodError
from llpbench.methods import gate
from llpbench.methods.journal import Journal
from llpbench.methods.method import Method
from llpbench.methods.one_pass import OnePassMethod
from llpbench.methods.registry import make_method
from llpbench.orbit.learner import Learner
from llpbench.orbit.memory import MemoryMeter
from llpbench.orbit.passes import cut_passes
from llpbench.orbit.plan import OrbitPlan
from llpbench.orbit.record import FORMAT, RECORD, TABLE, OrbitRecord, Pass
from llpbench.orbit.sample_learner import SampleLearner
from llpbench.orbit.sensor import Sensor
from llpbench.orbit.statistics_learner import StatisticsLearner
from llpbench.protocol import VERSION
from llpbench.running.evaluating import Evaluation, clock, evaluate_split
from llpbench.running.progress import runs_bar
from llpbench.running.task import Task

_SHARE_BYTES = 2
"""Of a label proportion that is sent."""
_DIVISIONS = 2
"""Whose label proportions have come up, at least, before anything is learned."""
_WARM = 32
"""Chips on which frameworks are warmed up."""


def simulate(plan: OrbitPlan, folder: Path, *, progress: bool = False) -> OrbitRecord:
    """Train a method in passes, score it, and keep all of it in a folder.

    The method is fitted after each pass and its error measured on val divisions, by which nothing
    is chosen; test chips are predicted once, after the last pass. Memory is measured while chips
    are seen and learned from, not while the ground evaluates the model.

    Raises
    ------
    LLPBenchError
        If names are unknown, or the memory is not enough.
    """
    task = plan.task()
    train = take_part(task.region, "train")
    swaths = cut_passes(train, plan.passes)
    _warm_up(plan, task)
    flight = _Flight(plan, task, train)
    coming = enumerate(runs_bar(swaths, "passes", shown=progress), 1)
    passes = tuple(flight.pass_over(number, chips) for number, chips in coming)
    if passes[-1].mae is None:
        raise MethodError(
            f"proportions of {_DIVISIONS} training divisions are needed at least, and "
            f"{passes[-1].divisions} of {task.region.llp.info.name} is known: take another dataset"
        )
    evaluation = evaluate_split(task, "test", None, folder)
    task.method.save(folder / "weights")
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
        learning=flight.learner.way,
        memory=plan.memory,
        frameworks=flight.frameworks,
        passes=passes,
        test=_errors(evaluation),
        difference_to_batch=_difference(flight.learner, train, task, evaluation),
    )
    record.table().to_csv(folder / TABLE, index=False)
    (folder / RECORD).write_text(json.dumps(record.to_dict(), indent=1), encoding="utf-8")
    return record


def _learner(plan: OrbitPlan, task: Task, train: xr.Dataset, sensor: Sensor) -> Learner:
    if isinstance(task.method, OnePassMethod):
        return StatisticsLearner(task.method, train, sensor, plan.memory)
    val = take_part(task.region, "val")
    return SampleLearner(task.method, train, val, sensor, memory=plan.memory, seed=plan.seed)


class _Flight:
    """Passes one after another, and all that they have cost so far."""

    def __init__(self, plan: OrbitPlan, task: Task, train: xr.Dataset) -> None:
        self._plan, self._task, self._train = plan, task, train
        self._meter, self._sensor = MemoryMeter(), Sensor(train)
        self.learner = _learner(plan, task, train, self._sensor)
        self.frameworks = self._meter.level
        self._val = Divisions.of(take_part(task.region, "val"))
        self._overlaps = Divisions.of(train).overlaps.tocsc()
        self._seen = np.array([], dtype=np.intp)
        self._seconds, self._model, self._statistics = 0.0, 0, 0

    def pass_over(self, number: int, chips: NDArray[np.intp]) -> Pass:
        """Let chips come and learn from them; the ground evaluates what has been learned."""
        self._seen = np.concatenate([self._seen, chips])
        is_seen = np.asarray(self._overlaps[:, self._seen].sum(axis=1)) > 0
        labels, sent = _send_labels(self._train, is_seen)
        can_learn = sent >= _DIVISIONS
        peak = self._learn(number, chips, labels if can_learn else None)
        mae = None
        if can_learn:
            self._model += _model_bytes(self._task.method)
            self._statistics += self.learner.changed_bytes
            shares = _predict(self._task, self._task.method, "val")["proportions"].to_numpy()
            mae = self._val.mae(shares)
        has_sums = isinstance(self.learner, StatisticsLearner)
        chosen_by = 0 if has_sums else int(self._val.is_known.sum())
        return Pass(
            number=number,
            chips=len(self._seen),
            held=self.learner.held,
            divisions=sent,
            mae=mae,
            uplinked_labels=_SHARE_BYTES * labels.sizes["category"] * (sent + chosen_by),
            downlinked_model=self._model,
            downlinked_statistics=self._statistics if has_sums else None,
            cpu_seconds=round(self._seconds, 3),
            peak_memory=peak,
        )

    def _learn(self, number: int, chips: NDArray[np.intp], labels: xr.Dataset | None) -> int:
        """See chips and fit, and give the memory that took, which is refused if it is too much."""
        self._meter.begin()
        start, read = clock()[1], self._sensor.seconds
        self.learner.see(chips)
        if labels is not None:
            self.learner.learn(labels)
        self._seconds += float(clock()[1] - start) - (self._sensor.seconds - read)
        peak, memory = self._meter.peak(), self._plan.memory
        if peak > memory:
            raise MethodError(
                f"pass {number} of {self._plan.passes} took {peak / 1e6:.0f} MB of memory above "
                f"that of the frameworks, and there are {memory / 1e6:.0f} MB: give --memory more"
            )
        return peak


def _send_labels(train: xr.Dataset, is_seen: NDArray[np.bool_]) -> tuple[xr.Dataset, int]:
    """The label proportions of divisions seen, without any chip, and how many are known."""
    proportions = train["division_proportions"].where(xr.DataArray(is_seen, dims="division"))
    labels = train.isel(chip=slice(0)).assign(division_proportions=proportions)
    return labels, int(proportions.notnull().all("category").sum())


def _warm_up(plan: OrbitPlan, task: Task) -> None:
    """Let frameworks take what they need, with a method of its own that is thrown away."""
    method = make_method(plan.method, **{**plan.settings, "random_state": plan.seed})
    few = (_spread(take_part(task.region, name)) for name in ("train", "val"))
    train, val = few
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


def _model_bytes(method: Method) -> int:
    """Those of all weights in float32."""
    return 4 * sum(array.size for array in method.get_weights().values() if array.dtype.kind != "U")


def _predict(task: Task, method: Method, split: str) -> xr.Dataset:
    name, seed, trained_on = task.name, task.seed, task.region.llp.info.name
    return gate.predict(method, task.region, split, name=name, seed=seed, trained_on=trained_on)


def _errors(evaluation: Evaluation) -> dict[str, float]:
    scores = {"chips": evaluation.scores, "divisions": evaluation.divisions}
    return {of: float(known.value("mae")) for of, known in scores.items() if known is not None}


def _difference(
    learner: Learner, train: xr.Dataset, task: Task, evaluation: Evaluation
) -> float | None:
    """How far the method is from one that saw the same features of all chips at once."""
    if not isinstance(learner, StatisticsLearner):
        return None
    batch = _predict(task, learner.fit_at_once(train.isel(chip=slice(0))), "test")
    here, there = (ds["proportions"].to_numpy() for ds in (evaluation.predictions, batch))
    return float(np.abs(here - there).max())
