"""A map of a large region: many GeoTIFFs of a size that opens, seen as one by a VRT and by STAC."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from llpbench.maps.cells import Cells
from llpbench.maps.stac import write_stac
from llpbench.maps.tables import chip_table
from llpbench.maps.tile import Tile, cut_tiles
from llpbench.maps.vrt import write_vrt
from llpbench.writing import replacing

if TYPE_CHECKING:
    import xarray as xr

MOST_IN_FILE = 2**18
"""Chips of the largest map that is one file: its classes then have at most some gigabytes."""

Writer = Callable[["xr.Dataset", Cells, Path], None]
"""What writes a raster of predictions that lie in cells."""


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
    tiles = list(cut_tiles(cells))
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


def _kind(vrt: Path) -> str:
    return vrt.stem.rpartition("-")[2]


def _file(vrt: Path, tile: Tile) -> str:
    return f"{_kind(vrt)}-{tile.name}.tif"
