"""The tables of the database; times are seconds since 1970 of the server's clock."""

from __future__ import annotations

import sqlalchemy as sa

FORMAT = 1

WAITING, SCORING, SCORED = "waiting", "scoring", "scored"
REFUSED, FAILED, CANCELLED = "refused", "failed", "cancelled"
"""States of a submission."""

IN_QUEUE = (WAITING, SCORING)
COUNTED = (*IN_QUEUE, SCORED)
"""Those that cost the team one of its day, and whose files are kept."""

NOTHING = (REFUSED, FAILED, CANCELLED)
"""Those that do not."""

METADATA = sa.MetaData()


def _id() -> sa.Column[str]:
    return sa.Column("id", sa.String(16), primary_key=True)


ABOUT = sa.Table(
    "about",
    METADATA,
    sa.Column("name", sa.String(20), primary_key=True),
    sa.Column("value", sa.String(64), nullable=False),
)
"""The format of these tables, and the secret that cookies are signed with."""

TEAMS = sa.Table(
    "teams",
    METADATA,
    _id(),
    sa.Column("name", sa.String(80), nullable=False, unique=True),
    sa.Column("token", sa.String(64), nullable=False, unique=True),
    sa.Column("added", sa.Double, nullable=False),
    sa.Column("served", sa.Double, nullable=False),
)
"""``token``: its SHA-256. ``served``: when a submission of the team was last taken to be scored."""

SUBMISSIONS = sa.Table(
    "submissions",
    METADATA,
    _id(),
    sa.Column("team", sa.ForeignKey("teams.id"), nullable=False),
    sa.Column("track", sa.String(80), nullable=False),
    sa.Column("ending", sa.String(8), nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("received", sa.Double, nullable=False),
    sa.Column("state", sa.String(10), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("lease", sa.String(16)),
    sa.Column("lease_ends", sa.Double),
    sa.Column("finished", sa.Double),
    sa.Column("sentence", sa.String(700)),
    sa.Column("shown", sa.Double),
    sa.Column("kept", sa.ForeignKey("submissions.id")),
    sa.Index("submissions_of_team", "team", "received"),
    sa.Index("submissions_in_state", "state", "lease_ends"),
)
"""``lease``: who scores it, until ``lease_ends``. ``sentence``: why it was not scored. ``shown``:
the score that the team sees. ``kept``: the submission whose marks the ladder goes on from."""

MARKS = sa.Table(
    "marks",
    METADATA,
    sa.Column("submission", sa.ForeignKey("submissions.id"), primary_key=True),
    sa.Column("content", sa.Text, nullable=False),
)
"""What the judge found; it is read for the ladder and the standings alone."""

AUDIT = sa.Table(
    "audit",
    METADATA,
    _id(),
    sa.Column("at", sa.Double, nullable=False, index=True),
    sa.Column("action", sa.String(20), nullable=False),
    sa.Column("team", sa.String(16)),
    sa.Column("submission", sa.String(16)),
    sa.Column("address", sa.String(45)),
)
"""Who did what, and from where; it outlives what it names."""
