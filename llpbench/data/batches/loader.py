"""Shuffled batches of images, still uint8, and of what they are to be trained on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llpbench.data.batches.bags import Bags
from llpbench.data.batches.images import MEMORY, SIDE, Images
from llpbench.data.batches.shuffling import Shuffle
from llpbench.errors import UnknownNameError, unknown

if TYPE_CHECKING:
    import xarray as xr

Batch: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""Images and what they are to be trained on."""

UNITS = ("chip", "division")


class Batches:
    """Shuffled batches of a split; each iteration over it is the next epoch.

    The order depends on the seed and the number of the epoch alone. A split that fits into
    ``memory`` is read once, a larger one streams, see
    :class:`~llpbench.data.batches.shuffling.Shuffle`.

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
        Chips drawn of a division, by overlap area, see
        :func:`llpbench.data.batches.bags.draw_by_weight`; in an epoch a division comes as often
        as its chips fill bags.
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
        memory: int = MEMORY,
    ) -> None:
        if by not in UNITS:
            raise UnknownNameError(unknown("unit of batches", by, UNITS))
        known = ds.isel(chip=np.isfinite(ds["target"].to_numpy()).all(axis=1))
        bags = None if by == "chip" else Bags.of(known, bag_size)
        self._targets = (
            known["target"].to_numpy().astype(np.float32) if bags is None else bags.proportions
        )
        self.shuffle = Shuffle(
            Images(known, memory), batch_size, bags=bags, augment=augment, seed=seed
        )
        self._epoch = 0

    @property
    def shapes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shapes of an image or bag and of its target."""
        bags = self.shuffle.bags
        return (*(() if bags is None else (bags.size,)), SIDE, SIDE, 3), self._targets.shape[1:]

    def __len__(self) -> int:
        """Batches in an epoch."""
        return len(self.shuffle)

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
        for images, items in self.shuffle.epoch(number):
            yield images, self._targets[items]
