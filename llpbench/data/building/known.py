"""What is known of a region before a raster is opened: divisions, classes, a table of shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from llpbench.data.building.classes import choose_legend
from llpbench.data.building.divisions import read_divisions
from llpbench.data.building.joining import Joining
from llpbench.data.building.legend import Legend, check_names
from llpbench.data.building.raster_file import RasterFile
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


def read_known(
    divisions: Path | None,
    division_id: str | None,
    legend: str | Legend,
    labels: Callable[[], Sequence[RasterFile]],
    shares: Path | None,
    sheet: str | None,
    **reading: Any,
) -> Known:
    """Read outlines and a table of shares together: each says which ids the other has.

    Label rasters, which ``labels`` opens, are looked at only to recognise their legend. Other
    parameters are those of
    :class:`~llpbench.data.building.Recipe`; ``reading`` says how the table is to be read.
    """
    if shares is not None:
        return _from_table(
            divisions, division_id, legend, labels, read_cells(shares, sheet), reading
        )
    outlines, remarks = read_divisions(divisions, division_id) if divisions else (None, [])
    chosen, recognised = choose_legend(legend, labels)
    if chosen is None:
        raise BuildError(
            "there is nothing to learn from: give --labels, or --shares with a table, or both"
        )
    check_names(chosen.label_set)
    return Known(outlines, chosen, None, [*remarks, *recognised])


def _from_table(
    divisions: Path | None,
    division_id: str | None,
    legend: str | Legend,
    labels: Callable[[], Sequence[RasterFile]],
    cells: Cells,
    reading: dict[str, Any],
) -> Known:
    if divisions is None:
        raise BuildError("a table of shares needs the outlines of its divisions: give --divisions")
    joining = Joining(cells, division_id)
    outlines, mended = read_divisions(divisions, None, joining.outline_column)
    table, joined = join_table(joining, outlines, **reading)
    chosen, recognised = choose_legend(legend, labels)
    chosen, shares, decided = table.shares(chosen)
    check_names(chosen.label_set)
    remarks = [*cells.remarks, *mended, *joined, *recognised, *decided]
    return Known(outlines, chosen, shares, remarks)
