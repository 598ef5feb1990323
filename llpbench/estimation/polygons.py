"""Polygons whose class areas are asked for, and the predicted chips that lie in them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from llpbench.brief import Brief
from llpbench.data.building.divisions import read_divisions
from llpbench.data.chip_outlines import chip_outlines
from llpbench.data.divisions import Divisions
from llpbench.data.geometry import (
    GEOGRAPHIC,
    SQUARE_METRES_PER_KM2,
    equal_area,
    overlap_areas,
    overlap_matrix,
    valid_polygons,
)
from llpbench.errors import BuildError, examples
from llpbench.protocol import LEAST_COVERAGE

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr

log = logging.getLogger(__name__)

WHOLE = "whole region"


@dataclass(frozen=True, eq=False, repr=False)
class Polygons(Brief):
    """Polygons, and the area that each shares with each predicted chip.

    Parameters
    ----------
    outlines : GeoDataFrame
        Indexed by id, with ``name`` and ``geometry``, in degrees.
    areas : ndarray, shape (polygon,)
        In km².
    overlaps : csr_array, shape (polygon, chip)
        In km².
    """

    outlines: gpd.GeoDataFrame
    areas: NDArray[np.float64]
    overlaps: csr_array

    def __len__(self) -> int:
        """Number of polygons."""
        return len(self.areas)

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Polygons:
        """Some of the polygons."""
        return Polygons(self.outlines[chosen], self.areas[chosen], self.overlaps[chosen])

    @cached_property
    def coverage(self) -> NDArray[np.float64]:
        """Part of each polygon's area that was predicted, shape (polygon,)."""
        return np.minimum(np.asarray(self.overlaps.sum(axis=1)) / self.areas, 1)

    @cached_property
    def weights(self) -> csr_array:
        """Parts of each polygon's predicted area that lie in each chip; rows sum to 1."""
        return Divisions(self.overlaps, np.empty((len(self), 0))).weights

    def covered(self) -> Polygons:
        """Those of which enough was predicted for a statement about all of their area.

        Raises
        ------
        BuildError
            If there are none.
        """
        enough = self.coverage >= LEAST_COVERAGE
        if not enough.any():
            raise BuildError(
                f"predictions cover {self.coverage.max():.0%} of a polygon at most, and "
                f"{LEAST_COVERAGE:.0%} are needed for a statement about it; predict every chip "
                "with `--split all`, or give polygons inside the region"
            )
        if not enough.all():
            log.warning(
                "left out as less than %.0f %% of them were predicted: polygons %s",
                100 * LEAST_COVERAGE,
                examples(self.outlines.index[~enough]),
            )
        return self[enough]


def whole_region(ds: xr.Dataset, part: xr.Dataset) -> Polygons:
    """Take all chips of a dataset together as one polygon, a part of them predicted."""
    import geopandas as gpd
    import shapely

    squares, areas = _squares(ds)
    predicted = ds.indexes["chip"].isin(part.indexes["chip"])
    outline = gpd.GeoSeries([shapely.union_all(squares.to_numpy())], [WHOLE], crs=squares.crs)
    table = outline.to_crs(GEOGRAPHIC).to_frame("geometry").assign(name=WHOLE)
    overlaps = csr_array(areas[np.newaxis, predicted])
    return Polygons(table, np.array([areas.sum()]), overlaps)


def own_divisions(part: xr.Dataset) -> Polygons:
    """Take the divisions of a dataset as polygons."""
    table, divisions = part.llp.divisions(), Divisions.of(part)
    chosen = divisions.areas > 0
    polygons = Polygons(
        table[["name", "geometry"]], table["area_km2"].to_numpy(), divisions.overlaps
    )
    return polygons[chosen]


def read_polygons(
    path: Path, part: xr.Dataset, *, by: str | None = None, layer: str | None = None
) -> Polygons:
    """Read polygons from a file of outlines, those that predicted chips lie in.

    Parameters
    ----------
    path : Path
        See :func:`~llpbench.data.building.outline_process.read_outlines`.
    part : Dataset
        The predicted chips.
    by : str, optional
        The column of their ids; rows with the same are one polygon.
    layer : str, optional
        The layer they are in.

    Raises
    ------
    BuildError
        If it is not such a file, or no chip lies in any of them.
    """
    table, remarks = read_divisions(path, by, layer)
    for remark in remarks:
        log.warning(remark)
    squares, _areas = _squares(part)
    outlines = table.geometry.to_crs(squares.crs)
    with np.errstate(invalid="ignore"):
        near = np.isfinite(outlines.bounds).all(axis=1).to_numpy()
    table, outlines = table[near], outlines[near]
    outlines = outlines.set_axis(table.index)
    mended: Any = valid_polygons(outlines.to_numpy())
    outlines[:] = mended
    pairs = overlap_areas(squares, outlines)
    pairs["area"] /= SQUARE_METRES_PER_KM2
    overlaps = overlap_matrix(pairs, (len(squares), len(table))).T.tocsr()
    areas = outlines.area.to_numpy() / SQUARE_METRES_PER_KM2
    polygons = Polygons(table.to_crs(GEOGRAPHIC), areas, overlaps)
    touched = np.asarray(overlaps.sum(axis=1)) > 0
    if not touched.any():
        raise BuildError(
            f"no predicted chip lies in any of the {len(table)} polygons of {path.name}; check "
            "that both are of the same place"
        )
    return polygons[touched]


def chip_areas(ds: xr.Dataset) -> NDArray[np.float64]:
    """Areas of chips in km², shape (chip,)."""
    return _squares(ds)[1]


def _squares(ds: xr.Dataset) -> tuple[gpd.GeoSeries, NDArray[np.float64]]:
    """Outlines of chips in an equal-area projection, and their areas in km²."""
    import geopandas as gpd
    import shapely

    bounds = gpd.GeoSeries(shapely.box(*ds["bounds"].to_numpy().T))
    squares = chip_outlines(ds).to_crs(equal_area(bounds))
    return squares, squares.area.to_numpy() / SQUARE_METRES_PER_KM2
