"""Files and folders that are written whole or not at all: the one mechanism that does it."""

from __future__ import annotations

import errno
import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from llpbench.errors import BusyError, WritingError

log = logging.getLogger(__name__)

_OF_DISKS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
"""What only writing can meet, also where the system does not say with which file."""


_NO_NAMES = ("", "..")
"""Last parts of paths that end in no name, "." and ".." among them."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=-]{0,199}")


def is_name(text: str) -> bool:
    """Whether a text of anybody may become the name of a file or folder, and of none elsewhere.

    Examples
    --------
    >>> is_name("llpnet+rake-grid-seed0"), is_name("../../etc"), is_name(".."), is_name("a/b")
    (True, False, False, False)
    """
    return _NAME.fullmatch(text) is not None


def part_path(path: Path) -> Path:
    """Where a file or folder is while it is being written: hidden, beside it, with its ending.

    Examples
    --------
    >>> part_path(Path("a.zip")).name
    '.a.part.zip'
    """
    path = _with_a_name(_end_of_links(path))
    return path.with_name(f".{path.stem}.part{path.suffix}")


def _aside_path(path: Path) -> Path:
    """Where an old folder is for the moment in which the new one takes its name."""
    path = _with_a_name(path)
    return path.with_name(f".{path.stem}.old{path.suffix}")


def _lock_path(path: Path) -> Path:
    path = _with_a_name(path)
    return path.with_name(f".{path.name}.lock")


def _with_a_name(path: Path) -> Path:
    """Name what "." and ".." are."""
    return path.resolve() if path.name in _NO_NAMES else path


def _end_of_links(path: Path) -> Path:
    """What a link points to: that is written, and the link stays."""
    return path.resolve() if path.is_symlink() else path


def unfinished(folder: Path) -> Iterator[tuple[Path, Path]]:
    """What is being written in a folder, or was when its writer ended: each path and its part."""
    for part in sorted(folder.glob(".*.part*")):
        if name := re.fullmatch(r"\.(.+)\.part(\.[^.]+)?", part.name):
            yield part.with_name(name[1] + (name[2] or "")), part


@contextmanager
def replacing(path: Path, *, resume: bool = False) -> Iterator[Path]:
    """Write a part beside a file or folder, and rename it when it is whole.

    At every moment the old one is there, or the new one, or :func:`recover` brings it back. A link
    stays, and what it points to is written.

    Parameters
    ----------
    path : Path
        Need not exist; the folder that it is in must, where a file is written. A file never takes
        the place of a folder.
    resume : bool
        Whether a failure leaves the part, and the next call begins with it. The caller then
        removes what is no use (:func:`discard`), and sees to it that there is no other writer
        (:func:`locked`). Else the part does not exist at first, and writers wait for one another.

    Raises
    ------
    WritingError
        If the path ends in no name, a pipe or a device stands there, the disk is full, or the
        folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "a.txt") as part:
    ...         _ = part.write_text("whole")
    ...     part.name, [path.name for path in Path(folder).iterdir()]
    ('.a.part.txt', ['a.txt'])
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise WritingError(f"{str(path)!r} is a pipe or a device; give the name of a file")
    if path.name in _NO_NAMES:
        raise WritingError(f"{str(path)!r} is no name of what is written; give a new one")
    path = _end_of_links(path)
    part = part_path(path)
    with _alone(path, part, resume=resume):
        recover(path)
        if not resume:
            discard(part)
        try:
            yield part
            flush(part)
            _rename(part, path)
        finally:
            if not resume:
                discard(part)


@contextmanager
def _alone(path: Path, part: Path, *, resume: bool) -> Iterator[None]:
    """Let one writer at a time make a part; what is resumed has a lock of its own."""
    if resume:
        yield
        return
    lock = locked(path) if path.parent.is_dir() else nullcontext()
    with _naming_what_cannot_be_written(path, part), lock:
        yield


def _rename(part: Path, path: Path) -> None:
    """Give a part its name; an old folder steps aside until it has it."""
    aside = _aside_path(path)
    steps_aside = path.is_dir() and part.is_dir()
    if steps_aside:
        path.rename(aside)
    try:
        part.replace(path)
    except OSError:
        recover(path)
        raise
    _flush(path.parent)
    if steps_aside:
        discard(aside)


def recover(path: Path) -> None:
    """Mend what a process left that was killed while it gave a folder its name.

    The old one had stepped aside, which it does only for a whole new one.
    """
    aside = _aside_path(path)
    if not aside.exists():
        return
    if not path.exists():
        part = part_path(path)
        (part if part.is_dir() else aside).rename(path)
    discard(aside)


@contextmanager
def _naming_what_cannot_be_written(path: Path, part: Path) -> Iterator[None]:
    """Name the file that users know, where the system names its part, or none at all."""
    try:
        yield
    except OSError as error:
        names = (str(part), str(_lock_path(path)))
        if error.errno not in _OF_DISKS and str(error.filename) not in names:
            raise
        reason = os.strerror(error.errno) if error.errno else error
        raise WritingError(f"{str(path)!r} cannot be written ({reason})") from error


def flush(part: Path) -> None:
    """Have the disk hold the bytes of a file, or of all files of a folder, before their name.

    A machine that loses power then has the old ones or the new ones.
    """
    for folder, _folders, names in os.walk(part, topdown=False):
        for name in names:
            _flush(Path(folder, name))
        _flush(Path(folder))
    if part.is_file():
        _flush(part)


def _flush(path: Path) -> None:
    if path.is_dir() and os.name == "nt":  # Windows opens no folder
        return
    how = os.O_RDONLY if path.is_dir() else os.O_RDWR  # Windows flushes no file open for reading
    file = os.open(path, how)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def discard(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock of a file or folder; only one process has it, and loses it when it ends.

    Parameters
    ----------
    wait : bool
        Whether to wait as long as another process holds it.

    Raises
    ------
    BusyError
        If another process holds it, and this one shall not wait.
    """
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    file = _lock_path(path)
    while True:
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o666))  # a failure would look like waiting
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
