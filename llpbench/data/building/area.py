"""Where on Earth a region lies, and the grid of chips that is laid over it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llpbench.data.building.placement import check_on_earth, in_degrees, other_places
from llpbench.data.building.placing import Window, window_of
from llpbench.data.building.raster_file import Box, RasterFile, apply
from llpbench.data.geometry import GEOGRAPHIC, utm_zone
from llpbench.data.grid import ChipGrid
from llpbench.errors import BuildError
from llpbench.protocol import CHIP_SIZE

if TYPE_CHECKING:
    import geopandas as gpd

LARGEST = 1_000_000
"""Cells of a grid."""

_TRUE_SCALE = 0.01
"""How far pixels may be from their right size on the ground."""


@dataclass(frozen=True)
class Area:
    """The box in degrees in which images and divisions overlap.

    East is greater than west, and beyond 180 where the box crosses the antimeridian.
    """

    west: float
    south: float
    east: float
    north: float

    @property
    def centre(self) -> tuple[float, float]:
        """Longitude and latitude of its middle."""
        return (self.west + self.east) / 2, (self.south + self.north) / 2

    @property
    def width(self) -> float:
        """Degrees from west to east."""
        return self.east - self.west

    @property
    def is_across(self) -> bool:
        """Whether it lies across the antimeridian."""
        return self.east > 180

    def in_plane(self, crs: str) -> Box:
        """Find what the box spans in a projection's plane."""
        from pyproj import Transformer

        longitude, latitude = np.meshgrid(
            np.linspace(self.west, self.east, 41), np.linspace(self.south, self.north, 41)
        )
        x, y = Transformer.from_crs(GEOGRAPHIC, crs, always_xy=True).transform(longitude, latitude)
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise BuildError(f"the region is too large for the projection {crs:.60}")
        return x.min(), y.min(), x.max(), y.max()


def find_area(files: Sequence[RasterFile], divisions: gpd.GeoDataFrame | None) -> Area:
    """Find the box that images and divisions, in any reference system, share."""
    images = np.array([_degrees(file) for file in files])
    if divisions is None:
        area = _overlap([images])
    else:
        corners = in_degrees(divisions.get_coordinates().to_numpy(), divisions.crs)
        area = _overlap([images, _boxes(corners)])
        if area is None:
            raise _apart(images, corners, divisions)
    if area is None:
        raise BuildError("the images have no extent; check their reference systems")
    return area


def _overlap(boxes: list[NDArray[np.float64]]) -> Area | None:
    """The box that all share, also across the antimeridian."""
    area = _shared(boxes)
    beyond = _shared([_shifted(part) for part in boxes])
    if beyond and (boxes[0][:, 2].max() > 180 or (area and area.width - beyond.width > 180)):
        area = beyond
    return area


def _boxes(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([corners, corners], axis=1)


def _apart(
    images: NDArray[np.float64], corners: NDArray[np.float64], divisions: gpd.GeoDataFrame
) -> BuildError:
    """What to say of divisions that do not overlap the images."""
    advice = "check both files and their reference systems"
    for reason, elsewhere in other_places(divisions.geometry).items():
        if np.isfinite(elsewhere).all() and _overlap([images, _boxes(elsewhere)]):
            advice = reason
    spans = " and ".join(str(_span(part).round(2).tolist()) for part in (images, _boxes(corners)))
    return BuildError(
        f"the divisions do not overlap the image (west, south, east, north: {spans}); {advice}"
    )


def choose_grid(
    files: Sequence[RasterFile], area: Area, crs: str, chip_km: float
) -> tuple[ChipGrid, Window]:
    """Lay a grid of chips over an area; also the cells of it that may lie in the area.

    The grid begins at the images' upper left corner where nothing is resampled, else at full chips
    of the projection.

    Parameters
    ----------
    crs : str
        ``"auto"``: the images' own projection where their pixels have the right size already, so
        that nothing is resampled, else the UTM zone of the area's middle. ``"image"``: the images'
        own. Or any projection.
    """
    metres = chip_km * 1000 / CHIP_SIZE
    own = files[0].crs
    ready = _is_ready(files, metres)
    if crs == "auto":
        chosen = own if ready and _has_true_scale(own, area, metres) else utm_zone(*area.centre)
    else:
        chosen = own if crs == "image" else crs
    side = CHIP_SIZE * metres / _metres(chosen)
    west, south, east, north = area.in_plane(chosen)
    if ready and _is_same(chosen, own):
        boxes = np.array([file.box for file in files])
        start, top = boxes[:, 0].min(), boxes[:, 3].max()
        west, south = max(west, start), max(south, boxes[:, 1].min())
        east, north = min(east, boxes[:, 2].max()), min(north, top)
    else:
        start, top = math.floor(west / side) * side, math.ceil(north / side) * side
    grid = ChipGrid(_name(chosen), float(start), float(top), side, side)
    extent = window_of(grid, (west, south, east, north), rounding=1e-9)
    if extent.height * extent.width > LARGEST:
        raise BuildError(
            f"a grid of {extent.height} x {extent.width} chips is too large, at most "
            f"{LARGEST:,} are laid; give fewer divisions, or larger chips with --chip-km"
        )
    return grid, extent


def _is_ready(files: Sequence[RasterFile], metres: float) -> bool:
    """Whether all files lie on one lattice of pixels of the right size in one projection."""
    from pyproj import CRS

    first = files[0]
    if not CRS(first.crs).is_projected:
        return False
    size = metres / _metres(first.crs)
    for file in files:
        if file.is_rotated or not _is_same(file.crs, first.crs):
            return False
        step = file.transform
        away = apply(~first.transform, step.c, step.f)
        if not np.allclose([step.a, -step.e], size, rtol=1e-9):
            return False
        if not np.allclose(away, np.round(away), atol=1e-6):
            return False
    return True


def _has_true_scale(crs: str, area: Area, metres: float) -> bool:
    """Whether pixels have the size on the ground that they have in the plane."""
    from pyproj import Geod, Transformer

    back = Transformer.from_crs(crs, GEOGRAPHIC, always_xy=True)
    x, y = Transformer.from_crs(GEOGRAPHIC, crs, always_xy=True).transform(*area.centre)
    step = metres / _metres(crs)
    longitude, latitude = back.transform([x, x + step, x], [y, y, y + step])
    geod = Geod(ellps="WGS84")
    sizes = [geod.inv(longitude[0], latitude[0], longitude[n], latitude[n])[2] for n in (1, 2)]
    return bool(np.allclose(sizes, metres, rtol=_TRUE_SCALE))


def _is_same(first: str, second: str) -> bool:
    from pyproj import CRS

    return bool(CRS(first) == CRS(second))


def _metres(crs: str) -> float:
    """Metres in a unit of a projection."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        system = CRS(crs)
    except CRSError as error:
        raise BuildError(
            f"there is no coordinate reference system {crs!r:.80}; give one such as EPSG:32631"
        ) from error
    if not system.is_projected:
        raise BuildError(
            f"chips need a projection, but {system.name!r} is not one; leave --crs away for UTM"
        )
    return float(system.axis_info[0].unit_conversion_factor)


def _name(crs: str) -> str:
    """Short name of a reference system where it has one, else its WKT."""
    from pyproj import CRS

    system = CRS(crs)
    authority = system.to_authority()
    return ":".join(authority) if authority else system.to_wkt()


def _degrees(file: RasterFile) -> Box:
    from rasterio.warp import transform_bounds

    check_on_earth(file.crs, file.path.name)
    west, south, east, north = transform_bounds(file.crs, GEOGRAPHIC, *file.box)
    return west, south, east + 360 if east < west else east, north


def _shared(parts: Sequence[NDArray[np.float64]]) -> Area | None:
    """The box that all parts share."""
    spans = [_span(part) for part in parts]
    west, south = np.max(spans, axis=0)[:2].tolist()
    east, north = np.min(spans, axis=0)[2:].tolist()
    return Area(west, south, east, north) if west < east and south < north else None


def _span(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _shifted(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Longitudes from 0; a box across Greenwich is taken to go around the Earth."""
    west, south, east, north = boxes.T
    across = (west < 0) & (east > 0)
    west, east = np.where(west < 0, west + 360, west), np.where(east <= 0, east + 360, east)
    return np.stack([np.where(across, 0, west), south, np.where(across, 360, east), north], axis=1)
