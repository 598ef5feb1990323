"""Pixels of an embedding as the cells of chips: values pooled, and coded as they are stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.building.embedding_file import EmbeddingFile
from llpbench.data.building.embedding_layer import EmbeddingLayer
from llpbench.data.building.placing import Window
from llpbench.data.grid import ChipGrid
from llpbench.data.imagery import CELL, CELLS, Band, Imagery
from llpbench.protocol import CHIP_SIZE, SCORE_WINDOW, WINDOW_SIDE

_LARGEST_CODE = 127

_BLOCK = 10
"""Chips along a side of what is read together; files are often in blocks of 1024 pixels."""


def describe_cells(files: Sequence[EmbeddingFile]) -> Imagery:
    """What the cells of chips hold: codes where the files hold codes of one byte, else values."""
    first = files[0]
    has_codes = first.coding.by_cell or first.coding.power != 1
    names = [band.name for band in first.raster.bands]
    if not all(names) or len(set(names)) < len(names):
        names = [f"f{number}" for number in range(len(names))]
    bands = tuple(Band(name[:100]) for name in names)
    source = str(first.origin)[:200]
    if has_codes:
        return Imagery(bands, "int8", first.coding, source)
    return Imagery(bands, "float32", source=source)


def score_window_of(row: int, column: int) -> Window:
    """The pixels of a chip that predictions are about, on the lattice of pixels."""
    start = SCORE_WINDOW.start
    return Window(row * CHIP_SIZE + start, column * CHIP_SIZE + start, WINDOW_SIDE, WINDOW_SIDE)


def pool(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of the present pixels of each cell, NaN where none is.

    Parameters
    ----------
    values : ndarray of float32, shape (feature, 96, 96)
        NaN in all features where a pixel is missing.

    Returns
    -------
    ndarray of float32, shape (24, 24, feature)
        Rows from north to south.
    """
    present = np.isfinite(values[0])
    blocks = np.where(present, values, 0).reshape(-1, CELLS, CELL, CELLS, CELL)
    total = blocks.sum(axis=(2, 4), dtype=np.float64)
    count = present.reshape(CELLS, CELL, CELLS, CELL).sum(axis=(1, 3)).astype(np.float64)
    count[count == 0] = np.nan
    return np.moveaxis(total / count, 0, -1).astype(np.float32)


def encode_cells(
    cells: NDArray[np.float32], imagery: Imagery
) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
    """Stored numbers of cells, and their scales where they have them, as TESSERA makes these.

    A scale is the largest absolute value of a cell divided by 127, NaN where it is missing.

    Examples
    --------
    >>> from llpbench.data.imagery import Coding
    >>> tessera = Imagery((Band("a"), Band("b")), "int8", Coding(by_cell=True))
    >>> encode_cells(np.array([[2.54, -1.27], [np.nan, np.nan]], dtype=np.float32), tessera)
    (array([[127, -64],
           [  0,   0]], dtype=int8), array([0.02,  nan], dtype=float32))
    """
    if not imagery.coding.by_cell:
        return imagery.coding.encode(cells, imagery.dtype), None
    scale = (np.abs(cells).max(axis=-1) / _LARGEST_CODE).astype(np.float32)
    with np.errstate(invalid="ignore"):
        numbers = np.rint(cells / np.where(scale > 0, scale, 1)[..., np.newaxis])
    return np.nan_to_num(numbers).astype(imagery.dtype), scale


@dataclass(frozen=True)
class EmbeddingPixels:
    """Reads the cells of chips from an embedding on the lattice of their pixels; picklable."""

    layer: EmbeddingLayer
    imagery: Imagery

    def read(
        self, places: Sequence[tuple[int, int]]
    ) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
        """Stored numbers, (chip, 24, 24, feature), and scales of chips by their row and column."""
        shape = (len(places), CELLS, CELLS)
        stored = np.empty((*shape, len(self.imagery.bands)), dtype=self.imagery.dtype)
        scales = np.empty(shape, dtype=np.float32) if self.imagery.coding.by_cell else None
        with self.layer.open() as opened:
            for number in _in_blocks(places, range(len(places))):
                cells = pool(opened.read(score_window_of(*places[number])))
                stored[number], scale = encode_cells(cells, self.imagery)
                if scales is not None:
                    scales[number] = scale
        return stored, scales

    def present(
        self, places: Sequence[tuple[int, int]], asked: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Share of the pixels of each chip's score window that there are; 1 where nobody asks."""
        shares = np.ones(len(places))
        with self.layer.open() as opened:
            for number in _in_blocks(places, np.flatnonzero(asked).tolist()):
                shares[number] = opened.present(score_window_of(*places[number])).mean()
        return shares


def _in_blocks(places: Sequence[tuple[int, int]], numbers: Iterable[int]) -> list[int]:
    """Chips that lie together one after the other, so that blocks of files are read once."""

    def block(number: int) -> tuple[int, ...]:
        row, column = places[number]
        return row // _BLOCK, column // _BLOCK, row, column

    return sorted(numbers, key=block)


def lay_embedding(files: Sequence[EmbeddingFile], lattice: ChipGrid) -> EmbeddingPixels | None:
    """Lay files on a lattice of pixels; None where there are none."""
    if not files:
        return None
    return EmbeddingPixels(EmbeddingLayer(lattice, tuple(files)), describe_cells(files))
