"""Files and folders that are written whole or not at all: the one mechanism that does it."""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llpbench.errors import BusyError

log = logging.getLogger(__name__)


def part_path(path: Path) -> Path:
    """Where a file or folder is while it is being written: hidden, beside it, with its ending.

    Examples
    --------
    >>> part_path(Path("a.zip")).name
    '.a.part.zip'
    """
    return path.with_name(f".{path.stem}.part{path.suffix}")


def _lock_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")


def unfinished(folder: Path) -> Iterator[tuple[Path, Path]]:
    """What is being written in a folder, or was when its writer ended: each path and its part."""
    for part in sorted(folder.glob(".*.part*")):
        if name := re.fullmatch(r"\.(.+)\.part(\.[^.]+)?", part.name):
            yield part.with_name(name[1] + (name[2] or "")), part


@contextmanager
def replacing(path: Path, *, resume: bool = False) -> Iterator[Path]:
    """Write a part beside a file or folder, and rename it when it is whole.

    Parameters
    ----------
    path : Path
        Need not exist; the folder that it is in must, where a file is written. A file never takes
        the place of a folder.
    resume : bool
        Whether a failure leaves the part, and the next call begins with it. The caller then
        removes what is no use (:func:`discard`). Else the part does not exist at first.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "a.txt") as part:
    ...         _ = part.write_text("whole")
    ...     part.name, [path.name for path in Path(folder).iterdir()]
    ('.a.part.txt', ['a.txt'])
    """
    part = part_path(path)
    if not resume:
        discard(part)
    try:
        yield part
        flush(part)
        if path.is_dir() and part.is_dir():
            shutil.rmtree(path)
        part.replace(path)
    finally:
        if not resume:
            discard(part)


def flush(part: Path) -> None:
    """Have the disk hold a file's bytes before its name, so that losing power loses neither.

    The files of a folder are left to the system: there may be thousands, and what is large
    carries a digest that tells.
    """
    if part.is_file():
        with part.open("r+b") as file:  # Windows flushes none that is open for reading only
            os.fsync(file.fileno())


def discard(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def locked(path: Path, *, wait: bool = True, make_folder: bool = True) -> Iterator[None]:
    """Hold the lock of a file or folder; only one process has it, and loses it when it ends.

    Parameters
    ----------
    wait : bool
        Whether to wait as long as another process holds it.
    make_folder : bool
        Whether the folder that it is in is made where it lacks.

    Raises
    ------
    BusyError
        If another process holds it, and this one shall not wait.
    """
    from filelock import FileLock, Timeout

    if make_folder:
        path.parent.mkdir(parents=True, exist_ok=True)
    file = _lock_path(path)
    while True:
        lock = FileLock(file)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            if not wait:
                raise BusyError(f"another process is at work on {str(path)!r}") from None
            log.warning("another process is busy with %s; waiting for it", path)
            lock.acquire()
        if file.exists():  # else it was the lock of a holder that has just removed it
            break
        lock.release()
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        lock.release()


def replace_text(path: Path, text: str) -> None:
    """Write a text in one step, in the place of a file that is there."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")
