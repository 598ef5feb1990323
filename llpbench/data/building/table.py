"""A table of shares by division, as statistical offices publish it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.data.building.joining import Joining
from llpbench.data.building.legend import Legend
from llpbench.data.building.table_amounts import Amounts, shares_of_areas, shares_of_parts
from llpbench.data.building.table_columns import ClassColumn, match_columns
from llpbench.data.building.table_numbers import Numbers, decimal_marks, flags, gaps, parse
from llpbench.data.building.table_units import (
    RELATIVE,
    SQUARE_METRES,
    Sums,
    check_unit,
    recognise_unit,
)
from llpbench.data.geometry import GEOGRAPHIC
from llpbench.errors import BuildError, examples

if TYPE_CHECKING:
    import geopandas as gpd


@dataclass(frozen=True)
class ShareTable:
    """Rows of divisions in a table of shares, and how the user wants them read.

    Parameters
    ----------
    path : Path
        The file, for its name.
    rows : DataFrame
        Cells, indexed by division.
    areas : ndarray, shape (row,)
        Of those divisions, in m².
    columns : sequence of (str, str)
        Class and column, where they are not called alike.
    unit : str or None
        One of :data:`~llpbench.data.building.table_units.UNITS`; None to recognise it.
    renormalise : bool
        Whether sums may be off by 10 %.
    """

    path: Path
    rows: pd.DataFrame
    areas: NDArray[np.float64]
    columns: Sequence[tuple[str, str]] = ()
    unit: str | None = None
    renormalise: bool = False

    def shares(self, legend: Legend | None) -> tuple[Legend, pd.DataFrame, list[str]]:
        """Take the shares of divisions from the table; also say what was decided.

        Parameters
        ----------
        legend : Legend or None
            Of the label raster, or named by the user; None for classes called like columns.

        Returns
        -------
        legend : Legend
            Of what the table is about: the same, its groups, or with a class for the rest.
        shares : DataFrame
            By division, a column for each class of the legend; rows sum to 1, or are NaN.
        remarks : list of str
            Unit, sums, gaps and what was left out.
        """
        legend, columns, remarks = match_columns(self.rows, self.columns, legend, self.path)
        cells = self.rows[[column.column for column in columns]]
        errors: list[BuildError] = []
        read = []
        for mark in decimal_marks(cells, self.path.name):
            try:
                read.append(self._read(parse(cells, mark), columns, legend))
            except BuildError as error:
                errors.append(error)
        if not read:
            raise errors[0]
        if len(read) > 1:
            read = [reading for reading in read if reading.fills]
        if len(read) != 1:
            raise BuildError(
                f"{self.path.name}: points or commas may part thousands as well as decimals; "
                "write numbers without marks between thousands, or say their unit with --unit"
            )
        count, signs = gaps(cells[name] for name in cells)
        if count:
            remarks.append(
                f"{self.path.name}: {count} cells hold no number ({examples(signs)}); that counts "
                "as 0 in rows that are not named as unknown"
            )
        if marked := flags(cells[name] for name in cells):
            remarks.append(
                f"{self.path.name}: marks behind {len(marked)} numbers, of estimates or footnotes, "
                f"were left out: {examples(marked)}"
            )
        return read[0].legend, read[0].shares, [*remarks, *read[0].remarks]

    def _read(self, numbers: Numbers, columns: Sequence[ClassColumn], legend: Legend) -> _Reading:
        """Shares, if the numbers are the right reading of the table."""
        where = self.path.name
        _refuse_negative(numbers.values, where)
        known = numbers.values.notna().any(axis=1).to_numpy()
        if not known.any():
            raise BuildError(f"{where} has no numbers for any division; check the file")
        unit = self.unit or _declared(numbers, columns, where)
        values = numbers.values[known] * _factors(columns, unit)
        half_digit = values.notna() * _factors(columns, unit) * (0.5 / 10**numbers.decimals)
        sums = Sums(
            total=values.sum(axis=1).to_numpy(),
            rounding=half_digit.sum(axis=1).to_numpy(dtype=np.float64),
            areas=self.areas[known],
            complete=values.notna().all(axis=1).to_numpy(),
        )
        if unit is None:
            unit = recognise_unit(sums, where, renormalise=self.renormalise)
        elif self.unit is None:
            check_unit(unit, sums, where)
        amounts = Amounts(
            where,
            _by_class(values, columns, legend),
            sums,
            unit,
            gaps=numbers.unknown[known].any(axis=1).to_numpy(),
            renormalise=self.renormalise,
        )
        if unit in RELATIVE:
            shares, remarks = shares_of_parts(amounts)
        else:
            legend, shares, remarks = shares_of_areas(amounts, legend)
        fills = bool(sums.fits(unit, self.renormalise).all())
        return _Reading(legend, shares.reindex(self.rows.index), remarks, fills)


@dataclass(frozen=True)
class _Reading:
    """What a table says if its numbers are read in one way; whether all rows then are whole."""

    legend: Legend
    shares: pd.DataFrame
    remarks: list[str]
    fills: bool


def join_table(
    joining: Joining, outlines: gpd.GeoDataFrame, **reading: Any
) -> tuple[ShareTable, list[str]]:
    """Take the rows of divisions from a table, and the areas of their outlines.

    ``reading`` holds the other fields of :class:`ShareTable`.
    """
    rows, remarks = joining.join(outlines.index)
    areas = _ground_areas(outlines.geometry[rows.index])
    return ShareTable(joining.table.path, rows, areas, **reading), remarks


def shares_in_region(
    shares: pd.DataFrame, divisions: pd.Index[Any]
) -> tuple[NDArray[np.float64], list[str]]:
    """Take the shares of the divisions of a region; also say which the table does not know.

    They are of shape (division, class), NaN where the table has no row, or one that is not known.
    """
    found = shares.reindex(divisions)
    unknown = found.isna().any(axis=1).to_numpy()
    if unknown.all():
        raise BuildError(
            f"the table has no shares of any division in the region, such as {examples(divisions)}"
        )
    remarks = []
    if unknown.any():
        remarks.append(
            f"the table has no shares of {unknown.sum()} divisions, such as "
            f"{examples(divisions[unknown])}"
        )
    return found.to_numpy(np.float64), remarks


def _ground_areas(outlines: gpd.GeoSeries) -> NDArray[np.float64]:
    """Areas in m² on the ellipsoid, wherever on Earth."""
    from pyproj import Geod
    from shapely import orient_polygons

    geod = Geod(ellps="WGS84")
    degrees = orient_polygons(outlines.to_crs(GEOGRAPHIC).to_numpy())
    return np.array([abs(geod.geometry_area_perimeter(outline)[0]) for outline in degrees])


def _declared(numbers: Numbers, columns: Sequence[ClassColumn], where: str) -> str | None:
    """The unit that headings or percent signs name; square metres where areas are mixed."""
    said = {
        column.unit or ("percent" if column.column in numbers.percent else None)
        for column in columns
    } - {None}
    units = sorted(map(str, said))
    if len(units) > 1 and not said <= {*SQUARE_METRES}:
        raise BuildError(
            f"{where}: columns are in {examples(units)}; keep those of one unit, or name the "
            "columns that count with --column"
        )
    return "m2" if len(units) > 1 else next(iter(units), None)


def _factors(columns: Sequence[ClassColumn], unit: str | None) -> list[float]:
    """What takes each column to the unit of the table."""
    if unit is None or unit not in SQUARE_METRES:
        return [1.0] * len(columns)
    return [SQUARE_METRES.get(column.unit or unit, 1.0) / SQUARE_METRES[unit] for column in columns]


def _by_class(values: pd.DataFrame, columns: Sequence[ClassColumn], legend: Legend) -> pd.DataFrame:
    """The columns of each class added up, in the order of the legend; 0 where there is none."""
    added = values.T.groupby([column.category for column in columns]).sum().T
    names = [entry.name for entry in legend.label_set.classes]
    return added.reindex(columns=names, fill_value=0.0)


def _refuse_negative(values: pd.DataFrame, where: str) -> None:
    negative = (values < 0).any(axis=1)
    if negative.any():
        raise BuildError(
            f"{where}: the shares of a division must not be negative, but those of "
            f"{negative.sum()} are: {examples(values.index[negative])}; check the columns"
        )
