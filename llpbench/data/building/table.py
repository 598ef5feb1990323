"""A table of shares by division, as statistical offices publish it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.catalog import LabelSet
from llpbench.data.building.divisions import id_texts
from llpbench.data.building.legend import Legend, plain_label_set
from llpbench.errors import BuildError, UnknownNameError, examples, unknown

SUM_TOLERANCE = 0.005
"""How far the shares of a division may be from their sum, for rounding; they are divided by it."""

LARGEST_FILE = 2**28


@dataclass(frozen=True)
class ShareTable:
    """A csv file of shares: its cells as text by division id, and the columns of each class.

    ``columns`` is empty where classes are called like columns.
    """

    path: Path
    values: pd.DataFrame
    columns: Mapping[str, Sequence[str]]


def read_table(path: Path, id_column: str | None, columns: Sequence[tuple[str, str]]) -> ShareTable:
    """Read a table of shares from a csv file with a heading.

    Parameters
    ----------
    id_column : str or None
        The column of division ids; where the file has none of that name, its first column.
    columns : sequence of (str, str)
        Class and column; several columns of one class are added up.
    """
    if not path.is_file():
        raise BuildError(f"there is no table of shares {str(path)!r}")
    if path.stat().st_size > LARGEST_FILE:
        raise BuildError(f"{path.name} is too large for a table of shares")
    try:
        raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (ValueError, OSError) as error:
        raise BuildError(f"{path.name} cannot be read as a csv table ({error!s:.200})") from error
    if raw.shape[1] < 2 or not len(raw):
        raise BuildError(
            f"{path.name} must have a column of ids and at least one of shares, separated by "
            f"commas; found {examples(map(str, raw.columns))}"
        )
    chosen = id_column if id_column in raw.columns else raw.columns[0]
    ids = id_texts(raw[chosen])
    if ids.duplicated().any():
        raise BuildError(
            f"{path.name}: each division must have one row, but ids stand more than once: "
            f"{examples(ids[ids.duplicated()].unique())}"
        )
    values = raw.drop(columns=chosen).set_axis(ids)
    for _category, column in columns:
        if column not in values:
            raise UnknownNameError(f"{path.name}: {unknown('column', column, values.columns)}")
    wanted: dict[str, list[str]] = {}
    for category, column in columns:
        wanted.setdefault(category, []).append(column)
    return ShareTable(path, values, wanted)


def fit_legend(table: ShareTable, legend: Legend | None) -> Legend:
    """Choose the classes that a table is about.

    Parameters
    ----------
    legend : Legend or None
        Of the label raster, or named by the user; None for classes called like the columns.

    Returns
    -------
    Legend
        The same if columns are called like its classes; with class groups for classes if they
        are called like those.
    """
    if legend is None:
        names = list(table.columns or table.values.columns)
        return Legend(table.path.stem, plain_label_set(table.path.stem, names))
    offered = {_plain(name) for name in table.columns or table.values.columns}
    named = {_plain(name) for name in table.columns}
    labels = legend.label_set
    groups = {_plain(group.name) for group in labels.groups}
    classes = {_plain(label_class.name) for label_class in labels.classes}
    if groups <= offered and not classes <= offered:
        classes, legend = groups, legend.grouped()
    if not classes & offered or not named <= classes:
        raise BuildError(
            f"{table.path.name}: columns must be called like classes of {labels.name!r} "
            f"({examples(c.name for c in labels.classes)}) or like its groups "
            f"({examples(g.name for g in labels.groups)}), found "
            f"{examples(table.columns or table.values.columns)}; say which is which with --column "
            "CLASS=COLUMN"
        )
    return legend


def shares_from_table(
    table: ShareTable, labels: LabelSet, divisions: pd.Index[Any]
) -> tuple[NDArray[np.float64], list[str]]:
    """Take the shares of divisions from a table; also say what was mended or is missing.

    Returns
    -------
    shares : ndarray of float64, shape (division, class)
        Rows sum to 1; NaN where the table has no row, or an empty one.
    remarks : list of str
        Sentences on percentages that were divided, and on divisions without shares.
    """
    known_rows = table.values[table.values.index.isin(divisions)]
    if not len(known_rows):
        raise BuildError(
            f"{table.path.name} has no row for any division: its ids are "
            f"{examples(table.values.index)}, those of the divisions {examples(divisions)}"
        )
    by_class = np.stack([_column(table, known_rows, c.name) for c in labels.classes], axis=1)
    known = np.isfinite(by_class).any(axis=1)
    by_class[known] = np.nan_to_num(by_class[known])
    total = by_class.sum(axis=1)
    remarks = []
    if known.any() and np.allclose(total[known], 100, atol=100 * SUM_TOLERANCE):
        remarks.append(f"{table.path.name} holds percentages; they were divided by 100")
        by_class, total = by_class / 100, total / 100
    wrong = known & ~((np.abs(total - 1) <= SUM_TOLERANCE) & (by_class >= 0).all(axis=1))
    if wrong.any():
        ids = examples(known_rows.index[wrong])
        raise BuildError(
            f"{table.path.name}: the shares of a division must not be negative and sum to 1, but "
            f"those of {wrong.sum()} do not (sums from {total[wrong].min():.4g} to "
            f"{total[wrong].max():.4g}), such as {ids}; check the columns"
        )
    shares = np.full((len(divisions), len(labels.classes)), np.nan)
    rows = divisions.get_indexer(known_rows.index)
    shares[rows] = by_class / np.where(known, total, np.nan)[:, np.newaxis]
    unknown_rows = ~np.isfinite(shares).all(axis=1)
    if unknown_rows.any():
        remarks.append(
            f"{table.path.name} has no shares of {unknown_rows.sum()} divisions, such as "
            f"{examples(divisions[unknown_rows])}"
        )
    return shares, remarks


def _column(table: ShareTable, rows: pd.DataFrame, category: str) -> NDArray[np.float64]:
    """One class's numbers: NaN in an empty cell, and everywhere if it has no column."""
    columns = [
        column
        for name, own in (table.columns or {name: [name] for name in rows.columns}).items()
        if _plain(name) == _plain(category)
        for column in own
    ]
    total = np.full(len(rows), np.nan)
    for column in columns:
        text = rows[column].str.strip()
        numbers = pd.to_numeric(text.where(text != ""), errors="coerce").to_numpy(np.float64)
        odd = ~np.isfinite(numbers) & (text != "").to_numpy()
        if odd.any():
            raise BuildError(
                f"{table.path.name}: column {column!r} must hold numbers, found "
                f"{examples(text[odd].unique())}"
            )
        total = np.where(np.isfinite(numbers), np.nan_to_num(total) + numbers, total)
    return total


def _plain(name: str) -> str:
    """A name without what differs between spellings."""
    return re.sub(r"[\W_]+", " ", str(name)).strip().casefold()
