"""Other divisions on the same chips: how methods fare as supervision grows coarser or noisier."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse import csr_array

from llpbench.data.geometry import mix, overlap_matrix
from llpbench.data.text import fixed_width
from llpbench.errors import LLPBenchError, UnknownNameError, unknown
from llpbench.protocol import SPLITS

WAYS = ("merge", "random")
RANDOM_AREA = 1.0
"""What a chip counts in a random bag, in km²."""


def rebag(
    ds: xr.Dataset,
    *,
    coarser: float = 1.0,
    divisions: int | None = None,
    how: str = "merge",
    points: int | None = None,
    splits: Sequence[str] = ("train", "val"),
    seed: int = 0,
) -> xr.Dataset:
    """Replace divisions by coarser, random or noisy ones.

    Parameters
    ----------
    ds : Dataset
        A dataset or some of its splits.
    coarser, divisions, how, points, splits, seed
        See :meth:`~llpbench.data.accessor.LabelProportions.rebag`.

    Returns
    -------
    Dataset
        With ``own_division``, ``target``, ``division_proportions`` and overlaps to match.

    Raises
    ------
    UnknownNameError
        If there is no such split or way.
    LLPBenchError
        If a number is out of its range, or random bags are wanted of chips without shares.
    """
    _check(how, points, splits)
    generator = np.random.default_rng(seed)
    bags = _Bags(ds)
    if divisions is not None:
        coarser = len(bags.owned(splits[0])) / max(divisions, 1)
    if not coarser >= 1:
        raise LLPBenchError(
            "there can be at most as many divisions as there are: coarser must be 1 or more, "
            f"found {coarser:g}"
        )
    for split in splits:
        owned = bags.owned(split)
        if not len(owned):
            continue
        count = max(1, round(len(owned) / coarser))
        if how == "random":
            bags.deal(split, count, generator)
        elif count < len(owned):
            bags.merge(split, count)
        if points is not None:
            bags.sample(split, points, generator)
    return bags.dataset()


def _check(how: str, points: int | None, splits: Sequence[str]) -> None:
    if how not in WAYS:
        raise UnknownNameError(unknown("way to make bags", how, WAYS))
    for split in splits:
        if split not in SPLITS:
            raise UnknownNameError(unknown("split", split, SPLITS))
    if points is not None and points < 1:
        raise LLPBenchError(f"proportions are sampled at one point or more, found {points}")


class _Bags:
    """Divisions on their way to others, which take the places of some of them.

    Attributes
    ----------
    names, splits : ndarray of object, shape (division,)
        Ids, "" where a division is no longer there; and of which split its own chips are.
    shares : ndarray of float64, shape (division, category)
    pairs : DataFrame
        A row an overlap: ``chip`` and ``division`` (positions) and ``area``.
    """

    def __init__(self, ds: xr.Dataset) -> None:
        self.ds = ds
        self.names = ds["division"].to_numpy().astype(object)
        own = ds["own_division"].to_numpy()
        split_of = dict(zip(own.tolist(), ds["split"].to_numpy().tolist(), strict=True))
        self.splits = np.array([split_of.get(name, "") for name in self.names], dtype=object)
        self.shares = ds["division_proportions"].to_numpy().astype(np.float64)
        overlaps = ds.llp.overlaps()
        self.pairs = pd.DataFrame(
            {
                "chip": ds.indexes["chip"].get_indexer(overlaps["chip"]),
                "division": ds.indexes["division"].get_indexer(overlaps["division"]),
                "area": overlaps["area_km2"].to_numpy(),
            }
        )

    def owned(self, split: str) -> NDArray[np.intp]:
        """Divisions that own chips of a split."""
        return np.flatnonzero((self.splits == split) & (self.names != ""))

    def merge(self, split: str, count: int) -> None:
        """Make neighbours one, by Ward's criterion on the centres of divisions."""
        from sklearn.cluster import AgglomerativeClustering

        owned = self.owned(split)
        labels = AgglomerativeClustering(count).fit_predict(self._centres()[owned])
        area = self.pairs.groupby("division")["area"].sum().reindex(owned, fill_value=0)
        members = csr_array((area, (labels, np.arange(len(owned)))), shape=(count, len(owned)))
        self.shares[owned[:count]] = mix(members, self.shares[owned])
        become = np.arange(len(self.names))
        become[owned] = owned[labels]
        self.pairs["division"] = become[self.pairs["division"]]
        self.pairs = self.pairs.groupby(["chip", "division"])[["area"]].sum().reset_index()
        self._rename(split, owned, count)

    def deal(self, split: str, count: int, generator: np.random.Generator) -> None:
        """Deal chips out to bags at random; each knows the mean shares of its chips."""
        owned = self.owned(split)
        if "chip_proportions" not in self.ds:
            raise LLPBenchError("random bags need the shares of chips: rebag before restrict")
        shares = self.ds["chip_proportions"].to_numpy().astype(np.float64)
        own = np.isin(self.ds["own_division"].to_numpy(), self.names[owned].astype(str))
        chips = np.flatnonzero(own & np.isfinite(shares).all(axis=1))
        count = min(count, len(chips))
        bag = generator.permutation(len(chips)) % count
        dealt = pd.DataFrame({"chip": chips, "division": owned[bag], "area": RANDOM_AREA})
        others = self.pairs[~self.pairs["division"].isin(owned)]
        both = pd.concat([others, dealt])
        self.pairs = both.sort_values(["chip", "division"], ignore_index=True)
        self.shares[owned[:count]] = [
            shares[chips[bag == one]].mean(axis=0) for one in range(count)
        ]
        self._rename(split, owned, count)

    def sample(self, split: str, points: int, generator: np.random.Generator) -> None:
        """Count classes at so many random points of each division."""
        for one in self.owned(split):
            if np.isfinite(self.shares[one]).all():
                exact = self.shares[one] / self.shares[one].sum()
                self.shares[one] = generator.multinomial(points, exact) / points

    def dataset(self) -> xr.Dataset:
        """Put chips and the divisions that are there now together."""
        ds, pairs = self.ds, self.pairs
        shape = (ds.sizes["chip"], len(self.names))
        target = mix(overlap_matrix(pairs, shape), self.shares)
        kept = np.flatnonzero(self.names != "")
        numbers = {what: ds[f"{what}_number"].to_numpy() for what in ("chip", "division")}
        shares = {"target": target, "division_proportions": self.shares}
        changed = ds.drop_dims("overlap").assign(
            overlap_chip=("overlap", numbers["chip"][pairs["chip"]]),
            overlap_division=("overlap", numbers["division"][pairs["division"]]),
            overlap_area=("overlap", pairs["area"].to_numpy().astype(np.float32)),
        )
        changed = changed.assign(
            {name: ds[name].copy(data=array.astype(np.float32)) for name, array in shares.items()}
        )
        names = {
            "division": ("division", fixed_width(self.names)),
            "own_division": ("chip", self._own()),
        }
        return changed.assign_coords(names).isel(division=kept)

    def _centres(self) -> NDArray[np.float64]:
        """Mean places of the chips of each division, in degrees of latitude."""
        latitude = self.ds["lat"].to_numpy()
        east = self.ds["lon"].to_numpy() * np.cos(np.radians(latitude.mean()))
        weights = overlap_matrix(self.pairs, (len(latitude), len(self.names))).T
        total = np.maximum(np.asarray(weights.sum(axis=1)), 1e-12)
        centres: NDArray[np.float64] = weights @ np.stack([east, latitude], axis=1)
        return centres / total[:, np.newaxis]

    def _rename(self, split: str, owned: NDArray[np.intp], count: int) -> None:
        """The first take the places of all."""
        self.names[owned] = ""
        self.names[owned[:count]] = [f"{split}-{number}" for number in range(count)]

    def _own(self) -> NDArray[np.str_]:
        """The division that each chip shares most area with, among those of its split."""
        own = self.ds["own_division"].to_numpy().astype(object)
        gone = ~np.isin(own.astype(str), self.names.astype(str))
        split = self.ds["split"].to_numpy()
        chip, division = self.pairs["chip"].to_numpy(), self.pairs["division"].to_numpy()
        inside = self.pairs[gone[chip] & (self.splits[division] == split[chip])]
        largest = inside.loc[inside.groupby("chip")["area"].idxmax()]
        own[gone] = ""
        own[largest["chip"]] = self.names[largest["division"]]
        return fixed_width(own)
