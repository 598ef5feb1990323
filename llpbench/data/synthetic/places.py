"""Where the chips of a made region lie, and their names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from llpbench.data.grid import ChipGrid
from llpbench.data.synthetic.noise import PixelGrid, salt, smooth_noise
from llpbench.errors import UnknownNameError, examples
from llpbench.protocol import CHIP_SIZE

CRS: Final = "+proj=cea +lat_ts=45 +lon_0=-30 +datum=WGS84 +units=km"
"""Equal-area projection, true at 45° N in the open Atlantic; its rectangles are rectangles of
longitude and latitude, so each square kilometre here is one there."""

_NORTHING: Final = 6339
"""Kilometres from the equator, along the projection's axis, to row 0: about 45° N."""

GRID: Final = ChipGrid(CRS.replace("km", "m"), 0.0, 1000.0 * _NORTHING, 1000.0, 1000.0)
"""Rows and columns as they are counted here, in metres, as GeoTIFF prefers them."""

_REACH: Final = 2048
"""Rows and columns lie in [-2048, 2048)."""

_ID_BITS: Final = 52  # 13 hexadecimal digits
_ID: Final = re.compile("[0-9a-f]{13}")
_MULTIPLIER: Final = 0x9E3779B97F4A7


def choose_places(chips: int, seed: int) -> NDArray[np.int64]:
    """Kilometre squares of a region: the nearest to the origin, by a distance bent by noise.

    Row and column, shape (chip, 2), sorted; "places" throughout this module.

    Examples
    --------
    >>> choose_places(40, seed=0).shape
    (40, 2)
    """
    side = int(1.7 * chips**0.5) // 2 + 2
    grid = np.mgrid[-side : side + 1, -side : side + 1].reshape(2, -1)
    bend = smooth_noise(salt(seed, "coast"), side * CHIP_SIZE // 2, PixelGrid(grid.T, CHIP_SIZE))
    distance = (grid**2).sum(axis=0) * (1 + 0.25 * np.clip(bend.ravel(), -2, 2))
    nearest = np.argsort(distance, kind="stable")[:chips]
    return np.asarray(grid[:, np.sort(nearest)].T)


def boxes(places: NDArray[np.int64]) -> NDArray[Any]:
    """Outlines, shape (place,), of kilometre squares in the projection's plane."""
    import shapely

    rows, columns = places.T
    squares: NDArray[Any] = shapely.box(
        columns, _NORTHING - rows - 1, columns + 1, _NORTHING - rows
    )
    return squares


def centres(places: NDArray[np.int64]) -> NDArray[np.float64]:
    """Middles of kilometre squares in the projection's plane, shape (place, 2): x and y in km."""
    return np.stack([places[:, 1] + 0.5, _NORTHING - places[:, 0] - 0.5], axis=1)


def positions(grid: PixelGrid) -> NDArray[np.float64]:
    """Middles of pixels in the projection's plane, shape (chip, side, side, 2): x and y in km."""
    x, y = (grid.x + 0.5) / CHIP_SIZE, _NORTHING - (grid.y + 0.5) / CHIP_SIZE
    return np.stack(np.broadcast_arrays(x[:, None, :], y[:, :, None]), axis=-1)


def neighbourhood(places: NDArray[np.int64], reach: int) -> NDArray[np.int64]:
    """Squares around others, shape (neighbour, 2), up to ``reach`` away, diagonally too."""
    from scipy.ndimage import maximum_filter

    corner = places.min(axis=0) - reach
    inside = np.zeros(places.max(axis=0) - corner + reach + 1, dtype=bool)
    inside[tuple((places - corner).T)] = True
    around = np.argwhere(maximum_filter(inside, 2 * reach + 1) & ~inside)
    return np.asarray(around + corner)


def encode(places: NDArray[np.int64], seed: int) -> list[str]:
    """Chip ids of places, 13 hexadecimal digits each; regions of other seeds have other ids."""
    numbers = (places[:, 0] + _REACH) * 2 * _REACH + places[:, 1] + _REACH
    return [identifier(int(number), seed) for number in numbers]


def identifier(number: int, seed: int) -> str:
    """Scatter a number, not negative, over the 13-digit hexadecimal ids, one to one.

    Examples
    --------
    >>> identifier(0, seed=0) == identifier(0, seed=1)
    False
    """
    scattered = (number * _MULTIPLIER + _offset(seed)) % (1 << _ID_BITS)
    return f"{scattered:013x}"


def decode(chip_ids: Sequence[str], seed: int) -> NDArray[np.int64]:
    """Places of chip ids, shape (chip, 2), the inverse of :func:`encode` for the same seed.

    Examples
    --------
    >>> decode(encode(np.array([[-3, 7]]), seed=5), seed=5)
    array([[-3,  7]])
    """
    inverse = pow(_MULTIPLIER, -1, 1 << _ID_BITS)
    numbers = [
        (int(chip, 16) - _offset(seed)) * inverse % (1 << _ID_BITS) if _ID.fullmatch(chip) else -1
        for chip in chip_ids
    ]
    inside = [0 <= number < (2 * _REACH) ** 2 for number in numbers]
    if not all(inside):
        unknown = [chip for chip, known in zip(chip_ids, inside, strict=True) if not known]
        raise UnknownNameError(
            f"chips of a synthetic region of seed {seed} were expected, but these belong to none: "
            f"{examples(unknown)}; take ids from the region's table of chips"
        )
    rows, columns = np.divmod(np.array(numbers, dtype=np.int64), 2 * _REACH)
    return np.stack([rows, columns], axis=1) - _REACH


def _offset(seed: int) -> int:
    return salt(seed, "ids") << 20 | salt(seed, "ids, low") & 0xFFFFF
