"""Methods by metrics, with intervals and what is best: a table for a paper, and its forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from llpbench import notebook
from llpbench.latex import escape_latex, latex_table
from llpbench.markdown import escape_markdown, format_interval, markdown_table

_VALUES = "Means over seeds; in brackets 95 % intervals over divisions and seeds."
_MARKS = (
    "{best}: the best of its column; †: not told apart from it (permutation test by division, "
    "Holm's correction over all pairs of the column)."
)


@dataclass(frozen=True, repr=False)
class ResultsTable:
    """Results of methods, a row each, in the forms that papers, pages and notebooks take.

    Parameters
    ----------
    frame : DataFrame
        A row for each method, dataset and metric: ``method``, ``dataset``, ``metric`` (name),
        ``title`` with an arrow that says which values are good, ``value`` (mean over seeds),
        ``low`` and ``high`` of its 95 % interval (NaN where there is none), ``seeds``, and
        ``mark``: ``best`` of its column, ``not told apart`` from it, or empty.
    notes : tuple of str
        What is to be known beside it, in sentences.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...]

    def to_markdown(self) -> str:
        """In Markdown: best values bold, intervals in brackets, notes below."""
        heads = map(_escape_markdown, self._headings())
        rows = self._rows(_escape_markdown, "**{}**", "{}")
        notes = _escape_markdown(" ".join(self._said("Bold")))
        return f"{markdown_table(list(heads), rows)}\n{notes}\n"

    def to_latex(self) -> str:
        """For LaTeX with the packages booktabs and inputenc (utf8): a tabular, and the notes."""
        columns = self._columns()
        several = len({dataset for dataset, _title in columns}) > 1
        groups = ["", *(dataset if several else "" for dataset, _title in columns), ""]
        heads = ["method", *(title for _dataset, title in columns), "seeds"]
        rows = self._rows(escape_latex, r"\textbf{{{}}}", r"{{\scriptsize {}}}")
        notes = escape_latex(" ".join(self._said("Bold")))
        return f"{latex_table(groups, heads, rows)}\n\\par\\smallskip{{\\footnotesize {notes}}}\n"

    def to_rows(self) -> list[dict[str, str]]:
        """As plain text by heading: best values with an asterisk."""
        heads = self._headings()
        rows = self._rows(str, "{}*", "{}")
        return [dict(zip(heads, row, strict=True)) for row in rows]

    def legend(self) -> str:
        """What the marks of :meth:`to_rows` mean, and the notes."""
        return " ".join(self._said("*"))

    def __repr__(self) -> str:
        """One line."""
        methods, columns = self.frame["method"].nunique(), len(self._columns())
        return f"<ResultsTable: {methods} methods, {columns} columns>"

    def __str__(self) -> str:
        """In Markdown."""
        return self.to_markdown()

    def _repr_html_(self) -> str:
        rows = self._rows(str, "<strong>{}</strong>", "<small>{}</small>")
        cells = [[row[0], *map(notebook.Html, row[1:])] for row in rows]
        heads = self._headings()
        shown = notebook.table(heads, cells, numbers=range(1, len(heads)))
        return notebook.card("Results", shown, note=" ".join(self._said("Bold")))

    def _columns(self) -> list[tuple[str, str]]:
        pairs = self.frame[["dataset", "title"]].drop_duplicates()
        return list(pairs.itertuples(index=False, name=None))

    def _headings(self) -> list[str]:
        columns = self._columns()
        several = len({dataset for dataset, _title in columns}) > 1
        titles = [f"{data}: {title}" if several else title for data, title in columns]
        return ["method", *titles, "seeds"]

    def _rows(self, escape: Callable[[str], str], bold: str, small: str) -> Iterator[list[str]]:
        """A method, its cells in the order of the columns, and its seeds."""
        for method, rows in self.frame.groupby("method", sort=False):
            cells = {
                (row.dataset, row.title): _write_cell(row, bold, small, escape("†"))
                for row in rows.itertuples()
            }
            seeds = "/".join(map(str, rows["seeds"].unique()))
            values = [cells.get(column, "") for column in self._columns()]
            yield [escape(str(method)), *values, seeds]

    def _said(self, best: str) -> list[str]:
        marks = [_MARKS.format(best=best)] if self.frame["mark"].any() else []
        return [_VALUES, *marks, *self.notes]


def _escape_markdown(text: str) -> str:
    """Escaped, but for colons that end no word of a link."""
    return escape_markdown(text).replace(r"\: ", ": ")


def _write_cell(row: Any, bold: str, small: str, dagger: str) -> str:
    if not np.isfinite(row.value):
        return ""
    value = f"{row.value:z.4f}"
    marked = {"best": bold.format(value), "not told apart": f"{value}{dagger}"}
    interval = format_interval(row.low, row.high, decimals=4, to=", ")
    return " ".join(
        [marked.get(row.mark, value), *([small.format(f"[{interval}]")] if interval else [])]
    )
