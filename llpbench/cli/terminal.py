"""The terminal that commands print on: its width, and whether it has colours."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from typing import Any

import click

from llpbench.errors import printable

_WORD = re.compile(r"(?<!\w)'[^']*'(?!\w)|\S+")
"""What is never broken over lines: a word, or a quoted path with spaces."""

_SPACE = "\0"
"""Stands for a space that no line ends at; what is printed holds none."""


def is_terminal(*, err: bool = False) -> bool:
    """Whether stdout, or stderr, is looked at by a person and not read by a program."""
    return (sys.stderr if err else sys.stdout).isatty()


def line_width(*, err: bool = False) -> int | None:
    """Characters in a line, by ``COLUMNS`` or the terminal itself; None where nobody looks."""
    return max(shutil.get_terminal_size().columns, 20) if is_terminal(err=err) else None


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
    lines = textwrap.wrap(whole, width, break_long_words=False, break_on_hyphens=False)
    return [line.replace(_SPACE, " ") for line in lines]


def echo_message(prefix: str, text: str, colour: str) -> None:
    """Print a message of one sentence or more to stderr, after a prefix in a colour.

    On a terminal it is broken into lines at words; for programs it stays as it is.
    """
    lines, width = [printable(line) for line in f"{prefix}{text}".split("\n")], line_width(err=True)
    if width is not None:
        lines = [part for line in lines for part in wrap(line, width) or [""]]
    start = styled(prefix, err=True, fg=colour) if prefix else ""
    click.echo(start + "\n".join(lines).removeprefix(prefix), err=True)
