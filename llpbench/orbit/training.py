"""Training on board, pass by pass: what comes, what is learned, what is sent."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.divisions import Divisions
from llpbench.data.splits import take_part
from llpbench.errors import MethodError
from llpbench.methods import gate
from llpbench.methods.method import Method
from llpbench.methods.one_pass import OnePassMethod
from llpbench.orbit.learner import Learner
from llpbench.orbit.memory import MemoryMeter
from llpbench.orbit.plan import OrbitPlan
from llpbench.orbit.record import Pass
from llpbench.orbit.sample_learner import SampleLearner
from llpbench.orbit.sensor import Sensor
from llpbench.orbit.statistics_learner import StatisticsLearner
from llpbench.running.evaluating import clock
from llpbench.running.task import Task

_SHARE_BYTES = 2
"""Of a label proportion that is sent."""
LEAST_DIVISIONS = 2
"""Whose label proportions have come up, before anything is learned."""


class Training:
    """Passes one after another, and all that they have cost so far.

    Parameters
    ----------
    task : Task
        The method, and the region on whose val divisions it is evaluated and chooses.
    train : Dataset
        All chips that will come.
    """

    def __init__(self, plan: OrbitPlan, task: Task, train: xr.Dataset) -> None:
        self._plan, self._task, self._train = plan, task, train
        self._meter, self._sensor = MemoryMeter(), Sensor(train)
        self.frameworks = self._meter.level
        self._region, val = task.region, take_part(task.region, "val")
        self._val, self._chosen_by = Divisions.of(val), 0
        self.learner = self._learner()
        self._choose_by(val)
        self._overlaps = Divisions.of(train).overlaps.tocsc()
        self._seen = np.array([], dtype=np.intp)
        self._seconds, self._model, self._statistics, self._number = 0.0, 0, 0, 0

    def turn_to(self, region: xr.Dataset) -> None:
        """From now on choose by and evaluate on the val divisions of another season."""
        self._region, val = region, take_part(region, "val")
        self._val = Divisions.of(val)
        self._choose_by(val)

    def pass_over(self, chips: NDArray[np.intp]) -> Pass:
        """Let chips come and learn from them; the ground evaluates what has been learned."""
        self._number += 1
        self._seen = np.concatenate([self._seen, chips])
        labels, sent = self._send_labels()
        can_learn = sent >= LEAST_DIVISIONS
        peak = self._learn(chips, labels if can_learn else None)
        if can_learn:
            self._model += _model_bytes(self._task.method)
            self._statistics += self.learner.changed_bytes
        has_sums = isinstance(self.learner, StatisticsLearner)
        return Pass(
            number=self._number,
            chips=len(self._seen),
            held=self.learner.held,
            divisions=sent,
            mae=self.error() if can_learn else None,
            uplinked_labels=_SHARE_BYTES * labels.sizes["category"] * (sent + self._chosen_by),
            downlinked_model=self._model,
            downlinked_statistics=self._statistics if has_sums else None,
            cpu_seconds=round(self._seconds, 3),
            peak_memory=peak,
        )

    def error(self) -> float:
        """Mean absolute error of val divisions, see :meth:`Divisions.mae`."""
        return self._val.mae(self._predict(self._task.method, "val", self._region))

    def difference(self, shares: NDArray[np.float64]) -> float | None:
        """Tell how far shares of test chips are from the method fitted to all chips at once.

        All that were seen, by the same features; None where a method needs chips.
        """
        if not isinstance(self.learner, StatisticsLearner):
            return None
        batch = self.learner.fit_at_once(self._send_labels()[0], np.sort(self._seen))
        return float(np.abs(shares - self._predict(batch, "test", self._task.region)).max())

    def _learner(self) -> Learner:
        method, memory = self._task.method, self._plan.memory
        if isinstance(method, OnePassMethod):
            return StatisticsLearner(method, self._train, self._sensor, memory)
        return SampleLearner(method, self._train, self._sensor, memory=memory, seed=self._plan.seed)

    def _choose_by(self, val: xr.Dataset) -> None:
        """Send up what a method chooses by, if it does."""
        if isinstance(self.learner, SampleLearner):
            self.learner.choose_by(val)
            self._chosen_by += int(Divisions.of(val).is_known.sum())

    def _send_labels(self) -> tuple[xr.Dataset, int]:
        """The label proportions of divisions seen, without any chip, and how many are known."""
        is_seen = np.asarray(self._overlaps[:, self._seen].sum(axis=1)) > 0
        proportions = self._train["division_proportions"]
        labels = self._train.isel(chip=slice(0)).assign(
            division_proportions=proportions.where(xr.DataArray(is_seen, dims="division"))
        )
        known = labels["division_proportions"].notnull().all("category")
        return labels, int(known.sum())

    def _learn(self, chips: NDArray[np.intp], labels: xr.Dataset | None) -> int:
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
                f"pass {self._number} took {peak / 1e6:.0f} MB of memory above that of the "
                f"frameworks, and there are {memory / 1e6:.0f} MB: give --memory more"
            )
        return peak

    def _predict(self, method: Method, split: str, region: xr.Dataset) -> NDArray[np.float64]:
        name, seed, trained_on = self._task.name, self._task.seed, self._task.trained_on
        predicted = gate.predict(method, region, split, name=name, seed=seed, trained_on=trained_on)
        return predicted["proportions"].to_numpy()


def _model_bytes(method: Method) -> int:
    """Those of all weights in float32."""
    return 4 * sum(array.size for array in method.get_weights().values() if array.dtype.kind != "U")
