"""Cookies of who is signed in on the pages, and what their forms carry against forgery."""

from __future__ import annotations

import hashlib
import hmac
import re
import time

from llpbench.challenge.server.database import Database
from llpbench.challenge.server.teams import Team, team_of_id

SECONDS = 12 * 3600
"""How long a team stays signed in."""

_COOKIE = re.compile(r"([0-9a-f]{16})\.([0-9]{10})\.([0-9a-f]{64})", re.ASCII)


def make_cookie(database: Database, team: Team) -> str:
    """A cookie that says which team this is, and until when; nobody else can make it.

    It is signed together with the team's token, and so worth nothing when that is renewed.
    """
    said = f"{team.id}.{int(time.time()) + SECONDS}"
    return f"{said}.{_sign(database, 'session', said, team.token)}"


def team_of_cookie(database: Database, cookie: str) -> Team | None:
    """The team that is signed in, or None."""
    found = _COOKIE.fullmatch(cookie)
    if not found or int(found[2]) < time.time():
        return None
    team = team_of_id(database, found[1])
    if team is None:
        return None
    expected = _sign(database, "session", f"{found[1]}.{found[2]}", team.token)
    return team if hmac.compare_digest(expected, found[3]) else None


def form_token(database: Database, cookie: str) -> str:
    """What the forms of a session carry, which other sites cannot know."""
    return _sign(database, "form", cookie)


def is_form_token(database: Database, cookie: str, given: str) -> bool:
    """Whether a form is one of this session."""
    return hmac.compare_digest(form_token(database, cookie).encode(), given.encode())


def _sign(database: Database, *parts: str) -> str:
    return hmac.new(database.secret, "|".join(parts).encode(), hashlib.sha256).hexdigest()
