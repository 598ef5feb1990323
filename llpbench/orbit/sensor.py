"""What measures chips as they pass, and how long reading them from a store takes instead."""

from __future__ import annotations

import dask
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.orbit.held import Block, raw_names
from llpbench.running.evaluating import clock


class Sensor:
    """Reads raw pixels of chips of a split, and adds up the processor time of reading.

    A satellite has none of that: what is reported as training leaves it out.

    Attributes
    ----------
    seconds : float
        Of the processor, so far.
    """

    def __init__(self, ds: xr.Dataset) -> None:
        self._raw = ds[raw_names(ds)]
        self.seconds = 0.0

    def read(self, chips: NDArray[np.intp]) -> Block:
        """Read raw pixels of chips at some positions, in their order."""
        start = clock()
        part = self._raw.isel(chip=chips)
        with dask.config.set(scheduler="synchronous"):  # threads would hold a chunk each
            block: Block = {name: part[name].to_numpy() for name in raw_names(part)}
        self.seconds += float((clock() - start)[1])
        return block
