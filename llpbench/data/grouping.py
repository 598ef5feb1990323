"""Label classes made into the categories of a task."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from llpbench.catalog import NO_LABEL, ClassGroup

_SHARES = ("chip_proportions", "target", "division_proportions")


def group_classes(ds: xr.Dataset, groups: Sequence[ClassGroup]) -> xr.Dataset:
    """Label classes made into the task's categories, in labels and in shares.

    See :meth:`~llpbench.data.accessor.LabelProportions.group`.
    """
    shares = {
        name: (ds[name].dims, group_shares(ds[name], groups).astype(np.float32), ds[name].attrs)
        for name in _SHARES
        if name in ds
    }
    label = {"label": _grouped(ds["label"], groups)} if "label" in ds else {}
    return (
        ds.drop_dims("category")
        .assign_coords(
            category=np.arange(len(groups), dtype=np.int32),
            category_name=("category", [group.name for group in groups]),
        )
        .assign({**shares, **label})
        .assign_attrs(grouped=1)
    )


def _grouped(label: xr.DataArray, groups: Sequence[ClassGroup]) -> xr.DataArray:
    grouped: xr.DataArray = xr.apply_ufunc(
        group_labels,
        label,
        kwargs={"groups": groups},
        dask="parallelized",
        output_dtypes=[np.uint8],
    )
    names = " ".join(group.name.replace(" ", "_") for group in groups)
    return grouped.assign_attrs(
        flag_values=[*range(len(groups)), NO_LABEL], flag_meanings=f"{names} no_label"
    )


def group_labels(label: NDArray[np.uint8], groups: Sequence[ClassGroup]) -> NDArray[np.uint8]:
    """Replace each label class by its group's number; 255 for 255 and for classes of no group.

    Examples
    --------
    >>> water = ClassGroup("water", (0, 2), 1.0, "#0000ff")
    >>> groups = [water, ClassGroup("land", (1,), 1.0, "#00ff00")]
    >>> group_labels(np.array([0, 1, 2, 255], dtype=np.uint8), groups)
    array([  0,   1,   0, 255], dtype=uint8)
    """
    table = np.full(256, NO_LABEL, dtype=np.uint8)
    for number, group in enumerate(groups):
        table[list(group.members)] = number
    return table[label]


def group_shares(shares: ArrayLike, groups: Sequence[ClassGroup]) -> NDArray[np.float64]:
    """Sum the shares of each group's classes, from shape (n, label class) to (n, group).

    Examples
    --------
    >>> water = ClassGroup("water", (0, 2), 1.0, "#0000ff")
    >>> groups = [water, ClassGroup("land", (1,), 1.0, "#00ff00")]
    >>> group_shares([[0.25, 0.5, 0.25]], groups)
    array([[0.5, 0.5]])
    """
    by_class = np.asarray(shares, dtype=np.float64)
    return np.stack([by_class[:, list(group.members)].sum(axis=1) for group in groups], axis=1)
