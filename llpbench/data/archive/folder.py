"""A published archive that somebody has unzipped: a folder of the same files."""

from __future__ import annotations

from pathlib import Path

from llpbench.data.archive.members import Member, Members, sort_by_kind
from llpbench.data.folders import list_files
from llpbench.errors import ArchiveError, examples
from llpbench.reading import check_file

MOST_FILES = 10**6
DEEPEST = 8


def list_folder(folder: Path) -> Members:
    """Find what a folder holds, as :func:`~llpbench.data.archive.members.list_members` does."""
    found = list_files(folder, ArchiveError, most=MOST_FILES, deepest=DEEPEST)
    files = [
        Member(path.relative_to(folder).as_posix(), size=size, compressed_size=size)
        for path, size in sorted(found)
    ]
    try:
        return sort_by_kind(folder, files)
    except ArchiveError as error:
        raise ArchiveError(f"{folder.name} {error}") from error


def read_file(folder: Path, member: Member) -> bytes:
    """Read a file that was listed, to no more than it had then."""
    path = folder / member.name
    with check_file(path, error=ArchiveError).open("rb") as file:
        content = file.read(member.size + 1)
    if len(content) != member.size:
        raise ArchiveError(f"{examples([member.name])} has changed while it was read")
    return content
