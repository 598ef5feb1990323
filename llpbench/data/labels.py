"""The labels that predictions are scored on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llpbench.errors import LLPBenchError
from llpbench.protocol import SCORE_WINDOW

if TYPE_CHECKING:
    import xarray as xr


def scored_labels(ds: xr.Dataset) -> xr.DataArray:
    """Class groups of the pixels that predictions are scored on.

    Parameters
    ----------
    ds : Dataset
        A split, grouped or not.

    Returns
    -------
    DataArray of uint8, shape (chip, y, x)
        96 x 96 pixels a chip; 255 where there is no label.

    Raises
    ------
    LLPBenchError
        If the dataset has no labels.
    """
    if "label" not in ds:
        raise LLPBenchError("this dataset has no labels, so nothing can be scored on it")
    return ds.llp.group()["label"].isel(y=SCORE_WINDOW, x=SCORE_WINDOW)
