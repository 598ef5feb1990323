"""An array of a Zarr folder that is read from its beginning to its end, each chunk once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.location import Location
from llpbench.data.text import fixed_width
from llpbench.data.zarr_files import open_array
from llpbench.errors import StoreError


class ZarrSequence:
    """Items of an array along its first dimension, handed out in their order.

    Of what was read only the rest of a chunk is kept. Text comes in numpy's fixed width.

    Parameters
    ----------
    location : Location
        A Zarr folder that :func:`~llpbench.data.zarr_files.check_zarr` has passed.
    name : str
        Of an array in it.
    start : int
        The first item to be handed out.
    """

    def __init__(self, location: Location, name: str, start: int = 0) -> None:
        self._array, self._name, self._read = open_array(location, name), name, start
        self._length = self._array.shape[0]
        self._rest = self._next()

    def take(self, count: int) -> NDArray[Any]:
        """The next items, fewer where the array ends; StoreError where a chunk is damaged."""
        while len(self._rest) < count and self._read < self._length:
            self._rest = np.concatenate([self._rest, self._next()])
        taken, self._rest = self._rest[:count], self._rest[count:]
        return fixed_width(taken) if taken.dtype.kind in {"O", "T"} else taken

    def count_below(self, limit: int) -> int:
        """How many of the next items are below a limit, where they ascend."""
        while self._read < self._length and not (len(self._rest) and self._rest[-1] >= limit):
            self._rest = np.concatenate([self._rest, self._next()])
        return int(np.searchsorted(self._rest, limit))

    def _next(self) -> NDArray[Any]:
        start, self._read = self._read, self._read + (self._array.chunks[0] or 1)
        try:
            return np.asarray(self._array[start : self._read])
        except Exception as error:  # whatever a damaged chunk makes zarr and its codecs raise
            raise StoreError(f"its array {self._name!r} cannot be read ({error!r:.200})") from error
