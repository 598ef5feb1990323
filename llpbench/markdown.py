"""Writing Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from llpbench.writing import replace_text


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""Write a table.

    Parameters
    ----------
    headings : sequence of str
    rows : iterable of sequence of str
        As long as the headings; vertical bars in them are escaped.

    Returns
    -------
    str
        Ends with a line break.

    Examples
    --------
    >>> print(markdown_table(["a", "b"], [["1", "2|3"]]), end="")
    | a | b |
    | --- | --- |
    | 1 | 2\|3 |
    """
    escaped = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    lines = [list(headings), ["---"] * len(headings), *escaped]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def replace_between(path: Path, begin: str, end: str, text: str) -> bool:
    """Put a text between two marks in a file.

    Parameters
    ----------
    path : Path
    begin, end : str
        Marks, which stay.
    text : str

    Returns
    -------
    bool
        Whether there is such a file with such marks; without, nothing is written.
    """
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
