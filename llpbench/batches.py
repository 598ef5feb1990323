"""Shuffled batches of images, still uint8: by chip or division, from memory or a stream."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llpbench.augmentation import turn_images
from llpbench.bags import Bags
from llpbench.catalog import unknown
from llpbench.errors import LLPBenchError, UnknownNameError
from llpbench.images import MEMORY, SIDE, Images

if TYPE_CHECKING:
    import xarray as xr

Batch: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""Images and what they are to be trained on."""

Numbered: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.intp]]
"""Images and the numbers of their chips or divisions."""

BUFFER = 8
"""Blocks of a stream that are mixed with one another."""

UNITS = ("chip", "division")


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
        Chips drawn of a division, by overlap area, see :func:`llpbench.bags.draw_by_weight`;
        in an epoch a division comes as often as its chips fill bags.
    augment : bool
        Whether to flip and turn each image at random.
    seed : int
    memory : int
        Bytes of images that may be kept.
    images : Images, optional
        Those of the chips with a target, to share them with other batches.

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
        memory: int = MEMORY,
        images: Images | None = None,
    ) -> None:
        if by not in UNITS:
            raise UnknownNameError(unknown("unit of batches", by, UNITS))
        if batch_size < 1 or bag_size < 1:
            raise LLPBenchError(
                f"batches and bags have at least one chip, found {batch_size} and {bag_size}"
            )
        known = ds.isel(chip=np.isfinite(ds["target"].to_numpy()).all(axis=1))
        self.batch_size, self.augment, self.seed = batch_size, augment, seed
        self._bags = None if by == "chip" else Bags.of(known, bag_size)
        if self._bags is None:
            self._targets = known["target"].to_numpy().astype(np.float32)
            self._items = np.arange(len(self._targets))
        else:
            self._targets, self._items = self._bags.proportions, self._bags.visits
        if not len(self._items):
            raise LLPBenchError("there is nothing to make batches of: no chip has a target")
        self._images = Images(known, memory) if images is None else images
        self._epoch = 0

    @property
    def shapes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shapes of an image or bag and of its target."""
        bag = () if self._bags is None else (self._bags.size,)
        return (*bag, SIDE, SIDE, 3), self._targets.shape[1:]

    @property
    def chips(self) -> int:
        """Images in an epoch."""
        return len(self._items) * (1 if self._bags is None else self._bags.size)

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-len(self._items) // self.batch_size)

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
        for images, items in self.numbered(number):
            yield images, self._targets[items]

    def numbered(self, number: int) -> Iterator[Numbered]:
        """Batches of a certain epoch, with numbers instead of targets.

        Parameters
        ----------
        number : int
            Of the epoch, from 1 on.

        Yields
        ------
        images : ndarray of uint8
        items : ndarray of int, shape (n,)
            Positions of the chips among those with a target, or of the divisions.
        """
        order, turns = np.random.default_rng([self.seed, number]).spawn(2)
        for images, items in self._batches(order):
            yield (turn_images(images, turns) if self.augment else images), items

    def _batches(self, generator: np.random.Generator) -> Iterator[Numbered]:
        """Cut parts into batches, what is left of one going into the first of the next."""
        left: Numbered | None = None
        for images, places, items in self._parts(generator):
            start = 0
            if left is not None:
                start = self.batch_size - len(left[0])
                left = (
                    np.concatenate([left[0], images[places[:start]]]),
                    np.concatenate([left[1], items[:start]]),
                )
                if len(left[0]) < self.batch_size:
                    continue
                yield left
                left = None
            for first in range(start, len(places), self.batch_size):
                chosen = slice(first, first + self.batch_size)
                batch = images[places[chosen]], items[chosen]
                if len(batch[0]) < self.batch_size:
                    left = batch
                else:
                    yield batch
        if left is not None:
            yield left

    def _parts(
        self, generator: np.random.Generator
    ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.intp], NDArray[np.intp]]]:
        """Images in memory, where those of each chip or bag are among them, and its number."""
        groups = self._groups(generator)
        drawn = [self._draw(items, generator) for items in groups]
        if self._images.fit:
            yield self._images.kept, drawn[0], groups[0]
            return
        needed = [np.unique(chips) for chips in drawn]
        with ThreadPoolExecutor(1) as reader:
            following = reader.submit(self._images.read, needed[0])
            for number, items in enumerate(groups):
                images = following.result()
                if number + 1 < len(groups):
                    following = reader.submit(self._images.read, needed[number + 1])
                yield images, np.searchsorted(needed[number], drawn[number]), items

    def _groups(self, generator: np.random.Generator) -> list[NDArray[np.intp]]:
        """Shuffled chips or divisions whose images lie in a few blocks, for all blocks."""
        first = self._items if self._bags is None else self._bags.first(self._items)
        block = self._images.blocks[first]
        blocks = generator.permutation(np.unique(block))
        together = [blocks[start : start + BUFFER] for start in range(0, len(blocks), BUFFER)]
        return [generator.permutation(self._items[np.isin(block, some)]) for some in together]

    def _draw(self, items: NDArray[np.intp], generator: np.random.Generator) -> NDArray[np.intp]:
        return items if self._bags is None else self._bags.draw(items, generator)
