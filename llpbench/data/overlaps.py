"""The overlap table of a dataset: which chips share how much area with which divisions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse import csr_array

from llpbench.data.geometry import overlap_matrix


def overlap_areas(ds: xr.Dataset) -> csr_array:
    """Areas that chips share with divisions, matched by number and never by position.

    Selecting, shuffling or splitting chips or divisions therefore keeps every pair right.

    Parameters
    ----------
    ds : Dataset
        A dataset or any selection of it.

    Returns
    -------
    csr_array of float64, shape (chip, division)
        In km²; float64, so that sums over chips do not depend on their order.
    """
    pairs = _positions(ds)
    return overlap_matrix(pairs[_present(pairs)], (ds.sizes["chip"], ds.sizes["division"]))


def present_overlaps(ds: xr.Dataset) -> NDArray[np.bool_]:
    """Whether chip and division of each row of the overlap table are both in this selection."""
    return _present(_positions(ds))


def _present(pairs: pd.DataFrame) -> NDArray[np.bool_]:
    return ((pairs["chip"] >= 0) & (pairs["division"] >= 0)).to_numpy()


def _positions(ds: xr.Dataset) -> pd.DataFrame:
    """The overlap table by positions in this dataset, -1 for what is not here."""
    positions = {
        what: pd.Index(ds[f"{what}_number"].to_numpy()).get_indexer(
            ds[f"overlap_{what}"].to_numpy()
        )
        for what in ("chip", "division")
    }
    return pd.DataFrame({**positions, "area": ds["overlap_area"].to_numpy().astype(np.float64)})
