"""Rasters as one layer on a lattice of pixels, read window by window.

Each file is warped onto the lattice as it is read, so files may be of any projection, resolution
and rotation, and memory does not grow with them. Where files overlap, the first that has a pixel
gives it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.building.placing import Source, Window, place_file
from llpbench.data.building.raster_file import GDAL_OPTIONS, RasterFile
from llpbench.data.grid import ChipGrid
from llpbench.errors import BuildError


@dataclass(frozen=True)
class Layer:
    """Files of one kind on one lattice, whose cells are pixels; picklable.

    Parameters
    ----------
    sources : tuple of Source
        In the order of their precedence.
    bands : int
        How many are read.
    dtype : str
        Of what is read.
    """

    lattice: ChipGrid
    sources: tuple[Source, ...]
    bands: int
    dtype: str

    @contextmanager
    def open(self) -> Iterator[OpenLayer]:
        """Open the files as they are needed, for one thread; close all in the end."""
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
        """Read the pixels of a part of the lattice.

        Returns
        -------
        values : ndarray, shape (band, row, column)
            0 where no file has a pixel.
        present : ndarray of bool, shape (row, column)
            Where one has.
        """
        shape = (window.height, window.width)
        values = np.zeros((self.layer.bands, *shape), dtype=self.layer.dtype)
        present = np.zeros(shape, dtype=bool)
        for source in self.layer.sources:
            part = window.overlap(source.window)
            if part is None or present[part.within(window)].all():
                continue
            pixels, valid = self._read(source, part)
            here = part.within(window)
            new = valid & ~present[here]
            values[(slice(None), *here)][:, new] = pixels[:, new]
            present[here] |= valid
        return values, present

    def _read(self, source: Source, part: Window) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        from rasterio.errors import RasterioError
        from rasterio.windows import Window as FileWindow

        row, column = source.offset
        place = FileWindow(part.column - column, part.row - row, part.width, part.height)
        try:
            file = self._open(source)
            values = file.read(source.bands, window=place)
            if source.outline is None:
                return values, file.dataset_mask(window=place) > 0
        except RasterioError as error:
            raise BuildError(f"{source.path.name} cannot be read ({error})") from error
        return values, _is_inside(source.outline, part)

    def _open(self, source: Source) -> Any:
        import rasterio
        from rasterio.enums import Resampling
        from rasterio.vrt import WarpedVRT

        if source.path not in self._opened:
            file = self.stack.enter_context(rasterio.open(source.path))
            if source.resampling is not None:
                lattice, window = self.layer.lattice, source.window
                file = self.stack.enter_context(
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
            self._opened[source.path] = file
        return self._opened[source.path]


def make_layer(
    files: Sequence[RasterFile],
    bands: Sequence[tuple[int, ...]],
    lattice: ChipGrid,
    extent: Window,
    *,
    classes: bool = False,
) -> Layer:
    """Lay files on a lattice; there are no sources if none reaches into the extent.

    Parameters
    ----------
    bands : sequence of tuple of int
        What is read of each.
    classes : bool
        Whether numbers are classes, which cannot be averaged: the nearest is taken. Other pixels
        are averages of finer ones, or lie between coarser ones.
    """
    placed = [
        place_file(file, chosen, lattice, extent, classes=classes)
        for file, chosen in zip(files, bands, strict=True)
    ]
    dtype = np.result_type(*(np.dtype(file.dtype) for file in files)).name
    sources = tuple(source for source in placed if source is not None)
    return Layer(lattice, sources, len(bands[0]), dtype)


def _is_inside(outline: Any, part: Window) -> NDArray[np.bool_]:
    """Which pixels have their middle inside an outline."""
    import shapely

    right, bottom = part.column + part.width, part.row + part.height
    if shapely.covers(outline, shapely.box(part.column, part.row, right, bottom)):
        return np.ones((part.height, part.width), dtype=bool)
    column, row = np.meshgrid(
        np.arange(part.column, right) + 0.5, np.arange(part.row, bottom) + 0.5
    )
    inside: NDArray[np.bool_] = shapely.contains_xy(outline, column, row)
    return inside
