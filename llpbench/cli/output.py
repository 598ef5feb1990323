"""How commands print: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def print_json(content: Any) -> None:
    """Print JSON.

    Parameters
    ----------
    content : object
        What :func:`json.dumps` takes.
    """
    click.echo(json.dumps(content, indent=1, allow_nan=False))


def print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as an aligned table: numbers to the right, text to the left.

    Parameters
    ----------
    rows : sequence of mapping
        All with the same keys, which are the headings; None and NaN are left blank.
    """
    if not rows:
        return
    cells = [[_cell(value) for value in row.values()] for row in rows]
    headings = list(rows[0])
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    right = [all(isinstance(row[name], int | float | None) for row in rows) for name in headings]
    for line in [headings, ["-" * width for width in widths], *cells]:
        aligned = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ]
        click.echo("  ".join(aligned).rstrip())


def readable(size: int) -> str:
    """Bytes as people say them.

    Parameters
    ----------
    size : int

    Returns
    -------
    str

    Examples
    --------
    >>> readable(2_500_000)
    '2.5 MB'
    """
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and isnan(value)):
        return ""
    if isinstance(value, float):
        digits = 4 if abs(value) < 10 else 1
        return f"{round(value, digits) + 0.0:.{digits}f}"  # adding 0.0 makes -0.0 a plain zero
    return str(value)
