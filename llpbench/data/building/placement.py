"""Whether outlines lie where their reference system says, and where else they may belong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.geometry import GEOGRAPHIC
from llpbench.errors import BuildError, examples

if TYPE_CHECKING:
    import geopandas as gpd

_MOST_LONGITUDE = 540
"""Degrees; regions across the antimeridian may go around the Earth."""


def check_places(outlines: gpd.GeoSeries, name: str) -> None:
    """Refuse outlines that say no reference system, or one that cannot be theirs."""
    from pyproj import CRS

    if outlines.crs is None:
        raise BuildError(
            f"{name} does not say in which coordinate reference system its divisions are; write it "
            "into the file (that of a shapefile is its .prj; GeoJSON always is EPSG:4326)"
        )
    check_on_earth(outlines.crs, name)
    if not CRS(outlines.crs).is_geographic:
        return
    west, south, east, north = outlines.bounds.to_numpy().T
    longitude, latitude = np.maximum(-west, east), np.maximum(-south, north)
    beyond = (latitude > 90 + 1e-6) | (longitude > _MOST_LONGITUDE)
    if beyond.any():
        swapped = longitude.max() <= 90 and latitude.max() <= _MOST_LONGITUDE
        advice = (
            "latitude seems to stand before longitude, write longitude first"
            if swapped
            else "write the reference system that they are in into the file"
        )
        found = outlines.bounds.to_numpy()[beyond][0].round(2).tolist()
        raise BuildError(
            f"{name}: coordinates are said to be degrees ({outlines.crs.name}), but those of "
            f"{examples(outlines.index[beyond])} are none (west, south, east, north: {found}); "
            f"{advice}"
        )


def check_on_earth(crs: Any, name: str) -> None:
    """Refuse a reference system that cannot be taken to longitudes and latitudes."""
    from pyproj import CRS, Transformer
    from pyproj.exceptions import ProjError

    try:
        Transformer.from_crs(crs, GEOGRAPHIC, always_xy=True)
    except ProjError as error:
        system = CRS(crs)
        raise BuildError(
            f"the coordinate reference system of {name}, {system.name!r}, cannot be taken to "
            "longitudes and latitudes, for it is local or of another planet; write one of the "
            "Earth's into the file"
        ) from error


def in_degrees(coordinates: NDArray[np.float64], crs: Any) -> NDArray[np.float64]:
    """Take coordinates to longitudes and latitudes, shape (n, 2)."""
    from pyproj import Transformer

    to_earth = Transformer.from_crs(crs, GEOGRAPHIC, always_xy=True)
    return np.stack(to_earth.transform(*coordinates.T), axis=1)


def other_places(outlines: gpd.GeoSeries) -> dict[str, NDArray[np.float64]]:
    """Where outlines would be if a common mistake had been made, in degrees, and what to do."""
    from pyproj import CRS

    coordinates = outlines.get_coordinates().to_numpy()
    places = {
        "they would overlap if their coordinates were swapped: write x (east) before y (north)": (
            in_degrees(coordinates[:, ::-1], outlines.crs)
        )
    }
    if CRS(outlines.crs).is_projected and (np.abs(coordinates) <= [360, 90]).all():
        places[
            f"their coordinates seem to be degrees, not of {outlines.crs.name!r} as their file "
            "says: write EPSG:4326 into it"
        ] = coordinates
    return places
