"""What a team is shown of a scored submission: the rule of the ladder, kept in the database."""

from __future__ import annotations

import sqlalchemy as sa

from llpbench.challenge.ladder import Ladder
from llpbench.challenge.marks import Marks
from llpbench.challenge.server.database import Database
from llpbench.challenge.server.queue import Job, leave
from llpbench.challenge.server.tables import MARKS, SCORED, SUBMISSIONS
from llpbench.challenge.server.teams import lock_team


def finish(database: Database, job: Job, marks: Marks) -> bool:
    """Let a submission leave the queue with its marks; whether its lease still stood.

    Marks, and what the team is shown, are written in one transaction with the state.
    """
    with database.writing() as connection:
        lock_team(connection, job.team)
        before, kept = _reached(connection, job)
        now = before.after(marks)
        kept = job.id if now.kept is marks else kept
        is_ours = leave(connection, job, SCORED, shown=now.score, kept=kept)
        if is_ours:
            row = {"submission": job.id, "content": marks.to_json()}
            connection.execute(sa.insert(MARKS), row)
    return is_ours


def _reached(connection: sa.Connection, job: Job) -> tuple[Ladder, str | None]:
    """Where the team's ladder stands in the track, and by which submission."""
    own = (SUBMISSIONS.c.team == job.team, SUBMISSIONS.c.track == job.track)
    last = sa.select(SUBMISSIONS.c.shown, MARKS)
    last = last.join(MARKS, MARKS.c.submission == SUBMISSIONS.c.kept)
    last = last.where(*own, SUBMISSIONS.c.state == SCORED)
    row = connection.execute(last.order_by(SUBMISSIONS.c.received.desc()).limit(1)).first()
    if row is None:
        return Ladder(), None
    return Ladder(Marks.from_json(row.content), row.shown), row.submission
