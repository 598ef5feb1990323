"""Population: who lives on the built-up land."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from llpbench.data.synthetic.landcover import BUILT, LandCover
from llpbench.data.synthetic.noise import PixelGrid, lattice_hash, salt, uniform
from llpbench.protocol import CHIP_SIZE

CELL: Final = 25
"""Pixels along a side of a population cell: 250 m."""

SAMPLING: Final = 5
"""Built-up land of a cell is counted on every fifth pixel along both sides."""

_DENSITY: Final = 140
"""People in a fully built cell, before the town and chance have their say."""


def find_population(seed: int, grid: PixelGrid, cover: LandCover) -> NDArray[np.uint8]:
    """Find the population classes of pixels, 0 to 30, equal within a cell of 250 m.

    A grid of step 1 and one of step 5 give a cell the same class.
    """
    every = slice(SAMPLING // 2, None, SAMPLING) if grid.step == 1 else slice(None)
    cells = CHIP_SIZE // CELL
    samples = CELL // SAMPLING

    def per_cell(values: NDArray[np.floating]) -> NDArray[np.floating]:
        sampled = values[:, every, every]
        blocks = sampled.reshape(-1, cells, samples, cells, samples)
        return np.asarray(blocks.sum(axis=(2, 4)) / samples**2)

    built = per_cell((cover.label == BUILT).astype(float))
    # Multiples of 1/256 add up exactly, in whatever order.
    town = per_cell(np.rint(np.clip(cover.town, 0, 2) * 256) / 256)
    y = grid.places[:, :1] * cells + np.arange(cells)
    x = grid.places[:, 1:] * cells + np.arange(cells)
    bits = lattice_hash(salt(seed, "people"), y[:, :, None], x[:, None, :])
    crowding = 0.7 + 0.5 * (uniform(bits, 0) + uniform(bits, 1))
    people = _DENSITY * built * (0.4 + town) * crowding
    side = CELL // grid.step
    return population_class(people).repeat(side, axis=1).repeat(side, axis=2)


def population_class(people: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Class of a number of people in a cell.

    0 below 1 person, k in [10 k - 9, 10 k + 1), 30 from 291.

    Examples
    --------
    >>> population_class(np.array([0.9, 1.0, 10.9, 11.0, 290.9, 291.0, 5000.0]))
    array([ 0,  1,  1,  2, 29, 30, 30], dtype=uint8)
    """
    return np.clip(np.floor((people + 9) / 10), 0, 30).astype(np.uint8)
