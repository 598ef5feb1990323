"""How commands print: results on stdout, as tables or JSON; everything else through logging."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import click

from llpbench.cli.terminal import echo_message, is_terminal, line_width, wrap
from llpbench.errors import printable

if TYPE_CHECKING:
    from pathlib import Path

LOG = logging.getLogger("llpbench")
"""Of the whole package. INFO: what a command does; WARNING: notes; DEBUG: what is read, guessed
and how long it took."""

WIDE = "llpbench.wide"
"""Where the context of a command keeps that ``--wide`` was given."""


def echo(text: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Print text: all that commands print passes here.

    Much of it comes from files of others, so that what does not print is shown as an escape, lines
    apart.
    """
    click.echo("\n".join(map(printable, text.split("\n"))), err=err, nl=nl)


def say(text: str) -> None:
    """Print sentences on stdout, on a terminal broken into lines at words."""
    width = line_width()
    echo(text if width is None else "\n".join(wrap(text, width)))


class _StderrHandler(logging.Handler):
    """Writes to stderr as it is when a message comes, which tests replace."""

    def emit(self, record: logging.LogRecord) -> None:
        prefix = "note: " if record.levelno == logging.WARNING else ""
        # bars on the screen, of a module that is there only if there are any, stand below messages
        bars = sys.modules.get("tqdm")
        with bars.tqdm.external_write_mode(sys.stderr) if bars else nullcontext():
            echo_message(prefix, record.getMessage(), "yellow")


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
    return LOG.isEnabledFor(logging.INFO) and is_terminal(err=True)


def print_json(content: Any) -> None:
    """Print what :func:`json.dumps` takes, and paths, as JSON."""
    echo(json.dumps(content, indent=1, allow_nan=False, default=os.fspath))


def print_rows(rows: Sequence[Mapping[str, Any]], as_json: bool, **layout: Any) -> None:
    """Print rows as JSON or as :func:`print_table` does."""
    if as_json:
        print_json(rows)
    else:
        print_table(rows, **layout)


def print_table(rows: Sequence[Mapping[str, Any]], **layout: Any) -> None:
    """Print rows as an aligned table that fits the terminal, and name the columns left out.

    All rows have the same keys, which are the headings. Without a terminal, or with ``--wide``,
    nothing is left out. What matters most and what may stand out is said as to
    :func:`~llpbench.cli.tables.table_lines`.
    """
    from llpbench.cli.tables import table_lines

    if not rows:
        return
    context = click.get_current_context(silent=True)
    is_wide = context is not None and context.meta[WIDE]
    width = None if is_wide else line_width()
    lines, left_out = table_lines(rows, width, **layout)
    if width is not None and left_out:
        lines += ["", *wrap(f"also: {', '.join(left_out)}; --wide shows all", width)]
    click.echo("\n".join(lines))


def print_pairs(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print comparisons of pairs as a table, and below it their notes, each once."""
    about = ("dataset", "split", "of", "metric")
    telling = [name for name in about if len({row.get(name) for row in rows}) > 1]
    print_table(
        [{name: row[name] for name in row if name not in ("finding", "note")} for row in rows],
        order=("first", "second", *telling, "difference", "low", "high", "corrected", "p"),
        prose=("first", "second", "dataset"),
    )
    for note in dict.fromkeys(row["note"] for row in rows if row["note"]):
        echo()
        say(note)


def print_paths(paths: Mapping[str, Path], as_json: bool) -> None:
    """Print where files were written, one a line, or as JSON by what they hold."""
    if as_json:
        print_json(paths)
    else:
        echo("\n".join(map(str, paths.values())))


def print_folder(folder: Path) -> None:
    """Print the names of the files in a folder, and those of pictures in folders of it."""
    for path in sorted(folder.iterdir()):
        for shown in sorted(path.glob("*.png")) or [path]:
            echo(f"  {shown.relative_to(folder)}")


def print_error(message: str) -> None:
    """Print what went wrong, or could not be done, to stderr."""
    echo_message("llpbench: ", " ".join(message.split()), "red")


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
