"""Predicted classes of pixels: checked, and numbered in the order of the task's categories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llpbench.catalog import NO_LABEL
from llpbench.errors import PredictionsError
from llpbench.protocol import WINDOW_SIDE

if TYPE_CHECKING:
    import xarray as xr


def check_segmentation(segmentation: xr.DataArray, count: int) -> None:
    """Refuse what is no square of cells of the score window, or of more than ``count`` classes."""
    rows, columns = segmentation.shape[1:]
    if rows != columns or rows == 0 or WINDOW_SIDE % rows:
        raise PredictionsError(
            f"'segmentation' must be square with a side that divides {WINDOW_SIDE}, "
            f"found {rows} x {columns}"
        )
    if segmentation.dtype.kind not in "iu":
        raise PredictionsError(f"'segmentation' must be integers, found {segmentation.dtype}")
    low, high = int(segmentation.min()), int(segmentation.max())
    if low < 0 or high >= count:
        raise PredictionsError(
            f"'segmentation' must hold category numbers 0 to {count - 1}, found {low} to {high}"
        )


def reordered(
    segmentation: xr.DataArray, predictions: xr.Dataset, categories: NDArray[np.str_]
) -> xr.DataArray:
    """Numbers that refer to the predictions' own order of categories, in the task's order."""
    table = np.full(NO_LABEL + 1, NO_LABEL, dtype=np.uint8)
    names = categories.tolist()
    for number, name in enumerate(predictions["category"].to_numpy().tolist()):
        table[number] = names.index(name)
    return segmentation.copy(data=table[segmentation.to_numpy()])
