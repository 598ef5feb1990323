"""The terminal that commands print on: its width, and whether it has colours."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
import unicodedata
from typing import Any

import click

from llpbench.errors import printable

_WORD = re.compile(r"(?<!\w)'[^']*'(?!\w)|\S+")
"""What is never broken over lines: a word, or a quoted path with spaces."""

_SPACE, _SECOND = "\0", "\1"
"""Stand for a space that no line ends at, and for the second column of a letter that takes two;
what is printed holds neither."""

_PIECE = re.compile(r"\s+|[^\s-]*-+(?=\w)|\S+")
"""What a cell is broken into: spaces, and words up to a hyphen inside."""


def is_terminal(*, err: bool = False) -> bool:
    """Whether stdout, or stderr, is looked at by a person and not read by a program."""
    return (sys.stderr if err else sys.stdout).isatty()


def line_width(*, err: bool = False) -> int | None:
    """Characters in a line, by ``COLUMNS`` or the terminal itself; None where nobody looks."""
    return max(shutil.get_terminal_size().columns, 20) if is_terminal(err=err) else None


def columns(text: str) -> int:
    """Columns that a text takes on a terminal: two for each letter of East Asia, none for marks.

    Source: Unicode Standard Annex 11, East Asian Width.

    Examples
    --------
    >>> columns("map"), columns("地图"), columns("e\u0301")
    (3, 4, 1)
    """
    return sum(map(_columns_of, text))


def _columns_of(letter: str) -> int:
    if unicodedata.category(letter) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def styled(text: str, *, err: bool = False, **style: Any) -> str:
    """Text as :func:`click.style` writes it, on a terminal with colours.

    ``NO_COLOR`` and ``TERM=dumb`` are respected, see https://no-color.org.
    """
    is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return click.style(text, **style) if is_terminal(err=err) and not is_plain else text


def wrap(text: str, width: int) -> list[str]:
    """Break text into lines at words; quoted paths stay whole, however long they are.

    Examples
    --------
    >>> wrap("there is no archive '/a folder/far away.zip' here", 20)
    ['there is no archive', "'/a folder/far away.zip'", 'here']
    """
    whole = _WORD.sub(lambda word: word.group().replace(" ", _SPACE), text)
    whole = "".join(one + _SECOND * (_columns_of(one) - 1) for one in whole)
    lines = textwrap.wrap(whole, width, break_long_words=False, break_on_hyphens=False)
    return [line.replace(_SPACE, " ").replace(_SECOND, "") for line in lines]


def fold(text: str, width: int) -> list[str]:
    """Break text into lines of at most so many columns: at spaces and hyphens, else anywhere.

    Examples
    --------
    >>> fold("demo-humanpop (synthetic)", 12), fold("土地覆盖", 5)
    (['demo-', 'humanpop', '(synthetic)'], ['土地', '覆盖'])
    """
    lines, line = [], ""
    for piece in _PIECE.findall(text):
        if columns(f"{line}{piece}".rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        for letter in piece if line else piece.lstrip():
            if line and columns(line + letter) > width and not letter.isspace():
                lines.append(line)
                line = ""
            line += letter
    return [one for one in [*lines, line.rstrip()] if one]


def echo_message(prefix: str, text: str, colour: str) -> None:
    """Print a message of one sentence or more to stderr, after a prefix in a colour.

    On a terminal it is broken into lines at words; for programs it stays as it is.
    """
    lines, width = [printable(line) for line in f"{prefix}{text}".split("\n")], line_width(err=True)
    if width is not None:
        lines = [part for line in lines for part in wrap(line, width) or [""]]
    said = "\n".join(lines)
    shown = prefix if said.startswith(prefix) else prefix.rstrip()  # a long word follows, below it
    start = styled(shown, err=True, fg=colour) if shown else ""
    click.echo(start + said.removeprefix(shown), err=True)
