"""A split of a store that is too large to be opened whole: its chips come in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.dataset import describe_store
from llpbench.data.location import locate
from llpbench.data.store.layout import BLOCK, CHIPS, files_of, read_info
from llpbench.data.store.reading import check_ids, check_layout, check_shares, read_later
from llpbench.data.text import fixed_width
from llpbench.data.zarr_files import open_zarr
from llpbench.data.zarr_sequence import ZarrSequence
from llpbench.errors import StoreError, UnknownNameError, examples, unknown
from llpbench.protocol import SPLITS

if TYPE_CHECKING:
    import xarray as xr

CHIPS_AT_ONCE = 32 * BLOCK
"""Chips of a store that are looked at together; all but their pixels takes some 10 MB."""

_OF_CHIPS = ("split", "own_division")
_OVERLAPS = ("overlap_chip", "overlap_division", "overlap_area")
_TEXT = ("division", "category_name")
_NUMBERS = ("division_number", "division_proportions", "category")


class SplitBlocks:
    """The chips of a split, block by block; what is kept in memory grows with divisions alone.

    Parameters
    ----------
    store : Path or str
        The folder of a store, or its address.
    split : {"train", "val", "test"}
        Which of its chips.

    Attributes
    ----------
    info : DatasetInfo
        What the dataset is.
    chips : int
        How many the split has.
    divisions : Dataset
        Grouped: the D divisions that own these chips, with their known shares.
    areas : ndarray of float64, shape (D,)
        In km², that each of them shares with the chips.
    owners : ndarray of str
        Their ids, sorted, and an empty one for chips of none.

    Raises
    ------
    UnknownNameError
        If there is no such split.
    StoreError
        If the store is damaged, as far as it is read.
    """

    def __init__(self, store: Path | str, split: str) -> None:
        if split not in SPLITS:
            raise UnknownNameError(unknown("split", split, SPLITS))
        location = locate(store)
        stored = read_info(location)
        arrays = check_layout(location, stored)
        self.info, self._split = describe_store(stored, store), split
        self._location = location / CHIPS
        self._total, (self._shard, _chunk) = stored.chips, files_of(stored.imagery)
        self._ds = open_zarr(self._location, arrays, decode=False, without=("chip",))
        everywhere = self._divisions()
        self.chips, self.owners, areas = self._look_through(everywhere["division"].to_numpy())
        owned = np.isin(everywhere["division"].to_numpy(), self.owners)
        self._own, self.areas = everywhere.isel(division=owned), areas[owned]
        self.divisions: xr.Dataset = self._own.llp.group()

    def blocks(self, *, pixels: bool = True) -> Iterator[xr.Dataset]:
        """Take the split apart: grouped datasets of consecutive chips, with all its divisions.

        Each has ``chip``, ``own_division``, its rows of the overlap table and, with ``pixels``, its
        ``label``, which is read file by file when it is used.
        """
        label = read_later(self._ds["label"].variable, self._shard) if pixels else None
        numbers = self._own["division_number"].to_numpy()
        for chips, columns in self._walk("chip"):
            here = columns["split"] == self._split
            if not here.any():
                continue
            kept = here[columns["overlap_chip"] - chips.start]
            kept &= np.isin(columns["overlap_division"], numbers)
            block = self._own.assign_coords(
                chip=columns["chip"][here],
                chip_number=("chip", np.arange(chips.start, chips.stop, dtype=np.int32)[here]),
                own_division=("chip", columns["own_division"][here]),
            ).assign({name: ("overlap", columns[name][kept]) for name in _OVERLAPS})
            if label is not None:
                block["label"] = label[chips][here]
            grouped: xr.Dataset = block.llp.group()
            yield grouped

    def _divisions(self) -> xr.Dataset:
        """All divisions with their known shares of label classes."""
        import llpbench.data.accessor  # noqa: F401  (registers ds.llp)

        ds = self._ds[[*_NUMBERS, *_TEXT]].load()
        text = {name: (ds[name].dims, fixed_width(ds[name].to_numpy())) for name in _TEXT}
        ds = ds.assign_coords(text).drop_encoding().drop_attrs(deep=False)
        check_ids(ds["division"].to_numpy(), "division")
        check_shares(ds["division_proportions"].to_numpy(), "division_proportions")
        return ds.assign_attrs(self.info.attributes())

    def _look_through(
        self, divisions: NDArray[np.str_]
    ) -> tuple[int, NDArray[np.str_], NDArray[np.float64]]:
        """Count chips of the split; what divisions own them, and areas that all share with them."""
        count, owners, areas = 0, np.array([""]), np.zeros(len(divisions))
        for chips, columns in self._walk():
            here = columns["split"] == self._split
            count += int(here.sum())
            owners = np.union1d(owners, columns["own_division"][here])
            rows = here[columns["overlap_chip"] - chips.start]
            added = columns["overlap_area"][rows].astype(np.float64)
            areas += np.bincount(columns["overlap_division"][rows], added, len(areas))
        if strange := set(owners.tolist()) - {"", *divisions.tolist()}:
            raise StoreError(
                f"chips belong to divisions that are not there: {examples(sorted(strange))}"
            )
        return count, owners, areas

    def _walk(self, *further: str) -> Iterator[tuple[slice, dict[str, NDArray[Any]]]]:
        """Chips that are looked at together, what is said of them, and their overlaps."""
        arrays = {
            name: ZarrSequence(self._location, name) for name in (*_OF_CHIPS, *further, *_OVERLAPS)
        }
        divisions = self._ds.sizes["division"]
        for start in range(0, self._total, CHIPS_AT_ONCE):
            stop = min(start + CHIPS_AT_ONCE, self._total)
            counts = dict.fromkeys(arrays, stop - start)
            counts |= dict.fromkeys(_OVERLAPS, arrays["overlap_chip"].count_below(stop))
            columns = {name: array.take(counts[name]) for name, array in arrays.items()}
            _check_overlaps(columns, start, divisions)
            yield slice(start, stop), columns


def _check_overlaps(columns: dict[str, NDArray[Any]], start: int, divisions: int) -> None:
    chip, division, area = (columns[name] for name in _OVERLAPS)
    if not len(chip):
        return
    if chip[0] < start or (np.diff(chip) < 0).any():
        raise StoreError("its overlaps are not in the order of its chips; make it again")
    if division.min() < 0 or division.max() >= divisions:
        raise StoreError(f"its overlaps name divisions that are not there, of {divisions}")
    if not (np.isfinite(area) & (area >= 0)).all():
        raise StoreError("areas of overlaps are numbers from 0 upwards")
