"""One split of a dataset: its chips, the divisions they belong to, and their targets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from llpbench.data.geometry import mix
from llpbench.data.overlaps import overlap_areas, present_overlaps
from llpbench.errors import UnknownNameError, unknown
from llpbench.protocol import ALL, SPLITS

BORDERS = ("renormalise", "drop")


def take_part(ds: xr.Dataset, name: str) -> xr.Dataset:
    """One split, or with ``"all"`` the dataset as it is: all chips, divisions and targets."""
    return ds if name == ALL else take_split(ds, name, "renormalise")


def take_split(ds: xr.Dataset, name: str, border: str) -> xr.Dataset:
    """One split, see :meth:`~llpbench.data.accessor.LabelProportions.split`."""
    return take_splits(ds, [name], border)


def take_splits(ds: xr.Dataset, names: Sequence[str], border: str) -> xr.Dataset:
    """Several splits as one, their divisions together; else as :func:`take_split`."""
    for name in names:
        if name not in SPLITS:
            raise UnknownNameError(unknown("split", name, SPLITS))
    if border not in BORDERS:
        raise UnknownNameError(unknown("border rule", border, BORDERS))
    chips = np.isin(ds["split"].to_numpy(), names)
    owned = np.unique(ds["own_division"].to_numpy()[chips])
    divisions = np.isin(ds["division"].to_numpy(), owned)
    if border == "drop":
        outside = overlap_areas(ds.isel(division=~divisions))
        chips = chips & (np.asarray(outside.sum(axis=1)) == 0)
    part = ds.isel(chip=chips, division=divisions)
    part = part.isel(overlap=present_overlaps(part))
    # Mixed anew, so that nothing of another split's divisions is left in a border chip's target.
    target = mix(overlap_areas(part), part["division_proportions"].to_numpy())
    return part.assign(target=part["target"].copy(data=target.astype(np.float32)))
