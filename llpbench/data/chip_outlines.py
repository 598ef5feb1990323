"""The outlines of chips: squares of their grid where that is known, else what their bounds span."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from llpbench.data.geometry import GEOGRAPHIC

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr


def chip_outlines(ds: xr.Dataset) -> gpd.GeoSeries:
    """Squares of chips, in the order of a dataset.

    Returns
    -------
    GeoSeries
        In the projection of the grid, or in degrees; longitudes beyond 180 are across the
        antimeridian.
    """
    import geopandas as gpd
    import shapely

    grid, chips = ds.llp.info.grid, ds.indexes["chip"]
    if grid is None:
        boxes = shapely.box(*ds["bounds"].to_numpy().T)
        return gpd.GeoSeries(boxes, chips, crs=GEOGRAPHIC)
    cells = grid.cells(ds["lon"].to_numpy(), ds["lat"].to_numpy())
    rows, columns = (np.floor(numbers).astype(np.int64) for numbers in cells)
    return gpd.GeoSeries(grid.boxes(rows, columns), chips, crs=grid.crs)
