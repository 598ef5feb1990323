"""The small arrays of a store, worked out from a region's tables: order, overlaps, targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.data.geometry import (
    GEOGRAPHIC,
    SQUARE_METRES_PER_KM2,
    equal_area,
    mix,
    overlap_areas,
    overlap_matrix,
)
from llpbench.data.imagery import EMBEDDING, IMAGE
from llpbench.data.region import Region
from llpbench.data.text import variable_width
from llpbench.errors import StoreError, examples
from llpbench.protocol import SPLITS

if TYPE_CHECKING:
    import geopandas as gpd


class StoredArray(NamedTuple):
    """An array with the names of its dimensions and what is said of it."""

    dims: tuple[str, ...]
    values: NDArray[Any]
    attributes: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Tables:
    """Everything of a store but the pixels.

    Parameters
    ----------
    order : list of str
        Chip ids in the order of the store: by split, division and id.
    arrays : dict of str to StoredArray
        All variables and coordinates but pixels, cells and ``chip_proportions``.
    coordinates : list of str
        Which of them are coordinates.
    divisions : GeoDataFrame
        ``id``, ``name``, ``area_km2`` and outline.
    """

    order: list[str]
    arrays: dict[str, StoredArray]
    coordinates: list[str]
    divisions: gpd.GeoDataFrame
    remarks: list[str]


def make_tables(region: Region) -> Tables:
    """Work out order, overlaps, own divisions and targets."""
    if not len(region.chips):
        raise StoreError("a region without chips cannot be stored")
    projection = equal_area(region.chips.geometry, region.divisions.geometry)
    outlines = region.divisions.geometry.to_crs(projection)
    pairs = region.overlaps
    if pairs is None:
        pairs = overlap_areas(region.chips.geometry.to_crs(projection), outlines)
        pairs["area"] /= SQUARE_METRES_PER_KM2
    owner, remarks = own_divisions(pairs, region)
    order = _order(region, owner)
    chips = region.chips.iloc[order]
    pairs = pairs.assign(chip=np.argsort(order)[pairs["chip"]])
    pairs = pairs.sort_values(["chip", "division"], ignore_index=True)
    overlaps = overlap_matrix(pairs, (len(chips), len(region.divisions)))
    target, bounds = mix(overlaps, region.division_proportions), chips.bounds.to_numpy()
    coordinates = _coordinates(region, chips, owner[order], bounds)
    divisions = region.divisions.assign(area_km2=outlines.area / SQUARE_METRES_PER_KM2)
    return Tables(
        order=list(chips.index),
        arrays=_variables(region, pairs, target, bounds) | coordinates,
        coordinates=list(coordinates),
        divisions=divisions.rename_axis("id").reset_index()[["id", "name", "area_km2", "geometry"]],
        remarks=remarks,
    )


def own_divisions(pairs: pd.DataFrame, region: Region) -> tuple[NDArray[np.int64], list[str]]:
    """Find the position of each chip's own division, -1 where there is none; also what was odd.

    A chip belongs to the division it shares most area with, among those of its own split: where
    two divisions have nearly equal parts of a chip, the source may have counted it to either.
    """
    split = region.chips["split"].to_numpy()
    largest = pairs.sort_values(["chip", "area"], kind="stable").groupby("chip").tail(1)
    votes = (
        largest.assign(split=split[largest["chip"]]).groupby(["division", "split"])["area"].sum()
    )
    split_of = votes.unstack("split").idxmax(axis=1) if len(votes) else pd.Series(dtype=object)
    same = pairs[pairs["division"].map(split_of).to_numpy() == split[pairs["chip"]]]
    own = same.sort_values(["chip", "area"], kind="stable").groupby("chip").tail(1)
    owner = np.full(len(region.chips), -1)
    owner[own["chip"]] = own["division"]
    touching = np.isin(np.arange(len(owner)), pairs["chip"])
    stray = region.chips.index[touching & (owner < 0)]
    remarks = []
    if len(stray):
        remarks.append(
            f"{len(stray)} chips are in another split than every division they overlap and "
            f"belong to none, such as {examples(stray)}"
        )
    if not touching.all():
        remarks.append(f"{(~touching).sum()} chips lie outside every division")
    return owner, remarks


def _order(region: Region, owner: NDArray[np.int64]) -> NDArray[np.int64]:
    split = region.chips["split"].map(SPLITS.index).to_numpy()
    by_id = np.argsort(variable_width(region.chips.index))
    return by_id[np.lexsort((owner[by_id], split[by_id]))]


def _variables(
    region: Region, pairs: pd.DataFrame, target: NDArray[np.float64], bounds: NDArray[np.float64]
) -> dict[str, StoredArray]:
    shares = region.division_proportions.astype(np.float32)
    degrees = {"units": "degrees", "crs": GEOGRAPHIC}
    return {
        "target": StoredArray(("chip", "category"), target.astype(np.float32)),
        "division_proportions": StoredArray(("division", "category"), shares),
        "overlap_chip": StoredArray(("overlap",), pairs["chip"].to_numpy(np.int32)),
        "overlap_division": StoredArray(("overlap",), pairs["division"].to_numpy(np.int32)),
        "overlap_area": StoredArray(
            ("overlap",), pairs["area"].to_numpy(np.float32), {"units": "km2"}
        ),
        "bounds": StoredArray(("chip", "bound"), bounds, degrees),
    }


def _coordinates(
    region: Region, chips: gpd.GeoDataFrame, owner: NDArray[np.int64], bounds: NDArray[np.float64]
) -> dict[str, StoredArray]:
    ids = region.divisions.index.to_numpy().astype(str)
    classes = region.label_set.classes
    of_chips = {
        "chip": variable_width(chips.index),
        "chip_number": np.arange(len(chips), dtype=np.int32),
        "split": variable_width(chips["split"]),
        "split_chip": variable_width(chips["split_chip"]),
        "own_division": variable_width(np.where(owner >= 0, ids[owner], "")),
    }
    longitude, latitude = bounds[:, [0, 2]].mean(axis=1), bounds[:, [1, 3]].mean(axis=1)
    return {name: StoredArray(("chip",), values) for name, values in of_chips.items()} | {
        "lon": StoredArray(("chip",), longitude, {"units": "degrees_east"}),
        "lat": StoredArray(("chip",), latitude, {"units": "degrees_north"}),
        "division": StoredArray(("division",), variable_width(ids)),
        "division_number": StoredArray(("division",), np.arange(len(ids), dtype=np.int32)),
        "category": StoredArray(("category",), np.arange(len(classes), dtype=np.int32)),
        "category_name": StoredArray(
            ("category",), variable_width([label_class.name for label_class in classes])
        ),
        **{
            dimension: StoredArray((dimension,), variable_width(region.images[array].names))
            for array, dimension in ((IMAGE, "band"), (EMBEDDING, "feature"))
            if array in region.images
        },
        "bound": StoredArray(("bound",), variable_width(["west", "south", "east", "north"])),
    }
