"""Where the chips of a dataset lie on a grid, also where it is not known on which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.geometry import GEOGRAPHIC, utm_zone
from llpbench.data.grid import ChipGrid
from llpbench.errors import BuildError

if TYPE_CHECKING:
    import xarray as xr

_IRREGULAR = 0.05
"""Part of a cell by which chips may lie off the middle of theirs."""


@dataclass(frozen=True)
class Cells:
    """Chips on the smallest grid that holds them.

    ``grid`` begins with the first row and column that hold a chip; ``rows`` and ``columns`` are
    those of each chip.
    """

    grid: ChipGrid
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        return int(self.rows.max()) + 1, int(self.columns.max()) + 1

    @property
    def boxes(self) -> NDArray[Any]:
        """Outlines in the plane."""
        return self.grid.boxes(self.rows, self.columns)


def find_cells(ds: xr.Dataset) -> Cells:
    """Find the cells of chips, in their order.

    Where a dataset does not say its grid, that is worked out from the places of its chips: a square
    kilometre grid of a UTM zone, or rows and columns of equal degrees.
    """
    places = ds["lon"].to_numpy(), ds["lat"].to_numpy()
    grid = ds.llp.info.grid
    if grid is not None:
        return _on(grid, places)
    for grid in _candidates(ds):
        rows, columns = grid.cells(*places)
        if not (np.isfinite(rows).all() and np.isfinite(columns).all()):
            continue
        off = [_offsets(numbers) for numbers in (rows, columns)]
        if max(np.abs(numbers).max() for numbers in off) < _IRREGULAR:
            cells = _on(_shifted(grid, rows, columns), places)
            if len(np.unique(np.stack([cells.rows, cells.columns]), axis=1).T) == len(rows):
                return cells
    raise BuildError(
        f"the chips of {ds.llp.info.name!r} stand on no regular grid, so they cannot be drawn as a "
        "raster"
    )


def _on(grid: ChipGrid, places: tuple[NDArray[np.float64], ...]) -> Cells:
    rows, columns = (np.floor(numbers).astype(np.int64) for numbers in grid.cells(*places))
    row, column = int(rows.min()), int(columns.min())
    first = grid.affine(row, column)
    cropped = ChipGrid(grid.crs, first.c, first.f, grid.width, grid.height)
    return Cells(cropped, rows - row, columns - column)


def _candidates(ds: xr.Dataset) -> Iterator[ChipGrid]:
    from pyproj import Transformer

    west, south, east, north = ds["bounds"].to_numpy().T
    longitude, latitude = float((west + east).mean() / 2), float((south + north).mean() / 2)
    for west_or_east in (0, -6, 6):  # a region may stand on the grid of the next zone
        zone = utm_zone(longitude + west_or_east, latitude)
        yield ChipGrid(zone, 0.0, 0.0, 1000.0, 1000.0)
    crs = f"+proj=cea +lat_ts={latitude:.2f} +lon_0={longitude:.2f} +datum=WGS84 +units=m"
    project = Transformer.from_crs(GEOGRAPHIC, crs, always_xy=True).transform
    (left, bottom), (right, top) = project(west, south), project(east, north)
    yield ChipGrid(crs, 0.0, 0.0, float(np.median(right - left)), float(np.median(top - bottom)))


def _offsets(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far numbers are from whole numbers and one and the same fraction, from -0.5 to 0.5."""
    turns = 2j * np.pi * numbers
    return np.asarray(np.angle(np.exp(turns - 1j * _phase(numbers))) / (2 * np.pi))


def _phase(numbers: NDArray[np.float64]) -> float:
    return float(np.angle(np.exp(2j * np.pi * numbers).mean()))


def _shifted(grid: ChipGrid, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> ChipGrid:
    """The same grid, moved so that chips lie in the middle of cells; to the metre."""
    down, right = (_phase(numbers) / (2 * np.pi) - 0.5 for numbers in (rows, columns))
    return ChipGrid(
        grid.crs,
        float(round(grid.west + right * grid.width)),
        float(round(grid.north - down * grid.height)),
        grid.width,
        grid.height,
    )
