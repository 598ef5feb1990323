"""Random numbers that belong to places: hashes of lattice points and smooth noise between them.

Nothing here draws from a stream, so any pixel can be made without its neighbours. Interpolation
works on binary fractions that fit float64 exactly: matrix products give the same bits in
whatever order a machine adds them, so a seed means the same labels everywhere.
"""

from __future__ import annotations

import operator
import zlib
from dataclasses import dataclass
from functools import cache, reduce

import numpy as np
from numpy.typing import NDArray

from llpbench.protocol import CHIP_SIZE

_UNIT_VARIANCE = 315 / 151 * 3**0.5
"""Makes splines through uniform values in [-1, 1) have variance 1, averaged over a cell.

A uniform value has variance 1/3, and the squared cubic B-spline weights add up to 151/315 along
each axis on average.
"""


@dataclass(frozen=True)
class PixelGrid:
    """Every ``step``-th pixel of some chips, along both sides.

    Parameters
    ----------
    places : ndarray of int64, shape (chip, 2)
        Row and column of each chip in the kilometre grid; rows count southwards, columns
        eastwards.
    step : int
        A divisor of 100.
    """

    places: NDArray[np.int64]
    step: int = 1

    @property
    def within(self) -> NDArray[np.int64]:
        """Pixel numbers inside a chip, shape (side,)."""
        return np.arange(self.step // 2, CHIP_SIZE, self.step)

    @property
    def y(self) -> NDArray[np.int64]:
        """Pixel rows counted over all chips, shape (chip, side)."""
        return self.places[:, :1] * CHIP_SIZE + self.within

    @property
    def x(self) -> NDArray[np.int64]:
        """Pixel columns counted over all chips, shape (chip, side)."""
        return self.places[:, 1:] * CHIP_SIZE + self.within


@cache
def salt(seed: int, channel: str) -> int:
    """Start value, of 31 bits, of the hashes of the random field for a channel."""
    sequence = np.random.SeedSequence([seed, zlib.crc32(channel.encode())])
    return int(sequence.generate_state(1)[0] >> 1)


def lattice_hash(
    start: int | NDArray[np.uint32], y: NDArray[np.signedinteger], x: NDArray[np.signedinteger]
) -> NDArray[np.uint32]:
    """32 random-looking bits for each lattice point.

    The coordinates, broadcast against each other, are combined linearly and mixed by the finaliser
    of MurmurHash3 (A. Appleby); ``start`` tells fields apart, see :func:`salt`.
    """
    bits = y.astype(np.uint32) * np.uint32(0x9E3779B1)
    bits = bits + x.astype(np.uint32) * np.uint32(0x85EBCA77)
    bits += np.asarray(start, dtype=np.uint32)
    bits ^= bits >> np.uint32(16)
    bits *= np.uint32(0x85EBCA6B)
    bits ^= bits >> np.uint32(13)
    bits *= np.uint32(0xC2B2AE35)
    bits ^= bits >> np.uint32(16)
    return bits


def uniform(bits: NDArray[np.uint32], byte: int) -> NDArray[np.float32]:
    """One byte, 0 to 3, of hashes as numbers in [0, 1): four independent numbers a hash.

    Examples
    --------
    >>> uniform(np.array([0x80FF0040], dtype=np.uint32), 0)
    array([0.25], dtype=float32)
    """
    return (bits >> np.uint32(8 * byte) & np.uint32(255)).astype(np.float32) / np.float32(256)


def smooth_noise(start: int, cell: int, grid: PixelGrid) -> NDArray[np.float32]:
    """Cubic B-spline through random values on a square lattice, shape (chip, side, side).

    Nearly normal, mean 0, variance 1, continuous across chips; lattice points are ``cell`` pixels
    apart.
    """
    first_y, along_y = _splines(grid.y, cell)
    first_x, along_x = _splines(grid.x, cell)
    nodes_y = first_y[:, None] + np.arange(along_y.shape[2])
    nodes_x = first_x[:, None] + np.arange(along_x.shape[2])
    bits = lattice_hash(start, nodes_y[:, :, None], nodes_x[:, None, :])
    values = (bits >> np.uint32(20)).astype(np.float64) / 2048 - 1
    noise = along_y @ values @ along_x.transpose(0, 2, 1)
    return noise.astype(np.float32) * np.float32(_UNIT_VARIANCE)


def fractal_noise(
    start: int, octaves: tuple[tuple[int, float], ...], grid: PixelGrid
) -> NDArray[np.float32]:
    """Sum of smooth noise at several scales: octaves of a cell in pixels and a deviation."""
    noises = (np.float32(sd) * smooth_noise(start + cell, cell, grid) for cell, sd in octaves)
    return reduce(operator.iadd, noises)


def _splines(pixels: NDArray[np.int64], cell: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """First lattice point, (chip,), and weights of those from it on, (chip, side, point)."""
    within = pixels[0] - pixels[0, 0]
    phases, which = np.unique(pixels[:, 0] % cell, return_inverse=True)
    node, rest = np.divmod(phases[:, None] + within, cell)
    t = (rest + 0.5) / cell
    # The four pieces of the uniform cubic B-spline, rounded to 16 binary places.
    pieces = np.stack(
        [
            (1 - t) * (1 - t) * (1 - t),
            3 * t * t * (t - 2) + 4,
            3 * t * (1 + t - t * t) + 1,
            t * t * t,
        ],
        axis=2,
    )
    pieces = np.rint(pieces / 6 * 65536) / 65536
    weights = np.zeros((*node.shape, int(node.max()) + 4))
    np.put_along_axis(weights, node[:, :, None] + np.arange(4), pieces, axis=2)
    return pixels[:, 0] // cell - 1, weights[which]
