"""Parcels: the quilt of fields and town blocks that land use follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llpbench.data.synthetic.noise import PixelGrid, fractal_noise, lattice_hash, salt

_WARP = ((170, 14.0), (45, 4.0), (15, 0.7))
"""Octaves that bend the quilt, in pixels."""

_ZONE = (np.float32(140), np.float32(190))
"""Height and width, in pixels, of zones within which parcels share direction and size."""

_ANGLES = np.pi * np.arange(16) / 16
_COSINES = np.rint(np.cos(_ANGLES) * 1024).astype(np.float32) / 1024
_SINES = np.rint(np.sin(_ANGLES) * 1024).astype(np.float32) / 1024
_WIDTHS = np.array([10, 13, 17, 24], dtype=np.float32)
_LENGTHS = np.array([20, 28, 38, 52], dtype=np.float32)


@dataclass(frozen=True)
class Parcels:
    """The parcel each pixel lies in; all arrays have shape (chip, side, side).

    Parameters
    ----------
    bits : ndarray of uint32
        Hash of the parcel.
    along, across : ndarray of float32
        Coordinates in pixels in the directions of the parcel's sides.
    edge : ndarray of float32
        Distance to the parcel's edge in pixels.
    """

    bits: NDArray[np.uint32]
    along: NDArray[np.float32]
    across: NDArray[np.float32]
    edge: NDArray[np.float32]


def find_parcels(seed: int, grid: PixelGrid) -> Parcels:
    """Parcels of pixels: bricks in zones of one direction, bent by smooth noise."""
    x = fractal_noise(salt(seed, "parcels, x"), _WARP, grid)
    y = fractal_noise(salt(seed, "parcels, y"), _WARP, grid)
    x += grid.x[:, None, :].astype(np.float32)
    y += grid.y[:, :, None].astype(np.float32)
    zone = lattice_hash(salt(seed, "zones"), *_brick(y / _ZONE[0], x / _ZONE[1])[:2])
    cosine, sine = _COSINES[zone & 15], _SINES[zone & 15]
    width, length = _WIDTHS[zone >> 4 & 3], _LENGTHS[zone >> 6 & 3]
    along = cosine * x + sine * y
    across = cosine * y - sine * x
    row, column, from_row, from_column = _brick(across / width, along / length)
    edge = np.minimum(from_row * width, from_column * length)
    return Parcels(lattice_hash(zone, row, column), along, across, edge)


def _brick(
    y: NDArray[np.float32], x: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    """Row and column in a wall of bricks of size 1, and the distances to the brick's sides."""
    row = np.floor(y)
    shifted = x + row * np.float32(0.381966)  # the golden section: joints never line up
    column = np.floor(shifted)
    from_row = np.float32(0.5) - np.abs(y - row - np.float32(0.5))
    from_column = np.float32(0.5) - np.abs(shifted - column - np.float32(0.5))
    return row.astype(np.int32), column.astype(np.int32), from_row, from_column
