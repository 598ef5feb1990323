"""Numbers as people write them: 1.234,5 or 1,234.5 or 1 234,5, with percent signs and gaps."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from llpbench.errors import BuildError, examples

NONE = frozenset({"", "-", "--", "\u2013", "\u2014"})
"""What stands in a cell in place of nothing at all."""

UNKNOWN = frozenset({"n/a", "na", "n.a.", "nan", "null", "none", ".", "..", "...", "\u2026", ":"})
"""What stands in a cell in place of a number that is not known."""

_GROUPS = " \u00a0\u2009\u202f'\u2019"


def _pattern(decimal: str) -> re.Pattern[str]:
    other = "," if decimal == "." else "."
    grouped = rf"[1-9]\d{{0,2}}(?P<between>[{other}{_GROUPS}])\d{{3}}(?:(?P=between)\d{{3}})*"
    whole = rf"{grouped}|0|[1-9]\d*|"
    mark = re.escape(decimal)
    return re.compile(
        rf"(?=.*\d)[+-]?(?P<whole>{whole})(?:{mark}(?P<part>\d*))?(?:e(?P<power>[+-]?\d{{1,3}}))?"
        r"\s?(?P<percent>%?)(?P<flag>(?-i:\s?\*{1,3}|\s[bdefinprsu]{1,2})?)",
        re.ASCII | re.IGNORECASE,
    )


_PATTERNS = {decimal: _pattern(decimal) for decimal in (".", ",")}


@dataclass(frozen=True)
class Numbers:
    """Numbers of some columns.

    Parameters
    ----------
    values : DataFrame of float64
        NaN where a cell is empty or unknown.
    unknown : DataFrame of bool
        Where a cell says that its number is not known.
    decimals : int
        Most digits that are printed after the decimal mark.
    percent : set of str
        Columns with percent signs.
    """

    values: pd.DataFrame
    unknown: pd.DataFrame
    decimals: int
    percent: frozenset[str]


def is_number(cell: Any) -> bool:
    """Whether a cell holds a number, with any decimal mark.

    Examples
    --------
    >>> [is_number(cell) for cell in ("1.234,5", "1'234.5", "12 %", "05001", "1,23,4", "-")]
    [True, True, True, False, False, False]
    >>> [is_number(cell) for cell in ("12.5 b", "12.5*", "12.5 ha", "<0.1")]
    [True, True, False, False]
    """
    if isinstance(cell, Real):
        return bool(np.isfinite(float(cell))) and not isinstance(cell, bool)
    return any(pattern.fullmatch(_tidy(cell)) for pattern in _PATTERNS.values())


def is_numeric(column: pd.Series[Any]) -> bool:
    """Whether at least half of the cells of a column that are no gaps are numbers."""
    known = [cell for cell in column.tolist() if not is_gap(cell)]
    return bool(known) and 2 * sum(map(is_number, known)) >= len(known)


def is_gap(cell: Any) -> bool:
    """Whether a cell stands for nothing, or for a number that is not known."""
    return _is_unknown(cell) or _tidy(cell) in NONE


def decimal_marks(columns: pd.DataFrame, where: str) -> list[str]:
    """Find the decimal marks that all numbers of a table can be read with.

    Both, where every comma or point may part decimals as well as thousands.
    """
    texts = {
        _tidy(cell)
        for column in columns
        for cell in columns[column].unique().tolist()
        if isinstance(cell, str) and not is_gap(cell)
    }
    refused = {
        mark: [text for text in texts if not pattern.fullmatch(text)]
        for mark, pattern in _PATTERNS.items()
    }
    fitting = [mark for mark, odd in refused.items() if not odd]
    if not fitting:
        raise BuildError(
            f"{where}: some numbers have a decimal point, others a decimal comma, such as "
            f"{examples(min(odd, key=lambda text: (len(text), text)) for odd in refused.values())}"
            "; write all of them alike"
        )
    if len(fitting) > 1 and not any("." in text or "," in text for text in texts):
        return ["."]
    return fitting


def parse(columns: pd.DataFrame, decimal: str) -> Numbers:
    """Read the numbers of columns, which fit the decimal mark.

    Examples
    --------
    >>> parse(pd.DataFrame({"a": ["1.234,50", ":", ""]}), ",").values["a"].tolist()
    [1234.5, nan, nan]
    """
    values, unknown, decimals, percent = {}, {}, 0, set()
    for name in columns:
        cells = columns[name].tolist()
        read = {cell: _read(cell, decimal) for cell in set(cells)}
        values[name] = [read[cell][0] for cell in cells]
        unknown[name] = [_is_unknown(cell) for cell in cells]
        decimals = max([decimals, *(digits for _, digits, _ in read.values())])
        if any(sign for _, _, sign in read.values()):
            percent.add(str(name))
    index = columns.index
    return Numbers(
        pd.DataFrame(values, index, dtype=np.float64),
        pd.DataFrame(unknown, index, dtype=bool),
        decimals,
        frozenset(percent),
    )


def _read(cell: Any, decimal: str) -> tuple[float, int, bool]:
    """A cell's number, the digits printed after its decimal mark, whether it has a percent sign."""
    if is_gap(cell):
        return np.nan, 0, False
    if isinstance(cell, Real):
        exponent = Decimal(repr(float(cell))).normalize().as_tuple().exponent
        return float(cell), max(0, -int(exponent)), False
    text = _tidy(cell)
    found = _PATTERNS[decimal].fullmatch(text)
    assert found is not None, "decimal_marks names marks that fit"
    whole, part = re.sub(r"\D", "", found["whole"]), found["part"] or ""
    power = int(found["power"] or 0)
    sign = "-" if text.startswith("-") else ""
    number = float(f"{sign}{whole or 0}.{part or 0}e{power}")
    return number, max(0, len(part) - power), bool(found["percent"])


def odd_cells(column: pd.Series[Any]) -> list[str]:
    """Cells that are neither numbers nor gaps."""
    return [str(c) for c in column.unique().tolist() if not (is_gap(c) or is_number(c))]


def gaps(columns: Iterable[pd.Series[Any]]) -> tuple[int, list[str]]:
    """How many cells hold no number, and what they hold."""
    found = [_tidy(cell) for column in columns for cell in column.tolist() if is_gap(cell)]
    return len(found), sorted(set(found))


def flags(columns: Iterable[pd.Series[Any]]) -> list[str]:
    """Cells with a mark behind their number, as of estimates (``12.5 e``) or footnotes."""
    return [
        cell
        for column in columns
        for cell in column.tolist()
        if isinstance(cell, str)
        and any((found := p.fullmatch(_tidy(cell))) and found["flag"] for p in _PATTERNS.values())
    ]


def _is_unknown(cell: Any) -> bool:
    text = _tidy(cell).casefold()
    return text in UNKNOWN or re.fullmatch(r":\s?[a-z]{1,2}", text) is not None


def _tidy(cell: Any) -> str:
    return str(cell).replace("\u2212", "-").strip()
