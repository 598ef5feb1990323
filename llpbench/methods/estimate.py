"""What a method predicts of some chips: shares, and classes or probabilities of pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from llpbench.predictions.table import make_predictions

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Estimate:
    """Predictions of a batch of chips, with all that a method knows of their pixels.

    Parameters
    ----------
    shares : ndarray of float64, shape (chip, category)
        From 0 to 1; rows sum to 1.
    pixels : ndarray of float32, shape (chip, pixel, category), or None
        Class probabilities on a square grid over the score window, row by row, where the method
        has them.
    classes : ndarray of uint8, shape (chip, row, column), or None
        Category numbers of pixels, from a method that has no probabilities.
    are_means : bool
        Whether the shares are the means of the pixels.
    """

    shares: NDArray[Any]
    pixels: NDArray[np.float32] | None = None
    classes: NDArray[np.uint8] | None = None
    are_means: bool = False

    @classmethod
    def of_pixels(cls, pixels: NDArray[np.float32]) -> Self:
        """Take the mean probabilities of pixels for the shares.

        Parameters
        ----------
        pixels : ndarray of float32, shape (chip, pixel, category) or (chip, row, column, category)
            From 0 to 1; each pixel's sum to 1.
        """
        flat = pixels.reshape(len(pixels), -1, pixels.shape[-1])
        return cls(flat.mean(axis=1, dtype=np.float64), flat, are_means=True)

    @classmethod
    def of_predictions(cls, predictions: xr.Dataset) -> Self:
        """Take the shares and the segmentation of a predictions table."""
        shares = predictions["proportions"].to_numpy().astype(np.float64)
        grid = predictions.get("segmentation")
        return cls(shares, classes=None if grid is None else grid.to_numpy())

    @classmethod
    def join(cls, parts: Sequence[Estimate]) -> Self:
        """Put batches together in their order; all have the same arrays."""

        def joined(name: str) -> Any:
            arrays = [getattr(part, name) for part in parts]
            return None if arrays[0] is None else np.concatenate(arrays)

        return cls(joined("shares"), joined("pixels"), joined("classes"), parts[0].are_means)

    @property
    def grid(self) -> NDArray[np.float32] | None:
        """Class probabilities, shape (chip, row, column, category)."""
        if self.pixels is None:
            return None
        count, pixels, categories = self.pixels.shape
        side = math.isqrt(pixels)
        return self.pixels.reshape(count, side, side, categories)

    @property
    def segmentation(self) -> NDArray[np.uint8] | None:
        """Category numbers of pixels, shape (chip, row, column): the most probable ones."""
        grid = self.grid
        return self.classes if grid is None else grid.argmax(axis=-1).astype(np.uint8)

    def thin(self, side: int) -> Estimate:
        """Leave out rows and columns of pixels until there are at most ``side`` of each."""
        grid = self.grid
        if grid is None:
            return self
        every = -(-grid.shape[1] // side)
        few = grid[:, ::every, ::every]
        flat = few.reshape(len(few), -1, few.shape[-1])
        return Estimate(self.shares, flat, are_means=self.are_means)


def collect(
    batches: Iterable[Estimate], chips: NDArray[np.str_], categories: NDArray[np.str_]
) -> xr.Dataset:
    """Make batches a predictions table; of their probabilities only one batch is held at a time.

    The batches are of these chips, by id, in their order; categories are names of class groups.
    """
    parts = [(batch.shares, batch.segmentation) for batch in batches]
    shares, classes = zip(*parts, strict=True)
    segmentation = None if classes[0] is None else np.concatenate(classes)
    return make_predictions(chips, categories, np.concatenate(shares), segmentation)
