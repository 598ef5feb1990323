"""Tables for the terminal: as wide as it is, the columns that matter least left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from llpbench.cli.terminal import columns as columns_of
from llpbench.cli.terminal import fold, styled
from llpbench.errors import printable

_GAP = "  "

_NARROWEST = 14
"""Columns of prose get no narrower; before that, others are left out."""


@dataclass
class _Column:
    """A heading, cells as they are printed, and how wide both are."""

    heading: str
    cells: list[str]
    to_right: bool
    is_prose: bool
    width: int

    def lines(self, cell: str) -> list[str]:
        """A cell in as many lines as the width asks for, each of that width."""
        parts = [cell] if columns_of(cell) <= self.width else fold(cell, self.width)
        gaps = (" " * (self.width - columns_of(part)) for part in parts)
        return [
            gap + part if self.to_right else part + gap
            for part, gap in zip(parts, gaps, strict=True)
        ]


def table_lines(
    rows: Sequence[Mapping[str, Any]],
    width: int | None = None,
    *,
    order: Sequence[str] = (),
    prose: Collection[str] = (),
    bold: Collection[tuple[int, str]] = (),
) -> tuple[list[str], list[str]]:
    """Write rows as aligned lines: numbers to the right, text to the left.

    Parameters
    ----------
    rows : sequence of mapping
        All with the same keys, which are the headings; at least one.
    width : int, optional
        Characters of a line. Where the table is wider, columns are left out, the least important
        first; numbers are never cut. By default everything is written.
    order : sequence of str
        The headings that matter most, by importance; those of other columns follow, from left to
        right.
    prose : collection of str
        Headings of long texts, which may be broken over lines; that of the most important column
        always may.
    bold : collection of (int, str)
        Number of the row and heading of the values that stand out, where there are colours.

    Returns
    -------
    lines : list of str
        The heading, a rule, and a line or several for each row.
    left_out : list of str
        Headings of the columns that had no place, from left to right.
    """
    columns = _columns(rows)
    important = sorted(columns, key=[*order, *columns].index)
    for name, column in columns.items():
        column.is_prose = not column.to_right and (name in prose or name == important[0])
    kept = dict(columns) if width is None else _fitting(columns, important, width)
    number = {name: n for n, name in enumerate(kept)}
    stressed = {(row, number[name]) for row, name in bold if name in kept}
    shown = list(kept.values())
    lines = _row_lines(shown, [column.heading for column in shown])
    lines += _row_lines(shown, ["-" * column.width for column in shown])
    for n in range(len(rows)):
        cells = [column.cells[n] for column in shown]
        lines += _row_lines(shown, cells, {place for row, place in stressed if row == n})
    return lines, [columns[name].heading for name in columns if name not in kept]


def best_cells(
    rows: Sequence[Mapping[str, Any]],
    better: Mapping[str, Callable[..., float]],
    ranked: Sequence[bool],
) -> set[tuple[int, str]]:
    """Find the best values of rows, all where several are as good; none where only one is known.

    Parameters
    ----------
    better : mapping of str to callable
        By heading ``min`` or ``max``.
    ranked : sequence of bool
        Which rows are compared.

    Examples
    --------
    >>> rows = [{"MAE": 0.2}, {"MAE": 0.1}, {"MAE": 0}]
    >>> sorted(best_cells(rows, {"MAE": min}, [True, True, False]))
    [(1, 'MAE')]
    """
    found = set()
    for name, choose in better.items():
        values = {
            n: row[name]
            for n, (row, is_ranked) in enumerate(zip(rows, ranked, strict=True))
            if is_ranked and row.get(name) is not None
        }
        best = choose(values.values()) if len(values) > 1 else None
        found |= {(n, name) for n, value in values.items() if value == best}
    return found


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, _Column]:
    from llpbench.markdown import format_cells

    columns = {}
    texts = zip(*format_cells([list(row.values()) for row in rows]), strict=True)
    for name, values in zip(rows[0], texts, strict=True):
        heading, cells = printable(name), [printable(value) for value in values]
        to_right = all(isinstance(row[name], int | float | None) for row in rows)
        widest = max(map(columns_of, [heading, *cells]))
        columns[name] = _Column(heading, cells, to_right, False, widest)
    return columns


def _fitting(
    columns: Mapping[str, _Column], important: Sequence[str], width: int
) -> dict[str, _Column]:
    """Leave columns out and make prose narrower until the table has its width."""
    names = list(important)
    while len(names) > 1 and _narrowest([columns[name] for name in names]) > width:
        names.pop()
    kept = {name: column for name, column in columns.items() if name in names}
    texts = [column for column in kept.values() if column.is_prose]
    too_much = _total([column.width for column in kept.values()]) - width
    for _ in range(too_much if texts else 0):
        widest = max(texts, key=lambda column: column.width)
        widest.width = max(widest.width - 1, 2)
    return kept


def _narrowest(columns: Sequence[_Column]) -> int:
    return _total(
        [min(column.width, _NARROWEST) if column.is_prose else column.width for column in columns]
    )


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _row_lines(
    columns: Sequence[_Column], cells: Sequence[str], stressed: Collection[int] = ()
) -> list[str]:
    """A row in as many lines as its longest cell."""
    parts = [column.lines(cell) for column, cell in zip(columns, cells, strict=True)]
    lines = []
    for line in zip_longest(*parts):
        texts = [
            " " * column.width if text is None else text
            for column, text in zip(columns, line, strict=True)
        ]
        texts[-1] = texts[-1].rstrip()
        shown = [styled(text, bold=True) if n in stressed else text for n, text in enumerate(texts)]
        lines.append(_GAP.join(shown).rstrip())
    return lines
