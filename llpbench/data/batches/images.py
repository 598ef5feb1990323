"""Score windows of images, from a store to memory: at once, in order, or a selection."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llpbench.protocol import SCORE_WINDOW, WINDOW_SIDE

if TYPE_CHECKING:
    import xarray as xr

CHIP_BYTES = WINDOW_SIDE * WINDOW_SIDE * 3
MEMORY = 2**31
"""Bytes of images that are kept in memory by default."""


def load_images(ds: xr.Dataset) -> NDArray[np.uint8]:
    """Read the score windows of all images, chunks in parallel.

    Returns
    -------
    ndarray of uint8, shape (chip, 96, 96, 3)
        Red, green and blue from 0 to 255, chips in the order of the dataset.
    """
    window = ds["image"].isel(y=SCORE_WINDOW, x=SCORE_WINDOW)
    return np.ascontiguousarray(window.to_numpy())


def iterate_images(
    ds: xr.Dataset, batch_size: int = 512
) -> Iterator[tuple[NDArray[np.str_], NDArray[np.uint8]]]:
    """Read the score windows of images in order, a batch at a time.

    Parameters
    ----------
    ds : Dataset
        With ``image``.
    batch_size : int
        Chips in a batch; the last one holds the rest.

    Yields
    ------
    chips : ndarray of str, shape (n,)
        Their ids.
    images : ndarray of uint8, shape (n, 96, 96, 3)
        As of :func:`load_images`.
    """
    for start in range(0, ds.sizes["chip"], batch_size):
        batch = ds[["image"]].isel(chip=slice(start, start + batch_size))
        yield batch["chip"].to_numpy(), load_images(batch)


class Images:
    """Images of chips: read once where they fit into memory, else whenever they are asked for.

    ``memory`` is how many bytes of them may be kept.
    """

    def __init__(self, ds: xr.Dataset, memory: int = MEMORY) -> None:
        self._ds = ds[["image"]]
        self._most = memory // CHIP_BYTES
        self.fit = len(self) <= self._most

    def __len__(self) -> int:
        """Chips."""
        return int(self._ds.sizes["chip"])

    @property
    def blocks(self) -> NDArray[np.intp]:
        """The block of the store that each chip lies in; all in one where they are kept."""
        if self.fit:
            return np.zeros(len(self), dtype=np.intp)
        lengths = self._ds["image"].chunksizes.get("chip", (len(self),))
        return np.repeat(np.arange(len(lengths)), lengths)

    def read(self, chips: NDArray[np.intp]) -> NDArray[np.uint8]:
        """Read the images of chips.

        Parameters
        ----------
        chips : ndarray of int, shape (n,)
            Positions in the dataset.

        Returns
        -------
        ndarray of uint8, shape (n, 96, 96, 3)
            Their score windows, in the order asked for.
        """
        return self.kept[chips] if self.fit else load_images(self._ds.isel(chip=chips))

    def in_order(self, batch_size: int = 32) -> Iterator[NDArray[np.uint8]]:
        """All images, a batch at a time, the last of which holds the rest.

        Yields
        ------
        ndarray of uint8, shape (n, 96, 96, 3)
            Score windows, in the order of the dataset.
        """
        parts = [self.kept] if self.fit else (part for _chips, part in iterate_images(self._ds))
        for part in parts:
            for start in range(0, len(part), batch_size):
                yield part[start : start + batch_size]

    def sample(self, seed: int) -> NDArray[np.uint8]:
        """All images where they are kept, else as many random ones as fit into memory.

        Returns
        -------
        ndarray of uint8, shape (n, 96, 96, 3)
            Score windows, in the order of the dataset.
        """
        if self.fit:
            return self.kept
        count = max(1, self._most)
        chosen = np.random.default_rng(seed).choice(len(self), min(count, len(self)), replace=False)
        return self.read(np.sort(chosen))

    @cached_property
    def kept(self) -> NDArray[np.uint8]:
        """All images, in memory from now on."""
        return load_images(self._ds)
