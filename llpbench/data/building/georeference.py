"""Where a raster lies: by a geotransform, or by ground control points that agree with one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from llpbench.errors import BuildError

if TYPE_CHECKING:
    from affine import Affine

_AGREE = 0.5
"""Pixels by which control points may miss the geotransform that is laid through them."""


@dataclass(frozen=True)
class Place:
    """Reference system (WKT) and geotransform of a raster.

    ``by_points`` is whether the file holds ground control points in place of the geotransform.
    """

    crs: str
    transform: Affine
    by_points: bool = False


def find_place(source: Any, name: str) -> Place:
    """Find where an open raster lies."""
    points, system = source.gcps
    if points and source.transform.is_identity:
        place = Place((source.crs or system).to_wkt(), _fit(points, name), by_points=True)
    else:
        if source.transform.is_identity and source.rpcs is not None:
            raise BuildError(
                f"{name} is placed by rational polynomials (RPC); warp it first: "
                f"`gdalwarp -rpc {name} warped.tif`"
            )
        if source.crs is None:
            raise BuildError(
                f"{name} does not say in which coordinate reference system it is; "
                "write it into the file, for example with `rio edit-info --crs EPSG:32631`"
            )
        if source.transform.is_identity:
            raise BuildError(f"{name} does not say where on Earth it lies; georeference it first")
        place = Place(source.crs.to_wkt(), source.transform)
    return check_place(place, name)


def check_place(place: Place, name: str) -> Place:
    """Refuse a place that is nowhere on Earth, or whose pixels have no area; the place again."""
    step = place.transform
    if not np.isfinite(step).all() or abs(step.determinant) < 1e-12 * (
        step.a**2 + step.b**2 + step.d**2 + step.e**2
    ):
        raise BuildError(
            f"{name} has pixels without an area (its geotransform is {step.to_gdal()}); "
            "georeference it again"
        )
    if not _is_on_earth(place.crs):
        raise BuildError(
            f"{name} is in a reference system that cannot be brought to longitude and latitude "
            f"({_title(place.crs)}); write the right one into the file, for example with "
            "`rio edit-info --crs EPSG:32631`"
        )
    return place


def _fit(points: list[Any], name: str) -> Affine:
    from rasterio.errors import RasterioError
    from rasterio.transform import from_gcps

    at = np.array([[point.col, point.row] for point in points])
    there = np.array([[point.x, point.y] for point in points])
    try:
        transform = from_gcps(points)
        inverse = ~transform
    except (RasterioError, ValueError, ArithmeticError):
        away = np.inf
    else:
        x, y = there.T
        back = [
            inverse.a * x + inverse.b * y + inverse.c,
            inverse.d * x + inverse.e * y + inverse.f,
        ]
        away = float(np.abs(np.stack(back, axis=1) - at).max())
    if not away <= _AGREE:
        raise BuildError(
            f"{name} is placed by {len(points)} ground control points that no shift, turn and "
            f"stretch brings into place; warp it first: `gdalwarp -tps {name} warped.tif`"
        )
    return transform


@cache
def _is_on_earth(crs: str) -> bool:
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    try:
        Transformer.from_crs(crs, "EPSG:4326")
    except ProjError:
        return False
    return True


def _title(crs: str) -> str:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return f"{CRS(crs).name:.60}"
    except CRSError:
        return f"{crs:.60}"
