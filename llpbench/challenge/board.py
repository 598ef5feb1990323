"""The board of a challenge: a page and a table that everybody may see, before and after its end."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from llpbench.challenge.folder import ChallengeFolder
from llpbench.challenge.ladder import CONFIDENCE
from llpbench.challenge.rules import Rules
from llpbench.challenge.standing import Standing, Submitted, standings
from llpbench.templates import page_templates
from llpbench.writing import replacing

TABLE = "standings.csv"
PAGE = "index.html"

_MOST_DRAWN = 40
"""Teams in the picture, from the top of the final ranking."""


def write_board(
    folder: ChallengeFolder, submissions: Sequence[Submitted], *, revealed: bool = False
) -> Path:
    """Write page and table in one step; the folder of both.

    Parameters
    ----------
    folder : ChallengeFolder
        Whose board it is.
    submissions : sequence of Submitted
        All that were scored, in the order of their arrival.
    revealed : bool
        Whether both halves are told. Until then nothing is written but what the Ladder shows: no
        value of a half, a class, a division or a submission.
    """
    rules = folder.rules()
    shown = rules.shown == "ladder"
    tables = {
        track: standings(submissions, track, shown=shown, revealed=revealed)
        for track in rules.tracks
    }
    with replacing(folder.board) as part:
        part.mkdir()
        (part / TABLE).write_text(standings_csv(tables, revealed=revealed), encoding="utf-8")
        page = render_board(rules, tables, revealed=revealed)
        (part / PAGE).write_text(page, encoding="utf-8")
    return folder.board


def standings_csv(tables: dict[str, list[Standing]], *, revealed: bool) -> str:
    """Write the standings of all tracks as one table, scores with all their digits at the end."""
    import pandas as pd

    columns = ["rank", "team", "score", "submissions"]
    if revealed:
        columns = ["final_rank", "team", "private", "public", "rank", "moved", "submissions"]
    rows = [
        {"track": track, **{name: getattr(row, name) for name in columns}}
        for track, table in tables.items()
        for row in table
    ]
    return pd.DataFrame(rows, columns=["track", *columns]).to_csv(index=False)


def render_board(rules: Rules, tables: dict[str, list[Standing]], *, revealed: bool) -> str:
    """Make the page, one file without scripts; all text of others is escaped."""
    environment = page_templates("llpbench.challenge")
    environment.filters |= {"day": _day, "number": _number}
    pictures = {track: _picture(rows, track) for track, rows in tables.items() if revealed and rows}
    return environment.get_template("board.html").render(
        rules=rules,
        tables=tables,
        revealed=revealed,
        pictures=pictures,
        confidence=round(100 * CONFIDENCE),
        drawn=_MOST_DRAWN,
    )


def _picture(rows: list[Standing], track: str) -> str:
    from llpbench.plots.shake_up import draw_shake_up

    places = [
        (row.team, row.rank, row.final_rank)
        for row in rows[:_MOST_DRAWN]
        if row.rank is not None and row.final_rank is not None
    ]
    content: Any = io.BytesIO()
    draw_shake_up(places, track).savefig(content, format="png", bbox_inches="tight")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M %Z")


def _number(value: float | None, decimals: int | None = None) -> str:
    if value is None:
        return ""
    return f"{value:.{decimals}f}" if decimals else f"{value:.9f}".rstrip("0")
