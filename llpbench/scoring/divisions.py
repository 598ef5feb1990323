"""Divisions on the map: outlines beside their scores, and blocks of neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.data.geometry import equal_area
from llpbench.errors import LLPBenchError
from llpbench.statistics import spatial_blocks

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr


def with_outlines(table: pd.DataFrame, opened: xr.Dataset | None) -> gpd.GeoDataFrame:
    """Add names and outlines to a table of divisions; no geometry without the dataset."""
    import geopandas as gpd

    if opened is None:
        return gpd.GeoDataFrame(table, geometry=[None] * len(table))
    outlines = opened.llp.divisions()[["name", "geometry"]]
    return gpd.GeoDataFrame(table.join(outlines), geometry="geometry", crs=outlines.crs)


def division_blocks(
    opened: xr.Dataset | None, divisions: Sequence[str], divisions_per_block: int
) -> NDArray[np.int64]:
    """Block of each division, from the centroids of their outlines in km."""
    if opened is None:
        raise LLPBenchError(
            "blocks of neighbouring divisions need the dataset: score the predictions again"
        )
    outlines = opened.llp.divisions().geometry
    centres = outlines.to_crs(equal_area(outlines)).centroid
    places = centres.get_coordinates().reindex(divisions).to_numpy() / 1000
    return spatial_blocks(places, divisions_per_block)
