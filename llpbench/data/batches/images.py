"""Score windows of images, or cells of embeddings, from a store to memory: all, or some."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.imagery import EMBEDDING, EMBEDDING_SCALE, IMAGE, Coding, decode_array
from llpbench.errors import MethodError
from llpbench.protocol import SCORE_WINDOW

if TYPE_CHECKING:
    import xarray as xr

MEMORY = 2**31
"""Bytes of images that are kept in memory by default."""

_BATCH, _BATCH_BYTES = 512, 2**28


def score_window(ds: xr.Dataset, array: str = IMAGE) -> xr.DataArray:
    """The pixels of ``image`` in the score window, or the cells of ``embedding``, unread.

    Raises
    ------
    MethodError
        If the dataset has no such array.
    """
    if array not in ds:
        other = EMBEDDING if array == IMAGE else IMAGE
        raise MethodError(
            f"this method needs the {array} of chips, but the dataset has only their {other}: take "
            f"a method that learns from that, or build the dataset with --{array}"
        )
    return ds[array] if array == EMBEDDING else ds[array].isel(y=SCORE_WINDOW, x=SCORE_WINDOW)


def load_images(ds: xr.Dataset, array: str = IMAGE) -> NDArray[Any]:
    """Read the score windows of all images, chunks in parallel.

    Returns
    -------
    ndarray, shape (chip, 96, 96, band)
        Stored numbers (of most datasets red, green and blue from 0 to 255, uint8), chips in the
        order of the dataset; or those of an ``embedding``, (chip, 24, 24, feature). Where cells
        have scales of their own, numbers mean nothing without them: values then, as float32.
    """
    window = score_window(ds, array)
    if Coding.of_attributes(window.attrs).by_cell:
        window = decode_array(ds, array)
    return np.ascontiguousarray(window.to_numpy())


def iterate_images(
    ds: xr.Dataset, batch_size: int | None = None, array: str = IMAGE
) -> Iterator[tuple[NDArray[np.str_], NDArray[Any]]]:
    """Read the score windows of images in order, a batch at a time.

    Parameters
    ----------
    ds : Dataset
        With that array.
    batch_size : int, optional
        Chips in a batch, the last of which holds the rest; by default 512, or fewer where they
        would take more than 256 MB.
    array : {"image", "embedding"}

    Yields
    ------
    chips : ndarray of str, shape (n,)
        Their ids.
    images : ndarray, shape (n, 96, 96, band)
        As of :func:`load_images`.
    """
    if batch_size is None:
        window = score_window(ds, array)
        fitting = _BATCH_BYTES // (math.prod(window.shape[1:]) * window.dtype.itemsize)
        batch_size = max(1, min(_BATCH, fitting))
    for start in range(0, ds.sizes["chip"], batch_size):
        batch = _alone(ds, array).isel(chip=slice(start, start + batch_size))
        yield batch["chip"].to_numpy(), load_images(batch, array)


class Images:
    """Images of chips: read once where they fit into memory, else whenever they are asked for.

    ``memory`` is how many bytes of them may be kept; ``chip_shape`` and ``dtype`` are of a chip's
    numbers, (96, 96, band), and ``coding`` says how these become values. All are as
    :func:`load_images` reads them, of the ``array`` given.
    """

    def __init__(self, ds: xr.Dataset, memory: int = MEMORY, array: str = IMAGE) -> None:
        window = score_window(ds, array)
        self._ds, self._array, self._memory = _alone(ds, array), array, memory
        self.coding, self.dtype = read_coding(ds, array)
        self.chip_shape = window.shape[1:]
        self._most = memory // (math.prod(self.chip_shape) * self.dtype.itemsize)
        self.fit = len(self) <= self._most

    def at(self, chips: NDArray[np.intp]) -> Images:
        """Take some of the images, by their positions; they are not read yet."""
        return Images(self._ds.isel(chip=chips), self._memory, self._array)

    def __len__(self) -> int:
        """Chips."""
        return int(self._ds.sizes["chip"])

    @property
    def blocks(self) -> NDArray[np.intp]:
        """The block of the store that each chip lies in; all in one where they are kept."""
        if self.fit:
            return np.zeros(len(self), dtype=np.intp)
        lengths = self._ds[self._array].chunksizes.get("chip", (len(self),))
        return np.repeat(np.arange(len(lengths)), lengths)

    def read(self, chips: NDArray[np.intp]) -> NDArray[Any]:
        """Read the images of chips.

        Parameters
        ----------
        chips : ndarray of int, shape (n,)
            Positions in the dataset.

        Returns
        -------
        ndarray, shape (n, 96, 96, band)
            Their score windows, in the order asked for.
        """
        return self.kept[chips] if self.fit else load_images(self._ds.isel(chip=chips), self._array)

    def in_order(self, batch_size: int = 32) -> Iterator[NDArray[Any]]:
        """All images, a batch at a time, the last of which holds the rest.

        Yields
        ------
        ndarray, shape (n, 96, 96, band)
            Score windows, in the order of the dataset.
        """
        blocks = iterate_images(self._ds, array=self._array)
        parts = [self.kept] if self.fit else (part for _chips, part in blocks)
        for part in parts:
            for start in range(0, len(part), batch_size):
                yield part[start : start + batch_size]

    def sample(self, seed: int) -> NDArray[Any]:
        """All images where they are kept, else as many random ones as fit into memory.

        Returns
        -------
        ndarray, shape (n, 96, 96, band)
            Score windows, in the order of the dataset.
        """
        if self.fit:
            return self.kept
        count = max(1, self._most)
        chosen = np.random.default_rng(seed).choice(len(self), min(count, len(self)), replace=False)
        return self.read(np.sort(chosen))

    @cached_property
    def kept(self) -> NDArray[Any]:
        """All images, in memory from now on."""
        return load_images(self._ds, self._array)


def read_coding(ds: xr.Dataset, array: str) -> tuple[Coding, np.dtype[Any]]:
    """How what :func:`load_images` reads becomes values, and its type."""
    stored = score_window(ds, array)
    coding = Coding.of_attributes(stored.attrs)
    return (Coding(), np.dtype(np.float32)) if coding.by_cell else (coding, stored.dtype)


def _alone(ds: xr.Dataset, array: str) -> xr.Dataset:
    """Leave an array and what it is decoded with."""
    return ds[[name for name in (array, EMBEDDING_SCALE) if name in ds]]
