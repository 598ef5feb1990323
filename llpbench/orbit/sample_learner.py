"""Learning from a sample of chips that memory holds."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.errors import MethodError
from llpbench.methods import gate
from llpbench.methods.method import Method
from llpbench.orbit.held import chip_bytes
from llpbench.orbit.learner import Learner
from llpbench.orbit.sample import ChipSample
from llpbench.orbit.sensor import Sensor

_TRAINING, _VALIDATION = 1 / 2, 1 / 8
"""Parts of the memory for chips; what remains is for what training takes whatever their number."""
_LEAST = 8
"""Chips, below which nothing is learned."""


class SampleLearner(Learner):
    """Trains a method anew after each pass on a sample of the chips so far.

    The method chooses by a sample of val chips, see :meth:`choose_by`.

    Parameters
    ----------
    train : Dataset
        The grouped split.
    memory : int
        Bytes.
    seed : int
        Of the samples.

    Raises
    ------
    MethodError
        If too few chips fit into the memory.
    """

    way: ClassVar[str] = "sample"

    def __init__(
        self,
        method: Method,
        train: xr.Dataset,
        sensor: Sensor,
        *,
        memory: int,
        seed: int,
    ) -> None:
        self.method, self._sensor = method, sensor
        chip = chip_bytes(train)
        taken = gate.training_bytes(method, train, chip)
        room = int(memory * _TRAINING / taken)
        if room < _LEAST:
            needed = _LEAST * taken / _TRAINING
            raise MethodError(
                f"{room} chips fit into this memory while {type(method).__name__} is trained: give "
                f"it {needed / 1e6:.0f} MB at least"
            )
        self._sample, self._seed = ChipSample(train, room, seed), seed
        self._val_room = max(1, int(memory * _VALIDATION / (3 * chip)))
        self._val: xr.Dataset | None = None

    def choose_by(self, val: xr.Dataset) -> None:
        """Hold a sample of val chips instead of those held before."""
        self._val = None
        sample = ChipSample(val, self._val_room, self._seed)
        sample.see(np.arange(val.sizes["chip"]), Sensor(val))
        self._val = sample.dataset()

    def see(self, chips: NDArray[np.intp]) -> None:
        """Keep those that the sample takes."""
        self._sample.see(chips, self._sensor)

    def learn(self, labels: xr.Dataset) -> None:
        """Train on the sample; all divisions that its chips lie in were sent up."""
        assert self._val is not None
        gate.fit(self.method, self._sample.dataset(), self._val)

    @property
    def held(self) -> int:
        """Chips whose raw pixels are held, without those of val."""
        return len(self._sample)
