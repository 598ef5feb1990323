"""Where a raster file lies on a lattice of pixels, and how it gets there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from llpbench.data.building.band_names import COLOURS
from llpbench.data.building.raster_file import Box, RasterFile, apply
from llpbench.data.grid import ChipGrid
from llpbench.errors import BuildError

_ROUNDING = 1e-6
"""Pixels by which an edge may miss a lattice line and still lie on it."""

_FINER = 0.75
"""Size of pixels, in those of the lattice, below which they are averaged."""

_EDGE = 50
"""Points along each side of an outline."""


@dataclass(frozen=True)
class Window:
    """A rectangle of a lattice: its first row and column, its rows and columns."""

    row: int
    column: int
    height: int
    width: int

    def overlap(self, other: Window) -> Window | None:
        """The part that two windows share, None where there is none."""
        row, column = max(self.row, other.row), max(self.column, other.column)
        height = min(self.row + self.height, other.row + other.height) - row
        width = min(self.column + self.width, other.column + other.width) - column
        return Window(row, column, height, width) if height > 0 and width > 0 else None

    def within(self, outer: Window) -> tuple[slice, slice]:
        """The rows and columns of another window that this one takes."""
        row, column = self.row - outer.row, self.column - outer.column
        return slice(row, row + self.height), slice(column, column + self.width)


def window_of(lattice: ChipGrid, box: Box, rounding: float = 0.0) -> Window:
    """The rows and columns of a lattice that a box reaches into, by more than a rounding."""
    west, south, east, north = box
    row = math.floor((lattice.north - north) / lattice.height + rounding)
    column = math.floor((west - lattice.west) / lattice.width + rounding)
    last_row = math.ceil((lattice.north - south) / lattice.height - rounding)
    last_column = math.ceil((east - lattice.west) / lattice.width - rounding)
    return Window(row, column, last_row - row, last_column - column)


@dataclass(frozen=True)
class Source:
    """A file's part of a layer.

    Parameters
    ----------
    file : RasterFile
        Its bands in use are read.
    window : Window
        The part of the lattice that it may have pixels in.
    resampling : str or None
        ``nearest``, ``average`` or ``bilinear``; None where its pixels are those of the lattice.
    offset : (int, int)
        Row and column of the lattice at which those begin.
    options : dict
        Of GDAL's warper.
    outline : shapely polygon or None
        Where it has pixels, in columns and rows of the lattice; None where the file has a mask.
    """

    file: RasterFile
    window: Window
    resampling: str | None
    offset: tuple[int, int]
    options: dict[str, Any]
    outline: Any

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of the bands that are read, in the opened file."""
        file = self.file
        return tuple(range(1, len(file.bands) + 1)) if self.leaves_alpha else file.numbers

    @property
    def leaves_alpha(self) -> bool:
        """Whether the bands in use are opened alone, so that no other hides their pixels."""
        return self.resampling is not None and self.file.false_alpha is not None


def place_file(
    file: RasterFile,
    lattice: ChipGrid,
    extent: Window,
    *,
    classes: bool,
) -> Source | None:
    """Lay a file on a lattice; None where it lies outside the extent.

    A file may cover the whole Earth: only what is near the extent is projected.

    ``classes``: whether it holds numbers that cannot be averaged.
    """
    offset = _offset(file, lattice)
    if offset is not None:
        whole = Window(*offset, file.height, file.width)
        window, outline = whole.overlap(extent), _box(whole)
        resampling = None
    else:
        shared = _shared_boxes(file, lattice, extent)
        window = _window_of(shared, file, lattice, extent) if shared else None
        outline = _outline(shared, file, lattice) if window and file.all_valid else None
        resampling = "nearest" if classes else _choose_resampling(file, lattice, extent)
    if window is None:
        return None
    return Source(
        file=file,
        window=window,
        resampling=resampling,
        offset=offset or (window.row, window.column),
        options=_warp_options(file, resampling),
        outline=outline if file.all_valid else None,
    )


def _offset(file: RasterFile, lattice: ChipGrid) -> tuple[int, int] | None:
    """Row and column of the lattice at which a file begins that has the lattice's own pixels."""
    from pyproj import CRS

    step = file.transform
    size = (lattice.width, lattice.height)
    if file.is_rotated or not np.allclose([step.a, -step.e], size, rtol=1e-9, atol=0):
        return None
    row, column = (lattice.north - step.f) / lattice.height, (step.c - lattice.west) / lattice.width
    nearest = round(row), round(column)
    if not np.allclose([row, column], nearest, rtol=0, atol=_ROUNDING):
        return None
    return nearest if CRS(file.crs) == CRS(lattice.crs) else None


def _shared_boxes(file: RasterFile, lattice: ChipGrid, extent: Window) -> list[Box]:
    """The parts of a file that may lie in an extent, in its own coordinates."""
    from rasterio.warp import transform_bounds

    corner = lattice.affine(extent.row, extent.column)
    right, bottom = apply(corner, extent.width, extent.height)
    seen = transform_bounds(lattice.crs, file.crs, corner.c, bottom, right, corner.f)
    return [box for part in _in_one_piece(seen) if (box := _intersect(part, file.box))]


def _window_of(
    boxes: list[Box], file: RasterFile, lattice: ChipGrid, extent: Window
) -> Window | None:
    from rasterio.warp import transform_bounds

    spans = np.array([transform_bounds(file.crs, lattice.crs, *box) for box in boxes])
    around = (*spans[:, :2].min(axis=0), *spans[:, 2:].max(axis=0))
    return window_of(lattice, around, _ROUNDING).overlap(extent)


def _outline(boxes: list[Box], file: RasterFile, lattice: ChipGrid) -> Any:
    """Where a file has pixels, in columns and rows of the lattice."""
    import shapely
    from pyproj import Transformer

    footprint = shapely.Polygon(file.corners)
    there = Transformer.from_crs(file.crs, lattice.crs, always_xy=True)
    parts = shapely.intersection(footprint, shapely.box(*np.transpose(boxes)))
    sides = np.ptp(shapely.bounds(parts).reshape(-1, 2, 2), axis=1).max(axis=1)
    dense = shapely.segmentize(parts, sides / _EDGE)

    def on_lattice(coordinates: Any) -> Any:
        x, y = there.transform(*coordinates.T)
        return np.stack(
            [(x - lattice.west) / lattice.width, (lattice.north - y) / lattice.height], axis=1
        )

    return shapely.union_all(shapely.make_valid(shapely.transform(dense, on_lattice)))


def _box(window: Window) -> Any:
    import shapely

    return shapely.box(
        window.column, window.row, window.column + window.width, window.row + window.height
    )


def _in_one_piece(box: Box) -> list[Box]:
    """A box across the antimeridian, from which east lies west, as boxes from west to east."""
    west, south, east, north = box
    if west <= east:
        return [box]
    return [(west, south, east + 360, north), (west - 360, south, east, north)]


def _intersect(first: Box, second: Box) -> Box | None:
    west, south = max(first[0], second[0]), max(first[1], second[1])
    east, north = min(first[2], second[2]), min(first[3], second[3])
    return (west, south, east, north) if west < east and south < north else None


def _choose_resampling(file: RasterFile, lattice: ChipGrid, window: Window) -> str:
    """Average pixels that are finer than the lattice's; interpolate between others."""
    from pyproj import Transformer

    row, column = window.row + window.height / 2, window.column + window.width / 2
    there = Transformer.from_crs(lattice.crs, file.crs, always_xy=True).transform(
        *apply(lattice.affine(), column, row)
    )
    column, row = apply(~file.transform, *there)
    around = apply(file.transform, column + np.array([0, 1, 0]), row + np.array([0, 0, 1]))
    x, y = Transformer.from_crs(file.crs, lattice.crs, always_xy=True).transform(*around)
    steps = [math.hypot(x[n] - x[0], y[n] - y[0]) for n in (1, 2)]
    return "average" if max(steps) < _FINER * max(lattice.width, lattice.height) else "bilinear"


def _warp_options(file: RasterFile, resampling: str | None) -> dict[str, Any]:
    if resampling is None:
        return {}
    nodata = _nodata(file)
    if file.false_alpha in file.numbers:
        raise BuildError(
            f"{file.path.name} must be warped, but marks band {file.false_alpha} as transparency; "
            f"mend it: `gdal_edit.py -colorinterp_{file.false_alpha} undefined {file.path.name}`"
        )
    is_float = np.dtype(file.dtype).kind == "f"
    if nodata is None and is_float:
        nodata = float("nan")
    has_mask = file.all_valid or file.alpha is not None or nodata is not None
    options: dict[str, Any] = {"warp_mem_limit": 64, "src_nodata": nodata, "nodata": nodata}
    options["add_alpha"] = not has_mask
    alone = file.count > len(file.bands) or not all(band.needs_all for band in file.bands)
    alone = alone or len(file.bands) > len(COLOURS)
    if nodata is not None and alone:  # else a pixel is missing where all bands of the file say so
        options["UNIFIED_SRC_NODATA"] = "NO"
    if file.place.by_points:
        options |= {"src_crs": file.crs, "src_transform": file.transform}
    if resampling == "bilinear":  # else GDAL guesses how many pixels to blur, from wrong sides
        options |= {"XSCALE": 1, "YSCALE": 1}
    return options


def _nodata(file: RasterFile) -> float | None:
    """The nodata number of all bands in use."""
    numbers = {str(band.nodata): band.nodata for band in file.bands}
    if len(numbers) > 1:
        raise BuildError(
            f"{file.path.name} must be warped, for which its bands {list(file.numbers)} need one "
            f"nodata number, found {', '.join(numbers)}; write one with `gdal_translate -a_nodata`"
        )
    return file.bands[0].nodata
