"""Results as HTML for notebooks: readable wherever ink and ground of a page go together.

No colour is set: texts take that of the page, in light and in dark, and lines are drawn in it.
Tables have the class that pandas gives its own, by which themes know them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from llpbench.errors import printable

_CELL = "color: inherit; padding: .2em .6em; text-align: {}; vertical-align: top"
_TABLE = "border-collapse: collapse; color: inherit; margin: .4em 0"
_LINE = "border-bottom: 1px solid currentColor; overflow-wrap: normal"

_WORD = "min-width: 7em"
"""Of headings of rows, so that beside a long name they are not broken inside a word."""


class Html(str):
    """Text that is HTML already; all other text is escaped."""


class Table(Html):
    """A table that :func:`table` wrote."""


def card(title: str, *parts: str, note: str = "") -> str:
    """Put a title, paragraphs or tables, and a note together.

    Examples
    --------
    >>> "<strong>a &lt;b&gt;</strong>" in card("a <b>", "text")
    True
    """
    shown = [Html(f"<strong>{escape_html(title)}</strong>"), *parts, note]
    blocks = [part if isinstance(part, Table) else _paragraph(part) for part in shown if part]
    style = "color: inherit; overflow-wrap: anywhere"  # long names stay within the page
    return f'<div style="{style}">{"".join(blocks)}</div>'


def table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = ()
) -> Table:
    """Write a table, its columns of ``numbers`` to the right and in one line.

    Without headings the first cell of each row is its heading.

    Examples
    --------
    >>> shown = table(["metric", "value"], [["<b>", Html("<i>2</i>")]], numbers=[1])
    >>> "&lt;b&gt;" in shown, "<i>2</i>" in shown
    (True, True)
    """
    right = set(numbers)
    head = "".join(_cell("th", text, n in right, _LINE) for n, text in enumerate(headings))
    first = "td" if headings else "th"
    body = "".join("".join(["<tr>", *_row(row, first, right), "</tr>"]) for row in rows)
    head = f"<thead><tr>{head}</tr></thead>" if headings else ""
    return Table(f'<table class="dataframe" style="{_TABLE}">{head}<tbody>{body}</tbody></table>')


def swatch(colour: str) -> Html:
    """A small square of a colour, such as ``#4477aa``, framed so that any ground shows it."""
    style = f"background: {colour}; border: 1px solid currentColor; display: inline-block"
    return Html(f'<span style="{escape(style)}; height: .8em; width: .8em"></span>')


def escape_html(text: str) -> str:
    """Text as a page shows it, what does not print as an escape; what is HTML stays so."""
    if isinstance(text, Html):
        return text
    return escape("\n".join(map(printable, text.split("\n"))))


def _row(cells: Sequence[str], first: str, right: set[int]) -> Iterator[str]:
    for number, text in enumerate(cells):
        is_heading = number == 0 and first == "th"
        yield _cell("th" if is_heading else "td", text, number in right, _WORD * is_heading)


def _cell(tag: str, text: str, is_number: bool, more: str = "") -> str:
    side = "right" if is_number else "left"
    if tag == "td":
        more = f"white-space: {'nowrap' if is_number else 'normal'}"
    style = "; ".join(filter(None, [_CELL.format(side), more]))
    return f'<{tag} style="{style}">{escape_html(text)}</{tag}>'


def _paragraph(text: str) -> str:
    return f'<p style="color: inherit; margin: .3em 0; max-width: 60em">{escape_html(text)}</p>'
