"""What a method predicts of some chips: shares, intervals, classes or probabilities of pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from llpbench.brief import Brief
from llpbench.predictions.table import make_predictions

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, repr=False)
class Estimate(Brief):
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
    follow : bool
        Whether shares follow from pixels, so that what changes pixels reads shares anew.
    softness : float
        Pixels are the method's own probabilities to the power of 1 / softness, made to sum to 1
        again: 1 where they are its own, more where those are too sure.
    levels : ndarray of float64, shape (level,), or None
        How likely a share is to lie in its interval, ascending between 0 and 1; None, as both
        bounds then, where there are no intervals.
    low, high : ndarray of float32, shape (level, chip, category), or None
        Bounds of the intervals, 0 <= low <= high <= 1; each category stands on its own.
    """

    shares: NDArray[Any]
    pixels: NDArray[np.float32] | None = None
    classes: NDArray[np.uint8] | None = None
    follow: bool = False
    softness: float = 1.0
    levels: NDArray[np.float64] | None = None
    low: NDArray[np.float32] | None = None
    high: NDArray[np.float32] | None = None

    @classmethod
    def of_pixels(cls, pixels: NDArray[np.float32]) -> Self:
        """Take the mean probabilities of pixels for the shares.

        Parameters
        ----------
        pixels : ndarray of float32, shape (chip, pixel, category) or (chip, row, column, category)
            From 0 to 1; each pixel's sum to 1.
        """
        flat = pixels.reshape(len(pixels), -1, pixels.shape[-1])
        return cls(flat.mean(axis=1, dtype=np.float64), flat, follow=True)

    @classmethod
    def of_predictions(cls, predictions: xr.Dataset) -> Self:
        """Take the shares, the segmentation and the intervals of a predictions table."""
        shares = predictions["proportions"].to_numpy().astype(np.float64)
        further = {"classes": "segmentation", "levels": "level", "low": "low", "high": "high"}
        known = {field: predictions.get(name) for field, name in further.items()}
        arrays: dict[str, Any] = {
            field: None if array is None else array.to_numpy() for field, array in known.items()
        }
        return cls(shares, **arrays)

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Put batches together in their order; all have the same arrays."""
        chips_first = {name: _joined(parts, name) for name in ("shares", "pixels", "classes")}
        bounds = {name: _joined(parts, name, axis=1) for name in ("low", "high")}
        return replace(parts[0], **chips_first, **bounds)

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

    @property
    def own_pixels(self) -> NDArray[np.float32]:
        """Probabilities before they were softened, shape (chip, pixel, category)."""
        assert self.pixels is not None
        return _power(self.pixels, self.softness)

    def with_own_pixels(self, own: NDArray[np.float32]) -> Self:
        """Put others in the place of :attr:`own_pixels`, softened as they were.

        Their means are the shares, where those follow from pixels.
        """
        shares = own.mean(axis=1, dtype=np.float64) if self.follow else self.shares
        return replace(self, shares=shares, pixels=_power(own, 1 / self.softness))

    def thin(self, side: int) -> Estimate:
        """Leave out rows and columns of pixels until there are at most ``side`` of each."""
        grid = self.grid
        if grid is None:
            return self
        every = -(-grid.shape[1] // side)
        few = grid[:, ::every, ::every]
        return replace(self, pixels=few.reshape(len(few), -1, few.shape[-1]))

    def without_probabilities(self) -> Estimate:
        """Leave classes in the place of the probabilities of pixels, which take much memory."""
        return replace(self, pixels=None, classes=self.segmentation)

    def without_intervals(self) -> Estimate:
        """Leave the intervals out: what changes shares makes them those of others."""
        return self if self.levels is None else replace(self, levels=None, low=None, high=None)


def collect(
    batches: Iterable[Estimate], chips: NDArray[np.str_], categories: NDArray[np.str_]
) -> xr.Dataset:
    """Make batches a predictions table; of their probabilities only one batch is held at a time.

    The batches are of these chips, by id, in their order; categories are names of class groups.
    """
    whole = Estimate.join([batch.without_probabilities() for batch in batches])
    intervals: dict[str, Any] = {"levels": whole.levels, "low": whole.low, "high": whole.high}
    return make_predictions(chips, categories, whole.shares, whole.classes, **intervals)


def _power(pixels: NDArray[np.float32], exponent: float) -> NDArray[np.float32]:
    """Raise probabilities to a power, and make each pixel's sum to 1 again."""
    if exponent == 1:
        return pixels
    raised: NDArray[np.float32] = pixels ** np.float32(exponent)
    return raised / raised.sum(axis=-1, keepdims=True)


def _joined(parts: Sequence[Estimate], name: str, axis: int = 0) -> Any:
    arrays = [getattr(part, name) for part in parts]
    return None if arrays[0] is None else np.concatenate(arrays, axis=axis)
