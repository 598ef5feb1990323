"""What predictions of a split are scored against: facts of its divisions, and blocks of chips."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llpbench.brief import Brief
from llpbench.data.cache import find_store
from llpbench.data.dataset import open_grouped
from llpbench.data.divisions import Divisions
from llpbench.data.geometry import mix
from llpbench.data.info import DatasetInfo
from llpbench.data.overlaps import overlap_areas
from llpbench.data.split_blocks import SplitBlocks
from llpbench.data.splits import take_part
from llpbench.data.store.layout import read_info
from llpbench.errors import LLPBenchError
from llpbench.metrics.arrays import FloatArray

if TYPE_CHECKING:
    import xarray as xr

MOST_OPENED = 2**18
"""Chips of the largest dataset that is opened to be scored; larger ones are read in blocks."""


@dataclass(frozen=True, repr=False)
class SplitTruth(Brief):
    """A split to be scored, whole or, where it is large, never in memory at once.

    Parameters
    ----------
    info : DatasetInfo
        What the dataset is.
    split : str
        ``all`` if chips are of several.
    chips : int
        How many it has, with and without labels.
    divisions : Dataset
        Grouped: the D divisions of the split, with their known shares.
    areas : ndarray of float64, shape (D,)
        In km², that each shares with the chips.
    owners : ndarray of str
        Divisions that own chips, sorted; one is empty if chips belong to none.
    null : ndarray of float64, shape (K,), or None
        Mean target of the train split, as far as it is known.
    blocks : callable
        Gives the split in blocks: grouped datasets of consecutive chips with these divisions. With
        ``False`` they need no labels.
    opened : Dataset or None
        The split itself where it is in memory, which then is the only block.
    """

    info: DatasetInfo
    split: str
    chips: int
    divisions: xr.Dataset
    areas: FloatArray
    owners: NDArray[np.str_]
    null: FloatArray | None
    blocks: Callable[[bool], Iterator[xr.Dataset]]
    opened: xr.Dataset | None = None

    @classmethod
    def of(cls, dataset: Dataset, split: str) -> Self:
        """Take a split of a dataset: in blocks where that is large and not open yet."""
        import xarray as xr

        if isinstance(dataset, SplitTruth):
            return dataset  # type: ignore[return-value]
        if isinstance(dataset, xr.Dataset):
            return cls.of_opened(dataset.llp.group(), split)
        store = find_store(dataset)
        if read_info(store).chips > MOST_OPENED:
            return cls.of_store(store, split)
        return cls.of_opened(open_grouped(store), split)

    @classmethod
    def of_opened(cls, grouped: xr.Dataset, split: str) -> Self:
        """Take a split of a grouped dataset, or of a truth table."""
        return cls.of_part(take_part(grouped, split), split, train_mean(grouped))

    @classmethod
    def of_part(cls, part: xr.Dataset, split: str, null: FloatArray | None = None) -> Self:
        """Take a grouped part of a dataset, all of whose chips are to be scored."""
        _require_chips(part.sizes["chip"], part.llp.info, split)
        return cls(
            info=part.llp.info,
            split=split,
            chips=part.sizes["chip"],
            divisions=part,
            areas=Divisions.of(part).areas,
            owners=np.unique(part["own_division"].to_numpy()),
            null=null,
            blocks=lambda _labels: iter([part]),
            opened=part,
        )

    @classmethod
    def of_store(cls, store: Path | str, split: str) -> Self:
        """Take a split of a store, block by block."""
        stored = SplitBlocks(store, split)
        _require_chips(stored.chips, stored.info, split)
        return cls(
            info=stored.info,
            split=split,
            chips=stored.chips,
            divisions=stored.divisions,
            areas=stored.areas,
            owners=stored.owners,
            null=_mean_target(SplitBlocks(store, "train")),
            blocks=lambda labels: stored.blocks(pixels=labels),
        )

    @property
    def categories(self) -> list[str]:
        """Names of the K class groups."""
        return [str(name) for name in self.divisions["category_name"].to_numpy()]

    @property
    def proportions(self) -> FloatArray:
        """Known shares of the divisions, (D, K); NaN where they are unknown."""
        return self.divisions["division_proportions"].to_numpy().astype(np.float64)

    @cached_property
    def listing(self) -> xr.Dataset:
        """All chips by name, with the categories: what predictions in memory are checked by."""
        if self.opened is not None:
            return self.opened
        ids = [block["chip"].to_numpy() for block in self.blocks(False)]
        return self.divisions[["category_name"]].assign_coords(chip=np.concatenate(ids))


Dataset: TypeAlias = "str | os.PathLike[str] | xr.Dataset | SplitTruth"
"""What can be scored on: a name or path, what is open, or a split that is taken already."""


def train_mean(grouped: xr.Dataset) -> FloatArray | None:
    """Mean target (category,) of the train split: what the null model predicts for every chip.

    From a grouped dataset, or a truth table; None where no target is known.
    """
    if "train_mean" in grouped:
        known_mean: FloatArray = grouped["train_mean"].to_numpy()
        return known_mean if np.isfinite(known_mean).all() else None
    targets = grouped.llp.split("train")["target"].to_numpy().astype(np.float64)
    known = np.isfinite(targets).all(axis=1)
    return targets[known].mean(axis=0) if known.any() else None


def _mean_target(train: SplitBlocks) -> FloatArray | None:
    """The same of a split in blocks, whose targets are mixed of its own divisions."""
    total, count = np.zeros(train.divisions.sizes["category"]), 0
    for block in train.blocks(pixels=False):
        shares = mix(overlap_areas(block), block["division_proportions"].to_numpy())
        targets = shares.astype(np.float32).astype(np.float64)
        known = np.isfinite(targets).all(axis=1)
        total, count = total + targets[known].sum(axis=0), count + int(known.sum())
    return total / count if count else None


def _require_chips(chips: int, info: DatasetInfo, split: str) -> None:
    if not chips:
        raise LLPBenchError(f"the dataset {info.name!r} has no chips in split {split!r}")
