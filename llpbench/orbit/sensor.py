"""What measures chips as they pass, and how long reading them from a store takes instead."""

from __future__ import annotations

from collections.abc import Iterator

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
        lengths = self._raw.chunksizes.get("chip", (ds.sizes["chip"],))
        self._kept_in = np.repeat(np.arange(len(lengths)), lengths)
        self.seconds = 0.0

    def blocks(self, chips: NDArray[np.intp]) -> Iterator[tuple[NDArray[np.intp], Block]]:
        """Read raw pixels of chips, those that the store keeps together at once.

        So each file of pixels is opened once for them. Blocks come in the order of their first
        chips, and chips in a block in the order given.

        Parameters
        ----------
        chips : ndarray of int
            Positions in the split.

        Yields
        ------
        chips : ndarray of int, shape (n,)
            Those of a block.
        pixels : dict of str to ndarray
            Arrays of these, by name.
        """
        kept_in = self._kept_in[chips]
        _files, first = np.unique(kept_in, return_index=True)
        for file in kept_in[np.sort(first)]:
            block = chips[kept_in == file]
            yield block, self._read(block)

    def _read(self, chips: NDArray[np.intp]) -> Block:
        start = clock()
        part = self._raw.isel(chip=chips)
        with dask.config.set(scheduler="synchronous"):  # threads would hold a chunk each
            block: Block = {name: part[name].to_numpy() for name in raw_names(part)}
        self.seconds += float((clock() - start)[1])
        return block
