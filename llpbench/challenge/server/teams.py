"""Teams and their tokens, of which the database knows digests only."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass

import sqlalchemy as sa

from llpbench.challenge.server.audit import note
from llpbench.challenge.server.database import Database
from llpbench.challenge.server.tables import TEAMS
from llpbench.errors import LLPBenchError

LONGEST_NAME = 60

_TOKEN = re.compile(r"llpb_[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True)
class Team:
    """A team; ``token`` is the digest of what it signs in with."""

    id: str
    name: str
    token: str


def add_team(database: Database, name: str) -> str:
    """Add a team; the token returned is told nowhere else.

    Raises
    ------
    LLPBenchError
        If the name is taken, empty, longer than :data:`LONGEST_NAME` or does not print.
    """
    if not (1 <= len(name) <= LONGEST_NAME and name.isprintable() and name == name.strip()):
        raise LLPBenchError(
            f"expected a name of a team of 1 to {LONGEST_NAME} characters that print, without "
            f"spaces around it, found {name!r:.100}"
        )
    token, now = _new_token(), time.time()
    row = {"id": secrets.token_hex(8), "name": name, "token": _digest(token)}
    with database.writing() as connection:
        if _named(connection, name) is not None:
            raise LLPBenchError(
                f"there is a team {name!r}; `llpbench challenge team renew` gives it a new token"
            )
        connection.execute(sa.insert(TEAMS), row | {"added": now, "served": 0.0})
        note(connection, "team added", team=row["id"])
    return token


def renew_token(database: Database, name: str) -> str:
    """Give a team a new token; the former, and whoever is signed in with it, is known no more.

    Raises
    ------
    LLPBenchError
        If there is no such team.
    """
    token = _new_token()
    with database.writing() as connection:
        team = _named(connection, name)
        if team is None:
            raise LLPBenchError(
                f"there is no team {name!r:.100}; `llpbench challenge team list` lists them"
            )
        changed = sa.update(TEAMS).where(TEAMS.c.id == team.id).values(token=_digest(token))
        connection.execute(changed)
        note(connection, "token renewed", team=team.id)
    return token


def team_of_token(database: Database, token: str) -> Team | None:
    """The team whose token this is, or None.

    What is looked up is a digest, so that the time it takes tells nothing of any token.
    """
    if not _TOKEN.fullmatch(token):
        return None
    digest = _digest(token)
    with database.reading() as connection:
        row = connection.execute(sa.select(TEAMS).where(TEAMS.c.token == digest)).first()
    if row is None or not hmac.compare_digest(row.token, digest):
        return None
    return Team(row.id, row.name, row.token)


def team_of_id(database: Database, identity: str) -> Team | None:
    """The team with this id, or None."""
    with database.reading() as connection:
        row = connection.execute(sa.select(TEAMS).where(TEAMS.c.id == identity)).first()
    return None if row is None else Team(row.id, row.name, row.token)


def lock_team(connection: sa.Connection, identity: str) -> None:
    """Wait until no other transaction writes what is of a team, and keep others from it."""
    connection.execute(sa.select(TEAMS.c.id).where(TEAMS.c.id == identity).with_for_update())


def _named(connection: sa.Connection, name: str) -> sa.Row[tuple[str]] | None:
    return connection.execute(sa.select(TEAMS.c.id).where(TEAMS.c.name == name)).first()


def _new_token() -> str:
    return f"llpb_{secrets.token_urlsafe(32)}"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
