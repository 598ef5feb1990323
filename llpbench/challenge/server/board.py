"""The board: standings of all tracks, as everybody may see them at this moment."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from llpbench.challenge.marks import Marks
from llpbench.challenge.server.database import Database
from llpbench.challenge.server.service import Service
from llpbench.challenge.server.tables import IN_QUEUE, MARKS, SCORED, SUBMISSIONS, TEAMS
from llpbench.challenge.standing import Submitted, standings


def board_of(service: Service) -> dict[str, Any]:
    """Rank the teams of each track; both halves are told when they are revealed.

    It is made anew only when another submission has been scored.
    """
    rules = service.rules
    revealed = service.is_revealed and not _count(service.database, *IN_QUEUE)
    state = (_count(service.database, SCORED), revealed)
    if service.board is None or service.board[0] != state:
        scored, shown = _scored(service.database), rules.shown == "ladder"
        tracks = {
            track: [
                asdict(row) | {"moved": row.moved}
                for row in standings(scored, track, shown=shown, revealed=revealed)
            ]
            for track in rules.tracks
        }
        service.board = (state, {"revealed": revealed, "tracks": tracks})
    return service.board[1]


def _count(database: Database, *states: str) -> int:
    count = sa.select(sa.func.count()).select_from(SUBMISSIONS)
    with database.reading() as connection:
        return int(connection.execute(count.where(SUBMISSIONS.c.state.in_(states))).scalar_one())


def _scored(database: Database) -> list[Submitted]:
    rows = sa.select(TEAMS.c.name, MARKS.c.content).select_from(SUBMISSIONS)
    rows = rows.join(TEAMS, TEAMS.c.id == SUBMISSIONS.c.team)
    rows = rows.join(MARKS, MARKS.c.submission == SUBMISSIONS.c.id)
    rows = rows.where(SUBMISSIONS.c.state == SCORED).order_by(SUBMISSIONS.c.received)
    with database.reading() as connection:
        return [
            Submitted(row.name, Marks.from_json(row.content)) for row in connection.execute(rows)
        ]
