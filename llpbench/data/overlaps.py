"""The overlap table of a dataset: which chips share how much area with which divisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.geometry import overlap_matrix
from llpbench.errors import LLPBenchError, examples

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def overlap_areas(ds: xr.Dataset) -> csr_array:
    """Areas that chips share with divisions, matched by number and never by position.

    Selecting, shuffling or splitting chips or divisions therefore keeps every pair right.

    Returns
    -------
    csr_array of float64, shape (chip, division)
        In km²; float64, so that sums over chips do not depend on their order.
    """
    pairs = _positions(ds)
    return overlap_matrix(pairs[_present(pairs)], (ds.sizes["chip"], ds.sizes["division"]))


def overlap_table(ds: xr.Dataset) -> pd.DataFrame:
    """The pairs that overlap, a row each: ``chip``, ``division`` (ids) and ``area_km2``."""
    areas = overlap_areas(ds).tocoo()
    ids = {"chip": areas.row, "division": areas.col}
    named = {what: ds[what].to_numpy()[places] for what, places in ids.items()}
    return pd.DataFrame({**named, "area_km2": areas.data})


def present_overlaps(ds: xr.Dataset) -> NDArray[np.bool_]:
    """Whether chip and division of each row of the overlap table are both in this selection."""
    return _present(_positions(ds))


def require_one_table(ds: xr.Dataset) -> None:
    """Refuse parts of a dataset that were joined so that each chip has tables of its own."""
    own = {"division_number": ("division",), "overlap_chip": ("overlap",)}
    wrong = [name for name, dims in own.items() if name in ds and ds[name].dims != dims]
    if wrong:
        raise LLPBenchError(
            f"{examples(wrong)} must be over {own[wrong[0]]}, found {ds[wrong[0]].dims}; join "
            "parts of a dataset with xr.concat(parts, 'chip', data_vars='minimal', "
            "coords='minimal', compat='override')"
        )


def _present(pairs: pd.DataFrame) -> NDArray[np.bool_]:
    return ((pairs["chip"] >= 0) & (pairs["division"] >= 0)).to_numpy()


def _positions(ds: xr.Dataset) -> pd.DataFrame:
    """The overlap table by positions in this dataset, -1 for what is not here."""
    positions = {}
    for what in ("chip", "division"):
        numbers = pd.Index(ds[f"{what}_number"].to_numpy())
        if not numbers.is_unique:
            raise LLPBenchError(
                f"a {what} stands here more than once; overlaps are those of one dataset, whose "
                f"{what}s are there once at most"
            )
        positions[what] = numbers.get_indexer(ds[f"overlap_{what}"].to_numpy())
    return pd.DataFrame({**positions, "area": ds["overlap_area"].to_numpy().astype(np.float64)})
