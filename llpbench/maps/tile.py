"""A square part of a large map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from llpbench.maps.cells import Cells

SIDE = 128
"""Chips along a side of a tile: 12,800 pixels of a map of classes, where pixels are predicted."""


@dataclass(frozen=True)
class Tile:
    """A part of a map: its row and column among the tiles, its cells, and where its chips are."""

    row: int
    column: int
    cells: Cells
    chips: NDArray[np.intp]

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"r{self.row:03}c{self.column:03}"


def cut_tiles(cells: Cells) -> Iterator[Tile]:
    """Cut cells into squares of ``SIDE`` of them, from the upper left corner; none is empty."""
    numbers = np.stack([cells.rows // SIDE, cells.columns // SIDE], axis=1)
    places, which = np.unique(numbers, axis=0, return_inverse=True)
    for number, (row, column) in enumerate(places.tolist()):
        chips = np.flatnonzero(which.ravel() == number)
        rows, columns = cells.rows[chips], cells.columns[chips]
        first = int(rows.min()), int(columns.min())
        corner = cells.grid.affine(*first)
        grid = replace(cells.grid, west=corner.c, north=corner.f)
        yield Tile(row, column, Cells(grid, rows - first[0], columns - first[1]), chips)
