"""Files and folders that are written whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write beside a file or folder, and put that in its place when it is whole.

    Parameters
    ----------
    path : Path
        Need not exist; the folder that it is in must, where a file is written. A file never takes
        the place of a folder.

    Yields
    ------
    Path
        What to write, which is not there yet: hidden, in the same folder, with the same ending.
        Nothing of it is left if writing fails.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "a.txt") as beside:
    ...         _ = beside.write_text("whole")
    ...     beside.name, [path.name for path in Path(folder).iterdir()]
    ('.a.part.txt', ['a.txt'])
    """
    beside = path.with_name(f".{path.stem}.part{path.suffix}")
    _remove(beside)
    try:
        yield beside
        if path.is_dir() and beside.is_dir():
            shutil.rmtree(path)
        beside.replace(path)
    finally:
        _remove(beside)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def replace_text(path: Path, text: str) -> None:
    """Write a text in one step.

    Parameters
    ----------
    path : Path
        A file that is there is replaced.
    text : str
    """
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")
