"""Chips and divisions as polygons: who overlaps whom, by how much, and the mixes that follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import geopandas as gpd
    from scipy.sparse import csr_array

GEOGRAPHIC = "EPSG:4326"
EQUAL_AREA = "EPSG:6933"
"""A cylindrical equal-area projection of the whole Earth: meridians and parallels stay straight,
so that the outline of a chip is projected exactly by its corners."""

EQUAL_AREA_ACROSS = "+proj=cea +lat_ts=30 +lon_0=180 +datum=WGS84 +units=m"
"""The same projection cut open at Greenwich, for regions across the antimeridian. Their
longitudes go on beyond 180."""

TOUCH = 2e-7
"""Part of a chip that a division must cover to overlap it: less is the rounding of a border."""

SQUARE_METRES_PER_KM2 = 1e6


def equal_area(*outlines: gpd.GeoSeries) -> str:
    """Choose the equal-area projection in which a region lies in one piece.

    Outlines are in degrees; longitudes beyond 180 say that the region lies across the antimeridian.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> equal_area(gpd.GeoSeries([box(4, 50, 5, 51)]))
    'EPSG:6933'
    >>> equal_area(gpd.GeoSeries([box(179, 0, 181, 1)]))
    '+proj=cea +lat_ts=30 +lon_0=180 +datum=WGS84 +units=m'
    """
    across = any(len(part) and part.total_bounds[2] > 180 for part in outlines)
    return EQUAL_AREA_ACROSS if across else EQUAL_AREA


def utm_zone(longitude: float, latitude: float) -> str:
    """Name the zone of the Universal Transverse Mercator grid that a place in degrees lies in.

    ``geopandas.GeoSeries.estimate_utm_crs`` gives the same, but the western zone on a border, and
    nothing beyond 180 degrees of longitude (here those beyond -180) or near the poles (here, beyond
    84 degrees north and 80 south, the polar stereographic grid).

    Examples
    --------
    >>> utm_zone(4.4, 50.8), utm_zone(-74.1, -0.1), utm_zone(180.5, -17), utm_zone(0, 85)
    ('EPSG:32631', 'EPSG:32718', 'EPSG:32701', 'EPSG:32661')
    """
    if latitude >= 84 or latitude < -80:
        return "EPSG:32661" if latitude > 0 else "EPSG:32761"
    zone = int((longitude + 180) // 6 % 60) + 1
    return f"EPSG:{(32600 if latitude >= 0 else 32700) + zone}"


def to_degrees(outlines: gpd.GeoSeries, *, across: bool = False) -> gpd.GeoSeries:
    """Take outlines to longitudes and latitudes, by their vertices.

    Parameters
    ----------
    across : bool
        Whether the region lies across the antimeridian: its longitudes then go on beyond 180.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString
    >>> fiji = gpd.GeoSeries([LineString([(179, -17), (-179, -17)])], crs="EPSG:4326")
    >>> to_degrees(fiji, across=True)[0].bounds
    (179.0, -17.0, 181.0, -17.0)
    """
    degrees = outlines.to_crs(GEOGRAPHIC)
    return degrees.transform(_beyond_180) if across else degrees


def _beyond_180(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    longitude, latitude = coordinates.T
    return np.stack([np.where(longitude < 0, longitude + 360, longitude), latitude], axis=1)


def valid_polygons(outlines: NDArray[Any]) -> NDArray[Any]:
    """Repair polygons that cross or touch themselves; valid ones stay as they are.

    What lies inside any loop or part is inside: a part that is there twice counts once, and is no
    hole. Hairs without a width are dropped, so that polygons come out.

    Examples
    --------
    >>> from shapely import MultiPolygon, box
    >>> twice = MultiPolygon([box(0, 0, 2, 2), box(0, 0, 1, 1)])
    >>> valid_polygons(np.array([twice]))[0].area
    4.0
    """
    import shapely

    valid = outlines.copy()
    broken = ~shapely.is_valid(outlines)
    valid[broken] = shapely.make_valid(outlines[broken], method="structure", keep_collapsed=False)
    return valid


def overlap_areas(chips: gpd.GeoSeries, divisions: gpd.GeoSeries) -> pd.DataFrame:
    """Areas shared by chips and divisions, in the plane of their common CRS.

    Parameters
    ----------
    chips, divisions : GeoSeries
        Polygons in one and the same CRS; an equal-area one for areas that mean something.

    Returns
    -------
    DataFrame
        A row for each pair that shares more than a border, by chip, then division: ``chip`` and
        ``division`` (positions in the inputs) and ``area`` (squared units of the CRS).

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> chips = gpd.GeoSeries([box(0, 0, 1, 1), box(1, 0, 2, 1)])
    >>> overlap_areas(chips, gpd.GeoSeries([box(0, 0, 1.25, 1)]))
       chip  division  area
    0     0         0  1.00
    1     1         0  0.25
    """
    import shapely

    if chips.crs != divisions.crs:
        raise ValueError(
            f"chips and divisions must share one CRS, found {chips.crs} and {divisions.crs}"
        )
    squares = shapely.make_valid(chips.to_numpy())
    outlines = shapely.make_valid(divisions.to_numpy())
    chip, division = shapely.STRtree(outlines).query(squares, predicate="intersects")
    shapely.prepare(outlines)
    inside = shapely.contains_properly(outlines[division], squares[chip])
    area = shapely.area(squares)[chip]
    area[~inside] = shapely.area(
        shapely.intersection(squares[chip[~inside]], outlines[division[~inside]])
    )
    pairs = pd.DataFrame({"chip": chip, "division": division, "area": area})
    more_than_a_border = area > TOUCH * shapely.area(squares)[chip]
    return pairs[more_than_a_border].sort_values(["chip", "division"], ignore_index=True)


def overlap_matrix(pairs: pd.DataFrame, shape: tuple[int, int]) -> csr_array:
    """Overlap areas, from :func:`overlap_areas`, as a sparse chip x division matrix."""
    from scipy.sparse import csr_array

    return csr_array((pairs["area"], (pairs["chip"], pairs["division"])), shape=shape)


def mix(overlaps: csr_array, proportions: ArrayLike) -> NDArray[np.float64]:
    """Overlap-weighted mix of division proportions for each chip (a chip's target).

    ``target_i = sum_d area_id p_d / sum_d area_id``, over the divisions whose proportions are
    known; NaN where a chip overlaps none of these.

    Parameters
    ----------
    overlaps : sparse array, shape (chip, division)
        Shared areas, in any unit.
    proportions : array, shape (division, category)
        Shares from 0 to 1; a row of NaN where they are unknown.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> mix(csr_array([[3.0, 1.0], [0.0, 0.0]]), [[1.0, 0.0], [0.0, 1.0]])
    array([[0.75, 0.25],
           [ nan,  nan]])
    """
    shares = np.asarray(proportions, dtype=np.float64)
    known = np.isfinite(shares).all(axis=1)
    weights = overlaps[:, known]
    total = weights.sum(axis=1)[:, np.newaxis]
    with np.errstate(invalid="ignore"):
        return np.asarray((weights @ shares[known]) / np.where(total > 0, total, np.nan))
