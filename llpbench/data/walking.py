"""Everything below a folder of anybody, however deep it is."""

from __future__ import annotations

import os
from collections.abc import Iterator

DEEPEST = 50
"""Folders in folders; an array of eight dimensions needs eleven."""


def walk(folder: str | os.PathLike[str]) -> Iterator[os.DirEntry[str]]:
    """Yield what is below a folder, without following a link.

    Raises
    ------
    OSError
        If folders are nested deeper than :data:`DEEPEST`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (pathlib.Path(folder) / "a/b").mkdir(parents=True)
    ...     [item.name for item in walk(folder)]
    ['a', 'b']
    """
    waiting = [(os.fspath(folder), 1)]
    while waiting:
        place, depth = waiting.pop()
        if depth > DEEPEST:
            raise OSError(f"folders in {os.fspath(folder)} are nested more than {DEEPEST} deep")
        with os.scandir(place) as items:
            for item in items:
                yield item
                if item.is_dir(follow_symlinks=False):
                    waiting.append((item.path, depth + 1))
