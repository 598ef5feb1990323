"""Predictions as tables with outlines: by chip and by division."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from llpbench.predictions.intervals import named_columns

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr

    from llpbench.maps.cells import Cells


def chip_table(predictions: xr.Dataset, ds: xr.Dataset, cells: Cells) -> gpd.GeoDataFrame:
    """Make a table of chips, those predicted, which the dataset and cells hold in the same order.

    ``chip``, ``division`` (that owns it), ``split``, the predicted share of each class, the bounds
    of intervals such as ``tree_low90`` where there are any, and the chip's square in the projection
    of the grid.
    """
    import geopandas as gpd

    columns = {"chip": "chip", "division": "own_division", "split": "split"}
    facts = pd.DataFrame({name: ds[array].to_numpy() for name, array in columns.items()})
    shares = pd.DataFrame(
        predictions["proportions"].to_numpy(), columns=predictions["category"].to_numpy()
    )
    bounds = pd.DataFrame(named_columns(predictions), index=facts.index)
    return gpd.GeoDataFrame(facts.join([shares, bounds]), geometry=cells.boxes, crs=cells.grid.crs)


def division_table(predictions: xr.Dataset, ds: xr.Dataset, cells: Cells) -> gpd.GeoDataFrame:
    """Make a table of the divisions that chips were predicted in.

    ``division``, ``name``, ``area_km2``, ``predicted_km2`` (of it, under predicted chips), the
    predicted share of each class (chips weighted by their overlap), ``known_`` and the class where
    proportions are known, and the outline in the projection of the grid. No intervals: those of a
    mean do not follow from those of its chips, which err together.
    """
    divisions = ds.llp.divisions()
    names = [str(name) for name in predictions["category"].to_numpy()]
    known = divisions[names].add_prefix("known_")
    means = ds.llp.bags() @ predictions["proportions"].to_numpy().astype(np.float64)
    covered = ds.llp.overlaps().groupby("division")["area_km2"].sum()
    table = divisions[["name", "area_km2", "geometry"]].assign(
        predicted_km2=covered.reindex(divisions.index).fillna(0),
        **dict(zip(names, means.T, strict=True)),
        **known,
    )
    ordered = ["name", "area_km2", "predicted_km2", *names, *known, "geometry"]
    here = table[table["predicted_km2"] > 0][ordered]
    return here.to_crs(cells.grid.crs).reset_index()
