"""A uniform sample of chips that pass by once, which memory bounds."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.orbit.held import HeldChips
from llpbench.orbit.sensor import Sensor


def chip_keys(chips: NDArray[np.str_], seed: int) -> NDArray[np.uint64]:
    """A random key of each chip, by its id and a seed alone.

    Examples
    --------
    >>> bool(chip_keys(np.array(["a", "b"]), 0)[1] == chip_keys(np.array(["b"]), 0)[0])
    True
    """
    digests = (blake2b(f"{seed} {chip}".encode(), digest_size=8).digest() for chip in chips)
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


class ChipSample:
    """Of all chips so far those with the smallest keys, as many as there is room for.

    Keys are independent of the order in which chips come, and so is the sample: it is uniform
    without replacement over what has come at any time (bottom-k sampling, Cohen and Kaplan,
    Summarizing data using bottom-k sketches, PODC 2007).

    Parameters
    ----------
    ds : Dataset
        A grouped split.
    room : int
        Chips, at most.
    seed : int
        Of the keys.
    """

    def __init__(self, ds: xr.Dataset, room: int, seed: int) -> None:
        self._held = HeldChips(ds, room)
        self._keys = chip_keys(ds["chip"].to_numpy(), seed)

    def __len__(self) -> int:
        """Chips held."""
        return len(self._held)

    def see(self, chips: NDArray[np.intp], sensor: Sensor) -> None:
        """Let chips pass, whose pixels are read only if they are kept."""
        held = self._held.chips
        known = np.concatenate([held[held >= 0], chips])
        kept = known[np.argsort(self._keys[known])[: self._held.room]]
        free = np.flatnonzero(~np.isin(held, kept))
        for block, pixels in sensor.blocks(np.setdiff1d(kept, held)):
            self._held.put(free[: len(block)], block, pixels)
            free = free[len(block) :]

    def dataset(self) -> xr.Dataset:
        """The split with the chips of the sample alone, see :meth:`HeldChips.dataset`."""
        return self._held.dataset()
