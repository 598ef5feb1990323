"""What is known of a region before a raster is opened: divisions, classes, a table of shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from llpbench.data.building.classes import choose_legend
from llpbench.data.building.divisions import read_divisions
from llpbench.data.building.joining import Joining
from llpbench.data.building.legend import Legend, check_names
from llpbench.data.building.raster_file import RasterFile
from llpbench.data.building.recipe import Recipe
from llpbench.data.building.table import join_table
from llpbench.data.building.table_files import Cells, read_cells
from llpbench.errors import BuildError

if TYPE_CHECKING:
    import geopandas as gpd


@dataclass(frozen=True)
class Known:
    """Divisions, as :func:`read_divisions` returns them, their classes, and shares in a table.

    ``shares`` has a row for each division and a column for each class; NaN where it is not known.
    """

    outlines: gpd.GeoDataFrame | None
    legend: Legend
    shares: pd.DataFrame | None
    remarks: list[str]


def read_known(recipe: Recipe, open_labels: Callable[[], Sequence[RasterFile]]) -> Known:
    """Read outlines and a table of shares together: each says which ids the other has.

    Label rasters are opened only to recognise their legend.
    """
    if recipe.shares is not None:
        return _from_table(recipe, read_cells(recipe.shares, recipe.sheet), open_labels)
    outlines, remarks = None, list[str]()
    if recipe.divisions is not None:
        outlines, remarks = read_divisions(recipe.divisions, recipe.division_id, recipe.layer)
    chosen, recognised = choose_legend(recipe.legend, open_labels)
    if chosen is None:
        raise BuildError(
            "there is nothing to learn from: give --labels, or --shares with a table, or both"
        )
    check_names(chosen.label_set)
    return Known(outlines, chosen, None, [*remarks, *recognised])


def _from_table(
    recipe: Recipe, cells: Cells, open_labels: Callable[[], Sequence[RasterFile]]
) -> Known:
    if recipe.divisions is None:
        raise BuildError("a table of shares needs the outlines of its divisions: give --divisions")
    joining = Joining(cells, recipe.division_id)
    outlines, mended = read_divisions(recipe.divisions, None, recipe.layer, joining.outline_column)
    table, joined = join_table(
        joining,
        outlines,
        columns=recipe.columns,
        unit=recipe.unit,
        renormalise=recipe.renormalise,
    )
    chosen, recognised = choose_legend(recipe.legend, open_labels)
    chosen, shares, decided = table.shares(chosen)
    check_names(chosen.label_set)
    remarks = [*cells.remarks, *mended, *joined, *recognised, *decided]
    return Known(outlines, chosen, shares, remarks)
