"""Rasters as one layer on a lattice of pixels, read window by window.

Each file is warped onto the lattice as it is read, so files may be of any projection, resolution
and rotation, and memory does not grow with them. Where files overlap, the first that has a pixel
gives it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.building.raster_file import GDAL_OPTIONS, Box, RasterFile
from llpbench.errors import BuildError
from llpbench.grid import ChipGrid

_ROUNDING = 1e-6
"""Pixels by which an edge may miss a lattice line and still lie on it."""


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


@dataclass(frozen=True)
class Source:
    """A file's part of a layer.

    Parameters
    ----------
    path : Path
    bands : tuple of int
        What is read, from 1.
    window : Window
        The part of the lattice that it may have pixels in.
    resampling : str
        ``nearest``, ``average`` or ``bilinear``.
    options : dict
        Further ones of GDAL's warper.
    """

    path: Path
    bands: tuple[int, ...]
    window: Window
    resampling: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Layer:
    """Files of one kind on one lattice; picklable.

    Parameters
    ----------
    lattice : ChipGrid
        Its cells are pixels.
    sources : tuple of Source
        In the order of their precedence.
    dtype : str
        Of what is read.
    """

    lattice: ChipGrid
    sources: tuple[Source, ...]
    dtype: str

    @contextmanager
    def open(self) -> Iterator[OpenLayer]:
        """Open the files as they are needed; close all in the end.

        Yields
        ------
        OpenLayer
            For one thread.
        """
        import rasterio

        with rasterio.Env(**GDAL_OPTIONS), ExitStack() as stack:
            yield OpenLayer(self, stack)


@dataclass
class OpenLayer:
    """A layer whose files are open."""

    layer: Layer
    stack: ExitStack
    _opened: dict[Path, Any] = field(default_factory=dict)

    def read(self, window: Window) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Read a part of the lattice.

        Parameters
        ----------
        window : Window

        Returns
        -------
        values : ndarray, shape (band, row, column)
            0 where no file has a pixel.
        present : ndarray of bool, shape (row, column)

        Raises
        ------
        BuildError
            If a file cannot be read there.
        """
        import rasterio
        from rasterio.errors import RasterioError

        shape = (window.height, window.width)
        bands = len(self.layer.sources[0].bands)
        values = np.zeros((bands, *shape), dtype=self.layer.dtype)
        present = np.zeros(shape, dtype=bool)
        for source in self.layer.sources:
            part = window.overlap(source.window)
            if part is None or present[part.within(window)].all():
                continue
            rows, columns = part.within(source.window)
            place = rasterio.windows.Window.from_slices(rows, columns)
            try:
                warped = self._open(source)
                found = warped.read(source.bands, window=place)
                valid = warped.dataset_mask(window=place) > 0
            except RasterioError as error:
                raise BuildError(f"{source.path.name} cannot be read ({error})") from error
            here = part.within(window)
            new = valid & ~present[here]
            values[(slice(None), *here)][:, new] = found[:, new]
            present[here] |= valid
        return values, present

    def _open(self, source: Source) -> Any:
        import rasterio
        from rasterio.enums import Resampling
        from rasterio.vrt import WarpedVRT

        if source.path not in self._opened:
            file = self.stack.enter_context(rasterio.open(source.path))
            lattice, window = self.layer.lattice, source.window
            self._opened[source.path] = self.stack.enter_context(
                WarpedVRT(
                    file,
                    crs=lattice.crs,
                    transform=lattice.affine(window.row, window.column),
                    width=window.width,
                    height=window.height,
                    resampling=Resampling[source.resampling],
                    **source.options,
                )
            )
        return self._opened[source.path]


def make_layer(
    files: Sequence[RasterFile],
    bands: Sequence[tuple[int, ...]],
    lattice: ChipGrid,
    extent: Window,
    *,
    classes: bool = False,
) -> Layer:
    """Lay files on a lattice.

    Parameters
    ----------
    files : sequence of RasterFile
    bands : sequence of tuple of int
        What is read of each.
    lattice : ChipGrid
        Its cells are pixels.
    extent : Window
        The part of the lattice that matters.
    classes : bool
        Whether numbers are classes, which cannot be averaged: the nearest is taken. Other pixels
        are averages of finer ones, or lie between coarser ones.

    Returns
    -------
    Layer
        Without sources if no file reaches into the extent.
    """
    sources = []
    for file, chosen in zip(files, bands, strict=True):
        window = find_window(file, lattice, extent)
        if window is not None:
            method = "nearest" if classes else _choose_resampling(file, lattice, window)
            sources.append(Source(file.path, chosen, window, method, _mask_options(file)))
    dtype = np.result_type(*(np.dtype(file.dtype) for file in files)).name
    return Layer(lattice, tuple(sources), dtype)


def find_window(file: RasterFile, lattice: ChipGrid, extent: Window) -> Window | None:
    """Find the part of a lattice in which a file may have pixels.

    Parameters
    ----------
    file : RasterFile
        May cover the whole Earth: only what is near the extent is projected.
    lattice : ChipGrid
    extent : Window

    Returns
    -------
    Window or None
        None where the file lies outside the extent.
    """
    from rasterio.warp import transform_bounds

    corner = lattice.affine(extent.row, extent.column)
    right, bottom = corner * (extent.width, extent.height)
    seen = transform_bounds(lattice.crs, file.crs, corner.c, bottom, right, corner.f)
    shared = [box for part in _in_one_piece(seen) if (box := _intersect(part, file.box))]
    if not shared:
        return None
    boxes = np.array([transform_bounds(file.crs, lattice.crs, *box) for box in shared])
    rows = (lattice.north - boxes[:, [3, 1]]) / lattice.height
    columns = (boxes[:, [0, 2]] - lattice.west) / lattice.width
    row, column = math.floor(rows.min() + _ROUNDING), math.floor(columns.min() + _ROUNDING)
    last_row, last_column = math.ceil(rows.max() - _ROUNDING), math.ceil(columns.max() - _ROUNDING)
    return Window(row, column, last_row - row, last_column - column).overlap(extent)


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
    """Average pixels that are not larger than the lattice's; interpolate between larger ones."""
    from pyproj import Transformer

    middle = lattice.affine() * (
        window.column + window.width / 2,
        window.row + window.height / 2,
    )
    there = Transformer.from_crs(lattice.crs, file.crs, always_xy=True).transform(*middle)
    column, row = ~file.transform * there
    around = [file.transform * (column + step, row) for step in (0, 1)]
    around += [file.transform * (column, row + 1)]
    x, y = Transformer.from_crs(file.crs, lattice.crs, always_xy=True).transform(
        *np.transpose(around)
    )
    steps = [math.hypot(x[n] - x[0], y[n] - y[0]) for n in (1, 2)]
    return "average" if max(steps) <= 1.01 * max(lattice.width, lattice.height) else "bilinear"


def _mask_options(file: RasterFile) -> dict[str, Any]:
    options: dict[str, Any] = {"warp_mem_limit": 64, "add_alpha": not file.has_alpha}
    if file.nodata is None and np.dtype(file.dtype).kind == "f":
        options["src_nodata"] = float("nan")
    return options
