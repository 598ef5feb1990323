"""Which columns of a table are about which classes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from llpbench.catalog import LabelSet
from llpbench.data.building.joining import is_total
from llpbench.data.building.legend import Legend, plain_label_set
from llpbench.data.building.table_numbers import is_numeric, odd_cells
from llpbench.data.building.table_units import split_heading
from llpbench.data.text import plain_name
from llpbench.errors import BuildError, UnknownNameError, examples, unknown

_NO_CLASS = re.compile(
    r"unnamed: \d+|index|year|jahr|jaar|ann[ée]e|a[ñn]o|anno|"
    r"(total |land )?(area|surface|superficie|fl[äa]che|oppervlakte)|population|"
    r"(.*[\s_])?(code|id|fid|objectid)|x|y|lon(gitude)?|lat(itude)?",
    re.IGNORECASE,
)
"""Headings of numbers that are no class where no legend says which are."""

_MOST_SAID = 20

_AREA_WORD = re.compile(r"(?:[\s_-]*(?:area|share|surface|proportion))+$|^(?:area|share) of ", re.I)


@dataclass(frozen=True)
class ClassColumn:
    """A column of numbers, the class that it is about, and the unit that its heading names."""

    category: str
    column: str
    unit: str | None


def match_columns(
    rows: pd.DataFrame, named: Sequence[tuple[str, str]], legend: Legend | None, path: Path
) -> tuple[Legend, list[ClassColumn], list[str]]:
    """Match the columns of a table with classes; also say which were left out.

    Parameters
    ----------
    rows : DataFrame
        Cells of the table, without ids.
    named : sequence of (str, str)
        Class and column, where the user says so: then no other column counts, and several of one
        class are added up.
    legend : Legend or None
        None for classes called like the columns.

    Returns
    -------
    legend : Legend
        The same if all columns are called like its classes; with class groups in their place if
        some are called like those.
    columns : list of ClassColumn
        Those that count, in the order of the table.
    remarks : list of str
        Columns of numbers that are no class.
    """
    for _category, column in named:
        if column not in rows:
            raise UnknownNameError(f"{path.name}: {unknown('column', column, rows.columns)}")
    columns = [
        ClassColumn(category, column, split_heading(column)[1]) for category, column in named
    ]
    taken = []
    if legend is None:
        legend, columns = _own_classes(rows, columns, path)
        names = ", ".join(repr(column.category) for column in columns[:_MOST_SAID])
        more = ", ..." if len(columns) > _MOST_SAID else ""
        taken = [f"{path.name}: the classes are its columns of numbers: {names}{more}"]
    else:
        legend, columns = _of_legend(rows, columns, legend, path)
    for heading in [column.column for column in columns]:
        odd = odd_cells(rows[heading])
        if odd:
            raise BuildError(
                f"{path.name}: column {heading!r} must hold numbers, found {examples(odd)}; write "
                "numbers or leave these cells empty, or name the columns that count with --column "
                "CLASS=COLUMN"
            )
    remarks = [] if named else [*taken, *_left_out(rows, columns, path)]
    return legend, columns, remarks


def _left_out(rows: pd.DataFrame, columns: list[ClassColumn], path: Path) -> list[str]:
    """Name the columns of numbers that are about no class; texts are notes."""
    used = {column.column for column in columns}
    left = [name for name in rows if name not in used and is_numeric(rows[name])]
    if not left:
        return []
    return [f"{path.name}: columns that are no class were left out: {examples(left)}"]


def _own_classes(
    rows: pd.DataFrame, columns: list[ClassColumn], path: Path
) -> tuple[Legend, list[ClassColumn]]:
    """Classes called like the columns of numbers."""
    if not columns:
        for heading in map(str, rows.columns):
            name, unit = split_heading(heading)
            if is_numeric(rows[heading]) and not (_NO_CLASS.fullmatch(name) or is_total(name)):
                columns.append(ClassColumn(name, heading, unit))
        _refuse_twice(columns, path)
    if not columns:
        raise BuildError(
            f"{path.name} must have a column of numbers for each class, found "
            f"{examples(map(str, rows.columns))}; say which is which with --column CLASS=COLUMN"
        )
    names = list(dict.fromkeys(column.category for column in columns))
    return Legend(path.stem, plain_label_set(path.stem, names)), columns


def _of_legend(
    rows: pd.DataFrame, columns: list[ClassColumn], legend: Legend, path: Path
) -> tuple[Legend, list[ClassColumn]]:
    """Columns called like classes or groups of a legend, in one of the two."""
    labels = legend.label_set
    classes = {plain_name(entry.name): entry.name for entry in labels.classes}
    groups = {plain_name(entry.name): entry.name for entry in labels.groups}
    found = columns or _called_like(rows, {*classes, *groups})
    offered = {plain_name(column.category) for column in found}
    if not offered or not offered <= {*classes, *groups}:
        raise _no_class(labels, [c.column for c in columns] or list(rows.columns), path)
    if not columns:
        _refuse_twice(found, path)
    if offered <= {*classes} and not ({*groups} <= offered and not {*classes} <= offered):
        return legend, [_renamed(column, classes) for column in found]
    group_of = _group_names(labels)
    doubled = {group_of[c] for c in offered - {*groups}} & {groups[g] for g in offered & {*groups}}
    if doubled:
        raise BuildError(
            f"{path.name} has columns of the groups {examples(sorted(doubled))} and of classes in "
            "them: name those that count with --column CLASS=COLUMN"
        )
    return legend.grouped(), [_renamed(column, {**group_of, **groups}) for column in found]


def _called_like(rows: pd.DataFrame, known: set[str]) -> list[ClassColumn]:
    """Columns called like a class or group: as they are, without a unit, or without 'area'."""
    found = []
    for heading in map(str, rows.columns):
        name, unit = split_heading(heading)
        is_name = plain_name(heading) in known and plain_name(name) not in known
        spellings = [heading] if is_name else [name, _AREA_WORD.sub("", name)]
        for spelling in spellings:
            if plain_name(spelling) in known:
                found.append(ClassColumn(spelling, heading, None if is_name else unit))
                break
    return found


def _group_names(labels: LabelSet) -> dict[str, str]:
    """The group of each class."""
    return {
        plain_name(labels.classes[number].name): group.name
        for group in labels.groups
        for number in group.members
    }


def _renamed(column: ClassColumn, names: dict[str, str]) -> ClassColumn:
    return ClassColumn(names[plain_name(column.category)], column.column, column.unit)


def _refuse_twice(columns: Iterable[ClassColumn], path: Path) -> None:
    """Refuse two columns of one class that nobody asked to add up."""
    seen: dict[str, str] = {}
    for column in columns:
        other = seen.setdefault(plain_name(column.category), column.column)
        if other != column.column:
            raise BuildError(
                f"{path.name}: columns {other!r} and {column.column!r} are both of "
                f"{column.category!r}: name those that count with --column CLASS=COLUMN"
            )


def _no_class(labels: LabelSet, columns: Sequence[str], path: Path) -> BuildError:
    return BuildError(
        f"{path.name}: columns must be called like classes of {labels.name!r} "
        f"({examples(entry.name for entry in labels.classes)}) or like its groups "
        f"({examples(entry.name for entry in labels.groups)}), found "
        f"{examples(map(str, columns))}; say which is which with --column CLASS=COLUMN"
    )
