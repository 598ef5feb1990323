"""Other divisions on the same chips: how methods fare as supervision grows coarser or noisier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from llpbench.data.divisions import Divisions, division_centres
from llpbench.data.geometry import mix
from llpbench.data.text import fixed_width
from llpbench.errors import LLPBenchError, UnknownNameError, unknown
from llpbench.protocol import SPLITS

WAYS = ("merge", "random")
RANDOM_AREA = 1.0
"""Area of a chip in a random bag, in km²."""


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

    As :meth:`~llpbench.data.accessor.LabelProportions.rebag`, of all splits of a dataset, or some.
    """
    _check(ds, how, points, splits)
    generator = np.random.default_rng(seed)
    split_of, present = _splits(ds), Divisions.of(ds)
    names = ds["division"].to_numpy().astype(object)
    if divisions is not None:
        coarser = (split_of == splits[0]).sum() / max(divisions, 1)
    if not coarser >= 1:
        raise LLPBenchError(
            "there can be at most as many divisions as there are: coarser must be 1 or more, "
            f"found {coarser:g}"
        )
    for split in splits:
        owned = np.flatnonzero(split_of == split)
        if not len(owned):
            continue
        count = max(1, round(len(owned) / coarser))
        if how == "random" or count < len(owned):
            make = _deal if how == "random" else _merge
            present, count = make(ds, present, owned, count, generator)
            names[owned] = ""
            names[owned[:count]] = [f"{split}-{number}" for number in range(count)]
        if points is not None:
            present = _sample(present, owned[names[owned] != ""], points, generator)
    return _replace(ds, present, names, split_of)


def _check(ds: xr.Dataset, how: str, points: int | None, splits: Sequence[str]) -> None:
    if "split" not in ds.coords:
        raise LLPBenchError("a restricted dataset has no splits: rebag before restrict")
    if how not in WAYS:
        raise UnknownNameError(unknown("way to make bags", how, WAYS))
    for split in splits:
        if split not in SPLITS:
            raise UnknownNameError(unknown("split", split, SPLITS))
    if points is not None and points < 1:
        raise LLPBenchError(f"proportions are sampled at one point or more, found {points}")


def _splits(ds: xr.Dataset) -> NDArray[np.object_]:
    """The split of the chips that each division owns, "" where it owns none."""
    owners = ds["own_division"].to_numpy().tolist()
    split_of = dict(zip(owners, ds["split"].to_numpy().tolist(), strict=True))
    return np.array([split_of.get(name, "") for name in ds["division"].to_numpy()], dtype=object)


def _merge(
    ds: xr.Dataset,
    divisions: Divisions,
    owned: NDArray[np.intp],
    count: int,
    _generator: np.random.Generator,
) -> tuple[Divisions, int]:
    """Merge neighbours by Ward's criterion on the centres of divisions.

    Merged divisions take the places of the first of those they are made of.
    """
    from sklearn.cluster import AgglomerativeClustering

    labels = AgglomerativeClustering(count).fit_predict(division_centres(ds, divisions)[owned])
    places = (labels, np.arange(len(owned)))
    members = csr_array((divisions.areas[owned], places), shape=(count, len(owned)))
    proportions = divisions.proportions.copy()
    proportions[owned[:count]] = mix(members, proportions[owned])
    become = np.arange(len(divisions))
    become[owned] = owned[labels]
    ones = np.ones(len(become))
    union = csr_array((ones, (become, np.arange(len(become)))), shape=(len(become),) * 2)
    return Divisions((union @ divisions.overlaps).tocsr(), proportions), count


def _deal(
    ds: xr.Dataset,
    divisions: Divisions,
    owned: NDArray[np.intp],
    count: int,
    generator: np.random.Generator,
) -> tuple[Divisions, int]:
    """Deal chips out to bags at random; each bag has the mean shares of its chips."""
    if "chip_proportions" not in ds:
        raise LLPBenchError("random bags need the shares of chips: rebag before restrict")
    shares = ds["chip_proportions"].to_numpy().astype(np.float64)
    own = np.isin(ds["own_division"].to_numpy(), ds["division"].to_numpy()[owned])
    chips = np.flatnonzero(own & np.isfinite(shares).all(axis=1))
    count = min(count, len(chips))
    bag = generator.permutation(len(chips)) % count
    areas = np.full(len(chips), RANDOM_AREA)
    dealt = csr_array((areas, (owned[bag], chips)), shape=divisions.overlaps.shape)
    others = np.isin(np.arange(len(divisions)), owned, invert=True).astype(float)
    proportions = divisions.proportions.copy()
    proportions[owned[:count]] = [
        shares[chips[bag == number]].mean(axis=0) for number in range(count)
    ]
    return Divisions((diags_array(others) @ divisions.overlaps + dealt).tocsr(), proportions), count


def _sample(
    divisions: Divisions, numbers: NDArray[np.intp], points: int, generator: np.random.Generator
) -> Divisions:
    """Replace known proportions by counts of classes at random points of each division."""
    proportions = divisions.proportions.copy()
    for number in numbers:
        exact = proportions[number]
        if np.isfinite(exact).all():
            proportions[number] = generator.multinomial(points, exact / exact.sum()) / points
    return replace(divisions, proportions=proportions)


def _replace(
    ds: xr.Dataset,
    divisions: Divisions,
    names: NDArray[np.object_],
    split_of: NDArray[np.object_],
) -> xr.Dataset:
    """Put other divisions in the place of those of a dataset; they are dropped without a name."""
    overlaps = divisions.overlaps.T.tocsr()
    overlaps.eliminate_zeros()
    pairs = overlaps.tocoo()
    shares = {
        "target": mix(overlaps, divisions.proportions),
        "division_proportions": divisions.proportions,
    }
    changed = ds.drop_dims("overlap").assign(
        overlap_chip=("overlap", ds["chip_number"].to_numpy()[pairs.row]),
        overlap_division=("overlap", ds["division_number"].to_numpy()[pairs.col]),
        overlap_area=("overlap", pairs.data.astype(np.float32)),
    )
    changed = changed.assign(
        {name: ds[name].copy(data=array.astype(np.float32)) for name, array in shares.items()}
    )
    owners = _owners(ds, overlaps, names, split_of)
    coordinates = {"division": ("division", fixed_width(names)), "own_division": ("chip", owners)}
    return changed.assign_coords(coordinates).isel(division=np.flatnonzero(names != ""))


def _owners(
    ds: xr.Dataset, overlaps: csr_array, names: NDArray[np.object_], split_of: NDArray[np.object_]
) -> NDArray[np.str_]:
    """The division that each chip shares most area with, among those of its split."""
    owners = ds["own_division"].to_numpy().astype(object)
    gone = ~np.isin(owners.astype(str), names.astype(str))
    pairs, split = overlaps.tocoo(), ds["split"].to_numpy()
    inside = (split_of[pairs.col] == split[pairs.row]) & gone[pairs.row]
    rows, columns = pairs.row[inside], pairs.col[inside]
    areas = csr_array((pairs.data[inside], (rows, columns)), shape=overlaps.shape)
    owners[gone] = ""
    chips = np.unique(rows)
    owners[chips] = names[areas[chips].argmax(axis=1)]
    return fixed_width(owners)
