"""Rasters as one layer on a lattice of pixels, read window by window.

Each file is warped onto the lattice as it is read, so files may be of any projection, resolution
and rotation, and memory does not grow with them. Where files overlap, the first that has a pixel
gives it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.building.open_files import OpenFiles
from llpbench.data.building.opening import GDAL_OPTIONS, open_raster, read_bands
from llpbench.data.building.placing import Source, Window, place_file
from llpbench.data.building.raster_band import is_present
from llpbench.data.building.raster_file import RasterFile
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
    scaled : bool
        Whether values are read, by scale and offset of each band, in place of stored numbers.
    """

    lattice: ChipGrid
    sources: tuple[Source, ...]
    bands: int
    dtype: str
    scaled: bool = False

    @contextmanager
    def open(self) -> Iterator[OpenLayer]:
        """Open the files as they are needed, for one thread; close all in the end."""
        import rasterio

        with rasterio.Env(**GDAL_OPTIONS), closing(OpenLayer(self)) as opened:
            yield opened


@dataclass
class OpenLayer:
    """A layer, some of whose files are open."""

    layer: Layer

    def __post_init__(self) -> None:
        self._files = OpenFiles[Any](self._open)
        windows = [source.window for source in self.layer.sources]
        sides = [(w.row, w.column, w.row + w.height, w.column + w.width) for w in windows]
        self._sides = np.array(sides, dtype=np.int64).reshape(-1, 4).T

    def read(self, window: Window) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Read the pixels of a part of the lattice.

        Values are of shape (band, row, column), 0 where no file has a pixel; ``present`` (row,
        column) says where one has.
        """
        shape = (window.height, window.width)
        values = np.zeros((self.layer.bands, *shape), dtype=self.layer.dtype)
        present = np.zeros(shape, dtype=bool)
        for number in self._touched(window):
            part = window.overlap(self.layer.sources[number].window)
            if part is None or present[part.within(window)].all():
                continue
            pixels, valid = self._read(number, part)
            here = part.within(window)
            new = valid & ~present[here]
            if new.all():  # most of the time, and much faster
                values[(slice(None), *here)] = pixels
            else:
                values[(slice(None), *here)][:, new] = pixels[:, new]
            present[here] |= valid
        return values, present

    def close(self) -> None:
        """Close all files."""
        self._files.close()

    def _touched(self, window: Window) -> list[int]:
        top, left, bottom, right = self._sides
        rows = (top < window.row + window.height) & (bottom > window.row)
        columns = (left < window.column + window.width) & (right > window.column)
        return np.flatnonzero(rows & columns).tolist()

    def _read(self, number: int, part: Window) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        from rasterio.errors import RasterioError
        from rasterio.windows import Window as FileWindow

        source = self.layer.sources[number]
        row, column = source.offset
        place = FileWindow(part.column - column, part.row - row, part.width, part.height)
        try:
            file = self._files[number]
            values = read_bands(file, source.numbers, window=place)
            if source.outline is None:
                valid = is_present(values, source.file.bands) & _is_shown(file, source, place)
            else:
                valid = _is_inside(source.outline, part)
        except RasterioError as error:
            raise BuildError(f"{source.file.path.name} cannot be read ({error})") from error
        return self._scale(values, source.file), valid

    def _scale(self, values: NDArray[Any], file: RasterFile) -> NDArray[Any]:
        if not self.layer.scaled:
            return values
        scale, offset = np.array([(band.scale, band.offset) for band in file.bands]).T
        return values * scale[:, np.newaxis, np.newaxis] + offset[:, np.newaxis, np.newaxis]

    def _open(self, number: int, stack: ExitStack) -> Any:
        return _open_on(self.layer.lattice, self.layer.sources[number], stack)


def make_layer(
    files: Sequence[RasterFile],
    lattice: ChipGrid,
    extent: Window,
    *,
    classes: bool = False,
    scaled: bool = False,
) -> Layer:
    """Lay files on a lattice; there are no sources if none reaches into the extent.

    Parameters
    ----------
    files : sequence of RasterFile
        Their bands in use are read.
    classes : bool
        Whether numbers are classes, which cannot be averaged: the nearest is taken. Other pixels
        are averages of finer ones, or lie between coarser ones.
    scaled : bool
        Whether values are wanted, by the tags of the files, in place of stored numbers.
    """
    placed = [place_file(file, lattice, extent, classes=classes) for file in files]
    sources = tuple(source for source in placed if source is not None)
    scaled = scaled and any((b.scale, b.offset) != (1.0, 0.0) for f in files for b in f.bands)
    dtype = "float64" if scaled else np.result_type(*(np.dtype(file.dtype) for file in files)).name
    return Layer(lattice, sources, len(files[0].bands), dtype, scaled)


def _open_on(lattice: ChipGrid, source: Source, stack: ExitStack) -> Any:
    """Open a file, warped onto a lattice where its pixels are not those of it."""
    from rasterio.enums import Resampling
    from rasterio.vrt import WarpedVRT

    bands = source.file.numbers if source.leaves_alpha else None
    file = stack.enter_context(open_raster(source.file.path, source.file.driver, bands))
    if source.resampling is None:
        return file
    window = source.window
    warped = WarpedVRT(
        file,
        crs=lattice.crs,
        transform=lattice.affine(window.row, window.column),
        width=window.width,
        height=window.height,
        resampling=Resampling[source.resampling],
        **source.options,
    )
    return stack.enter_context(warped)


def _is_shown(file: Any, source: Source, place: Any) -> NDArray[np.bool_] | np.bool_:
    """Which pixels a band of transparency or a mask shows; True for all."""
    if source.resampling is not None and source.options["add_alpha"]:
        alpha = file.count
    else:
        alpha = source.file.alpha
    if alpha is not None:
        return file.read(alpha, window=place) > 0
    if source.resampling is None and source.file.bands[0].is_masked:
        return file.read_masks(source.file.numbers[0], window=place) > 0
    return np.True_


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
