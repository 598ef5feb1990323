"""From a store to images in memory, in order or in shuffled batches, still uint8.

Batches are made chip by chip or division by division, from memory or from a stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llpbench.catalog import unknown
from llpbench.errors import LLPBenchError, UnknownNameError
from llpbench.region import SCORE_WINDOW

if TYPE_CHECKING:
    import xarray as xr

Batch: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""Images and what they are to be trained on."""

SIDE = SCORE_WINDOW.stop - SCORE_WINDOW.start
CHIP_BYTES = SIDE * SIDE * 3
BUFFER = 8
"""Blocks of a stream that are mixed with one another."""

UNITS = ("chip", "division")


def load_images(ds: xr.Dataset) -> NDArray[np.uint8]:
    """Read the score windows of all images, chunks in parallel.

    Parameters
    ----------
    ds : Dataset
        With ``image``.

    Returns
    -------
    ndarray of uint8, shape (chip, 96, 96, 3)
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
        Chips in a batch; the last one holds what is left.

    Yields
    ------
    chips : ndarray of str, shape (n,)
    images : ndarray of uint8, shape (n, 96, 96, 3)
    """
    for start in range(0, ds.sizes["chip"], batch_size):
        batch = ds[["image"]].isel(chip=slice(start, start + batch_size))
        yield batch["chip"].to_numpy(), load_images(batch)


class Batches:
    """Shuffled batches; each iteration over it is the next epoch.

    The order depends on the seed and the number of the epoch alone. A split that fits into
    ``memory`` is read once. A larger one streams: its blocks (as they lie in the store) are read
    in random order, some of them at a time in the background, and shuffled together.

    Parameters
    ----------
    ds : Dataset
        A split; chips without a target are left out.
    batch_size : int
        Chips or divisions in a batch; the last one of an epoch holds what is left.
    by : {"chip", "division"}
        A batch is images (n, 96, 96, 3) with targets (n, category), or bags of images
        (n, bag_size, 96, 96, 3) with proportions of divisions (n, category).
    bag_size : int
        Chips drawn of each division, by overlap area; anew in every epoch, and with replacement
        where a division has fewer.
    augment : bool
        Whether to flip and turn each image at random.
    seed : int
    memory : int
        Bytes of images that may be kept.

    Raises
    ------
    UnknownNameError
        If ``by`` is something else.
    LLPBenchError
        If a size is not positive, or there is nothing to train on.
    """

    def __init__(
        self,
        ds: xr.Dataset,
        batch_size: int = 32,
        *,
        by: Literal["chip", "division"] = "chip",
        bag_size: int = 16,
        augment: bool = False,
        seed: int = 0,
        memory: int = 2**31,
    ) -> None:
        if by not in UNITS:
            raise UnknownNameError(unknown("unit of batches", by, UNITS))
        if batch_size < 1 or bag_size < 1:
            raise LLPBenchError(
                f"batches and bags have at least one chip, found {batch_size} and {bag_size}"
            )
        known = np.isfinite(ds["target"].to_numpy()).all(axis=1)
        self._ds = ds.isel(chip=known)
        self.batch_size, self.augment, self.seed = batch_size, augment, seed
        self._bags = None if by == "chip" else _Bags(self._ds, bag_size)
        target = self._ds["target"].to_numpy() if self._bags is None else self._bags.targets
        self._targets = target.astype(np.float32)
        if not len(self._targets):
            raise LLPBenchError("there is nothing to make batches of: no chip has a target")
        self._fits = self._ds.sizes["chip"] * CHIP_BYTES <= memory
        self._images: NDArray[np.uint8] | None = None
        self._epoch = 0

    @property
    def shapes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shapes of an image or bag and of its target."""
        bag = () if self._bags is None else (self._bags.size,)
        return (*bag, SIDE, SIDE, 3), self._targets.shape[1:]

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-len(self._targets) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """Batches of the next epoch."""
        self._epoch += 1
        return self.epoch(self._epoch)

    def epoch(self, number: int) -> Iterator[Batch]:
        """Batches of a certain epoch.

        Parameters
        ----------
        number : int
            From 1 on.

        Yields
        ------
        images : ndarray of uint8
        targets : ndarray of float32
        """
        order, turns = np.random.default_rng([self.seed, number]).spawn(2)
        for images, targets in self._batches(order):
            yield (turn_images(images, turns) if self.augment else images), targets

    def _batches(self, generator: np.random.Generator) -> Iterator[Batch]:
        """Cut parts into batches, what is left of one going into the first of the next."""
        left: Batch | None = None
        for images, places, targets in self._parts(generator):
            start = 0
            if left is not None:
                start = self.batch_size - len(left[0])
                left = (
                    np.concatenate([left[0], images[places[:start]]]),
                    np.concatenate([left[1], targets[:start]]),
                )
                if len(left[0]) < self.batch_size:
                    continue
                yield left
                left = None
            for first in range(start, len(places), self.batch_size):
                chosen = slice(first, first + self.batch_size)
                batch = images[places[chosen]], targets[chosen]
                if len(batch[0]) < self.batch_size:
                    left = batch
                else:
                    yield batch
        if left is not None:
            yield left

    def _parts(
        self, generator: np.random.Generator
    ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.intp], NDArray[np.float32]]]:
        """Images in memory, where those of each chip or bag are among them, and targets."""
        if self._fits:
            if self._images is None:
                self._images = load_images(self._ds)
            items = generator.permutation(len(self._targets))
            yield self._images, self._draw(items, generator), self._targets[items]
            return
        groups = self._groups(generator)
        drawn = [self._draw(items, generator) for items in groups]
        needed = [np.unique(chips) for chips in drawn]
        with ThreadPoolExecutor(1) as reader:
            following = reader.submit(self._read, needed[0])
            for number, items in enumerate(groups):
                images = following.result()
                if number + 1 < len(groups):
                    following = reader.submit(self._read, needed[number + 1])
                places = np.searchsorted(needed[number], drawn[number])
                yield images, places, self._targets[items]

    def _groups(self, generator: np.random.Generator) -> list[NDArray[np.intp]]:
        """Shuffled chips or divisions whose images lie in a few blocks, for all blocks."""
        first = np.arange(len(self._targets)) if self._bags is None else self._bags.first
        lengths = self._ds["image"].chunksizes.get("chip", (self._ds.sizes["chip"],))
        block = np.searchsorted(np.cumsum(lengths), first, side="right")
        blocks = generator.permutation(np.unique(block))
        together = [blocks[start : start + BUFFER] for start in range(0, len(blocks), BUFFER)]
        return [generator.permutation(np.flatnonzero(np.isin(block, some))) for some in together]

    def _draw(self, items: NDArray[np.intp], generator: np.random.Generator) -> NDArray[np.intp]:
        return items if self._bags is None else self._bags.draw(items, generator)

    def _read(self, chips: NDArray[np.intp]) -> NDArray[np.uint8]:
        return load_images(self._ds.isel(chip=chips))


class _Bags:
    """Divisions and the chips that lie in them."""

    def __init__(self, ds: xr.Dataset, size: int) -> None:
        bags = ds.llp.bags()
        inhabited = np.diff(bags.indptr) > 0
        self.size = size
        self.rows = bags[np.flatnonzero(inhabited)]
        self.targets = ds["division_proportions"].to_numpy()[inhabited]
        self.first = np.minimum.reduceat(self.rows.indices, self.rows.indptr[:-1])

    def draw(self, items: NDArray[np.intp], generator: np.random.Generator) -> NDArray[np.intp]:
        """Chips of each division, shape (n, size)."""
        return np.stack([self._draw_one(int(item), generator) for item in items])

    def _draw_one(self, item: int, generator: np.random.Generator) -> NDArray[Any]:
        row = slice(*self.rows.indptr[item : item + 2])
        chips, areas = self.rows.indices[row], self.rows.data[row]
        few = len(chips) < self.size
        return generator.choice(chips, self.size, replace=few, p=areas / areas.sum())


def turn_images(images: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
    """Turn each image by none to three quarters and flip half of them.

    Parameters
    ----------
    images : ndarray of uint8, shape (..., side, side, 3)
    generator : numpy.random.Generator

    Returns
    -------
    ndarray of uint8
        In the same shape.
    """
    flat = images.reshape(-1, *images.shape[-3:])
    turned = np.empty_like(flat)
    which = generator.integers(8, size=len(flat))
    for number in range(8):
        chosen = np.rot90(flat[which == number], number % 4, axes=(1, 2))
        turned[which == number] = chosen[:, :, ::-1] if number >= 4 else chosen
    return turned.reshape(images.shape)
