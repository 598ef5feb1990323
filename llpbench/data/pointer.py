"""Pointers that Git LFS leaves in the place of files it has not fetched."""

from __future__ import annotations

from pathlib import Path

from llpbench.errors import LLPBenchError

_BEGIN = b"version https://git-lfs"


def refuse_pointer(path: Path, error: type[LLPBenchError]) -> None:
    """Refuse a file that only says where the file is, with what fetches it."""
    with path.open("rb") as file:
        if file.read(len(_BEGIN)) == _BEGIN:
            raise error(
                f"{path.name} is a pointer of Git LFS and not the file itself; fetch it with "
                "`git lfs pull`"
            )
