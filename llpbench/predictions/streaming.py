"""Predictions too many for memory: read as they are scored, in the order of the dataset.

They are one parquet file, a folder of them, or a zarr. Each file holds a run of the split's chips,
in the order of the dataset and without a gap; files may come in any order. So no list of ids is
kept, and the first chip that is another one than expected ends it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import DisorderError, examples
from llpbench.predictions.digesting import RunningDigest
from llpbench.predictions.files import read_pieces
from llpbench.predictions.parts import check_alike, is_parted, join, part_files
from llpbench.predictions.table import check_predictions

if TYPE_CHECKING:
    import xarray as xr

MOST_SORTED = 2**20
"""Chips whose predictions may come in any order: they are then in memory, some 500 bytes each."""

_REMARKING = [logging.getLogger(f"llpbench.predictions.{name}") for name in ("columns", "table")]


def can_be_streamed(predictions: str | os.PathLike[str]) -> bool:
    """Whether they are files of a kind that is read piece by piece: parquet, parts or a zarr."""
    path = Path(predictions)
    return is_parted(path) or path.suffix.lower() in (".parquet", ".pq", ".zarr")


class StreamedSeed:
    """Predictions of one seed in files, of which a few rows are in memory at a time.

    Parameters
    ----------
    path : Path
        For which :func:`can_be_streamed` holds.
    categories : list of str
        Names of the class groups.
    chips : int
        How many the split has.
    renormalise : bool
        As for :func:`~llpbench.predictions.table.check_predictions`.

    Raises
    ------
    DisorderError
        While it is read, if a chip is not the next one of the split.
    """

    def __init__(self, path: Path, categories: list[str], chips: int, *, renormalise: bool) -> None:
        self._path, self._renormalise = path, renormalise
        self._files = _Files(path, 2 * chips + 100, categories)
        self._rest: xr.Dataset | None = None
        self._first: xr.Dataset | None = None
        self._digest, self._remarks = RunningDigest(), _Once()

    @property
    def attributes(self) -> dict[str, Any]:
        """What the predictions say of themselves."""
        return {} if self._first is None else dict(self._first.attrs)

    def take(self, block: xr.Dataset) -> xr.Dataset:
        """Take those of the chips of a block, which follow on the last, checked."""
        expected, parts = block["chip"].to_numpy(), []
        with self._remarks.said_once():
            while len(expected):
                parts.append(self._next(expected))
                expected = expected[parts[-1].sizes["chip"] :]
            joined = join(parts, self._path.name)
            taken = check_predictions(joined, block, renormalise=self._renormalise)
        self._digest.add(taken)
        return taken

    def end(self) -> str:
        """Give the digest; refuse predictions of further chips."""
        with self._remarks.said_once():
            rest = self._files.next_piece() if self._rest is None else self._rest
        chips = [] if rest is None else rest["chip"].to_numpy()[:1].tolist()
        if chips := [*chips, *self._files.begin_with()]:
            raise _disorder(
                f"{examples(chips)} is there besides, more than once or of no chip of the split"
            )
        return self._digest.digest()

    def _next(self, expected: NDArray[np.str_]) -> xr.Dataset:
        """Rows of the next chips, as many as come together."""
        piece = self._files.next_piece() if self._rest is None else self._rest
        if piece is None:
            self._files.open(str(expected[0]))
            piece = self._files.next_piece()
            assert piece is not None
        first = self._first = piece if self._first is None else self._first
        check_alike(first, piece, self._path.name)
        count = min(piece.sizes["chip"], len(expected))
        taken, rest = (piece.isel(chip=part) for part in (slice(count), slice(count, None)))
        self._rest = rest if rest.sizes["chip"] else None
        found = taken["chip"].to_numpy()
        if (wrong := np.flatnonzero(found != expected[:count])).size:
            pair = found[wrong[0]], expected[wrong[0]]
            raise _disorder(
                f"{self._files.name} has {examples([pair[0]])} where {examples([pair[1]])} follows"
            )
        return taken


class _Files:
    """The files of predictions, each opened when the chip with which it begins is the next one.

    They are tried in the order of their names; only if that is not the dataset's, the first chip of
    each is looked up.
    """

    def __init__(self, path: Path, rows: int, categories: list[str]) -> None:
        self._waiting = part_files(path) if is_parted(path) else [path]
        self._how = rows, categories
        self._by_first: dict[str, Path] | None = None
        self._pieces: Iterator[xr.Dataset] = iter(())
        self.name = path.name

    def next_piece(self) -> xr.Dataset | None:
        """Rows of the file that is open; None at its end."""
        return next((piece for piece in self._pieces if piece.sizes["chip"]), None)

    def open(self, chip: str) -> None:
        """Open the file that begins with a chip."""
        if self._by_first is None and self._waiting:
            first = self._open(self._waiting[0])
            if first == chip:
                del self._waiting[0]
                return
            self._by_first = {self._open(path): path for path in self._waiting}
        if chip not in (self._by_first or {}):
            left = f", of those that begin with {examples(self.begin_with()) or 'nothing'}"
            raise _disorder(f"none begins with {examples([chip])}, which follows{left}")
        assert self._by_first is not None
        self._open(self._by_first.pop(chip))

    def begin_with(self) -> list[str]:
        """First chips of some of the files that wait."""
        if self._by_first is None:
            return [self._open(path) for path in self._waiting[:3]]
        return list(self._by_first)

    def _open(self, path: Path) -> str:
        """Begin to read a file; its first chip, an empty text where it holds none."""
        self.name, pieces = path.name, read_pieces(path, *self._how)
        first = next(pieces, None)
        self._pieces = pieces if first is None else chain([first], pieces)
        return "" if first is None or not first.sizes["chip"] else str(first["chip"].to_numpy()[0])


class _Once(logging.Filter):
    """Lets a remark pass once, not again for each file."""

    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        is_new = record.msg not in self._said
        self._said.add(record.msg)
        return is_new

    @contextmanager
    def said_once(self) -> Iterator[None]:
        for logger in _REMARKING:
            logger.addFilter(self)
        try:
            yield
        finally:
            for logger in _REMARKING:
                logger.removeFilter(self)


def _disorder(fault: str) -> DisorderError:
    return DisorderError(
        f"predictions of more than {MOST_SORTED} chips must be in the order of the dataset, each "
        f"file without a gap: {fault}; write them again, in the order of `llpbench template`"
    )
