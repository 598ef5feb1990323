"""A badge of each ranked entry, for its README: ``site/badges/<team>__<method>.svg``."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from llpbench.board.layout import Board
from llpbench.board.standings import Row, Table
from llpbench.markdown import format_interval
from llpbench.writing import discard, replacing

Placing = tuple[Table, Row]
"""A ranked row, and the table that it stands in."""

_LABEL = "llpbench"
_GROUND, _INDEPENDENT, _DESIGNED = "#3b4045", "#185a9d", "#7a4a00"
"""White text has a contrast of 7 or more on each, on whatever page they are shown."""

_TO = "\u2013"  # an en dash
_EM = 11
_ASCII = (
    "32 40 46 84 64 95 78 27 39 39 50 84 32 36 32 34 64 64 64 64 64 64 64 64 64 64 34 34 84 "
    "84 84 53 100 68 69 70 77 63 58 77 75 29 29 66 56 86 75 79 60 79 69 63 61 73 68 99 69 61 "
    "69 39 34 39 84 50 50 61 63 55 63 62 35 63 63 28 28 58 28 97 63 61 63 63 41 52 39 63 59 "
    "82 59 59 52 64 34 64 84"
)
"""Advance of each character from the space to the tilde in DejaVu Sans, in hundredths of its size:
that of Verdana, but for rounding."""
_ADVANCES = [int(number) for number in _ASCII.split()]


def write_badges(board: Board, tables: Sequence[Table]) -> None:
    """Write the badge of each ranked entry, and remove those of entries that are gone."""
    badges = {name: badge(placing) for name, placing in _best_placings(tables).items()}
    if not badges:
        discard(board.badges)
        return
    board.badges.parent.mkdir(parents=True, exist_ok=True)
    with replacing(board.badges) as partial:
        partial.mkdir()
        for name, text in badges.items():
            (partial / board.badge(name).name).write_text(text, encoding="utf-8")


def badge(placing: Placing) -> str:
    """Draw a badge as SVG: nothing in it runs, or is fetched; all text is escaped."""
    message, says = _message(placing), _description(placing)
    left, right = (text_width(text) + 10 for text in (_LABEL, message))
    width = left + right
    colour = _DESIGNED if placing[1].designed_here else _INDEPENDENT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" '
        f'viewBox="0 0 {width} 20" role="img" aria-label={quoteattr(says)}>'
        f"<title>{escape(says)}</title>"
        f'<rect width="{width}" height="20" rx="3" fill="{colour}"/>'
        f'<path d="M3 0H{left}V20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z" fill="{_GROUND}"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="{_EM}">'
        f'<text x="5" y="14" textLength="{left - 10}">{_LABEL}</text>'
        f'<text x="{left + 5}" y="14" textLength="{right - 10}">{escape(message)}</text>'
        "</g></svg>\n"
    )


def text_width(text: str) -> int:
    """Pixels that a text takes, at least nearly: browsers set it at exactly that width.

    Examples
    --------
    >>> text_width("llpbench"), text_width("地图")
    (47, 22)
    """
    return round(sum(map(_advance, text)) * _EM / 100)


def _advance(character: str) -> int:
    if " " <= character <= "~":
        return _ADVANCES[ord(character) - ord(" ")]
    if unicodedata.combining(character):
        return 0
    wide = unicodedata.east_asian_width(character) in "WF"
    return 100 if wide else 50 if character == _TO else 70


def _best_placings(tables: Sequence[Table]) -> dict[str, Placing]:
    """The placing that says most for each entry, by its name.

    One on data that the method was not designed on comes before others, one of a real place before
    synthetic ones; then the better rank, and the larger field.
    """
    placings: dict[str, Placing] = {}
    for table in tables:
        for row in table.rows:
            found = placings.get(row.id)
            if row.rank and (found is None or _order((table, row)) < _order(found)):
                placings[row.id] = table, row
    return placings


def _order(placing: Placing) -> tuple[bool, bool, int, int]:
    table, row = placing
    assert row.rank is not None
    return row.designed_here, table.synthetic, row.rank.rank, -_ranked(table)


def _ranked(table: Table) -> int:
    return sum(row.rank is not None for row in table.rows)


def _message(placing: Placing) -> str:
    """What stands on the badge."""
    table, row = placing
    marks = ["synthetic"] if table.synthetic else []
    marks += ["tuned on it"] if row.designed_here else []
    track = "" if table.track == "inductive" else f", {table.track}"
    also = f" ({', '.join(marks)})" if marks else ""
    return f"rank {_rank(row, _TO)} of {_ranked(table)}, {table.dataset}{also}{track}"


def _description(placing: Placing) -> str:
    """What is read out, and shown on hover."""
    table, row = placing
    mae = row.metrics["mae"]
    interval = format_interval(mae.low, mae.high, decimals=4, to=" to ")
    parts = [
        f"llpbench: {row.title} by {row.team}, rank {_rank(row, ' to ')} of {_ranked(table)} by "
        f"MAE {mae.value:.4f}" + (f" (95 % {interval})" if interval else ""),
        f"{'synthetic' if table.synthetic else 'real'} data {table.dataset}, {table.track} track",
    ]
    if row.designed_here:
        parts.append("designed or tuned on labels of these data")
    if row.scored:
        parts.append(f"scored {row.scored}")
    return "; ".join(parts)


def _rank(row: Row, to: str) -> str:
    """A rank and what the data allow: ``1 (1–2)``."""
    assert row.rank is not None
    rank, low, high = row.rank.rank, row.rank.low, row.rank.high
    return str(rank) if low == high else f"{rank} ({low}{to}{high})"
