"""Submissions of teams: received within the rules, listed, cancelled."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from llpbench.challenge.rules import Rules
from llpbench.challenge.server.audit import note
from llpbench.challenge.server.database import Database
from llpbench.challenge.server.refusals import RefusalError
from llpbench.challenge.server.tables import (
    CANCELLED,
    COUNTED,
    IN_QUEUE,
    NOTHING,
    SCORED,
    SUBMISSIONS,
    TEAMS,
    WAITING,
)
from llpbench.challenge.server.teams import lock_team
from llpbench.challenge.server.times import readable
from llpbench.challenge.server.uploads import Upload

MOST_AN_HOUR = 60
"""Submissions of a team in an hour, of whatever came of them."""

_DAY, _HOUR = 86_400, 3600


@dataclass(frozen=True)
class Submission:
    """A submission as its team may see it."""

    id: str
    track: str
    bytes: int
    sha256: str
    received: float
    state: str
    finished: float | None
    sentence: str | None
    shown: float | None


_SHOWN = [SUBMISSIONS.c[name] for name in Submission.__dataclass_fields__]


def check_dates(rules: Rules) -> None:
    """Refuse a submission before the challenge opens, and from its closing on."""
    if rules.has_closed():
        raise RefusalError(403, f"the challenge closed on {_day(rules.closes)}")
    if not rules.is_open():
        raise RefusalError(403, f"the challenge opens on {_day(rules.opens)}; come back then")


def receive(
    database: Database, rules: Rules, team: str, upload: Upload, track: str, address: str
) -> tuple[Submission, bool]:
    """Put a file that is on the disk into the queue, and say whether it is new there.

    The same file of a team in the same track, waiting or scored, is the same submission: whoever
    got no answer may send it again.

    Raises
    ------
    RefusalError
        If the challenge is closed, the track is none of it, or the team has sent as many today, or
        in this hour, as it may.
    """
    check_dates(rules)
    if track not in rules.tracks:
        raise RefusalError(
            422, f"there is no such track; expected one of {', '.join(rules.tracks)}"
        )
    own = SUBMISSIONS.c.team == team
    with database.writing() as connection:
        lock_team(connection, team)
        same = (SUBMISSIONS.c.track == track, SUBMISSIONS.c.sha256 == upload.sha256)
        counted = SUBMISSIONS.c.state.in_(COUNTED)
        known = connection.execute(sa.select(*_SHOWN).where(own, *same, counted)).first()
        if known is not None:
            return Submission(**known._mapping), False
        _check_number(connection, rules, team)
        row: dict[str, Any] = {"id": upload.id, "team": team, "track": track, "state": WAITING}
        row |= {"ending": upload.ending, "bytes": upload.bytes, "sha256": upload.sha256}
        row |= {"received": time.time(), "attempts": 0}
        connection.execute(sa.insert(SUBMISSIONS), row)
        note(connection, "received", team=team, submission=upload.id, address=address)
        new = connection.execute(sa.select(*_SHOWN).where(SUBMISSIONS.c.id == upload.id)).one()
    return Submission(**new._mapping), True


def left_today(database: Database, rules: Rules, team: str) -> int:
    """How many submissions a team may still send until midnight UTC."""
    with database.reading() as connection:
        return rules.submissions_a_day - _sent_today(connection, team)


def submissions_of(database: Database, team: str) -> list[Submission]:
    """All submissions of a team, the latest first."""
    of_team = sa.select(*_SHOWN).where(SUBMISSIONS.c.team == team)
    with database.reading() as connection:
        rows = connection.execute(of_team.order_by(SUBMISSIONS.c.received.desc())).all()
    return [Submission(**row._mapping) for row in rows]


def submission_of(database: Database, team: str, identity: str) -> Submission:
    """A submission of a team; those of others are not there."""
    one = sa.select(*_SHOWN).where(SUBMISSIONS.c.team == team, SUBMISSIONS.c.id == identity)
    with database.reading() as connection:
        row = connection.execute(one).first()
    if row is None:
        raise RefusalError(404, "your team has no such submission")
    return Submission(**row._mapping)


def counted_by_team(database: Database) -> list[dict[str, Any]]:
    """List all teams by name: how many submissions were scored, wait, or came to nothing."""
    states = {"scored": (SCORED,), "in queue": IN_QUEUE, "came to nothing": NOTHING}
    counts = [
        sa.func.count().filter(SUBMISSIONS.c.state.in_(some)).label(name)
        for name, some in states.items()
    ]
    rows = sa.select(TEAMS.c.name.label("team"), *counts).outerjoin(SUBMISSIONS)
    rows = rows.group_by(TEAMS.c.name).order_by(TEAMS.c.name)
    with database.reading() as connection:
        return [dict(row._mapping) for row in connection.execute(rows)]


def kept_files(database: Database) -> set[str]:
    """Ids of the submissions whose files are kept."""
    kept = sa.select(SUBMISSIONS.c.id).where(SUBMISSIONS.c.state.in_(COUNTED))
    with database.reading() as connection:
        return set(connection.execute(kept).scalars())


def cancel(database: Database, team: str, identity: str, address: str) -> Submission:
    """Take back a submission that is not scored yet; it costs none of the day.

    Raises
    ------
    RefusalError
        If the team has none such, or it is scored or refused already.
    """
    one = (SUBMISSIONS.c.team == team, SUBMISSIONS.c.id == identity)
    with database.writing() as connection:
        lock_team(connection, team)
        changed = connection.execute(
            sa.update(SUBMISSIONS)
            .where(*one, SUBMISSIONS.c.state.in_(IN_QUEUE))
            .values(state=CANCELLED, lease=None, lease_ends=None, finished=time.time())
        )
        if changed.rowcount:
            note(connection, "cancelled", team=team, submission=identity, address=address)
    submission = submission_of(database, team, identity)
    if not changed.rowcount:
        raise RefusalError(409, f"the submission is {submission.state} and cannot be cancelled")
    return submission


def _check_number(connection: sa.Connection, rules: Rules, team: str) -> None:
    now = time.time()
    if _sent_today(connection, team) >= rules.submissions_a_day:
        raise RefusalError(
            429,
            f"a team may send {rules.submissions_a_day} submissions a day, and yours has; come "
            "back after midnight UTC",
            _DAY - now % _DAY,
        )
    if _sent_since(connection, team, now - _HOUR) >= MOST_AN_HOUR:
        raise RefusalError(
            429, f"a team may send {MOST_AN_HOUR} files an hour; come back in an hour", _HOUR
        )


def _sent_today(connection: sa.Connection, team: str) -> int:
    midnight = time.time() // _DAY * _DAY
    return _sent_since(connection, team, midnight, SUBMISSIONS.c.state.in_(COUNTED))


def _sent_since(
    connection: sa.Connection, team: str, start: float, *which: sa.ColumnElement[bool]
) -> int:
    count = sa.select(sa.func.count()).select_from(SUBMISSIONS)
    own = (SUBMISSIONS.c.team == team, SUBMISSIONS.c.received >= start)
    return int(connection.execute(count.where(*own, *which)).scalar_one())


def _day(at: datetime) -> str:
    return f"{readable(at.timestamp())} UTC"
