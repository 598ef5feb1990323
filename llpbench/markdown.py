"""Writing Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


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
