"""Chips whose raw pixels are held in memory, which has room for so many and no more."""

from __future__ import annotations

import math

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.imagery import EMBEDDING, EMBEDDING_SCALE, IMAGE
from llpbench.data.overlaps import present_overlaps

Block = dict[str, NDArray[np.generic]]


def raw_names(ds: xr.Dataset) -> list[str]:
    """Arrays of a dataset that a satellite measures."""
    return [name for name in (IMAGE, EMBEDDING, EMBEDDING_SCALE) if name in ds]


def chip_bytes(ds: xr.Dataset) -> int:
    """Bytes of these arrays for a chip, as they are stored."""
    arrays = (ds[name] for name in raw_names(ds))
    return sum(math.prod(array.shape[1:]) * array.dtype.itemsize for array in arrays)


class HeldChips:
    """Raw pixels of some chips of a split, which stand in for that split.

    Parameters
    ----------
    ds : Dataset
        A grouped split.
    room : int
        Chips, at most.

    Attributes
    ----------
    chips : ndarray of int, shape (room,)
        Their positions in the split; -1 where there is none.
    """

    def __init__(self, ds: xr.Dataset, room: int) -> None:
        self._ds = ds
        self.room = min(room, ds.sizes["chip"])
        self.chips = np.full(self.room, -1)
        self._arrays: Block = {
            name: np.empty((self.room, *ds[name].shape[1:]), ds[name].dtype)
            for name in raw_names(ds)
        }

    def __len__(self) -> int:
        """How many are held."""
        return int((self.chips >= 0).sum())

    def put(self, slots: NDArray[np.intp], chips: NDArray[np.intp], block: Block) -> None:
        """Hold chips in the place of what was in some slots."""
        self.chips[slots] = chips
        for name, array in block.items():
            self._arrays[name][slots] = array

    def dataset(self) -> xr.Dataset:
        """The split with these chips alone, in its order, and the divisions that they lie in.

        Arrays are those held, not copies: they are valid until the next :meth:`put`.
        """
        count = len(self)
        order = np.argsort(np.where(self.chips < 0, self._ds.sizes["chip"], self.chips))
        self.chips = self.chips[order]
        for array in self._arrays.values():
            array[:count] = array[order[:count]]
        block = {name: array[:count] for name, array in self._arrays.items()}
        part = with_pixels(self._ds, self.chips[:count], block)
        part = part.isel(overlap=present_overlaps(part))
        return part.isel(division=np.isin(part["division_number"], part["overlap_division"]))


def with_pixels(ds: xr.Dataset, chips: NDArray[np.intp], block: Block) -> xr.Dataset:
    """Some chips of a dataset, with raw pixels that are in memory."""
    arrays = {name: (ds[name].dims, array, ds[name].attrs) for name, array in block.items()}
    return ds.drop_vars(list(block)).isel(chip=chips).assign(arrays)
