"""Objectives by which a network teaches itself, once bags have taught it something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from llpbench_baselines.objectives.bag_objective import BagObjective
from llpbench_baselines.objectives.dllp import DLLP
from llpbench_baselines.objectives.objective import Objective


@dataclass(frozen=True, eq=False)
class WarmBags(BagObjective):
    """An objective that begins as ``dllp``.

    Parameters
    ----------
    known : Known
    bag_size : int
    warm_start : float
        Part of the epochs that are ``dllp``, from 0 to 1.
    """

    warm_start: float

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {"warm_start": (0.0, 1.0)}

    def now(self, epoch: int, epochs: int) -> Objective:
        """First ``dllp``, then this one."""
        return self._start if epoch <= round(self.warm_start * epochs) else self

    @cached_property
    def _start(self) -> DLLP:
        return DLLP(self.known, self.bag_size)
