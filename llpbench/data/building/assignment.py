"""Chips assigned to train, val and test: by bands or folds of divisions, with a buffer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.data.building.chips import Chips
from llpbench.data.splitting import bands, folds
from llpbench.errors import BuildError
from llpbench.protocol import SPLITS

_BAND_WIDTH = 3.5
"""Divisions along a run of the three bands, about, if they stood in a square."""


@dataclass(frozen=True)
class Splitting:
    """How chips are split.

    Parameters
    ----------
    kind : {"bands", "folds", "test"}
        Diagonal bands of divisions; folds of neighbouring divisions; or all of it test.
    folds : int
        Into how many compact parts of about equal size the divisions are cut, at least 3.
    fold : int
        Which part is test, from 0; the next is val, the others are train.
    buffer_km : float
        Training chips of which the centre is not farther from that of a val or test chip are
        left out, and so are val chips beside test chips; 0 for none.

    Examples
    --------
    >>> second = Splitting("folds", folds=4, fold=1, buffer_km=2.5)
    """

    kind: Literal["bands", "folds", "test"] = "bands"
    folds: int = 5
    fold: int = 0
    buffer_km: float = 0.0

    def __post_init__(self) -> None:
        """Refuse numbers that make no sense."""
        if self.folds < len(SPLITS) or not 0 <= self.fold < self.folds or self.buffer_km < 0:
            raise BuildError(
                "splits need at least 3 folds, one of them (from 0) for test, and a buffer of 0 km "
                f"or more; found {self.folds} folds, fold {self.fold}, {self.buffer_km:g} km"
            )


def split_chips(chips: Chips, pairs: pd.DataFrame, splitting: Splitting) -> pd.DataFrame:
    """Assign chips to splits, whole divisions at a time.

    A chip belongs to the division it shares most area with.

    Returns
    -------
    DataFrame
        A row for each chip: ``split`` (by division), ``split_chip`` (bands of single chips), each
        train, val or test, and ``kept``: False for chips in the buffer.
    """
    if splitting.kind == "test":
        return pd.DataFrame(
            {"split": "test", "split_chip": "test", "kept": True}, index=range(len(chips))
        )
    largest = pairs.sort_values(["chip", "part"], kind="stable").groupby("chip").tail(1)
    owners, owner = np.unique(
        largest.sort_values("chip")["division"].to_numpy(), return_inverse=True
    )
    needed = splitting.folds if splitting.kind == "folds" else len(SPLITS)
    if len(owners) < needed:
        raise BuildError(
            f"train, val and test need {needed} divisions that own chips, found {len(owners)}; "
            "give more divisions or a larger image"
        )
    sizes = np.bincount(owner)
    seats = np.stack([np.bincount(owner, axis) / sizes for axis in chips.centres.T], axis=1)
    split = _by_division(seats, sizes, splitting)[owner]
    kept = _outside_buffer(chips, split, splitting.buffer_km)
    missing = [name for name in SPLITS if not (kept & (split == name)).any()]
    if missing:
        raise BuildError(
            f"a buffer of {splitting.buffer_km:g} km leaves the split {missing[0]!r} without "
            "chips; make it narrower, or make fewer folds"
        )
    runs = _runs(len(owners))
    by_chip = bands(chips.centres, np.ones(len(chips)), min(runs, len(chips) // 3))
    return pd.DataFrame({"split": split, "split_chip": by_chip, "kept": kept})


def _by_division(
    seats: NDArray[np.float64], sizes: NDArray[np.intp], splitting: Splitting
) -> NDArray[np.str_]:
    if splitting.kind == "bands":
        return bands(seats, sizes, _runs(len(seats)))
    fold = (folds(seats, sizes, splitting.folds) - splitting.fold) % splitting.folds
    names = ["test", "val", *["train"] * (splitting.folds - 2)]
    return np.array(names)[fold]


def _runs(divisions: int) -> int:
    return max(1, min(round(divisions**0.5 / _BAND_WIDTH), divisions // 3))


def _outside_buffer(chips: Chips, split: NDArray[np.str_], buffer_km: float) -> NDArray[np.bool_]:
    from scipy.spatial import KDTree

    kept = np.ones(len(chips), dtype=bool)
    reach = buffer_km / chips.side_km * (1 + 1e-9)
    for name, apart_from in (("train", ["val", "test"]), ("val", ["test"])):
        inner, outer = split == name, np.isin(split, apart_from)
        if buffer_km and inner.any() and outer.any():
            away, _ = KDTree(chips.centres[outer]).query(chips.centres[inner])
            kept[inner] = away > reach
    return kept
