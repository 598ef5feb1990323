"""The end of a challenge: both halves are told, and nothing is scored any more."""

from __future__ import annotations

from pathlib import Path

from llpbench.challenge.board import write_board
from llpbench.challenge.folder import ChallengeFolder, writing_private
from llpbench.challenge.ledger import open_ledger, today
from llpbench.errors import ChallengeError


def reveal(folder: ChallengeFolder) -> Path:
    """Rank teams by the private half, and write the board that says so.

    Called again, it writes the same.

    Returns
    -------
    Path
        The folder of page and table.

    Raises
    ------
    ChallengeError
        If the challenge has not closed, by its rules.
    """
    rules = folder.rules()
    if not rules.has_closed():
        raise ChallengeError(
            f"the challenge {rules.name!r} closes on {rules.closes.isoformat(' ', 'minutes')}, by "
            f"{folder.rules_file.name}; reveal it then"
        )
    with open_ledger(folder) as ledger:
        if not folder.is_revealed:
            with writing_private(folder.revealed_file) as part:
                part.write_text(f"{today()}\n", encoding="utf-8")
        return write_board(folder, ledger.submissions(), revealed=True)
