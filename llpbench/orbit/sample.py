"""A sample of chips that pass by once, which memory bounds, some from each of its divisions."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.divisions import Divisions
from llpbench.orbit.held import HeldChips
from llpbench.orbit.sensor import Sensor

TOGETHER = 16
"""Chips of a division that are kept before any of a division whose turn is later."""


def random_keys(ids: NDArray[np.str_], seed: int) -> NDArray[np.uint64]:
    """A random key of each id, by that and a seed alone.

    Examples
    --------
    >>> bool(random_keys(np.array(["a", "b"]), 0)[1] == random_keys(np.array(["b"]), 0)[0])
    True
    """
    digests = (blake2b(f"{seed} {each}".encode(), digest_size=8).digest() for each in ids)
    return np.frombuffer(b"".join(digests), dtype=">u8").astype(np.uint64)


class ChipSample:
    """Of all chips so far as many as there is room for, :data:`TOGETHER` of a division at a time.

    Proportions are those of a whole division, and the mean of one or two of its chips is no
    measurement of it: what is learned from such pairs is drawn towards the mean of all (errors in
    variables, Fuller, Measurement Error Models, 1987, section 1.1). So divisions are sampled, then
    chips in them (two-stage sampling, Cochran, Sampling Techniques, 1977, chapter 10): divisions
    come in the order of their keys, each with those of its chips that have the smallest keys; when
    all have come, they come again. A chip lies in the division it shares most area with; those in
    none come last.

    Keys are independent of the order in which chips pass, and so is the sample: whoever is behind
    as many others as there is room for stays behind them, whoever passes later (bottom-k sampling,
    Cohen and Kaplan, Summarizing data using bottom-k sketches, PODC 2007).

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
        self._keys = random_keys(ds["chip"].to_numpy(), seed)
        overlaps = Divisions.of(ds).overlaps
        home = np.asarray(overlaps.argmax(axis=0)).ravel()
        self._is_outside = np.asarray(overlaps.sum(axis=0)) == 0
        turns = random_keys(ds["division"].to_numpy(), seed)[home]
        self._turns = np.where(self._is_outside, 0, turns)

    def __len__(self) -> int:
        """Chips held."""
        return len(self._held)

    def see(self, chips: NDArray[np.intp], sensor: Sensor) -> None:
        """Let chips pass, whose pixels are read only if they are kept."""
        held = self._held.chips
        known = np.concatenate([held[held >= 0], chips])
        kept = self._in_turn(known)[: self._held.room]
        free = np.flatnonzero(~np.isin(held, kept))
        for block, pixels in sensor.blocks(np.setdiff1d(kept, held)):
            self._held.put(free[: len(block)], block, pixels)
            free = free[len(block) :]

    def dataset(self) -> xr.Dataset:
        """The split with the chips of the sample alone, see :meth:`HeldChips.dataset`."""
        return self._held.dataset()

    def _in_turn(self, chips: NDArray[np.intp]) -> NDArray[np.intp]:
        """Chips in the order in which they are kept."""
        chips = chips[np.lexsort((self._keys[chips], self._turns[chips]))]
        turns = self._turns[chips]
        before = np.arange(len(chips)) - np.searchsorted(turns, turns)  # in the same division
        order = np.lexsort((turns, before // TOGETHER, self._is_outside[chips]))
        return chips[order]
