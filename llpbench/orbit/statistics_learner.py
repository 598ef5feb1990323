"""Learning from sums over divisions: each chip is described and let go."""

from __future__ import annotations

from copy import copy
from typing import ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.overlaps import overlap_areas
from llpbench.methods import gate
from llpbench.methods.division_statistics import DivisionStatistics
from llpbench.methods.one_pass import OnePassMethod
from llpbench.orbit.held import Block, HeldChips, chip_bytes, raw_names, with_pixels
from llpbench.orbit.learner import Learner, in_blocks
from llpbench.orbit.sensor import Sensor

_PART = 3
"""The part of the memory that raw chips may fill: the others are for learning from them."""


class StatisticsLearner(Learner):
    """Learns features from the first chips, then adds up those of each chip over divisions.

    Raw chips are held until they fill a third of the memory, or no more come: features are
    learned from them, as from all training chips of a run, and with the same seed. The method after
    each pass before that has features of its own.

    Parameters
    ----------
    train : Dataset
        The grouped split.
    memory : int
        Bytes.
    """

    way: ClassVar[str] = "statistics"
    method: OnePassMethod

    def __init__(
        self, method: OnePassMethod, train: xr.Dataset, sensor: Sensor, memory: int
    ) -> None:
        self.method, self._sensor, self._images = method, sensor, train[raw_names(train)]
        self._overlaps = overlap_areas(train).T.tocsc()
        self._buffer: HeldChips | None
        self._buffer = HeldChips(train, max(1, memory // _PART // chip_bytes(train)))
        self._seen: DivisionStatistics | None = None
        self._sent: NDArray[np.float64] | None = None

    @property
    def seen(self) -> DivisionStatistics:
        """Sums over all chips so far."""
        assert self._seen is not None
        return self._seen

    def see(self, chips: NDArray[np.intp]) -> None:
        """Hold chips while there is room, else describe them and let them go."""
        for block, pixels in self._sensor.blocks(chips):
            held = self._hold(block, pixels)
            if held == len(block):
                continue
            self._let_go()
            for rest in in_blocks(np.arange(held, len(block))):
                few = {name: array[rest] for name, array in pixels.items()}
                self._add(block[rest], with_pixels(self._images, block[rest], few))

    def learn(self, labels: xr.Dataset) -> None:
        """Fit the method to the sums; as long as all chips are held, to features of these."""
        if self._buffer is not None:
            self._sent = None
            self._learn_features(self._buffer)
        self.changed_bytes = self._changed_bytes()
        gate.fit_statistics(self.method, self.seen, labels)

    @property
    def held(self) -> int:
        """Chips whose raw pixels are held."""
        return 0 if self._buffer is None else len(self._buffer)

    def fit_at_once(self, labels: xr.Dataset, chips: NDArray[np.intp]) -> OnePassMethod:
        """The method with the same features, fitted to chips at once as a run fits it."""
        batch = copy(self.method)
        features = gate.describe(batch, self._images.isel(chip=chips))
        seen = DivisionStatistics(self._overlaps.shape[0], features.shape[1])
        gate.fit_statistics(batch, seen.add(features, self._overlaps[:, chips].tocsr()), labels)
        return batch

    def _changed_bytes(self) -> int:
        """Areas and sums of the divisions that chips were added to, and moments: 8 bytes each.

        All are new where features are.
        """
        before = np.zeros(len(self.seen.areas)) if self._sent is None else self._sent
        changed, features = int((self.seen.areas != before).sum()), len(self.seen.mean)
        self._sent = self.seen.areas.copy()
        return 8 * (changed * (1 + features) + 1 + 2 * features)

    def _hold(self, chips: NDArray[np.intp], pixels: Block) -> int:
        """Hold the first of some chips, as many as there is room for."""
        if self._buffer is None:
            return 0
        start = len(self._buffer)
        count = min(len(chips), self._buffer.room - start)
        first = {name: array[:count] for name, array in pixels.items()}
        self._buffer.put(np.arange(start, start + count), chips[:count], first)
        return count

    def _let_go(self) -> None:
        """Learn features from the chips held, for good."""
        if self._buffer is not None:
            self._learn_features(self._buffer)
            self._buffer, self._sent = None, None

    def _learn_features(self, buffer: HeldChips) -> None:
        """Learn features from the chips held, and describe these."""
        held = buffer.dataset()
        gate.learn_features(self.method, held)
        self._seen = None
        for places in in_blocks(np.arange(len(buffer))):
            self._add(buffer.chips[places], held.isel(chip=places))

    def _add(self, chips: NDArray[np.intp], ds: xr.Dataset) -> None:
        """Describe chips, whose images are in memory, and add them to the sums."""
        features = gate.describe(self.method, ds)
        if self._seen is None:
            self._seen = DivisionStatistics(self._overlaps.shape[0], features.shape[1])
        self._seen.add(features, self._overlaps[:, chips].tocsr())
