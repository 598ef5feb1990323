"""What was scored of an inbox: a file each submission, in the private folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from llpbench.challenge.folder import ChallengeFolder, writing_private
from llpbench.challenge.marks import Marks
from llpbench.challenge.standing import Submitted
from llpbench.errors import ChallengeError, first_problem
from llpbench.reading import read_text
from llpbench.writing import locked


class Scored(BaseModel):
    """A file that was judged.

    ``number`` counts them from 1; ``file`` is the SHA-256 of its bytes; ``marks`` are
    :class:`~llpbench.challenge.marks.Marks` as JSON, or None, and ``problem`` says why.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    team: str
    track: str
    file: str
    name: str
    day: str
    marks: str | None
    problem: str = ""

    def submitted(self) -> Submitted | None:
        """What counts for the standings; None where the file was wrong."""
        return None if self.marks is None else Submitted(self.team, Marks.from_json(self.marks))


class Ledger:
    """The files of a challenge that were judged, read once; one process may add to it."""

    def __init__(self, folder: ChallengeFolder) -> None:
        self._folder = folder
        # hidden ones are parts, of a record whose writer was killed
        self.records = [_read(path) for path in sorted(self._place.glob("[!.]*.json"))]

    @property
    def _place(self) -> Path:
        return self._folder.private / "scored"

    def find(self, team: str, track: str, file: str) -> Scored | None:
        """The record of a file, where it was judged for a team and track."""
        same = (
            one for one in self.records if (one.team, one.track, one.file) == (team, track, file)
        )
        return next(same, None)

    def taken(self, team: str, day: str) -> int:
        """Submissions of a team that were scored on a day; wrong files do not count."""
        return sum(
            one.marks is not None for one in self.records if (one.team, one.day) == (team, day)
        )

    def submissions(self) -> list[Submitted]:
        """All that count, in the order in which they were scored."""
        return [one for record in self.records if (one := record.submitted())]

    def add(self, **fields: str | None) -> Scored:
        """Keep what was found of a file; when this returns, it is never judged again."""
        number = 1 + max((one.number for one in self.records), default=0)
        record = Scored.model_validate({"number": number, "day": today(), **fields})
        with writing_private(self._place / f"{record.number:06d}.json") as part:
            part.write_text(record.model_dump_json(indent=1), encoding="utf-8")
        self.records.append(record)
        return record


@contextmanager
def open_ledger(folder: ChallengeFolder) -> Iterator[Ledger]:
    """Read what was judged, and keep other processes from judging meanwhile."""
    with locked(folder.private / "scoring"):
        yield Ledger(folder)


def today() -> str:
    """The day in UTC, by which submissions are counted."""
    return datetime.now(UTC).date().isoformat()


def _read(path: Path) -> Scored:
    try:
        return Scored.model_validate_json(read_text(path, error=ChallengeError))
    except ValueError as error:
        raise ChallengeError(
            f"{str(path)!r} is damaged ({first_problem(error)}); put it back from a copy, or "
            "remove it to have its file judged again"
        ) from error
