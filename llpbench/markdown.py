"""Tables as text: numbers of a column alike; Markdown, and parts of files in it."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from llpbench.errors import printable
from llpbench.writing import replace_text


def format_cells(rows: Iterable[Sequence[Any]]) -> list[list[str]]:
    """Write the values of a table, all numbers of a column with as many decimals.

    Numbers from -10 to 10 need up to four decimals, others one; None and NaN are left blank.

    Examples
    --------
    >>> format_cells([["a", 8.3, 0.125], ["b", 12.1, None]])
    [['a', '8.3', '0.125'], ['b', '12.1', '']]
    """
    columns = [_format_column(column) for column in zip(*rows, strict=True)]
    return [list(row) for row in zip(*columns, strict=True)]


def _format_column(values: Sequence[Any]) -> list[str]:
    numbers = [value for value in values if isinstance(value, float) and math.isfinite(value)]
    decimals = max(map(_decimals, numbers), default=0)
    return [_format(value, decimals) for value in values]


def _decimals(value: float) -> int:
    written = f"{value:.{4 if abs(value) < 10 else 1}f}".rstrip("0")
    return max(len(written.partition(".")[2]), 1)


def _format(value: Any, decimals: int) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return f"{value:z.{decimals}f}" if isinstance(value, float) else str(value)


def format_number(value: float | None, spec: str) -> str:
    """Write a number as a format specification says, blank where there is none: None or NaN."""
    return "" if value is None or math.isnan(value) else format(value, spec)


def format_interval(low: float | None, high: float | None, *, decimals: int, to: str) -> str:
    """Write an interval with ``to`` between its ends; blank where an end is None or NaN.

    Examples
    --------
    >>> format_interval(0.03, 0.04, decimals=2, to=" to ")
    '0.03 to 0.04'
    >>> format_interval(float("nan"), float("nan"), decimals=2, to="-")
    ''
    """
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"{low:z.{decimals}f}{to}{high:z.{decimals}f}"


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    r"""Write a table in Markdown, its cells by :func:`format_cells`.

    Vertical bars and line breaks end no cell.

    Examples
    --------
    >>> print(markdown_table(["a", "b"], [["1", "2|3"]]), end="")
    | a | b |
    | --- | --- |
    | 1 | 2\|3 |
    """
    head, *body = [
        [re.sub(r"(?<!\\)\|", r"\\|", " ".join(cell.split("\n"))) for cell in row]
        for row in [list(headings), *format_cells(rows)]
    ]
    lines = [head, ["---"] * len(headings), *body]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def plain_cell(value: Any) -> Any:
    """A value for tables that spreadsheets open: text that is a formula to them is quoted.

    Examples
    --------
    >>> plain_cell("=cmd()"), plain_cell("-1"), plain_cell("qkm"), plain_cell(-1.5)
    ("'=cmd()", "'-1", 'qkm', -1.5)
    """
    is_formula = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if is_formula else value


_MARKUP = re.compile(r"([\\`*_{}\[\]#!|~:@$]|(?<=www)\.|^[-+=]|(?<=^\d)[.)]|(?<=^\d\d)[.)])")
"""What has a meaning anywhere, also on GitHub (formulas, addresses), or opens a list of a line."""


def escape_markdown(text: str) -> str:
    r"""Make text that Markdown and HTML show as it is, in one line.

    Examples
    --------
    >>> escape_markdown("a|b <script> [x](y)")
    'a\\|b &lt;script&gt; \\[x\\](y)'
    """
    return _MARKUP.sub(r"\\\1", html.escape(printable(" ".join(text.split())), quote=False))


def replace_between(path: Path, begin: str, end: str, text: str) -> bool:
    """Put a text between two marks in a file; False, and nothing written, if any of these lacks."""
    if not path.is_file():
        return False
    old = path.read_text(encoding="utf-8")
    before, begin, rest = old.partition(begin)
    _replaced, end, after = rest.partition(end)
    if not begin or not end:
        return False
    new = f"{before}{begin}\n\n{text}\n{end}{after}"
    if new != old:
        replace_text(path, new)
    return True
