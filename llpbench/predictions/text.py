"""Tables as text, as programs write them: any separator and encoding, gzipped or not."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from llpbench.errors import PredictionsError

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

SEPARATORS = (",", ";", "\t", "|")
MOST_COLUMNS = 512
"""Columns of the widest table read; a dataset has at most 255 classes."""

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_text_table(path: Path, largest: int) -> pa.Table:
    """Read a table with a heading; all cells are text.

    Parameters
    ----------
    largest : int
        Bytes read at most, inflated.

    Returns
    -------
    Table
        Columns under the names of the heading; ``""`` for one that has no name there, as the
        names of rows that R writes.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    separator, names, body = _take_heading(_decode(_read(path, largest), path.name), path.name)
    if not body:
        return pa.table([pa.array([], pa.string()) for _ in names], names=names)
    numbers = [str(number) for number in range(len(names))]
    table = arrow_csv.read_csv(
        io.BytesIO(body.encode("utf-8")),
        arrow_csv.ReadOptions(column_names=numbers, use_threads=False),
        arrow_csv.ParseOptions(delimiter=separator, newlines_in_values=True),
        arrow_csv.ConvertOptions(column_types=dict.fromkeys(numbers, pa.string())),
    )
    return table.rename_columns(names)


def _read(path: Path, largest: int) -> bytes:
    with (gzip.open if path.suffix.lower() == ".gz" else Path.open)(path, "rb") as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise PredictionsError(
            f"{path.name} would be more than {largest} bytes large when read; predictions of these "
            "chips are smaller"
        )
    return content


def _decode(content: bytes, where: str) -> str:
    mark = next((mark for mark in _MARKS if content.startswith(mark)), None)
    try:
        text = content.decode(_MARKS[mark] if mark else "utf-8")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
        log.warning("%s is not in UTF-8; it was read as latin-1 (Windows-1252)", where)
    if "\0" in text:
        raise PredictionsError(f"{where} cannot be read as a table: it is no text")
    return text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n")


def _take_heading(text: str, where: str) -> tuple[str, list[str], str]:
    """Separator, a name for each column, and the rows."""
    head, _, body = text.partition("\n")
    separator = _separator(head)
    if head.casefold().startswith("sep=") and len(head) == 5:  # a line that Excel reads
        separator, (head, _, body) = head[4], body.partition("\n")
    names = [name.strip() for name in _cells(head, separator)]
    if not any(names) or len(names) > MOST_COLUMNS:
        raise PredictionsError(
            f"{where} cannot be read as a table: its first line must name the columns, found "
            f"{len(names)} of them"
        )
    body = body.lstrip("\n")
    first = _cells(body.partition("\n")[0], separator)
    if len(first) == len(names) + 1:  # R names rows but not their column; others end with one more
        names = ["", *names] if first[-1] else [*names, ""]
    return separator, names, body


def _separator(head: str) -> str:
    counts = {sign: _count(head, sign) for sign in SEPARATORS}
    best = max(counts, key=lambda sign: counts[sign])
    return best if counts[best] > 1 else " "


def _count(line: str, separator: str) -> int:
    """Cells of a line, none where quotes do not end at the separator."""
    try:
        return len(next(csv.reader([line], delimiter=separator, strict=True), []))
    except csv.Error:
        return 0


def _cells(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator), [])
