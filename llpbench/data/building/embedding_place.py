"""Where an embedding lies: by coordinates or attributes of a Zarr group, with the north up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from llpbench.data.building.georeference import Place, check_place
from llpbench.data.zarr_metadata import MosaicMetadata
from llpbench.data.zarr_mosaic import read_coordinate
from llpbench.errors import BuildError, examples

if TYPE_CHECKING:
    from affine import Affine

_EVEN = 1e-3
"""Part of a step by which coordinates may be uneven."""

_SYSTEMS = ("proj:code", "proj:wkt2", "proj:projjson", "crs_wkt", "spatial_ref")
_CODES = ("proj:epsg", "crs_epsg")
"""Of the proj and geo-proj conventions, of the first stores of geotessera, and of rioxarray."""


def right_side_up(place: Place, rows: int) -> Place:
    """The same place with rows from north to south, where they run along the axes."""
    step = place.transform
    if step.e < 0 or step.b or step.d:
        return place
    return replace(place, transform=_affine(step.a, 0, step.c, 0, -step.e, step.f + step.e * rows))


def find_zarr_place(
    folder: Path,
    array: MosaicMetadata,
    axes: tuple[str, ...],
    attributes: Mapping[str, Any],
    found: Mapping[str, MosaicMetadata],
) -> Place:
    """Find where an array lies.

    Its coordinates count before an affine transform in the attributes: who cuts a part out of a
    mosaic with xarray cuts coordinates as well, and leaves attributes as they are.
    """
    mapping = str(array.attributes.get("grid_mapping", "spatial_ref"))
    of_mapping = found[mapping].attributes if mapping in found else {}
    said = {**of_mapping, **attributes, **array.attributes}
    crs = _system(folder.name, said)
    names = dict(zip(axes, zip(array.dimension_names, array.shape, strict=True), strict=True))
    if all(names[axis][0] in found for axis in ("row", "column")):
        x, width = _line(folder, *names["column"])
        y, height = _line(folder, *names["row"])
        transform = _affine(width, 0, x, 0, height, y)
    else:
        transform = _stated(folder.name, said)
    return check_place(Place(crs, transform), folder.name)


def _system(shown: str, said: Mapping[str, Any]) -> str:
    """WKT of the reference system."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    stated = [said[key] for key in _SYSTEMS if said.get(key)]
    stated += [f"EPSG:{said[key]}" for key in _CODES if said.get(key)]
    if not stated:
        raise BuildError(
            f"{shown} does not say in which coordinate reference system it is; write it into the "
            "attributes of the group, for example 'proj:code': 'EPSG:32631'"
        )
    try:
        return str(CRS.from_user_input(stated[0]).to_wkt())
    except (CRSError, TypeError, ValueError) as error:
        raise BuildError(
            f"{shown} is in a reference system that is not known, {examples([str(stated[0])])}"
        ) from error


def _line(folder: Path, name: str, length: int) -> tuple[float, float]:
    """Edge of the first pixel, and the step from one to the next."""
    values = read_coordinate(folder, name).astype(np.float64)
    if len(values) != length or length < 2:
        raise BuildError(f"{folder.name} must have {length} and at least 2 coordinates {name!r}")
    step = (values[-1] - values[0]) / (length - 1)
    even = values[0] + step * np.arange(length)
    if not (np.isfinite(values).all() and step) or (abs(values - even) > _EVEN * abs(step)).any():
        raise BuildError(f"{folder.name} has coordinates {name!r} that are not evenly spaced")
    return float(values[0] - step / 2), float(step)


def _stated(shown: str, said: Mapping[str, Any]) -> Affine:
    """The affine transform in attributes."""
    numbers = said.get("spatial:transform", said.get("transform"))
    if numbers is None and isinstance(said.get("GeoTransform"), str):
        gdal = said["GeoTransform"].split()
        numbers = [gdal[n] for n in (1, 2, 0, 4, 5, 3)] if len(gdal) == 6 else gdal
    try:
        a, b, c, d, e, f = map(float, numbers[:6])
    except (TypeError, ValueError, KeyError) as error:
        raise BuildError(
            f"{shown} does not say where on Earth it lies; it needs coordinates y and x, or six "
            "numbers 'spatial:transform' in the attributes of the group"
        ) from error
    if said.get("spatial:registration") == "node":  # of middles, not of edges
        c, f = c - (a + b) / 2, f - (d + e) / 2
    return _affine(a, b, c, d, e, f)


def _affine(a: float, b: float, c: float, d: float, e: float, f: float) -> Affine:
    from affine import Affine

    return Affine(a, b, c, d, e, f)
