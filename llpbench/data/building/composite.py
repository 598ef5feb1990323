"""Images of one place at several times, put together pixel by pixel: the median of those seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.building.image_layer import Pixels
from llpbench.data.building.open_files import OpenFiles
from llpbench.data.building.opening import GDAL_OPTIONS
from llpbench.data.building.placing import Source, Window
from llpbench.data.building.stack import OpenStack, StackLayer
from llpbench.data.grid import ChipGrid

_TOGETHER = 2**26
"""Bytes of numbers of all images that are in memory before their median."""


@dataclass(frozen=True)
class CompositeLayer:
    """Images of one lattice, of which the median is read; picklable.

    Each image has one file a layer. No image is put together beyond what is asked for: each window
    is read of the images that reach into it.
    """

    images: tuple[StackLayer, ...]

    @property
    def lattice(self) -> ChipGrid:
        """Whose cells are pixels."""
        return self.images[0].lattice

    @property
    def sources(self) -> list[Source]:
        """Of all images."""
        return [source for image in self.images for source in image.sources]

    @property
    def bands(self) -> int:
        """How many are read."""
        return self.images[0].bands

    @property
    def outline(self) -> Any:
        """Where an image has pixels, in columns and rows; None where the files must be read."""
        import shapely

        outlines = [image.outline for image in self.images]
        return None if None in outlines else shapely.union_all(outlines)

    @contextmanager
    def open(self) -> Iterator[OpenComposite]:
        """Open the images as they are needed, for one thread; close all in the end."""
        import rasterio

        with rasterio.Env(**GDAL_OPTIONS), closing(OpenComposite(self)) as opened:
            yield opened


class OpenComposite:
    """Images, some of whose files are open."""

    def __init__(self, layer: CompositeLayer) -> None:
        self._images = layer.images
        self._opened = OpenFiles[OpenStack](self._open)
        types = {part.dtype for image in layer.images for part in image.layers}
        self._pixel_bytes = layer.bands * max(np.dtype(name).itemsize for name in types)
        windows = [image.sources[0].window for image in layer.images]
        sides = [(w.row, w.column, w.row + w.height, w.column + w.width) for w in windows]
        self._sides = np.array(sides).T

    def read(self, window: Window) -> Pixels:
        """Read the median of the images in a part of the lattice.

        Values are of shape (band, row, column), 0 where no image has a pixel; ``present`` (row,
        column) says where one has.
        """
        return next(self.read_all([window]))

    def read_all(self, windows: Iterable[Window]) -> Iterator[Pixels]:
        """Read parts of the lattice one after the other, as :meth:`read` does.

        As many are read together as fit into memory, so that an image is opened once for all.
        """
        together: list[Window] = []
        size = 0
        for window in windows:
            more = window.height * window.width * self._pixel_bytes * len(self._touching(window))
            if together and size + more > _TOGETHER:
                yield from self._read_together(together)
                together, size = [], 0
            together.append(window)
            size += more
        yield from self._read_together(together)

    def is_present(self, window: Window) -> NDArray[np.bool_]:
        """Which pixels an image has; shape (row, column)."""
        present = np.zeros((window.height, window.width), dtype=bool)
        for number in self._touching(window):
            present |= self._opened[number].is_present(window)
            if present.all():
                break
        return present

    def close(self) -> None:
        """Close all files."""
        self._opened.close()

    def _read_together(self, windows: Sequence[Window]) -> Iterator[Pixels]:
        seen: list[list[Pixels]] = [[] for _window in windows]
        touching = [self._touching(window) for window in windows]
        for number in sorted({number for numbers in touching for number in numbers}):
            image = self._opened[number]
            for window, numbers, found in zip(windows, touching, seen, strict=True):
                if number in numbers:
                    found.append(image.read(window))
        for window, found in zip(windows, seen, strict=True):
            yield self._median(found or [self._nothing(window)])
            found.clear()

    def _median(self, found: Sequence[Pixels]) -> Pixels:
        values, present = (np.stack(part) for part in zip(*found, strict=True))
        return median(values, present), np.logical_or.reduce(present)

    def _nothing(self, window: Window) -> Pixels:
        shape = (window.height, window.width)
        layers = self._images[0].layers
        dtype = np.result_type(*(np.dtype(layer.dtype) for layer in layers))
        bands = sum(layer.bands for layer in layers)
        return np.zeros((bands, *shape), dtype=dtype), np.zeros(shape, dtype=bool)

    def _touching(self, window: Window) -> list[int]:
        top, left, bottom, right = self._sides
        rows = (top < window.row + window.height) & (bottom > window.row)
        columns = (left < window.column + window.width) & (right > window.column)
        return np.flatnonzero(rows & columns).tolist()

    def _open(self, number: int, stack: ExitStack) -> OpenStack:
        return stack.enter_context(closing(self._images[number].open_files()))


def median(values: NDArray[Any], present: NDArray[np.bool_]) -> NDArray[Any]:
    """Median over images of the pixels that are there.

    Of an even number it is the mean of the middle two, of whole numbers rounded, halves to even.

    Parameters
    ----------
    values : ndarray of (image, band, row, column)
        Finite where a pixel is there.
    present : ndarray of bool, (image, row, column)
        Which pixels are there.

    Returns
    -------
    ndarray of (band, row, column)
        Of the type of ``values``; 0 where no image has a pixel.

    Examples
    --------
    >>> numbers = np.array([9, 2, 5, 7]).reshape(4, 1, 1, 1)
    >>> seen = np.array([True, True, True, False]).reshape(4, 1, 1)
    >>> int(median(numbers, seen)[0, 0, 0]), int(median(numbers, seen | True)[0, 0, 0])
    (5, 6)
    """
    whole = values.dtype.kind in "iu"
    last = np.iinfo(values.dtype).max if whole else np.inf
    ordered = np.sort(np.where(present[:, np.newaxis], values, last), axis=0)
    count = present.sum(axis=0)
    lower, upper = (
        np.take_along_axis(ordered, np.clip(place, 0, len(values) - 1)[np.newaxis, np.newaxis], 0)
        for place in ((count - 1) // 2, count // 2)
    )
    middle = (lower[0].astype(np.float64) + upper[0]) / 2
    middle = np.where(count > 0, middle, 0)
    return (np.rint(middle) if whole else middle).astype(values.dtype)
