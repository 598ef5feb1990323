"""Files of teams as an organiser keeps them: found, told apart by their bytes, and judged once."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from llpbench.challenge.board import write_board
from llpbench.challenge.folder import ChallengeFolder
from llpbench.challenge.judging import judge_apart
from llpbench.challenge.ladder import Ladder
from llpbench.challenge.ledger import Ledger, Scored, open_ledger, today
from llpbench.challenge.rules import Rules
from llpbench.data.folders import list_files
from llpbench.data.litter import is_litter
from llpbench.errors import ChallengeError, LLPBenchError, PredictionsError, examples
from llpbench.writing import is_name

_ENDING = re.compile(r"\.(?:(?:csv|tsv|txt)(?:\.gz)?|parquet|pq|zarr)", re.IGNORECASE)
_MOST_FILES, _DEEPEST = 2**14, 6


@dataclass(frozen=True)
class Arrival:
    """A file, or a zarr folder, that a team handed in to a track."""

    team: str
    track: str
    path: Path


@dataclass(frozen=True)
class Judged:
    """What became of an arrival.

    ``state`` is ``scored`` now or ``before``, ``wrong``, or ``waits`` for another day; ``shown`` is
    what the team sees from then on, which is its former score where this one was no step better.
    """

    team: str
    track: str
    file: str
    state: Literal["scored", "before", "wrong", "waits"]
    shown: float | None = None
    problem: str = ""


def score_inbox(folder: ChallengeFolder, inbox: Path) -> list[Judged]:
    """Judge what is new in a folder, and write the board that everybody may see.

    A file is known by its bytes: one that was judged for a team and track is not judged again,
    whatever it is called. Each is judged in a process of its own and noted before the next, so that
    this can be killed at any moment and run again.

    Parameters
    ----------
    folder : ChallengeFolder
        Not yet revealed.
    inbox : Path
        Holds ``TEAM.csv``, ``TEAM/FILE`` or, where there are several tracks, ``TEAM/TRACK/FILE``,
        each as :func:`llpbench.evaluate` takes it.

    Raises
    ------
    ChallengeError
        If the challenge was revealed, or there is no such folder. What is wrong with a file is said
        of it alone.
    """
    rules = folder.rules()
    if folder.is_revealed:
        raise ChallengeError(
            f"the challenge {rules.name!r} was revealed, and nothing more is scored; its results "
            f"are in {str(folder.board)!r}"
        )
    if not inbox.is_dir():
        raise ChallengeError(f"there is no folder {str(inbox)!r}; give that of teams' files")
    with open_ledger(folder) as ledger:
        judged = [_judge(folder, rules, ledger, found) for found in find_arrivals(inbox, rules)]
        write_board(folder, ledger.submissions())
    return judged


def find_arrivals(inbox: Path, rules: Rules) -> Iterator[Arrival | Judged]:
    """Files of an inbox by team, those of a team by their time; what has no place is said to be."""
    for item in sorted(inbox.iterdir()):
        if item.name.startswith(".") or is_litter(Path(item.name)):
            continue
        team = item.name
        if (ending := _ENDING.search(team)) and ending.end() == len(team):
            team = team[: ending.start()]
        if not is_name(team):
            yield _misplaced(item, "is no name of a team: use letters, digits, dots and hyphens")
        elif team != item.name:
            yield _arrival(team, None, item, rules)
        elif item.is_dir() and not item.is_symlink():
            yield from _of_team(team, item, rules)
        else:
            yield _misplaced(item, "is no csv, parquet or zarr")


def _of_team(team: str, folder: Path, rules: Rules) -> Iterator[Arrival | Judged]:
    tracks = [item for item in folder.iterdir() if item.name in rules.tracks and item.is_dir()]
    others = [item for item in folder.iterdir() if item not in tracks]
    for place, track in ((others, None), *((tuple(item.iterdir()), item.name) for item in tracks)):
        for item in sorted(place, key=lambda path: (path.lstat().st_mtime_ns, path.name)):
            if not (item.name.startswith(".") or is_litter(Path(item.name))):
                yield _arrival(team, track, item, rules)


def _arrival(team: str, track: str | None, item: Path, rules: Rules) -> Arrival | Judged:
    if item.is_symlink():
        return _misplaced(item, "is a link; copy what it means")
    if track is None and len(rules.tracks) > 1:
        return _misplaced(item, f"belongs into TEAM/TRACK, of {examples(rules.tracks)}")
    return Arrival(team, track or rules.tracks[0], item)


def _misplaced(item: Path, what: str) -> Judged:
    return Judged("", "", item.name, "wrong", problem=f"{examples([item.name])} {what}")


def _judge(
    folder: ChallengeFolder, rules: Rules, ledger: Ledger, found: Arrival | Judged
) -> Judged:
    if isinstance(found, Judged):
        return found
    team, track, path = found.team, found.track, found.path
    try:
        digest = digest_file(path, rules.largest_file)
    except (LLPBenchError, OSError) as error:
        return Judged(team, track, path.name, "wrong", problem=str(error))
    known = ledger.find(team, track, digest)
    if known is None and ledger.taken(team, today()) >= rules.submissions_a_day:
        problem = f"{rules.submissions_a_day} of this team were scored today; run this tomorrow"
        return Judged(team, track, path.name, "waits", problem=problem)
    record = known or _score(folder, ledger, found, digest)
    if record.marks is None:
        return Judged(team, track, path.name, "wrong", problem=record.problem)
    state: Literal["scored", "before"] = "scored" if known is None else "before"
    return Judged(team, track, path.name, state, _shown(ledger, record, rules))


def _score(folder: ChallengeFolder, ledger: Ledger, found: Arrival, digest: str) -> Scored:
    marks, problem = None, ""
    try:
        marks = judge_apart(folder, found.path, found.track).to_json()
    except PredictionsError as error:
        problem = str(error)
    known = {"team": found.team, "track": found.track, "name": found.path.name}
    return ledger.add(**known, file=digest, marks=marks, problem=problem)


def _shown(ledger: Ledger, record: Scored, rules: Rules) -> float | None:
    """What the team was shown for a record: by the Ladder, after all that it handed in before."""
    if rules.shown == "nothing":
        return None
    until = [
        one.submitted()
        for one in ledger.records
        if (one.team, one.track) == (record.team, record.track) and one.number <= record.number
    ]
    return Ladder.of(one.marks for one in until if one).score


def digest_file(path: Path, largest: int) -> str:
    """SHA-256 of a file, or of all files of a folder and their names; larger ones are refused.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.csv"
    ...     _ = file.write_text("chip,tree")
    ...     digest_file(file, 100)[:16]
    '3333fda139fc4c64'
    """
    is_folder = path.is_dir()
    files = [(path, path.stat().st_size)]
    if is_folder:
        files = sorted(list_files(path, ChallengeError, most=_MOST_FILES, deepest=_DEEPEST))
    if (size := sum(size for _path, size in files)) > largest:
        raise ChallengeError(f"{path.name} has {size:,} bytes, at most {largest:,} are taken")
    digests = {}
    for file, _size in files:
        with file.open("rb") as opened:
            name = file.relative_to(path).as_posix() if is_folder else ""
            digests[name] = hashlib.file_digest(opened, "sha256").hexdigest()
    if not is_folder:
        return digests[""]
    return hashlib.sha256(json.dumps(digests).encode()).hexdigest()
