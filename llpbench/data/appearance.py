"""How images look: distributions of their colours, and how far those of new images lie from them.

Two distributions are compared by the Wasserstein distance, in levels from 0 to 255: by how much
the one's pixels must be brightened or darkened on average to have the other. The measure is this
distance between new and known images, divided by that between a single known chip and all of them
(the mean over chips). The distance is convex, so that of new images is on average not more than
that of one of their chips: with chips like the known ones the measure is not above 1, and near 0
where there are many. That mean of n chips is itself uncertain by their standard deviation over the
root of n, and twice that is allowed on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, NonNegativeInt, PositiveInt

if TYPE_CHECKING:
    import xarray as xr

CHANNELS = ("red", "green", "blue", "red - green", "green - blue")
"""What is compared: bands, and the differences that tell a shade of colour, or bands swapped."""

MOST_CHIPS = 1000
"""Chips that are looked at, evenly spread over all."""

LEAST_SPREAD = 0.005 / 0.3 * 255
"""Levels below which chips count as alike: the 0.005 of reflectance by which two images of one
place may differ after atmospheric correction (Doxani et al., Remote Sensing 2018, 10, 352)."""

_LEVELS = 256
_STEP = np.array([1, 1, 1, 2, 2])
"""Levels in a bin: differences reach from -255 to 255."""

_Counts = Annotated[tuple[NonNegativeInt, ...], Field(min_length=_LEVELS, max_length=_LEVELS)]
_Numbers = Annotated[tuple[FiniteFloat, ...], Field(min_length=5, max_length=5)]


class Appearance(BaseModel):
    """Distributions of the colours of some chips.

    Parameters
    ----------
    chips : int
        How many were looked at.
    counts : tuple, shape (channel, 256)
        Pixels by level; differences in bins of two levels, from -255.
    spread, deviation : tuple of float, shape (channel,)
        Mean and standard deviation of the distances between a chip and all, in levels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    chips: PositiveInt
    counts: Annotated[tuple[_Counts, ...], Field(min_length=5, max_length=5)]
    spread: _Numbers
    deviation: _Numbers

    @classmethod
    def of(cls, images: NDArray[np.uint8]) -> Self:
        """Look at images, shape (chip, row, column, 3), red, green and blue.

        Examples
        --------
        >>> half = Appearance.of(np.full((2, 4, 4, 3), [[[[100]]], [[[120]]]], dtype=np.uint8))
        >>> half.spread
        (10.0, 10.0, 10.0, 0.0, 0.0)
        """
        counts = np.stack([_count(image) for image in images])
        away = _distance(_shares(counts), _shares(counts.sum(axis=0)))
        return cls(
            chips=len(images),
            counts=counts.sum(axis=0).tolist(),
            spread=away.mean(axis=0).round(4).tolist(),
            deviation=away.std(axis=0).round(4).tolist(),
        )

    @property
    def shares(self) -> NDArray[np.float64]:
        """Of pixels by level, shape (channel, 256)."""
        return _shares(np.array(self.counts))

    def means(self) -> NDArray[np.float64]:
        """Mean level of each channel."""
        return self.shares @ np.arange(_LEVELS) * _STEP - 255 * (_STEP - 1)

    def quantiles(self, share: float) -> NDArray[np.float64]:
        """The level of each channel that a share of the pixels does not exceed."""
        below = np.cumsum(self.shares, axis=1) < share - 1e-12
        return below.sum(axis=1) * _STEP - 255.0 * (_STEP - 1)

    def compare(self, new: Appearance) -> Drift:
        """Find how far new images lie from these."""
        unit = np.maximum(self.spread, LEAST_SPREAD)
        uncertain = np.array(self.deviation) / unit / np.sqrt(new.chips)
        measure = _distance(new.shares, self.shares) / unit
        return Drift(self, new, tuple(measure.tolist()), tuple((1 + 2 * uncertain).tolist()))

    def levels_like(self, known: Appearance) -> NDArray[np.uint8]:
        """Levels that give these images the distributions of others, shape (3, 256).

        Each level becomes the one with as many pixels below it (the middle of its own counted).
        """
        table = np.empty((3, _LEVELS), dtype=np.uint8)
        for band in range(3):
            here, there = self.shares[band], np.cumsum(known.shares[band])
            middle = np.cumsum(here) - here / 2
            table[band] = np.minimum(np.searchsorted(there, middle), _LEVELS - 1)
        return table


@dataclass(frozen=True)
class Drift:
    """How far new images lie from known ones, by channel: the measure, and what it may be."""

    known: Appearance
    new: Appearance
    measure: tuple[float, ...]
    limit: tuple[float, ...]

    @property
    def outside(self) -> list[str]:
        """Channels whose measure is above its limit."""
        pairs = zip(self.measure, self.limit, strict=True)
        return [
            name for name, (found, most) in zip(CHANNELS, pairs, strict=True) if not found <= most
        ]

    @property
    def offset(self) -> float | None:
        """Levels by which all bands lie outside alike, as an offset makes them; else None."""
        away = (self.new.means() - self.known.means())[:3]
        if set(self.outside) != set(CHANNELS[:3]) or np.ptp(away) > 0.2 * np.abs(away).min():
            return None
        return float(away.mean())

    def __str__(self) -> str:
        """The worst of it, in one sentence."""
        number = int(np.argmax(np.array(self.measure) / np.array(self.limit)))
        known, new = (one.means()[number] for one in (self.known, self.new))
        verb = "lie outside" if self.outside else "are like"
        return (
            f"the new images {verb} those the method was trained on: {CHANNELS[number]} is "
            f"{new:.0f} on average, was {known:.0f} (0 to 255); drift {self.measure[number]:.2f}, "
            f"at most {self.limit[number]:.2f}"
        )

    def rows(self) -> list[dict[str, Any]]:
        """A table: means and the range of 98 % of the pixels, before and now, and the measure."""
        columns: dict[str, Sequence[Any]] = {"band": CHANNELS}
        for name, one in (("training", self.known), ("new", self.new)):
            ends = zip(one.quantiles(0.01), one.quantiles(0.99), strict=True)
            columns |= {
                f"{name} mean": one.means().round(1).tolist(),
                f"{name} 98 %": [f"{low:.0f} to {high:.0f}" for low, high in ends],
            }
        columns |= {"drift": np.round(self.measure, 2).tolist()}
        columns |= {"at most": np.round(self.limit, 2).tolist()}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def look_at(ds: xr.Dataset) -> Appearance:
    """Look at some of the chips of a dataset, evenly spread."""
    return Appearance.of(ds["image"].isel(chip=spread_evenly(ds.sizes["chip"])).to_numpy())


def spread_evenly(chips: int) -> NDArray[np.intp]:
    """Positions of at most :data:`MOST_CHIPS` of so many chips."""
    return np.linspace(0, chips - 1, min(chips, MOST_CHIPS)).round().astype(np.intp)


def _count(image: NDArray[np.uint8]) -> NDArray[np.int64]:
    red, green, blue = np.moveaxis(image, -1, 0).astype(np.int16)
    channels = (red, green, blue, (red - green + 255) // 2, (green - blue + 255) // 2)
    return np.stack([np.bincount(levels.ravel(), minlength=_LEVELS) for levels in channels])


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    return counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1)


def _distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Wasserstein distances in levels, shape (..., channel)."""
    between = np.abs(np.cumsum(first - second, axis=-1)).sum(axis=-1)
    return np.asarray(between * _STEP)
