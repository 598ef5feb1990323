"""The queue: submissions that wait, are leased to whoever scores them, and leave it once.

A lease is a word that only its holder knows, and ends. What a holder says counts as long as its
word stands with the submission, so that one that was thought dead, or whose submission was
cancelled, changes nothing. A team's submissions are scored one after the other, in the order in
which they came, and teams take turns.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from llpbench.challenge.server.audit import note
from llpbench.challenge.server.database import Database
from llpbench.challenge.server.tables import (
    FAILED,
    IN_QUEUE,
    REFUSED,
    SCORING,
    SUBMISSIONS,
    TEAMS,
    WAITING,
)
from llpbench.errors import printable

MOST_ATTEMPTS = 5
"""Leases that may run out before a submission is given up."""

_LONGEST_SENTENCE = 700

_of = SUBMISSIONS.c


@dataclass(frozen=True)
class Job:
    """A submission that is leased."""

    id: str
    team: str
    track: str
    ending: str
    lease: str


def take(database: Database, seconds: float) -> Job | None:
    """Lease the next submission for some seconds; None where no team has one to be scored now."""
    with database.writing() as connection:
        team = _next_team(connection)
        if team is None:
            return None
        # read after its row is locked: another may have taken one of the team in between
        known = sa.select(SUBMISSIONS).where(_of.team == team, _of.state.in_(IN_QUEUE))
        rows = connection.execute(known.order_by(_of.received, _of.id)).all()
        if not rows or any(row.state == SCORING for row in rows):
            return None
        now, lease = time.time(), secrets.token_hex(8)
        leased = {"state": SCORING, "lease": lease, "lease_ends": now + seconds}
        leased["attempts"] = _of.attempts + 1
        connection.execute(sa.update(SUBMISSIONS).where(_of.id == rows[0].id).values(leased))
        connection.execute(sa.update(TEAMS).where(TEAMS.c.id == team).values(served=now))
        note(connection, "taken", team=team, submission=rows[0].id)
    return Job(rows[0].id, team, rows[0].track, rows[0].ending, lease)


def renew(database: Database, job: Job, seconds: float) -> None:
    """Let a lease that still stands end later."""
    own = (_of.id == job.id, _of.lease == job.lease)
    later = sa.update(SUBMISSIONS).where(*own).values(lease_ends=time.time() + seconds)
    with database.writing() as connection:
        connection.execute(later)


def leave(connection: sa.Connection, job: Job, state: str, **values: Any) -> bool:
    """Let a submission leave the queue, if this lease of it still stands; whether it does."""
    values |= {"state": state, "lease": None, "lease_ends": None, "finished": time.time()}
    own = (_of.id == job.id, _of.lease == job.lease)
    if not connection.execute(sa.update(SUBMISSIONS).where(*own).values(values)).rowcount:
        return False
    note(connection, state, team=job.team, submission=job.id)
    return True


def refuse(database: Database, job: Job, sentence: str) -> bool:
    """Let a submission leave the queue whose file is wrong; whether the lease still stood."""
    text = printable(sentence)[:_LONGEST_SENTENCE]
    with database.writing() as connection:
        return leave(connection, job, REFUSED, sentence=text)


def reap(database: Database) -> None:
    """Put submissions back whose lease ran out, and give up those it did too often."""
    over = (_of.state == SCORING, _of.lease_ends < time.time())
    sentence = "scoring ended without a result several times; tell the organisers, or send it again"
    given_up = {"state": FAILED, "finished": time.time(), "sentence": sentence}
    none: dict[str, Any] = {"lease": None, "lease_ends": None}
    with database.writing() as connection:
        for row in connection.execute(sa.select(SUBMISSIONS).where(*over)).all():
            values = given_up if row.attempts >= MOST_ATTEMPTS else {"state": WAITING}
            same = (_of.id == row.id, _of.lease == row.lease, *over)  # unless renewed meanwhile
            update = sa.update(SUBMISSIONS).where(*same).values(values | none)
            if connection.execute(update).rowcount:
                note(connection, "lease ran out", team=row.team, submission=row.id)


def waiting(database: Database) -> tuple[int, float]:
    """How many submissions are in the queue, and for how many seconds none of it was taken."""
    which = sa.select(sa.func.count(), sa.func.min(_of.received))
    with database.reading() as connection:
        count, first = connection.execute(which.where(_of.state.in_(IN_QUEUE))).one()
        served = connection.execute(sa.select(sa.func.max(TEAMS.c.served))).scalar_one()
    return count, time.time() - max(first, served) if count else 0.0


def _next_team(connection: sa.Connection) -> str | None:
    """The team whose turn it is, its row locked; those that others have locked are passed over."""
    of_team = sa.select(_of.id).where(TEAMS.c.id == _of.team)
    waits, is_scored = (of_team.where(_of.state == state).exists() for state in (WAITING, SCORING))
    turn = sa.select(TEAMS.c.id).where(waits, ~is_scored).order_by(TEAMS.c.served, TEAMS.c.id)
    found = connection.execute(turn.limit(1).with_for_update(skip_locked=True)).first()
    return None if found is None else str(found.id)
