"""Images in shuffled batches, with the numbers of their chips or divisions."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from llpbench.data.batches.augmentation import turn_images
from llpbench.data.batches.bags import Bags
from llpbench.data.batches.images import Images
from llpbench.errors import LLPBenchError

Numbered: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.intp]]
"""Images and the numbers of their chips or divisions."""

BUFFER = 8
"""Blocks of a stream that are mixed with one another."""


class Shuffle:
    """Images in a new order every epoch.

    The order depends on the seed and the number of the epoch alone. Images that are kept in
    memory are taken from there. Others stream: their blocks (as they lie in the store) are read
    in random order, some of them at a time in the background, and shuffled together.

    Parameters
    ----------
    images : Images
    batch_size : int
        Chips or divisions in a batch; the last one of an epoch holds what is left.
    bags : Bags, optional
        Draws chips of divisions, for batches of divisions instead of chips.
    augment : bool
        Whether to flip and turn each image at random.
    seed : int

    Raises
    ------
    LLPBenchError
        If a size is not positive, or there is nothing to train on.
    """

    def __init__(
        self,
        images: Images,
        batch_size: int,
        *,
        bags: Bags | None = None,
        augment: bool = False,
        seed: int = 0,
    ) -> None:
        if batch_size < 1:
            raise LLPBenchError(f"a batch has at least one chip or division, found {batch_size}")
        self.images, self.batch_size, self.bags = images, batch_size, bags
        self.augment, self.seed = augment, seed
        self._items = np.arange(len(images)) if bags is None else bags.visits
        self.chips = len(self._items) * (1 if bags is None else bags.size)
        if not self.chips:
            raise LLPBenchError("there is nothing to make batches of: no chip has a target")

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-len(self._items) // self.batch_size)

    def epoch(self, number: int) -> Iterator[Numbered]:
        """Batches of an epoch.

        Parameters
        ----------
        number : int
            From 1 on.

        Yields
        ------
        images : ndarray of uint8, shape (n, 96, 96, 3) or (n, bag_size, 96, 96, 3)
        items : ndarray of int, shape (n,)
            Numbers of the chips or divisions.
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
        drawn = [self._drawn(items, generator) for items in groups]
        if self.images.fit:
            yield self.images.kept, drawn[0], groups[0]
            return
        needed = [np.unique(chips) for chips in drawn]
        with ThreadPoolExecutor(1) as reader:
            following = reader.submit(self.images.read, needed[0])
            for number, items in enumerate(groups):
                images = following.result()
                if number + 1 < len(groups):
                    following = reader.submit(self.images.read, needed[number + 1])
                yield images, np.searchsorted(needed[number], drawn[number]), items

    def _groups(self, generator: np.random.Generator) -> list[NDArray[np.intp]]:
        """Shuffled chips or divisions whose images lie in a few blocks, for all blocks."""
        first = self._items if self.bags is None else self.bags.first(self._items)
        block = self.images.blocks[first]
        blocks = generator.permutation(np.unique(block))
        together = [blocks[start : start + BUFFER] for start in range(0, len(blocks), BUFFER)]
        return [generator.permutation(self._items[np.isin(block, some)]) for some in together]

    def _drawn(self, items: NDArray[np.intp], generator: np.random.Generator) -> NDArray[np.intp]:
        return items if self.bags is None else self.bags.draw(items, generator)
