"""The divisions of a dataset as a table with their outlines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from llpbench.data.store.reading import read_division_facts, read_divisions
from llpbench.errors import LLPBenchError

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr


def division_table(ds: xr.Dataset, store: Path | str | None) -> gpd.GeoDataFrame:
    """Divisions, see :meth:`~llpbench.data.accessor.LabelProportions.divisions`."""
    ids = ds["division"].to_numpy()
    table = _of_divisions(ds, store, lambda path: read_divisions(path).set_index("id"))
    chips = pd.DataFrame({"owner": ds["own_division"], "split": ds["split"]})
    by_division = chips.groupby("owner")["split"].agg(["first", "size"]).reindex(ids)
    shares = pd.DataFrame(
        ds["division_proportions"].to_numpy(),
        index=table.index,
        columns=ds["category_name"].to_numpy(),
    )
    table = table.assign(
        split=by_division["first"].fillna("").to_numpy(),
        chips=by_division["size"].fillna(0).astype(int).to_numpy(),
        **shares,
    )
    return table.rename_axis("division")[[*table.columns.drop("geometry"), "geometry"]]


def division_facts(ds: xr.Dataset) -> pd.DataFrame:
    """``name`` and ``area_km2`` of :func:`division_table`, without reading an outline.

    Raises
    ------
    LLPBenchError
        If divisions were made by rebagging, and have none.
    """
    facts: pd.DataFrame = _of_divisions(ds, ds.llp.info.store, read_division_facts)
    return facts.rename_axis("division")


def _of_divisions(
    ds: xr.Dataset, store: Path | str | None, read: Callable[[Path | str], Any]
) -> Any:
    """Rows of what is read of a store, by id, in the order of the dataset's divisions."""
    ids = ds["division"].to_numpy()
    if store is None:
        raise LLPBenchError("outlines are in a dataset's folder: ask the one that was opened")
    table = read(store)
    if not set(ids) <= set(table.index):
        raise LLPBenchError("divisions made by rebag have no outlines: ask the dataset it had")
    return table.loc[ids]
