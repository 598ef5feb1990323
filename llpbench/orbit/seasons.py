"""Two seasons of a region as one, of which the second comes after the first."""

from __future__ import annotations

import numpy as np
import xarray as xr

from llpbench.errors import MethodError

_WHATS = ("chip", "division")


def in_turn(first: xr.Dataset, second: xr.Dataset) -> xr.Dataset:
    """Put the chips and divisions of a second season after those of the first.

    A place that was seen in both is two chips, and a division two divisions: their shares may have
    changed. Ids of the second are marked, so that no two are the same.

    Parameters
    ----------
    first, second : Dataset
        Grouped splits with the same categories, whose images hold the same.
    """
    shift = {what: int(first[f"{what}_number"].max()) + 1 for what in _WHATS}
    later = second.assign_coords(
        {what: np.char.add("then ", second[what].to_numpy().astype(str)) for what in _WHATS}
    )
    for what in _WHATS:
        later[f"{what}_number"] = later[f"{what}_number"] + shift[what]
        later[f"overlap_{what}"] = later[f"overlap_{what}"] + shift[what]
    joined = first.drop_dims([*_WHATS, "overlap"])
    for dim in (*_WHATS, "overlap"):
        parts = [_of(ds, dim) for ds in (first, later)]
        part = xr.concat(parts, dim, coords="minimal", compat="override", combine_attrs="override")
        joined = joined.merge(part, compat="override")
    return joined.assign_attrs(first.attrs)


def check_seasons(first: xr.Dataset, second: xr.Dataset) -> None:
    """Refuse two regions of which no method can learn together.

    Raises
    ------
    MethodError
        If their classes, bands or the coding of their images differ.
    """
    found = [
        (ds["category_name"].to_numpy().astype(str).tolist(), ds.llp.info.images)
        for ds in (first, second)
    ]
    if found[0] != found[1]:
        names = [repr(ds.llp.info.name) for ds in (first, second)]
        raise MethodError(
            f"{names[1]} cannot come after {names[0]}: their classes or what their images hold "
            "differ; take another season of the same region"
        )


def _of(ds: xr.Dataset, dim: str) -> xr.Dataset:
    """What is over a dimension."""
    other = [name for name, array in ds.variables.items() if dim not in array.dims]
    return ds.drop_vars(other)
