"""An embedding on a lattice of pixels: each takes the nearest pixel that a file has.

Codes cannot be averaged, so nothing is warped: middles of the lattice's pixels are looked up in the
files, of any projection, and rows may run from north to south or from south to north.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llpbench.data.building.embedding_file import EmbeddingFile, Reader
from llpbench.data.building.open_files import OpenFiles
from llpbench.data.building.opening import GDAL_OPTIONS
from llpbench.data.building.placing import Window
from llpbench.data.building.raster_file import apply
from llpbench.data.grid import ChipGrid

_MOST_PIXELS = 2**17
"""Pixels that are read together, for 128 features 64 MB of floats."""

_Whole: TypeAlias = NDArray[np.int64]
_Look: TypeAlias = Callable[[int, _Whole, _Whole, _Whole], NDArray[np.bool_]]
"""Number of a file, pixels of the window, their rows and columns in the file; which it has."""

_ROUNDING = 1e-6
"""Pixels by which a middle may miss the edge that it lies on."""


@dataclass(frozen=True)
class EmbeddingLayer:
    """Files of one embedding on one lattice, in the order of their precedence; picklable."""

    lattice: ChipGrid
    files: tuple[EmbeddingFile, ...]

    @contextmanager
    def open(self) -> Iterator[OpenEmbedding]:
        """Open the files as they are needed, for one thread; close all in the end."""
        import rasterio

        with rasterio.Env(**GDAL_OPTIONS), closing(OpenEmbedding(self)) as opened:
            yield opened


@dataclass
class OpenEmbedding:
    """A layer, some of whose files are open."""

    layer: EmbeddingLayer

    def __post_init__(self) -> None:
        self._files = OpenFiles[Reader](self._open)

    def read(self, window: Window) -> NDArray[np.float32]:
        """Values of a part of the lattice, (feature, row, column), NaN where no file has any."""
        size = window.height * window.width
        features = len(self.layer.files[0].raster.bands)
        values = np.full((size, features), np.nan, dtype=np.float32)

        def look(number: int, wanted: _Whole, rows: _Whole, columns: _Whole) -> NDArray[np.bool_]:
            stored = self._files[number].pick(rows, columns)
            there = stored.present
            scale = None if stored.scale is None else stored.scale[there]
            found = self.layer.files[number].coding.decode(stored.numbers[:, there].T, scale)
            is_finite = np.isfinite(found).all(axis=1)
            there[there] = is_finite
            values[wanted[there]] = found[is_finite]
            return there

        self._search(window, look)
        return values.T.reshape(-1, window.height, window.width)

    def present(self, window: Window) -> NDArray[np.bool_]:
        """Which pixels of a part of the lattice a file has, by what is quickest to read."""
        missing = self._search(window, lambda number, _, *at: self._files[number].sees(*at))
        return ~missing.reshape(window.height, window.width)

    def _search(self, window: Window, look: _Look) -> NDArray[np.bool_]:
        """Look for the pixels of a window in one file after the other; those that none has."""
        missing = np.ones(window.height * window.width, dtype=bool)
        places = _Places(self.layer.lattice, window)
        for number, file in enumerate(self.layer.files):
            rows, columns = places.in_file(file)
            width, height = file.raster.width, file.raster.height
            inside = missing & (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
            if not inside.any():
                continue
            wanted = np.flatnonzero(inside)
            at = rows[wanted].astype(np.int64), columns[wanted].astype(np.int64)
            for part in _near(*at):
                found = look(number, wanted[part], at[0][part], at[1][part])
                missing[wanted[part][found]] = False
            if not missing.any():
                break
        return missing

    def close(self) -> None:
        """Close all files."""
        self._files.close()

    def _open(self, number: int, stack: ExitStack) -> Reader:
        return stack.enter_context(self.layer.files[number].open())


def _near(rows: _Whole, columns: _Whole) -> Iterator[_Whole]:
    """Pixels, by their position, in parts that lie near enough to be read together."""
    waiting = [np.arange(len(rows))]
    while waiting:
        part = waiting.pop()
        spans = int(np.ptp(rows[part])) + 1, int(np.ptp(columns[part])) + 1
        if spans[0] * spans[1] <= _MOST_PIXELS:
            yield part
            continue
        along = (rows if spans[0] >= spans[1] else columns)[part]
        near = along < along.min() + max(spans) // 2
        waiting += [part[near], part[~near]]


class _Places:
    """Middles of the pixels of a part of a lattice, in the reference systems of files."""

    def __init__(self, lattice: ChipGrid, window: Window) -> None:
        column, row = np.meshgrid(
            window.column + np.arange(window.width) + 0.5,
            window.row + np.arange(window.height) + 0.5,
        )
        self._crs = lattice.crs
        self._here = apply(lattice.affine(), column.ravel(), row.ravel())
        self._there: dict[str, Any] = {}

    def in_file(self, file: EmbeddingFile) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Rows and columns of a file, as whole numbers, that may lie outside of it."""
        crs = file.raster.crs
        if crs not in self._there:
            there = _transformer(self._crs, crs)
            self._there[crs] = self._here if there is None else there.transform(*self._here)
        with np.errstate(invalid="ignore"):  # what cannot be projected is nowhere
            column, row = apply(~file.transform, *self._there[crs])
        return np.floor(row + _ROUNDING), np.floor(column + _ROUNDING)


@cache
def _transformer(first: str, second: str) -> Any:
    """From one reference system to another; None where they are the same."""
    from pyproj import CRS, Transformer

    if CRS(first) == CRS(second):
        return None
    return Transformer.from_crs(first, second, always_xy=True)
