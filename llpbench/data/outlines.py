"""The divisions of a dataset as a table with their outlines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from llpbench.data.store.reading import read_divisions
from llpbench.errors import LLPBenchError

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr


def division_table(ds: xr.Dataset, store: Path | str | None) -> gpd.GeoDataFrame:
    """Divisions, see :meth:`~llpbench.data.accessor.LabelProportions.divisions`."""
    ids = ds["division"].to_numpy()
    if store is None:
        raise LLPBenchError("outlines are in a dataset's folder: ask the one that was opened")
    table = read_divisions(store).set_index("id")
    if not set(ids) <= set(table.index):
        raise LLPBenchError("divisions made by rebag have no outlines: ask the dataset it had")
    table = table.loc[ids]
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
