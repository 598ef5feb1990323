"""The audit log: what was done, when, for which team and from which address."""

from __future__ import annotations

import secrets
import time
from typing import Any

import sqlalchemy as sa

from llpbench.challenge.server.tables import AUDIT


def note(
    connection: sa.Connection,
    action: str,
    *,
    team: str | None = None,
    submission: str | None = None,
    address: str | None = None,
) -> None:
    """Add a line to the log, in the transaction of what it is about.

    Parameters
    ----------
    connection : Connection
        In which it is written or not, together with the rest.
    action : str
        A word or two of ours, such as ``"scored"``.
    team, submission : str, optional
        Their ids.
    address : str, optional
        Where a request came from.
    """
    line: dict[str, Any] = {"id": secrets.token_hex(8), "at": time.time(), "action": action}
    line |= {"team": team, "submission": submission, "address": address}
    connection.execute(sa.insert(AUDIT), line)
