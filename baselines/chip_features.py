"""Features of chips for closed-form methods, from one or several sets of features.

A set is learned from training images and then turns each image into a row of numbers; images
pass by in blocks, as uint8, so that memory holds the rows alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.batches.images import iterate_images, load_images
from llpbench.methods.method import Progress

LEARNED_FROM = 1400
"""Chips whose images a set is learned from, at most."""

_BLOCK = 256


class FeatureSet(ABC):
    """A way to describe a chip by numbers.

    Attributes
    ----------
    arrays : dict of str to ndarray
        All that :meth:`learn` learned.
    """

    name: ClassVar[str]
    arrays: dict[str, NDArray[Any]]

    @abstractmethod
    def learn(self, images: NDArray[np.uint8], generator: np.random.Generator) -> Self:
        """Learn every set from the images of random chips."""

    @abstractmethod
    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.floating]:
        """Describe score windows, uint8 (n, 96, 96, 3), by rows (n, feature), not standardised."""

    @abstractmethod
    def multiply_adds(self) -> int:
        """Count the multiply-adds to describe one chip."""


class ChipFeatures:
    """Several sets of features side by side."""

    def __init__(self, sets: Sequence[FeatureSet]) -> None:
        self.sets = sets

    def learn(self, train: xr.Dataset, random_state: int) -> Self:
        """Learn every set from the images of random chips.

        Parameters
        ----------
        train : Dataset
            With ``image``.
        random_state : int
            Seed of the choice of chips, and of all that the sets draw.
        """
        generator = np.random.default_rng(random_state)
        count = min(train.sizes["chip"], LEARNED_FROM)
        chosen = np.sort(generator.choice(train.sizes["chip"], count, replace=False))
        images = load_images(train.isel(chip=chosen))
        for features in self.sets:
            features.learn(images, generator)
        return self

    def compute(self, ds: xr.Dataset, progress: Progress | None = None) -> NDArray[np.float64]:
        """Describe every chip of a dataset: float64 (chip, feature), the sets side by side.

        Features are not standardised.
        """
        blocks: Any = iterate_images(ds, batch_size=_BLOCK)
        if progress is not None:
            blocks = progress(blocks, total=-(-ds.sizes["chip"] // _BLOCK), desc="describing chips")
        rows = [
            np.concatenate([features(images) for features in self.sets], axis=1, dtype=np.float64)
            for _chips, images in blocks
        ]
        return np.concatenate(rows)

    def multiply_adds(self) -> int:
        """Count the multiply-adds to describe one chip."""
        return sum(features.multiply_adds() for features in self.sets)

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """All that was learned, by set and name."""
        return {
            f"{features.name}/{key}": array
            for features in self.sets
            for key, array in features.arrays.items()
        }

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Take over the arrays of :meth:`get_weights`; other names are ignored."""
        for features in self.sets:
            start = f"{features.name}/"
            features.arrays = {
                key.removeprefix(start): array
                for key, array in weights.items()
                if key.startswith(start)
            }
        return self
