"""Rows of a table and outlines of divisions, joined by ids that are the same to a person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from llpbench.data.building.table_files import Cells
from llpbench.errors import BuildError, UnknownNameError, examples, unknown

_IDS = ("division", "identifier", "id", "code")
"""Names of columns that are preferred where several hold the same ids."""

_ROW_NUMBERS = re.compile(
    r"unnamed: \d+|level_\d+|index|fid|ogc_fid|objectid|gid|row", re.IGNORECASE
)
_MANGLED = re.compile(r"\d([.,]\d+)?e\+\d+", re.IGNORECASE)


@dataclass
class Joining:
    """The ids of a table and of outlines: first their columns are chosen, then rows are joined.

    ``named`` is the column of ids that the user names, of either file or of both.
    """

    table: Cells
    named: str | None
    _column: str = field(default="", init=False)
    _remarks: list[str] = field(default_factory=list, init=False)

    def outline_column(self, attributes: pd.DataFrame) -> str:
        """Choose the columns of ids by looking at both files; return that of the outlines.

        Parameters
        ----------
        attributes : DataFrame
            All columns of the outlines but the geometry.
        """
        cells = self.table.values
        for_outlines, for_table = _named(self.named, attributes, cells, self.table.path.name)
        outlines = {name: _texts(attributes[name]) for name in for_outlines}
        table = {name: _texts(cells[name]) for name in for_table}
        pairs = _match(outlines, table, is_named=self.named is not None)
        if not pairs:
            shown = self.named if self.named in outlines else _preferred(list(outlines))[0]
            raise BuildError(self._no_match(table, outlines.get(shown, [])))
        best = pairs[0]
        meant = best.rows(outlines, table)
        for rival in pairs[1:]:
            if rival.rank == best.rank and rival.rows(outlines, table) != meant:
                raise BuildError(
                    f"{self.table.path.name} can be joined to the outlines in more than one way: "
                    f"by {best.said}, or by {rival.said}; name the column of ids with "
                    "--division-id"
                )
        self._column = best.table
        if _key(best.table) != _key(best.outlines):
            self._remarks.append(
                f"{self.table.path.name}: its column {best.table!r} was joined to "
                f"{best.outlines!r} of the outlines"
            )
        return best.outlines

    def join(self, ids: pd.Index[Any]) -> tuple[pd.DataFrame, list[str]]:
        """Take the rows of divisions, indexed by their ids; say what was taken for equal."""
        texts = _texts(self.table.values[self._column])
        places, remarks = _places(list(ids), texts, self.table.path.name)
        known = [n for n, place in enumerate(places) if place is not None]
        chosen = [place for place in places if place is not None]
        rows = self.table.values.drop(columns=self._column).iloc[chosen]
        left = sorted(set(range(len(texts))) - set(places))
        remarks = [*self._remarks, *remarks, *self._extra(left, texts)]
        return rows.set_axis(ids[known], axis=0), remarks

    def _extra(self, left: list[int], texts: list[str]) -> list[str]:
        """Name rows of no division; those without an id are notes or a total."""
        named = [texts[n] for n in left if texts[n]]
        remarks = []
        totals = [text for text in named if is_total(text)]
        others = [text for text in named if not is_total(text)]
        if totals:
            remarks.append(f"{self.table.path.name}: {examples(totals)} is the total of other "
                           "rows and was left out")  # fmt: skip
        if others:
            remarks.append(
                f"{self.table.path.name}: {len(others)} rows are of no division and were left out: "
                f"{examples(others)}"
            )
        if len(named) < len(left):
            remarks.append(
                f"{self.table.path.name}: {len(left) - len(named)} rows have no id in column "
                f"{self._column!r} and were left out"
            )
        return remarks

    def _no_match(self, table: Mapping[str, list[str]], ids: list[str]) -> str:
        shown = next(iter(table.values()))
        hint = "name the column of ids with --division-id"
        if any(_MANGLED.fullmatch(text) for text in shown + ids):
            hint = "a spreadsheet has cut long ids: format their column as text and export it again"
        elif within := _within(shown, ids):
            hint = f"{within} says more than the id alone: write the ids of both files alike"
        return (
            f"{self.table.path.name} has no row for any division: its ids are "
            f"{examples(shown)}, those of the divisions {examples(ids)}; {hint}"
        )


def _within(first: list[str], second: list[str]) -> str:
    """An id of one list that holds one of the other as well as more, as in ``05001 - Lier``."""
    for longer, shorter in ((first, second), (second, first)):
        known = {text for text in shorter if len(text) > 2}
        for text in longer:
            if known & {*re.findall(r"\d+|[^\W\d]+", text), *re.split(r"\W{2,}", text)} - {text}:
                return repr(text)
    return ""


@dataclass(frozen=True)
class _Pair:
    """Columns that may hold the same ids; a higher rank is a better match."""

    outlines: str
    table: str
    rank: tuple[int, ...]

    @property
    def said(self) -> str:
        return f"{self.table!r} and {self.outlines!r}"

    def rows(
        self, outlines: Mapping[str, list[str]], table: Mapping[str, list[str]]
    ) -> set[tuple[int, int]]:
        """Which row of the outlines meets which of the table."""
        places = {key: n for n, key in reversed(list(enumerate(map(_key, table[self.table]))))}
        keys = enumerate(map(_key, outlines[self.outlines]))
        return {(n, places[key]) for n, key in keys if key in places}


def is_total(text: str) -> bool:
    """Whether an id or a heading says that it is the sum of others.

    Examples
    --------
    >>> [is_total(text) for text in ("Total", "TOTAAL gewest", "Totnes")]
    [True, True, False]
    """
    words = "totals?|totaal|totale?|gesamt|insgesamt|summe|sum|suma|somme|ensemble|grand total"
    return re.match(rf"({words})\b", _key(text)) is not None


def _named(
    name: str | None, attributes: pd.DataFrame, cells: pd.DataFrame, table: str
) -> tuple[list[str], list[str]]:
    """Columns of both files that may hold ids: the one that is named, where it is there."""
    ours, theirs = [str(c) for c in attributes.columns], [str(c) for c in cells.columns]
    if name is None:
        return ours, theirs
    if name not in ours and name not in theirs:
        known = dict.fromkeys([*ours, *theirs])
        raise UnknownNameError(f"the outlines and {table}: {unknown('column', name, known)}")
    return [name] if name in ours else ours, [name] if name in theirs else theirs


def _match(
    outlines: Mapping[str, list[str]], table: Mapping[str, list[str]], *, is_named: bool
) -> list[_Pair]:
    """All pairs of columns with ids in common, the best first."""
    ours = {name: {_key(text) for text in texts} - {""} for name, texts in outlines.items()}
    theirs = {name: {_key(text) for text in texts} - {""} for name, texts in table.items()}
    first = next(iter(table))
    pairs = []
    for theirs_name, their_keys in theirs.items():
        loose = theirs_name != first and _is_amounts(their_keys) and not is_named
        for our_name in _preferred(list(ours)):
            keys, alike = ours[our_name], _key(our_name) == _key(theirs_name)
            common = len(keys & their_keys)
            counted = _is_row_numbers(our_name, keys)
            if not common or (loose and not alike and (counted or common < 0.9 * len(their_keys))):
                continue
            weak = bool(_ROW_NUMBERS.fullmatch(theirs_name) or _ROW_NUMBERS.fullmatch(our_name))
            pairs.append(_Pair(our_name, theirs_name, (common, alike, not weak)))
    return sorted(pairs, key=lambda pair: pair.rank, reverse=True)


def _preferred(names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: name.lower() not in _IDS)


def _is_amounts(keys: set[str]) -> bool:
    """Whether a column may hold numbers of a class as well as ids."""
    return all(key.isdecimal() for key in keys)


def _is_row_numbers(name: str, keys: set[str]) -> bool:
    if _ROW_NUMBERS.fullmatch(name):
        return True
    numbers = {int(key) for key in keys if key.isdecimal() and len(key) < 9}
    return numbers in ({*range(len(keys))}, {*range(1, len(keys) + 1)})


def _texts(column: pd.Series[Any]) -> list[str]:
    """Ids as text; numbers without a fraction lose their point, gaps are empty."""
    return [_text(cell) for cell in column.tolist()]


def _text(cell: Any) -> str:
    if isinstance(cell, float | np.floating):
        return "" if np.isnan(cell) else f"{cell:.0f}" if cell == np.round(cell) else repr(cell)
    return "" if cell is None or cell is pd.NA else str(cell).strip()


def _plain(text: str) -> str:
    """An id without case, spaces, leading zeros, and what spreadsheets put around text.

    Examples
    --------
    >>> [_plain(text) for text in ("05001", "5001.0", " Lier ", "BE1", '="05001"', "'05001")]
    ['5001', '5001', 'lier', 'be1', '5001', '5001']
    """
    bare = re.sub(r"""^(="|')(.*?)["']?$""", r"\2", text.strip())
    plain = " ".join(unicodedata.normalize("NFKC", bare).casefold().split())
    number = re.fullmatch(r"(\d[\d ]*)([.,]0{1,2})?", plain, re.ASCII)
    return number[1].replace(" ", "").lstrip("0") or "0" if number else plain


def _key(text: str) -> str:
    """The same without accents and punctuation."""
    letters = unicodedata.normalize("NFKD", _plain(text))
    bare = "".join(" " if not c.isalnum() else c for c in letters if not unicodedata.combining(c))
    return " ".join(bare.split()) or _plain(text)


_FORMS: Mapping[str, Callable[[str], str]] = {
    "": str,
    "but for leading zeros, decimals, case or spaces": _plain,
    "but for accents or punctuation": _key,
}
"""In what ids may differ, the least first."""


def _places(ids: list[str], texts: list[str], where: str) -> tuple[list[int | None], list[str]]:
    """The row of each id: the one of that text, else the only one that is the same to a person."""
    places: list[int | None] = [None] * len(ids)
    remarks = []
    for difference, form in _FORMS.items():
        rows = _only([form(text) for text in texts])
        divisions = _only([form(text) for text in ids])
        free = set(range(len(texts))) - set(places)
        found = []
        for text, number in divisions.items():
            row = rows.get(text)
            if places[number] is None and row in free:
                places[number] = row
                found.append(f"{texts[row]!s} for {ids[number]!s}")
        if difference and found:
            remarks.append(f"{where}: {len(found)} ids are those of divisions {difference}: "
                           f"{examples(found)}")  # fmt: skip
        elif not difference:
            _refuse_twice(ids, texts, where)
    return places, remarks


def _only(texts: list[str]) -> dict[str, int]:
    """Places of the texts that stand once."""
    numbers = pd.Series(range(len(texts)), index=texts)
    return {str(text): int(n) for text, n in numbers[~numbers.index.duplicated(keep=False)].items()}


def _refuse_twice(ids: list[str], texts: list[str], where: str) -> None:
    column = pd.Series([_plain(text) for text in texts])
    known = {_plain(text) for text in ids}
    exact = pd.Series(texts)
    twice = exact[exact.duplicated() & column.isin(known)]
    if len(twice):
        raise BuildError(
            f"{where}: each division must have one row, but ids stand more than once: "
            f"{examples(twice.unique())}; keep one row of each, with a column for each class"
        )
