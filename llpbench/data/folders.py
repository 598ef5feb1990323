"""Folders of strangers, however deep: listed without following or opening anything."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from llpbench.errors import LLPBenchError, examples


def walk(folder: str | os.PathLike[str]) -> Iterator[os.DirEntry[str]]:
    """Yield what is below a folder, without following a link and without recursion.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (pathlib.Path(folder) / "a/b").mkdir(parents=True)
    ...     [item.name for item in walk(folder)]
    ['a', 'b']
    """
    waiting = [os.fspath(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as items:
            for item in items:
                yield item
                if item.is_dir(follow_symlinks=False):
                    waiting.append(item.path)


def list_files(
    folder: Path, error: type[LLPBenchError], *, most: int, deepest: int
) -> Iterator[tuple[Path, int]]:
    """Files in a folder, and in those within it, with their sizes in bytes.

    At most so many files, and folders within one another; ``error`` is what is raised.

    Raises
    ------
    LLPBenchError
        For a link, for what is neither file nor folder, and for more than that.
    """
    above = len(folder.parts)
    for count, item in enumerate(walk(folder), 1):
        path = Path(item.path)
        if count > most or len(path.parts) - above - 1 > deepest:
            raise error(
                f"{folder.name} holds more than {most} files, or folders deeper than {deepest}"
            )
        if item.is_symlink():
            raise error(f"{folder.name} holds a link, {examples([item.name])}; copy what it means")
        if item.is_dir(follow_symlinks=False):
            continue
        status = item.stat(follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode):
            raise error(f"{folder.name} holds {examples([item.name])}, which is no file")
        yield path, status.st_size
