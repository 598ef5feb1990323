"""Tables as text, as programs write them: any separator and encoding."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator

import numpy as np
import pandas as pd

from llpbench.errors import LLPBenchError, examples

MOST_COLUMNS = 1000
MOST_CELLS = 2**24

_SAMPLE = 1_000_000
"""Characters by which the separator of a text is found."""

_DELIMITERS = ";\t,| "
_MARKS = (
    *((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32")),
    *((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")),
)


def read_rows(
    content: bytes, where: str, error: type[LLPBenchError]
) -> tuple[pd.DataFrame, list[str]]:
    r"""Read all lines, the heading among them, as rows of cells of text; also say what was guessed.

    Cells that a line has not are None. ``where`` is the file's name, ``error`` what is raised.

    Examples
    --------
    >>> rows, remarks = read_rows("Gemüse;%\nRüben;1,5\n".encode("latin-1"), "a.csv", LLPBenchError)
    >>> rows.to_numpy().tolist()
    [['Gemüse', '%'], ['Rüben', '1,5']]
    >>> remarks
    ["a.csv is not in UTF-8 and was read as Windows-1252: 'Gemüse'"]
    """
    try:
        text, remarks = _decode(content, where)
        if "\0" in text:
            raise ValueError("it is no text; save the table as csv in UTF-8")
        is_said = re.match("sep=.\n", text, re.IGNORECASE)  # a line that Excel reads
        delimiters, text = (text[4], text[6:]) if is_said else (_DELIMITERS, text)
        return _split(text, *_find_delimiter(text, delimiters)), remarks
    except (ValueError, csv.Error) as fault:
        raise error(f"{where} cannot be read as a table: {fault!s:.200}") from fault


def _decode(content: bytes, where: str) -> tuple[str, list[str]]:
    """Text in the encoding that it says, in UTF-8, or as Western Europe writes it."""
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8-sig")
    for name in (encoding, "Windows-1252", "latin-1"):
        try:
            text = content.decode(name)
        except UnicodeDecodeError:
            continue
        break
    remarks = []
    if name != encoding:
        words = re.findall(r"[^\n\t ,;|\"]+", text)
        word = next(word for word in words if not word.isascii())
        remarks.append(f"{where} is not in UTF-8 and was read as {name}: {examples([word])}")
    return text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n"), remarks


def _find_delimiter(text: str, delimiters: str) -> tuple[str, int]:
    """Find what separates cells: what makes most lines equally long; and how long."""
    sample = text[:_SAMPLE]
    if len(sample) < len(text):
        sample = sample[: sample.rfind("\n") + 1]
    if text and not sample:
        return delimiters[0], MOST_COLUMNS + 1
    for strict in (True, False):  # at first, quotes must end at what separates
        found = [
            (alike, -rank, delimiter, longest)
            for rank, delimiter in enumerate(delimiters)
            for alike, longest in _lengths(sample, delimiter, strict)
        ]
        if found:
            _, _, delimiter, width = max(f for f in found if f[2] != " " or len(found) == 1)
            return delimiter, width
    return delimiters[-1], 1


def _lengths(text: str, delimiter: str, strict: bool) -> Iterator[tuple[float, int]]:
    """How many lines are equally long, and the longest, if a delimiter parts them at all."""
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=strict))
    except csv.Error:
        return
    lengths = np.array([min(len(line), MOST_COLUMNS + 1) for line in lines if line] or [0])
    usual = int(np.bincount(lengths).argmax())
    if usual > 1:
        yield float((lengths == usual).mean()), int(lengths.max())


def _split(text: str, delimiter: str, width: int) -> pd.DataFrame:
    if not text.strip():
        raise ValueError("it is empty")
    if width > MOST_COLUMNS:
        raise ValueError(f"it has more than {MOST_COLUMNS:,} columns; keep those that are needed")
    if (text.count("\n") + 1) * width > MOST_CELLS:
        raise ValueError(f"it is too large; at most {MOST_CELLS:,} cells are read")
    rows = [line for line in csv.reader(io.StringIO(text), delimiter=delimiter) if line]
    if any(len(row) > width for row in rows):
        raise ValueError(f"lines have up to {max(map(len, rows))} cells, the first ones {width}")
    cells = (row if len(row) == width else row + [None] * (width - len(row)) for row in rows)
    return pd.DataFrame(list(cells), dtype=object)
