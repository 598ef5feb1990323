"""A file of an embedding: where it lies, what made it, and how it is read window by window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from llpbench.data.building.embedding_origin import TESSERA, Origin
from llpbench.data.building.opening import open_raster, read_bands
from llpbench.data.building.raster_band import is_present
from llpbench.data.building.raster_file import RasterFile
from llpbench.data.imagery import Coding
from llpbench.data.zarr_mosaic import open_array, read_array
from llpbench.errors import BuildError

if TYPE_CHECKING:
    from pathlib import Path

    from affine import Affine

_LARGEST_SCALE = 1.0
"""Of TESSERA: geotessera, which publishes it, takes larger scales for damage (zarr.py)."""


class Stored(NamedTuple):
    """Numbers of pixels, (feature, pixel); their scales if they have any, and which are there."""

    numbers: NDArray[Any]
    scale: NDArray[np.float32] | None
    present: NDArray[np.bool_]


@dataclass(frozen=True)
class ZarrArrays:
    """Where a Zarr group holds an embedding.

    Parameters
    ----------
    folder : Path
        The group.
    name, scales : str
        Of the arrays of numbers and of their scales, whose axes are the same but for the features;
        the second is empty where there are none.
    axes : tuple of str
        ``time``, ``feature``, ``row`` and ``column`` in the order of the first.
    moment : int
        Which time is read, where there are times.
    """

    folder: Path
    name: str
    scales: str
    axes: tuple[str, ...]
    moment: int


@dataclass(frozen=True)
class EmbeddingFile:
    """An embedding on disk.

    Parameters
    ----------
    raster : RasterFile
        Its place with the north up, and its features as bands in use.
    transform : Affine
        Columns and rows, as they are stored, to coordinates.
    origin : Origin
        What made it.
    coding : Coding
        How its numbers become values.
    arrays : ZarrArrays or None
        Where they are in a Zarr group; None for a GeoTIFF.
    """

    raster: RasterFile
    transform: Affine
    origin: Origin
    coding: Coding
    arrays: ZarrArrays | None = None

    @property
    def name(self) -> str:
        """As it is called in a sentence."""
        return self.raster.path.name

    @contextmanager
    def open(self) -> Iterator[Reader]:
        """Open it, for one thread."""
        from rasterio.errors import RasterioError

        if self.arrays is not None:
            yield _Zarr(self, self.arrays)
            return
        try:
            with open_raster(self.raster.path, self.raster.driver) as source:
                yield _Raster(self, source)
        except RasterioError as error:
            raise BuildError(f"{self.raster.path.name} cannot be read ({error})") from error


class Reader(Protocol):
    """What an opened embedding can do."""

    def pick(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Stored:
        """Read pixels; what lies around them is read too, so they should be near each other."""

    def sees(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which pixels are there, read as little as tells it."""


@dataclass(frozen=True)
class _Raster:
    file: EmbeddingFile
    source: Any

    def pick(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Stored:
        return self._pick(rows, columns, len(self.file.raster.bands))

    def sees(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """AlphaEarth's number for nothing is in all features of a pixel or in none."""
        missing = self.file.coding.missing
        if missing is None:
            return self.pick(rows, columns).present
        stored = self._pick(rows, columns, 1)
        return stored.present & (stored.numbers[0] != missing)

    def _pick(self, rows: NDArray[np.int64], columns: NDArray[np.int64], features: int) -> Stored:
        """Read the first features of pixels."""
        from rasterio.windows import Window

        raster = self.file.raster
        top, left = rows.min(), columns.min()
        window = Window(left, top, columns.max() - left + 1, rows.max() - top + 1)
        here = rows - top, columns - left
        numbers = read_bands(self.source, raster.numbers[:features], window=window)[:, *here]
        present = is_present(numbers, raster.bands[:features])
        if raster.alpha is not None:
            present &= self.source.read(raster.alpha, window=window)[here] > 0
        elif raster.bands[0].is_masked:
            present &= self.source.read_masks(raster.numbers[0], window=window)[here] > 0
        return Stored(numbers, None, present)


class _Zarr:
    def __init__(self, file: EmbeddingFile, arrays: ZarrArrays) -> None:
        self._file, self._arrays = file, arrays
        self._numbers = open_array(arrays.folder, arrays.name)
        self._scales = open_array(arrays.folder, arrays.scales) if arrays.scales else None

    def pick(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Stored:
        """Zarr takes what is missing for the fill value: where all features hold it, is none."""
        part, here = self._part(rows, columns)
        numbers = self._read(self._numbers, part, ("feature", "row", "column"))[:, *here]
        present = is_present(numbers, self._file.raster.bands)
        present &= ~(numbers == self._numbers.fill_value).all(axis=0)
        if self._scales is None:
            return Stored(numbers, None, present)
        scales = self._read(self._scales, part, ("row", "column"))[here]
        limit = _LARGEST_SCALE if self._file.origin.model == TESSERA else np.inf
        present &= np.isfinite(scales) & (scales > 0) & (scales < limit)
        return Stored(numbers, scales.astype(np.float32), present)

    def sees(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Scales alone would not tell where nobody wrote a chunk of numbers."""
        return self.pick(rows, columns).present

    def _part(
        self, rows: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> tuple[dict[str, Any], tuple[Any, Any]]:
        """What is read along each axis, and where pixels are in it."""
        top, left = int(rows.min()), int(columns.min())
        part = {
            "row": slice(top, int(rows.max()) + 1),
            "column": slice(left, int(columns.max()) + 1),
            "feature": slice(None),
            "time": self._arrays.moment,
        }
        return part, (rows - top, columns - left)

    def _read(self, array: Any, part: dict[str, Any], order: tuple[str, ...]) -> NDArray[Any]:
        """Read a part, with its axes in this order."""
        axes = [axis for axis in self._arrays.axes if axis in (*order, "time")]
        block = read_array(array, tuple(part[a] for a in axes), self._arrays.folder.name)
        kept = [axis for axis in axes if axis != "time"]
        return block.transpose([kept.index(axis) for axis in order])
