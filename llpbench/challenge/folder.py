"""The folder of a challenge: what is handed out, and what stays with the organiser.

``rules.toml``, ``participants/`` and ``board/`` are for everybody. ``private/`` is for the
organiser alone, its files are readable by one user: the truth, the halves, and what was scored.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from llpbench.board.truth import make_truth, read_truth
from llpbench.challenge.halves import Halves
from llpbench.challenge.rules import Rules, read_rules
from llpbench.data.dataset import open_dataset
from llpbench.errors import ChallengeError
from llpbench.reading import read_json
from llpbench.writing import replacing

if TYPE_CHECKING:
    import xarray as xr

RULES = "rules.toml"


class ChallengeFolder:
    """A challenge on disk, as ``llpbench challenge new`` makes it.

    Parameters
    ----------
    path : Path
        The folder; it is looked into when something of it is asked for.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def rules_file(self) -> Path:
        """The rules, a file that the organiser may change while the challenge is open."""
        return self.path / RULES

    @property
    def participants(self) -> Path:
        """The dataset that is handed out, a store without test truth."""
        return self.path / "participants"

    @property
    def private(self) -> Path:
        """What nobody but the organiser may see."""
        return self.path / "private"

    @property
    def truth_file(self) -> Path:
        """Shares of the chips that are scored, a truth table."""
        return self.private / "truth.parquet"

    @property
    def halves_file(self) -> Path:
        """Which divisions are public, and the secret that they were drawn with."""
        return self.private / "halves.json"

    @property
    def board(self) -> Path:
        """What everybody may see of the standings: a page and a table."""
        return self.path / "board"

    @property
    def revealed_file(self) -> Path:
        """Stands there once both halves are told."""
        return self.private / "revealed"

    @property
    def is_revealed(self) -> bool:
        """Whether both halves are told, after which nothing is scored."""
        return self.revealed_file.exists()

    def rules(self) -> Rules:
        """Read the rules; a folder that is no challenge is refused (ChallengeError)."""
        if not self.rules_file.is_file():
            raise ChallengeError(
                f"{str(self.path)!r} is no challenge: there is no {RULES}; make one with "
                "`llpbench challenge new`"
            )
        return read_rules(self.rules_file)

    def truth(self) -> xr.Dataset:
        """Read the truth of the test split, as :func:`llpbench.evaluate` takes it."""
        truth, rules = read_truth(self.truth_file), self.rules()
        found, expected = truth.llp.info, (rules.dataset, rules.digest)
        if (found.name, found.digest) != expected:
            raise ChallengeError(
                f"the truth of this challenge is of {found.name!r} with the digest "
                f"{found.digest!r}, its rules are about {rules.dataset!r} with {rules.digest!r}; "
                "make the challenge again, or put the digest back into its rules"
            )
        return truth

    def halves(self) -> Halves:
        """Read which divisions are public and which private."""
        try:
            return Halves.of_json(read_json(self.halves_file, error=ChallengeError))
        except (KeyError, TypeError, ValueError) as error:
            raise ChallengeError(
                f"{str(self.halves_file)!r} is damaged; put it back from a copy, for halves that "
                "are drawn anew are others"
            ) from error


def open_truth(dataset: str) -> tuple[xr.Dataset, xr.Dataset]:
    """Truth of a dataset, by name or path, or of the challenge in a folder, for a board.

    With it the dataset as those have it who enter: participants' has a digest of its own.
    """
    challenge = ChallengeFolder(Path(dataset))
    if challenge.rules_file.is_file():
        return challenge.truth(), open_dataset(challenge.participants)
    ds = open_dataset(dataset)
    return make_truth(ds), ds


@contextmanager
def writing_private(path: Path) -> Iterator[Path]:
    """Write a file of the private folder in one step, for its owner's eyes alone.

    The folder is made if need be.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with replacing(path) as part:
        part.touch(mode=0o600)
        yield part
        part.chmod(0o600)
