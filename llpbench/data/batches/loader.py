"""Shuffled batches of images, as they are stored, and of what they are to be trained on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llpbench.data.batches.augmentation import WAYS, turn_images
from llpbench.data.batches.images import MEMORY, Images
from llpbench.data.divisions import Divisions
from llpbench.errors import LLPBenchError, UnknownNameError, unknown

if TYPE_CHECKING:
    import xarray as xr

Batch: TypeAlias = tuple[NDArray[Any], NDArray[np.float32]]
"""Images and what they are to be trained on."""

Numbered: TypeAlias = tuple[NDArray[Any], NDArray[np.intp]]
"""Images and the numbers of their chips or divisions."""

UNITS = ("chip", "division")

BUFFER = 8
"""Blocks of a stream that are mixed with one another."""


class Batches:
    """Shuffled batches of chips, or of bags of chips; each iteration is the next epoch.

    The order depends on the seed and the number of the epoch alone. Images that fit into memory
    are read once. Others stream: their blocks (as they lie in the store) are read in random
    order, some of them at a time in the background, and shuffled together.

    Parameters
    ----------
    targets : ndarray, shape (chip or division, ...)
        What comes with the images: of chips, or of divisions where these are given.
    batch_size : int
        Chips or bags in a batch; the last one of an epoch holds the rest.
    divisions : Divisions, optional
        For batches of bags instead of chips: chips of a division, drawn by overlap area, see
        :func:`~llpbench.data.divisions.draw_by_weight`.
    bag_size : int
        Chips in a bag. In an epoch a division comes as often as its chips fill bags.
    augment : bool
        Whether to flip and turn each image at random.

    Raises
    ------
    LLPBenchError
        If a size is not positive, or there is nothing to train on.
    """

    def __init__(
        self,
        images: Images,
        targets: NDArray[np.float32],
        batch_size: int = 32,
        *,
        divisions: Divisions | None = None,
        bag_size: int = 16,
        augment: bool = False,
        seed: int = 0,
    ) -> None:
        if batch_size < 1:
            raise LLPBenchError(f"a batch has at least one chip or division, found {batch_size}")
        self.images, self.targets, self.batch_size = images, targets, batch_size
        self.divisions, self.bag_size = divisions, bag_size
        self.augment, self.seed = augment, seed
        self._items = np.arange(len(images)) if divisions is None else divisions.visits(bag_size)
        self._chips_each = 1 if divisions is None else bag_size
        self.chips = len(self._items) * self._chips_each
        if not self.chips:
            raise LLPBenchError("there is nothing to make batches of: no chip has a target")
        self._epoch = 0

    @classmethod
    def of(
        cls,
        ds: xr.Dataset,
        batch_size: int = 32,
        *,
        by: Literal["chip", "division"] = "chip",
        bag_size: int = 16,
        augment: bool = False,
        seed: int = 0,
        memory: int = MEMORY,
    ) -> Self:
        """Make them of a split.

        Parameters
        ----------
        ds : Dataset
            A split; chips without a target are left out.
        by : {"chip", "division"}
            A batch is images (n, 96, 96, band) with targets (n, category), or bags of images
            (n, bag_size, 96, 96, band) with proportions of divisions (n, category).
        batch_size, bag_size, augment, seed
            See above.
        memory : int
            Bytes of images that may be kept.

        Raises
        ------
        UnknownNameError
            If ``by`` is something else.
        """
        if by not in UNITS:
            raise UnknownNameError(unknown("unit of batches", by, UNITS))
        ds = ds.isel(chip=np.isfinite(ds["target"].to_numpy()).all(axis=1))
        divisions = None if by == "chip" else Divisions.of(ds)
        targets = ds["target"].to_numpy() if divisions is None else divisions.proportions
        return cls(
            Images(ds, memory),
            targets.astype(np.float32),
            batch_size,
            divisions=divisions,
            bag_size=bag_size,
            augment=augment,
            seed=seed,
        )

    @property
    def shapes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shapes of an image or bag and of its target."""
        bag = () if self.divisions is None else (self.bag_size,)
        return (*bag, *self.images.chip_shape), self.targets.shape[1:]

    def __len__(self) -> int:
        """Batches in an epoch."""
        return -(-len(self._items) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        """Images and targets of the next epoch."""
        self._epoch += 1
        for images, items in self.epoch(self._epoch):
            yield images, self.targets[items]

    def epoch(self, number: int, worker: int = 0, workers: int = 1) -> Iterator[Numbered]:
        """Images of a certain epoch, with numbers instead of targets.

        Parameters
        ----------
        number : int
            From 1 on.
        worker, workers : int
            Which of several processes this one is, and how many share the epoch: they yield batches
            in turn, from that of process 0 on, and no other images are read.

        Yields
        ------
        images : ndarray, shape (n, 96, 96, band) or (n, bag_size, 96, 96, band)
            Score windows of chips, or of the chips of bags.
        items : ndarray of int, shape (n,)
            Positions of the chips or divisions.
        """
        order, turns = np.random.default_rng([self.seed, number]).spawn(2)
        own = self._batches(order, worker, workers)
        for batch in range(len(self)):
            first = batch * self.batch_size
            size = len(self._items[first : first + self.batch_size]) * self._chips_each
            which = turns.integers(WAYS, size=size) if self.augment else None
            if batch % workers == worker:
                images, items = next(own)
                yield (images if which is None else turn_images(images, which)), items

    def _batches(
        self, generator: np.random.Generator, worker: int, workers: int
    ) -> Iterator[Numbered]:
        """Cut parts into batches; the rest of a part goes into the first batch of the next."""
        rest: Numbered | None = None
        for images, places, items in self._parts(generator, worker, workers):
            start = 0
            if rest is not None:
                start = self.batch_size - len(rest[0])
                rest = (
                    np.concatenate([rest[0], images[places[:start]]]),
                    np.concatenate([rest[1], items[:start]]),
                )
                if len(rest[0]) < self.batch_size:
                    continue
                yield rest
                rest = None
            for first in range(start, len(places), self.batch_size):
                chosen = slice(first, first + self.batch_size)
                batch = images[places[chosen]], items[chosen]
                if len(batch[0]) < self.batch_size:
                    rest = batch
                else:
                    yield batch
        if rest is not None:
            yield rest

    def _parts(
        self, generator: np.random.Generator, worker: int, workers: int
    ) -> Iterator[tuple[NDArray[Any], NDArray[np.intp], NDArray[np.intp]]]:
        """Images in memory, where those of each chip or bag are among them, and its number."""
        groups = self._groups(generator)
        drawn = [self._draw(items, generator) for items in groups]
        own = np.arange(len(self._items)) // self.batch_size % workers == worker
        parts = np.split(own, np.cumsum([len(items) for items in groups])[:-1])
        groups = [items[part] for items, part in zip(groups, parts, strict=True) if part.any()]
        drawn = [chips[part] for chips, part in zip(drawn, parts, strict=True) if part.any()]
        if not groups:
            return
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
        items = self._items
        first = items if self.divisions is None else self.divisions.first_chips(items)
        block = self.images.blocks[first]
        blocks = generator.permutation(np.unique(block))
        groups = [blocks[start : start + BUFFER] for start in range(0, len(blocks), BUFFER)]
        return [generator.permutation(items[np.isin(block, group)]) for group in groups]

    def _draw(self, items: NDArray[np.intp], generator: np.random.Generator) -> NDArray[np.intp]:
        if self.divisions is None:
            return items
        return self.divisions.draw(items, self.bag_size, generator)
