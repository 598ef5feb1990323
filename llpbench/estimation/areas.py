"""Class areas of polygons: the table that an office asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.brief import Brief
from llpbench.errors import printable
from llpbench.estimation.means import Means
from llpbench.estimation.polygons import Polygons

if TYPE_CHECKING:
    import geopandas as gpd


@dataclass(frozen=True, eq=False, repr=False)
class ClassAreas(Brief):
    """Areas of classes in polygons, with 95 % intervals where something tells how wrong they are.

    Areas are of whole polygons: the estimated share of the part that was predicted, times the area
    of the polygon. What was not predicted is thus taken to be like what was; polygons of which less
    than three quarters were predicted (:data:`llpbench.protocol.LEAST_COVERAGE`) are left out.

    Parameters
    ----------
    polygons : Polygons
        All covered well enough.
    categories : sequence of str
        Names of the class groups.
    means : Means
        Shares of the polygons.
    title : str
        How they were estimated, and of what.
    """

    polygons: Polygons
    categories: Sequence[str]
    means: Means
    title: str

    def __str__(self) -> str:
        count = len(self.polygons)
        return f"{printable(self.title)}, {count} polygon{'s' * (count > 1)}"

    @property
    def has_intervals(self) -> bool:
        """Whether any class of any polygon has one."""
        return bool(np.isfinite(self.means.variance).any())

    def table(self) -> pd.DataFrame:
        """A row for each class of each polygon.

        Returns
        -------
        DataFrame
            ``polygon`` (id), ``name``, ``class``, ``km2``, ``low`` and ``high`` (NaN without an
            interval), ``covered`` (part of the polygon's area that was predicted, 0 to 1),
            ``effective_sample`` (NaN without labels).
        """
        low, high = self.means.interval()
        areas = self.polygons.areas[:, np.newaxis]
        names = self.polygons.outlines["name"].astype(str)
        count = len(self.categories)
        columns = {
            "polygon": np.repeat(names.index.to_numpy(), count),
            "name": np.repeat(names.to_numpy(), count),
            "class": np.tile(np.asarray(self.categories, dtype=object), len(names)),
            **{
                name: (areas * values).ravel()
                for name, values in (("km2", self.means.value), ("low", low), ("high", high))
            },
            "covered": np.repeat(self.polygons.coverage, count),
            "effective_sample": self.means.effective.ravel(),
        }
        return pd.DataFrame(columns)

    def outlines(self) -> gpd.GeoDataFrame:
        """A row a polygon, with its outline in degrees.

        Returns
        -------
        GeoDataFrame
            ``polygon``, ``name``, ``area_km2``, ``covered``; for each class its area in km², called
            like the class, and ``_low`` and ``_high`` behind the name.
        """
        low, high = self.means.interval()
        areas = self.polygons.areas[:, np.newaxis]
        parts: list[tuple[str, NDArray[np.float64]]] = [
            ("", self.means.value), ("_low", low), ("_high", high)
        ]  # fmt: skip
        columns = {
            f"{name}{ending}": (areas * values)[:, number]
            for number, name in enumerate(self.categories)
            for ending, values in parts
        }
        table = self.polygons.outlines.rename_axis("polygon").reset_index()
        facts = {"area_km2": self.polygons.areas, "covered": self.polygons.coverage}
        return table.assign(**facts, **columns)

    def remarks(self) -> list[str]:
        """Sentences on what a reader of the table must know."""
        said = []
        if negative := int((self.means.value < 0).sum()):
            said.append(
                f"{negative} estimates are below 0, as those of samples may be: there is little or "
                "nothing of the class, at most the high end of its interval"
            )
        sampled = self.has_intervals or np.isfinite(self.means.degrees).any()
        if sampled and (lacking := int(np.isnan(self.means.variance).sum())):
            said.append(
                f"{lacking} estimates have no interval: fewer than 5 drawn units or deviating "
                "labels tell how wrong they are"
            )
        return said
