"""Tables of labelled chips or points, as people fill them in, made into samples."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.data.building.outline_file import FOUND
from llpbench.data.building.outline_process import read_outlines
from llpbench.data.building.table_files import read_cells
from llpbench.data.building.table_numbers import decimal_marks, odd_cells, parse
from llpbench.data.chip_outlines import chip_outlines
from llpbench.data.geometry import GEOGRAPHIC
from llpbench.data.text import plain_name
from llpbench.errors import BuildError, examples
from llpbench.estimation.sample import Sample
from llpbench.predictions.names import mangled, match_categories, match_ids

if TYPE_CHECKING:
    import xarray as xr

log = logging.getLogger(__name__)

Design = Literal["simple", "stratified", "division"]

STRATUM, WEIGHT = "stratum", "weight"
"""Columns of a drawn sample: the stratum of a chip, and how many chips of it a drawn one is for."""

SUM_TOLERANCE = 0.02
"""How far the shares of a labelled chip may be from summing to 1: people round."""

_WEIGHT_TOLERANCE = 0.01
"""How far weights may be from what they are: they are rounded."""

_PLACES = ("lon", "lat")


def read_sample(path: Path, part: xr.Dataset, design: Design | None = None) -> Sample:
    """Read a table of labelled chips or points.

    Parameters
    ----------
    path : Path
        A csv, spreadsheet or parquet, or outlines with attributes (GeoJSON, GeoPackage). Either a
        row a chip: ``chip`` (its id) and a share for each class, as a fraction or percentage; or a
        row a point: ``lon``, ``lat`` (degrees) and ``class``. Chips without any share are not
        labelled yet; a class left empty beside others is 0.
    part : Dataset
        The predicted chips, grouped: those that could have been drawn.
    design : {"simple", "stratified", "division"}, optional
        How they were drawn; by default by strata where a column ``stratum`` says them, else simply
        at random. Strata need a column ``weight``, of all rows that were drawn.

    Raises
    ------
    BuildError
        If it is no such table.
    """
    table = _read(path)
    columns = {plain_name(name): name for name in reversed(table.columns)}
    is_points = "chip" not in columns
    if is_points and not {*_PLACES, "class"} <= columns.keys():
        raise BuildError(
            f"{path.name} must have a column 'chip' and one for each class, or 'lon', 'lat' and "
            f"'class'; found {examples(table.columns)}"
        )
    has_strata = STRATUM in columns and table[columns[STRATUM]].nunique() > 1
    design = design or ("stratified" if has_strata else "simple")
    if design != "stratified" and has_strata:
        raise BuildError(
            f"{path.name} has strata, so its chips were not all drawn alike; leave --design "
            f"{design} away, or take the column {STRATUM!r} out if nothing was drawn by it"
        )
    find = _points if is_points else _chips
    chip, shares, labelled = find(table, columns, part, path.name)
    if not labelled.any():
        raise BuildError(f"{path.name} has no labels: fill in the shares of its chips")
    if not labelled.all():
        log.warning(
            "%d of %d rows of %s have no labels; they are taken to be like those that have",
            (~labelled).sum(),
            len(labelled),
            path.name,
        )
    if design == "stratified":
        stratum, chips, names = _strata(table, columns, part.sizes["chip"], path.name)
        drawn = np.bincount(stratum[labelled], minlength=len(chips))
        if (few := (drawn < 2) & (drawn < chips)).any():
            raise BuildError(
                f"{path.name}: strata {examples(names[few].tolist())} have fewer than two labelled "
                "chips, which tell nothing of how chips differ; label two of each"
            )
        return Sample.stratified(chip[labelled], shares[labelled], stratum[labelled], chips)
    if design == "division":
        return Sample.by_division(chip[labelled], shares[labelled], part["own_division"].to_numpy())
    count = part.sizes["chip"]
    return Sample.simple(chip[labelled], shares[labelled], count, points=is_points)


def _read(path: Path) -> pd.DataFrame:
    if path.suffix.lower() in (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".parquet"):
        cells = read_cells(path)
        table, remarks = cells.values, cells.remarks
    else:
        outlines, remarks = read_outlines(path, None)
        table = pd.DataFrame(outlines.drop(columns=["geometry", FOUND])).astype(object)
        table = table.where(table.notna(), "")
    for remark in remarks:
        log.warning(remark)
    return table.set_axis([str(name) for name in table.columns], axis=1)


def _chips(
    table: pd.DataFrame, columns: dict[str, str], part: xr.Dataset, where: str
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.bool_]]:
    """Positions and shares of chips, and which have labels."""
    ids, known = table[columns["chip"]].map(str).tolist(), part.indexes["chip"]
    meant = match_ids(ids, known.tolist())
    chip = known.get_indexer(pd.Index([meant.get(name, name) for name in ids], dtype=object))
    if strange := [name for name, place in zip(ids, chip, strict=True) if place < 0]:
        changed = mangled(strange, known.tolist())
        advice = f" ({changed})" if changed else ""
        raise BuildError(
            f"{where}: {len(strange)} chips were not predicted, such as {examples(strange)}"
            f"{advice}; give predictions of every chip, and ids as they were"
        )
    if len(np.unique(chip)) < len(chip):
        twice = known[np.flatnonzero(np.bincount(chip) > 1)]
        raise BuildError(f"{where}: chips stand in several rows: {examples(twice)}; keep one each")
    shares, labelled = _share_columns(table, part["category_name"].to_numpy().tolist(), where)
    _check_shares(shares[labelled], table[columns["chip"]][labelled], where)
    return chip, shares, labelled


def _share_columns(
    table: pd.DataFrame, categories: list[str], where: str
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Shares as fractions, 0 where a class is left empty, and which rows have any."""
    meant = {name: column for column, name in match_categories(table.columns, categories).items()}
    if missing := [name for name in categories if name not in meant]:
        raise BuildError(
            f"{where} must have a column for each class, found none of {examples(missing)}"
        )
    cells = table[[meant[name] for name in categories]]
    if odd := [text for column in cells for text in odd_cells(cells[column])]:
        raise BuildError(f"{where}: shares must be numbers, found {examples(odd)}")
    numbers = parse(cells, decimal_marks(cells, where)[0]).values.to_numpy()
    labelled = np.isfinite(numbers).any(axis=1)
    shares = np.nan_to_num(numbers)
    total = shares[labelled].sum(axis=1)
    if len(total) and np.median(total) > 1 + 10 * SUM_TOLERANCE:
        shares = shares / 100
    return shares, labelled


def _check_shares(shares: NDArray[np.float64], ids: Any, where: str) -> None:
    total = shares.sum(axis=1)
    wrong = (shares < 0).any(axis=1) | (np.abs(total - 1) > SUM_TOLERANCE)
    if wrong.any():
        raise BuildError(
            f"{where}: shares of a chip are not negative and sum to 1, or to 100 %; those of "
            f"{wrong.sum()} chips do not, such as {examples(ids[wrong])}"
        )
    shares /= total[:, np.newaxis]


def _points(
    table: pd.DataFrame, columns: dict[str, str], part: xr.Dataset, where: str
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.bool_]]:
    """Positions of the chips of points, their class as a share of 1, and which have one."""
    import geopandas as gpd
    import shapely

    cells = table[[columns[name] for name in _PLACES]]
    if odd := [text for column in cells for text in odd_cells(cells[column])]:
        raise BuildError(f"{where}: lon and lat must be degrees, found {examples(odd)}")
    places = parse(cells, decimal_marks(cells, where)[0]).values.to_numpy()
    squares, bounds = chip_outlines(part), part["bounds"].to_numpy()
    east, north = places.T
    if bounds[:, 2].max() > 180:  # a region across the antimeridian
        east = np.where(east < 0, east + 360, east)
    points = gpd.GeoSeries(shapely.points(east, north), crs=GEOGRAPHIC).to_crs(squares.crs)
    point, square = shapely.STRtree(squares.to_numpy()).query(points.to_numpy(), "intersects")
    chip = np.full(len(points), -1, dtype=np.intp)
    chip[point] = square
    if (outside := np.flatnonzero(chip < 0)).size:
        raise BuildError(
            f"{where}: {len(outside)} points lie in no predicted chip, such as those of the rows "
            f"{examples((outside + 1).tolist())}; leave them out, or predict every chip"
        )
    categories = part["category_name"].to_numpy().tolist()
    classes = table[columns["class"]].map(lambda cell: str(cell).strip())
    labelled = (classes != "").to_numpy()
    numbers = {plain_name(name): number for number, name in enumerate(categories)}
    known = classes.map(lambda text: numbers.get(plain_name(text), -1)).to_numpy()
    if strange := sorted({*classes[labelled & (known < 0)]}):
        raise BuildError(
            f"{where}: there is no class {examples(strange)}; the classes are "
            f"{examples(categories, len(categories))}"
        )
    return chip, np.eye(len(categories))[known], labelled


def _strata(
    table: pd.DataFrame, columns: dict[str, str], chips: int, where: str
) -> tuple[NDArray[np.intp], NDArray[np.float64], pd.Index]:
    """Stratum of each row by number, how many chips each stratum has, and their names."""
    if STRATUM not in columns or WEIGHT not in columns:
        raise BuildError(
            f"{where}: a stratified sample has the columns {STRATUM!r} and {WEIGHT!r}, as "
            "`llpbench estimate --sample` writes them"
        )
    weights = table[[columns[WEIGHT]]]
    if odd := odd_cells(weights[columns[WEIGHT]]):
        raise BuildError(f"{where}: weights must be numbers, found {examples(odd)}")
    numbers = parse(weights, decimal_marks(weights, where)[0]).values.to_numpy()[:, 0]
    stratum, names = pd.factorize(table[columns[STRATUM]].map(str))
    count, sizes = np.bincount(stratum), np.bincount(stratum, np.nan_to_num(numbers))
    if abs(sizes.sum() - chips) > 0.5 or (numbers[np.isfinite(numbers)] < 1 - 1e-6).any():
        raise BuildError(
            f"{where}: weights must be 1 or more and sum to the {chips} predicted chips, found a "
            f"sum of {sizes.sum():.6g}; keep all rows that were drawn, also those without labels, "
            "and estimate from the predictions that the sample was drawn with"
        )
    odd_one = np.abs(numbers - (sizes / count)[stratum]) > _WEIGHT_TOLERANCE
    split_chip = np.abs(sizes - np.round(sizes)) > _WEIGHT_TOLERANCE * count
    if (changed := odd_one | split_chip[stratum]).any():
        raise BuildError(
            f"{where}: rows of a stratum have the same weight, its number of chips by that of its "
            f"rows; those of {examples(np.unique(names[stratum[changed]]).tolist())} have not: "
            "keep strata and weights as they were drawn"
        )
    return stratum.astype(np.intp), np.round(sizes), names
