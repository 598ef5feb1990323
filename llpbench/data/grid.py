"""The grid that chips stand on: rows and columns of squares in the plane of a projection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llpbench.data.geometry import GEOGRAPHIC

if TYPE_CHECKING:
    from affine import Affine


@dataclass(frozen=True)
class ChipGrid:
    """Rows of cells from north to south, columns from west to east; cell (0, 0) begins at a corner.

    Parameters
    ----------
    crs : str
        The projection, as an authority's code or WKT.
    west, north : float
        Upper left corner of cell (0, 0), in units of the projection, as are all lengths.
    width, height : float
        Of a cell.
    """

    crs: str
    west: float
    north: float
    width: float
    height: float

    def affine(self, row: int = 0, column: int = 0, *, pixels: int = 1) -> Affine:
        """Geotransform of a raster that begins at a cell, with so many pixels along its side.

        Examples
        --------
        >>> ChipGrid("EPSG:32631", 600_000, 5_600_000, 1000, 1000).affine(2, 1, pixels=100)
        Affine(10.0, 0.0, 601000.0,
               0.0, -10.0, 5598000.0)
        """
        from affine import Affine

        west, north = self.west + column * self.width, self.north - row * self.height
        return Affine(self.width / pixels, 0.0, west, 0.0, -self.height / pixels, north)

    def boxes(self, rows: ArrayLike, columns: ArrayLike) -> NDArray[Any]:
        """Cells as polygons in the plane, shape (cell,)."""
        import shapely

        west = self.west + np.asarray(columns) * self.width
        north = self.north - np.asarray(rows) * self.height
        squares: NDArray[Any] = shapely.box(west, north - self.height, west + self.width, north)
        return squares

    def cells(self, longitude: ArrayLike, latitude: ArrayLike) -> tuple[Any, Any]:
        """Rows and columns of places in degrees; ``floor`` of them are the numbers of the cells.

        Examples
        --------
        >>> grid = ChipGrid("EPSG:32631", 500_000, 5_600_000, 1000, 1000)
        >>> rows, columns = grid.cells([3.02], [50.5])
        >>> rows.round(2), columns.round(2)
        (array([5.77]), array([1.42]))
        """
        from pyproj import Transformer

        x, y = Transformer.from_crs(GEOGRAPHIC, self.crs, always_xy=True).transform(
            np.asarray(longitude), np.asarray(latitude)
        )
        return (self.north - y) / self.height, (x - self.west) / self.width
