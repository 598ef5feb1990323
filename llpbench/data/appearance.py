"""How images look: distributions of their colours, and how far those of new images lie from them.

Two distributions are compared by the Wasserstein distance, in levels from 0 to 255: by how much
the one's pixels must be brightened or darkened on average to have the other. The measure is this
distance between new and known images, divided by that between a single known chip and all of them
(the mean over chips). The distance is convex, so that of new images is on average not more than
that of one of their chips: with chips like the known ones the measure is not above 1, and near 0
where there are many. That mean of n chips is itself uncertain by their standard deviation over the
root of n, and twice that is allowed on top.

What is compared, and what a level is, says :mod:`llpbench.data.channels`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    NonNegativeInt,
    PositiveInt,
    model_validator,
)

from llpbench.brief import Brief
from llpbench.data.channels import (
    LEVELS,
    RGB_CHANNELS,
    Channel,
    channel_names,
    count_levels,
    find_channels,
)
from llpbench.data.imagery import DIMS, IMAGE, RGB_ONLY, Imagery
from llpbench.errors import BuildError, examples

if TYPE_CHECKING:
    import xarray as xr

MOST_CHIPS = 1000
"""Chips that are looked at, evenly spread over all."""
_MOST_BYTES = 2**28
"""Bytes of them, where they have many bands."""

LEAST_SPREAD = 0.005 / 0.3 * 255
"""Levels below which chips count as alike: the 0.005 of reflectance by which two images of one
place may differ after atmospheric correction (Doxani et al., Remote Sensing 2018, 10, 352). Of
bands with other values, whose reflectance nobody knows, as many of their own levels."""

_Counts = Annotated[tuple[NonNegativeInt, ...], Field(min_length=LEVELS, max_length=LEVELS)]


class Appearance(Brief, BaseModel):
    """Distributions of the colours of some chips.

    Parameters
    ----------
    chips : int
        How many were looked at.
    counts : tuple, shape (channel, 256)
        Pixels by level.
    spread, deviation : tuple of float, shape (channel,)
        Mean and standard deviation of the distances between a chip and all, in levels.
    channels : tuple of Channel
        What was looked at.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    chips: PositiveInt
    counts: tuple[_Counts, ...]
    spread: tuple[FiniteFloat, ...]
    deviation: tuple[FiniteFloat, ...]
    channels: tuple[Channel, ...] = RGB_CHANNELS

    @model_validator(mode="after")
    def _check(self) -> Self:
        if {len(self.counts), len(self.spread), len(self.deviation)} != {len(self.channels)}:
            raise ValueError("channels differ")
        return self

    @classmethod
    def of(cls, images: NDArray[np.uint8]) -> Self:
        """Look at images, shape (chip, row, column, 3), red, green and blue.

        Examples
        --------
        >>> half = Appearance.of(np.full((2, 4, 4, 3), [[[[100]]], [[[120]]]], dtype=np.uint8))
        >>> half.spread
        (10.0, 10.0, 10.0, 0.0, 0.0)
        """
        return cls.of_arrays({IMAGE: images}, RGB_ONLY)

    @classmethod
    def of_arrays(
        cls,
        arrays: Mapping[str, NDArray[Any]],
        images: Mapping[str, Imagery],
        known: Appearance | None = None,
    ) -> Self:
        """Look at images and embeddings, by the channels of known ones where there are some.

        Arrays are those of :func:`~llpbench.data.channels.find_channels`.
        """
        channels = find_channels(arrays, images) if known is None else known.channels
        counts = count_levels(arrays, images, channels)
        total = counts.sum(axis=0)
        whole = _shares(total)
        away = np.stack([_distance(_shares(chip), whole, channels) for chip in counts])
        seen = counts.any(axis=-1) | ~total.any(axis=-1)
        return cls(
            chips=len(counts),
            counts=total.tolist(),
            spread=away.mean(axis=0, where=seen).round(4).tolist(),
            deviation=away.std(axis=0, where=seen).round(4).tolist(),
            channels=channels,
        )

    def to_json(self) -> str:
        """All of it; channels of red, green and blue are not named, as in earlier versions."""
        return self.model_dump_json(exclude_defaults=True)

    @property
    def shares(self) -> NDArray[np.float64]:
        """Of pixels by level, shape (channel, 256)."""
        return _shares(np.array(self.counts))

    def means(self) -> NDArray[np.float64]:
        """Mean value of each channel."""
        return self._values(self.shares @ np.arange(LEVELS))

    def quantiles(self, share: float) -> NDArray[np.float64]:
        """The value of each channel that a share of the pixels does not exceed."""
        below = np.cumsum(self.shares, axis=1) < share - 1e-12
        return self._values(below.sum(axis=1))

    def _values(self, levels: NDArray[Any]) -> NDArray[np.float64]:
        ends = np.array([(channel.low, channel.step) for channel in self.channels])
        return ends[:, 0] + levels * ends[:, 1]

    def compare(self, new: Appearance) -> Drift:
        """Find how far new images lie from these."""
        unit = np.maximum(self.spread, LEAST_SPREAD)
        uncertain = np.array(self.deviation) / unit / np.sqrt(new.chips)
        measure = _distance(new.shares, self.shares, self.channels) / unit
        return Drift(self, new, tuple(measure.tolist()), tuple((1 + 2 * uncertain).tolist()))

    def levels_like(self, known: Appearance) -> NDArray[np.uint8]:
        """Levels that give red, green and blue the distributions of others, shape (3, 256).

        Each level becomes the one with as many pixels below it (the middle of its own counted).
        """
        table = np.empty((3, LEVELS), dtype=np.uint8)
        for band in range(3):
            here, there = self.shares[band], np.cumsum(known.shares[band])
            middle = np.cumsum(here) - here / 2
            table[band] = np.minimum(np.searchsorted(there, middle), LEVELS - 1)
        return table


@dataclass(frozen=True, repr=False)
class Drift(Brief):
    """How far new images lie from known ones, by channel: the measure, and what it may be."""

    known: Appearance
    new: Appearance
    measure: tuple[float, ...]
    limit: tuple[float, ...]

    @property
    def outside(self) -> list[str]:
        """Channels whose measure is above its limit."""
        measured = zip(self.known.channels, self.measure, self.limit, strict=True)
        return [channel.name for channel, found, most in measured if not found <= most]

    @property
    def worst(self) -> list[int]:
        """Channels by how far they lie from their limit, the farthest first."""
        return np.argsort(-np.array(self.measure) / np.array(self.limit), kind="stable").tolist()

    @property
    def offset(self) -> float | None:
        """Levels by which red, green and blue lie outside alike, as by an offset; else None."""
        away = (self.new.means() - self.known.means())[:3]
        colours = [channel.name for channel in RGB_CHANNELS[:3]]
        if self.known.channels != RGB_CHANNELS or self.outside != colours:
            return None
        if np.ptp(away) > 0.2 * np.abs(away).min():
            return None
        return float(away.mean())

    def __str__(self) -> str:
        """The worst of it, in one sentence."""
        number = self.worst[0]
        channel = self.known.channels[number]
        known, new = (channel.text(one.means()[number]) for one in (self.known, self.new))
        verb = "lie outside" if self.outside else "are like"
        span = " (0 to 255)" if channel in RGB_CHANNELS else ""
        return (
            f"the new images {verb} those the method was trained on: {channel.name} is "
            f"{new} on average, was {known}{span}; drift {self.measure[number]:.2f}, "
            f"at most {self.limit[number]:.2f}"
        )

    def rows(self) -> list[dict[str, Any]]:
        """A table: means and the range of 98 % of the pixels, before and now, and the measure."""
        channels = self.known.channels
        columns: dict[str, Sequence[Any]] = {"band": [channel.name for channel in channels]}
        for name, one in (("training", self.known), ("new", self.new)):
            ends = zip(channels, one.quantiles(0.01), one.quantiles(0.99), strict=True)
            columns |= {
                f"{name} mean": [
                    round(mean, 1) if channel in RGB_CHANNELS else float(f"{mean:.4g}")
                    for channel, mean in zip(channels, one.means().tolist(), strict=True)
                ],
                f"{name} 98 %": [f"{c.text(low)} to {c.text(high)}" for c, low, high in ends],
            }
        columns |= {"drift": np.round(self.measure, 2).tolist()}
        columns |= {"at most": np.round(self.limit, 2).tolist()}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def look_at(ds: xr.Dataset) -> Appearance:
    """Look at some of the chips of a dataset, evenly spread."""
    images = ds.llp.info.images
    part = ds[[name for name in DIMS if name in ds]]
    part = part.isel(chip=spread_evenly(ds.sizes["chip"], images))
    return Appearance.of_arrays({str(name): part[name].to_numpy() for name in part}, images)


def look_alike(
    known: Appearance, arrays: Mapping[str, NDArray[Any]], images: Mapping[str, Imagery]
) -> Appearance:
    """Look at new images by the channels of known ones, or refuse images of other bands."""
    names, found = [channel.name for channel in known.channels], channel_names(images)
    if names != found:
        raise BuildError(
            f"the new images have the bands {examples(found)}, the method was trained on "
            f"{examples(names)}: give images of the same bands"
        )
    return Appearance.of_arrays(arrays, images, known)


def spread_evenly(chips: int, images: Mapping[str, Imagery] = RGB_ONLY) -> NDArray[np.intp]:
    """Positions of some of so many chips: at most :data:`MOST_CHIPS`, of some 256 MB."""
    size = sum(imagery.chip_bytes(array) for array, imagery in images.items())
    most = min(chips, MOST_CHIPS, max(_MOST_BYTES // size, 1))
    return np.linspace(0, chips - 1, most).round().astype(np.intp)


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    return counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1)


def _distance(
    first: NDArray[np.float64], second: NDArray[np.float64], channels: Sequence[Channel]
) -> NDArray[np.float64]:
    """Wasserstein distances in levels, shape (..., channel)."""
    between = np.abs(np.cumsum(first - second, axis=-1)).sum(axis=-1)
    return np.asarray(between * np.array([channel.width for channel in channels]))
