"""Where a cache keeps the archive of each record, who may write there, and what is there.

::

    archives/RECORD/NAME.zip              verified
    archives/RECORD/NAME.zip.stamp.json   what was verified
    archives/RECORD/NAME.zip.part         what has arrived so far
    archives/RECORD.lock                  held by the one process that fetches
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from llpbench.data.fetch.disk import one_sentence
from llpbench.data.fetch.registry import RecordFile, known
from llpbench.data.fetch.transfer import present

log = logging.getLogger(__name__)


def record_folder(record: int, *, cache: Path) -> Path:
    """Return the folder of a record's archive.

    Parameters
    ----------
    record : int
        Zenodo's number.
    cache : Path
        The cache folder.

    Returns
    -------
    Path
        The folder, there or not.

    Examples
    --------
    >>> record_folder(7935237, cache=Path("cache")).as_posix()
    'cache/archives/7935237'
    """
    return cache / "archives" / str(record)


def archive_path(record: int, file: RecordFile, *, cache: Path) -> Path:
    """Return where a record's archive lies once it is verified.

    Parameters
    ----------
    record : int
        Zenodo's number.
    file : RecordFile
        Its archive.
    cache : Path
        The cache folder.

    Returns
    -------
    Path
        The file, there or not.

    Examples
    --------
    >>> file = RecordFile("a.zip", 22, "76cdb2bad9582d23c1f6f4d868218d6c")
    >>> archive_path(7935237, file, cache=Path("cache")).as_posix()
    'cache/archives/7935237/a.zip'
    """
    return record_folder(record, cache=cache) / file.name


def part_path(archive: Path) -> Path:
    """Return where the bytes of an archive are kept until all have arrived.

    Parameters
    ----------
    archive : Path
        From :func:`archive_path`.

    Returns
    -------
    Path
        The file, there or not.

    Examples
    --------
    >>> part_path(Path("a.zip")).name
    'a.zip.part'
    """
    return archive.with_name(archive.name + ".part")


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the lock of a record's folder, waiting until no other process holds it.

    Parameters
    ----------
    folder : Path
        From :func:`record_folder`; made where it is missing.

    Raises
    ------
    OSError
        If the lock file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.with_name(folder.name + ".lock"))
    try:
        lock.acquire(blocking=False)
    except Timeout:
        log.warning("another process is busy with %s; waiting for it", folder)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@dataclass(frozen=True)
class ArchiveState:
    """How much of an archive is there.

    Parameters
    ----------
    state : {"absent", "partial", "archive"}
        Nothing, some bytes, or the verified whole.
    present : int
        Bytes on disk.
    size : int or None
        Bytes of the whole, None as long as the record has not been asked.

    Examples
    --------
    >>> ArchiveState("partial", 50, 200).percent
    25.0
    """

    state: Literal["absent", "partial", "archive"]
    present: int
    size: int | None

    @property
    def percent(self) -> float:
        """Share of the bytes that are on disk, 0 to 100."""
        return 100 * self.present / self.size if self.size else 0.0


def archive_state(record: int, *, cache: Path) -> ArchiveState:
    """Tell how much of a record's archive is there, without the network.

    Parameters
    ----------
    record : int
        Zenodo's number.
    cache : Path
        The cache folder.

    Returns
    -------
    ArchiveState
        Absent where the record has never been asked.

    Raises
    ------
    DownloadError
        If the registry is damaged.

    Examples
    --------
    >>> archive_state(0, cache=Path("no-such-cache"))
    ArchiveState(state='absent', present=0, size=None)
    """
    file = known(record, cache=cache)
    if file is None:
        return ArchiveState("absent", 0, None)
    archive = archive_path(record, file, cache=cache)
    if archive.exists():
        return ArchiveState("archive", present(archive), file.size)
    arrived = present(part_path(archive))
    return ArchiveState("partial" if arrived else "absent", arrived, file.size)


def remove_archive(record: int, *, cache: Path) -> None:
    """Remove a record's archive, and what has arrived of it, from the cache.

    The registry keeps its name, size and md5.

    Parameters
    ----------
    record : int
        Zenodo's number.
    cache : Path
        The cache folder.

    Raises
    ------
    DownloadError
        If the cache cannot be written.

    Examples
    --------
    >>> remove_archive(0, cache=Path("no-such-cache"))
    """
    folder = record_folder(record, cache=cache)
    if folder.exists():
        with one_sentence(cache), held(folder):
            shutil.rmtree(folder)
