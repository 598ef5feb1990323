"""How commands print: results on stdout, as tables or JSON; everything else through logging."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from llpbench.errors import printable

if TYPE_CHECKING:
    from pathlib import Path

LOG = logging.getLogger("llpbench")
"""Of the whole package. INFO: what a command does; WARNING: notes; DEBUG: what is read, guessed
and how long it took."""


def echo(text: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Print text: all that commands print passes here.

    Much of it comes from files of others, so that what does not print is shown as an escape, lines
    apart.
    """
    click.echo("\n".join(map(printable, text.split("\n"))), err=err, nl=nl)


class _StderrHandler(logging.Handler):
    """Writes to stderr as it is when a message comes, which tests replace."""

    def emit(self, record: logging.LogRecord) -> None:
        prefix = "note: " if record.levelno == logging.WARNING else ""
        echo(prefix + record.getMessage(), err=True)


@contextmanager
def logging_to_stderr(*, quiet: bool, verbose: bool) -> Iterator[None]:
    """Show messages of the package on stderr while a command runs: errors, or down to DEBUG."""
    handler, level = _StderrHandler(), LOG.level
    LOG.addHandler(handler)
    LOG.setLevel(logging.ERROR if quiet else logging.DEBUG if verbose else logging.INFO)
    try:
        yield
    finally:
        LOG.removeHandler(handler)
        LOG.setLevel(level)


def shows_progress() -> bool:
    """Whether commands show progress bars: on a terminal, unless ``--quiet``."""
    return LOG.isEnabledFor(logging.INFO) and sys.stderr.isatty()


def print_json(content: Any) -> None:
    """Print what :func:`json.dumps` takes, and paths, as JSON."""
    echo(json.dumps(content, indent=1, allow_nan=False, default=os.fspath))


def print_rows(rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """Print rows as JSON or as :func:`print_table` does."""
    if as_json:
        print_json(rows)
    else:
        print_table(rows)


def print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as an aligned table: numbers to the right, text to the left.

    All rows have the same keys, which are the headings.
    """
    from llpbench.markdown import format_cells

    if not rows:
        return
    values = format_cells([list(row.values()) for row in rows])
    cells = [[printable(cell) for cell in line] for line in values]
    headings = list(rows[0])
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    right = [all(isinstance(row[name], int | float | None) for row in rows) for name in headings]
    for line in [headings, ["-" * width for width in widths], *cells]:
        aligned = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ]
        echo("  ".join(aligned).rstrip())


def print_paths(paths: Mapping[str, Path], as_json: bool) -> None:
    """Print where files were written, one a line, or as JSON by what they hold."""
    if as_json:
        print_json(paths)
    else:
        echo("\n".join(map(str, paths.values())))


def print_folder(folder: Path) -> None:
    """Print the names of the files in a folder."""
    for path in sorted(folder.iterdir()):
        echo(f"  {path.name}")


def log_remarks(remarks: Iterable[str]) -> None:
    """Log what was out of order."""
    for remark in remarks:
        LOG.warning(remark)


def readable(size: int) -> str:
    """Write a number of bytes as people read it, such as 2.5 MB."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"
