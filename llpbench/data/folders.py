"""Folders of strangers: their files listed without following or opening anything."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from llpbench.errors import LLPBenchError, examples


def list_files(
    folder: Path, error: type[LLPBenchError], *, most: int, deepest: int
) -> Iterator[tuple[Path, int]]:
    """Files in a folder, and in those within it, with their sizes in bytes.

    Parameters
    ----------
    error : type
        What is raised.
    most, deepest : int
        How many files there may be, and how many folders within one another.

    Raises
    ------
    LLPBenchError
        For a link, for what is neither file nor folder, and for more than that.
    """
    left, count = [(folder, 0)], 0
    while left:
        place, depth = left.pop()
        with os.scandir(place) as items:
            for item in items:
                count += 1
                if count > most or depth > deepest:
                    raise error(
                        f"{folder.name} holds more than {most} files, or folders deeper than "
                        f"{deepest}"
                    )
                if item.is_symlink():
                    raise error(
                        f"{folder.name} holds a link, {examples([item.name])}; copy what it means"
                    )
                if item.is_dir(follow_symlinks=False):
                    left.append((Path(item.path), depth + 1))
                    continue
                status = item.stat(follow_symlinks=False)
                if not stat.S_ISREG(status.st_mode):
                    raise error(f"{folder.name} holds {examples([item.name])}, which is no file")
                yield Path(item.path), status.st_size
