"""What is compared between images: channels, and how many pixels of a chip have each of 256 levels.

Of images of red, green and blue these are the bands, and differences that tell a shade of colour or
bands swapped. Bands with numbers of their own and features of embeddings have levels between fixed
limits, those of the images that were seen first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, FiniteFloat, PositiveFloat, PositiveInt

from llpbench.catalog import check_printable
from llpbench.data.imagery import EMBEDDING, EMBEDDING_SCALE, IMAGE, RGB, Imagery

LEVELS = 256
LIMITS = (0.1, 99.9)
"""Percentiles between which the values of known images lie, on half of the levels. A quarter of the
levels on either side is for new ones; those that lie farther have the first or the last."""
_SAMPLED = 5
"""Of so many rows and columns one is looked at to find them."""


@dataclass(frozen=True)
class Channel:
    """A band, a feature or a difference of bands, and the values of its levels.

    Parameters
    ----------
    low, step : float
        The value of the lowest level, and by how much the next ones are larger.
    width : int
        By how many levels neighbours count as apart.
    """

    name: Annotated[str, Field(max_length=200), AfterValidator(check_printable)]
    low: FiniteFloat = 0.0
    step: PositiveFloat = 1.0
    width: PositiveInt = 1

    def text(self, value: float) -> str:
        """A value as people read it: of images of red, green and blue a whole number."""
        return f"{value:.0f}" if self in RGB_CHANNELS else f"{value:.3g}"


RGB_CHANNELS = (
    *(Channel(colour) for colour in RGB.names),
    *(Channel(name, -255, 2, 2) for name in ("red - green", "green - blue")),
)
"""Differences reach from -255 to 255, in steps of two levels."""


def channel_names(images: Mapping[str, Imagery]) -> list[str]:
    """What channels of images and embeddings are called."""
    return [name for array, imagery in images.items() for name in _names(array, imagery)]


def find_channels(
    arrays: Mapping[str, NDArray[Any]], images: Mapping[str, Imagery]
) -> tuple[Channel, ...]:
    """Find what is compared, with the limits of the values that are there.

    Parameters
    ----------
    arrays : mapping of str to ndarray, shape (chip, row, column, band)
        Stored numbers of ``image`` and ``embedding``, and ``embedding_scale`` (chip, row, column).
    images : mapping of str to Imagery
        What they hold.
    """
    channels: list[Channel] = []
    for array, imagery in images.items():
        if _is_rgb(array, imagery):
            channels += RGB_CHANNELS
            continue
        part = {name: numbers[:, ::_SAMPLED, ::_SAMPLED] for name, numbers in arrays.items()}
        limits = _limits(_decode(part, array, imagery))
        named = zip(_names(array, imagery), *limits, strict=True)
        channels += [_between(*values) for values in named]
    return tuple(channels)


def count_levels(
    arrays: Mapping[str, NDArray[Any]],
    images: Mapping[str, Imagery],
    channels: Sequence[Channel],
) -> NDArray[np.int64]:
    """Count pixels by level, shape (chip, channel, 256); those that are missing are left out."""
    chips = len(next(iter(arrays.values())))
    counts = np.empty((chips, len(channels), LEVELS), dtype=np.int64)
    for number in range(chips):
        chip, first = {name: numbers[number] for name, numbers in arrays.items()}, 0
        for array, imagery in images.items():
            own = channels[first : first + len(_names(array, imagery))]
            counted = (
                _count_colours(chip[IMAGE])
                if _is_rgb(array, imagery)
                else _count_values(_decode(chip, array, imagery), own)
            )
            counts[number, first : first + len(own)] = counted
            first += len(own)
    return counts


def _between(name: str, low: float, high: float) -> Channel:
    step = (high - low) / (LEVELS // 2)
    return Channel(name, low - step * LEVELS / 4, step)


def _is_rgb(array: str, imagery: Imagery) -> bool:
    return array == IMAGE and imagery == RGB


def _names(array: str, imagery: Imagery) -> list[str]:
    if _is_rgb(array, imagery):
        return [channel.name for channel in RGB_CHANNELS]
    return imagery.names if array == IMAGE else [f"{array} {name}" for name in imagery.names]


def _decode(
    arrays: Mapping[str, NDArray[Any]], array: str, imagery: Imagery
) -> NDArray[np.float32]:
    scale = arrays.get(EMBEDDING_SCALE) if array == EMBEDDING else None
    return imagery.coding.decode(arrays[array], scale)


def _limits(values: NDArray[np.float32]) -> tuple[list[float], list[float]]:
    """Limits of the values of bands (..., band); a band of one value has some room above."""
    bands = np.moveaxis(values, -1, 0).reshape(values.shape[-1], -1).astype(np.float64)
    seen = [band[np.isfinite(band)] for band in bands]
    low, high = np.array(
        [np.percentile(band, LIMITS) if band.size else (0.0, 0.0) for band in seen]
    ).T
    return low.tolist(), np.where(high > low, high, low + np.maximum(1, np.abs(low))).tolist()


def _count_colours(image: NDArray[np.uint8]) -> NDArray[np.int64]:
    red, green, blue = np.moveaxis(image, -1, 0).astype(np.int16)
    channels = (red, green, blue, (red - green + 255) // 2, (green - blue + 255) // 2)
    return np.stack([np.bincount(levels.ravel(), minlength=LEVELS) for levels in channels])


def _count_values(values: NDArray[np.float32], channels: Sequence[Channel]) -> NDArray[np.int64]:
    flat = values.reshape(-1, len(channels)).astype(np.float64)
    low, step = (np.array([getattr(one, name) for one in channels]) for name in ("low", "step"))
    known = np.isfinite(flat)
    levels = np.clip(np.rint((np.where(known, flat, 0) - low) / step), 0, LEVELS - 1)
    places = levels.astype(np.int64) + LEVELS * np.arange(len(channels))
    counts = np.bincount(places[known], minlength=LEVELS * len(channels))
    return counts.reshape(len(channels), LEVELS)
