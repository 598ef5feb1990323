"""Population: who lives on the built-up land."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from llpbench.region import CHIP_SIZE
from llpbench.synthetic.landcover import BUILT, LandCover
from llpbench.synthetic.noise import PixelGrid, lattice_hash, salt, uniform

CELL: Final = 25
"""Pixels along a side of a population cell: 250 m."""

SAMPLING: Final = 5
"""Built-up land of a cell is counted on every fifth pixel along both sides."""


def find_population(seed: int, grid: PixelGrid, cover: LandCover) -> NDArray[np.uint8]:
    """Population classes of pixels, equal within a cell of 250 m.

    Parameters
    ----------
    seed : int
        Of the region.
    grid : PixelGrid
        Where; its step is 1 or 5, and both give a cell the same class.
    cover : LandCover
        Land cover there.

    Returns
    -------
    ndarray of uint8, shape (chip, side, side)
        0 to 30, see :func:`population_class`.
    """
    every = slice(SAMPLING // 2, None, SAMPLING) if grid.step == 1 else slice(None)
    cells = CHIP_SIZE // CELL
    samples = CELL // SAMPLING

    def per_cell(values: NDArray[np.float32]) -> NDArray[np.float32]:
        sampled = values[:, every, every]
        return sampled.reshape(-1, cells, samples, cells, samples).mean(axis=(2, 4))

    built = per_cell((cover.label == BUILT).astype(np.float32))
    town = per_cell(np.clip(cover.town, 0, 2))
    y = grid.rows[:, None] * cells + np.arange(cells)
    x = grid.columns[:, None] * cells + np.arange(cells)
    bits = lattice_hash(salt(seed, "people"), y[:, :, None], x[:, None, :])
    crowding = 0.4 + uniform(bits, 0) + uniform(bits, 1)
    people = 140 * built * (0.4 + town) * crowding
    return population_class(people).repeat(CELL // grid.step, axis=1).repeat(CELL // grid.step, axis=2)


def population_class(people: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Class of a number of people in a cell.

    Parameters
    ----------
    people : ndarray of float
        Not negative.

    Returns
    -------
    ndarray of uint8
        0 below 1 person, k in [10 k - 9, 10 k + 1), 30 from 291.

    Examples
    --------
    >>> population_class(np.array([0.9, 1.0, 10.9, 11.0, 290.9, 291.0, 5000.0]))
    array([ 0,  1,  1,  2, 29, 30, 30], dtype=uint8)
    """
    return np.clip(np.floor((people + 9) / 10), 0, 30).astype(np.uint8)
