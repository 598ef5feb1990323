"""The labels that predictions are scored on, and the shares counted in them."""

from __future__ import annotations

import numpy as np
import xarray as xr

from llpbench.errors import LLPBenchError
from llpbench.metrics import proportions_from_segmentation
from llpbench.protocol import SCORE_WINDOW


def scored_labels(ds: xr.Dataset) -> xr.DataArray:
    """Class groups of the pixels that predictions are scored on.

    96 x 96 pixels a chip, shape (chip, y, x); 255 where there is no label. The split may be grouped
    or not.
    """
    if "label" not in ds:
        raise LLPBenchError("this dataset has no labels, so nothing can be scored on it")
    return ds.llp.group()["label"].isel(y=SCORE_WINDOW, x=SCORE_WINDOW)


def true_shares(ds: xr.Dataset) -> xr.DataArray:
    """Shares by chip, see :meth:`~llpbench.data.accessor.LabelProportions.truth`."""
    if "truth" in ds:
        return ds["truth"]
    if "label" not in ds:
        raise LLPBenchError("this dataset has no labels: truth is not for methods to see")
    label = ds["label"].isel(y=SCORE_WINDOW, x=SCORE_WINDOW)
    count = ds.sizes["category"]
    shares = xr.apply_ufunc(
        proportions_from_segmentation,  # by its name, which dask need not pickle to tell it apart
        label.chunk(y=-1, x=-1) if label.chunks else label,
        input_core_dims=[["y", "x"]],
        output_core_dims=[["category"]],
        kwargs={"number_of_classes": count},
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={"output_sizes": {"category": count}},
    )
    coords = {name: ds[name] for name in ("category", "category_name")}
    return shares.compute().assign_coords(coords).drop_attrs().rename("truth")
