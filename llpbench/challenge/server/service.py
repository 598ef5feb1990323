"""What the server of one challenge works with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from llpbench.challenge.folder import ChallengeFolder
from llpbench.challenge.rules import Rules
from llpbench.challenge.server.database import Database, sqlite_url
from llpbench.challenge.server.rates import Rate, Slots
from llpbench.challenge.server.uploads import Inbox


@dataclass
class Service:
    """A challenge, its database and its files, and how often who may ask for what.

    Parameters
    ----------
    folder : ChallengeFolder
        The challenge.
    rules : Rules
        As they were when the process started.
    database : Database
        Of teams and submissions.
    inbox : Inbox
        Of their files.
    guesses, uploads, arriving : Rate, Rate, Slots
        Unknown tokens of an address; files of a team, and those that arrive at the same time.
    board : tuple, optional
        The board as it was last made, behind what it was made of.
    """

    folder: ChallengeFolder
    rules: Rules
    database: Database
    inbox: Inbox
    guesses: Rate = field(default_factory=lambda: Rate(20, 60))
    uploads: Rate = field(default_factory=lambda: Rate(60, 60))
    arriving: Slots = field(default_factory=lambda: Slots(32, 2))
    board: tuple[object, dict[str, Any]] | None = None

    @property
    def is_revealed(self) -> bool:
        """Whether both halves are told: the organisers decide when, not before it has closed."""
        return self.rules.has_closed() and self.folder.is_revealed


def open_service(folder: ChallengeFolder, url: str | None) -> Service:
    """Open the database of a challenge, by default a file in its folder, and its inbox."""
    place = folder.path / "server"
    place.mkdir(mode=0o700, exist_ok=True)
    if url is None:
        url = sqlite_url(place / "challenge.sqlite")
    return Service(folder, folder.rules(), Database(url), Inbox(place / "inbox"))
