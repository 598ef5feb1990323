"""A map of a large region: many GeoTIFFs of a size that opens, seen as one by a VRT and by STAC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llpbench.maps.cells import Cells
from llpbench.maps.stac import write_stac
from llpbench.maps.tables import chip_table
from llpbench.maps.vrt import write_vrt
from llpbench.writing import replacing

if TYPE_CHECKING:
    import xarray as xr

MOST_IN_FILE = 2**18
"""Chips of the largest map that is one file: its classes then have at most some gigabytes."""

SIDE = 128
"""Chips along a side of a tile: 12,800 pixels of a map of classes, where pixels are predicted."""

Writer = Callable[["xr.Dataset", Cells, Path], None]
"""What writes a raster of predictions that lie in cells."""


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


def write_tiles(
    predictions: xr.Dataset, part: xr.Dataset, cells: Cells, folder: Path, kinds: dict[Path, Writer]
) -> None:
    """Write a map in tiles, in the place of a folder that is there; then a VRT of each kind.

    Parameters
    ----------
    predictions, part : Dataset
        Predictions and their chips, both in the order of the cells.
    cells : Cells
        Where they lie.
    folder : Path
        Receives the tiles, ``KIND-r000c000.tif``, the table of chips of each and STAC; beside it
        are the VRTs.
    kinds : dict of Path to callable
        The VRT of each kind of raster, called ``...-KIND.vrt``, and what writes a tile of it.
    """
    tiles = list(_tiles(cells))
    with replacing(folder) as made:
        made.mkdir()
        for tile in tiles:
            here, chips = predictions.isel(chip=tile.chips), part.isel(chip=tile.chips)
            for vrt, write in kinds.items():
                write(here, tile.cells, made / _file(vrt, tile))
            chip_table(here, chips, tile.cells).to_parquet(made / f"chips-{tile.name}.parquet")
        write_stac(made, part, tiles, [_kind(vrt) for vrt in kinds])
    for vrt in kinds:
        write_vrt(vrt, [folder / _file(vrt, tile) for tile in tiles])


def _tiles(cells: Cells) -> Iterator[Tile]:
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


def _kind(vrt: Path) -> str:
    return vrt.stem.rpartition("-")[2]


def _file(vrt: Path, tile: Tile) -> str:
    return f"{_kind(vrt)}-{tile.name}.tif"
