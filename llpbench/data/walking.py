"""Everything below a folder of anybody, however deep it is."""

from __future__ import annotations

import os
from collections.abc import Iterator


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
