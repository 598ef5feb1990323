"""Room on the disk, one writer at a time, and the disk's refusals in one sentence."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llpbench.errors import DownloadError
from llpbench.writing import locked


def free_bytes(path: Path) -> int:
    """Bytes that an ordinary user may still write on the disk of a path, which need not exist."""
    there = path.absolute()
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free


def require_space(folder: Path, size: int, what: str) -> None:
    """Refuse to begin what the disk cannot hold."""
    free = free_bytes(folder)
    if free < size:
        raise DownloadError(
            f"{what} needs {size / 1e9:.1f} GB more, but the disk of {folder} has "
            f"{free / 1e9:.1f} GB free; free some or choose another folder with --cache-dir or "
            "LLPBENCH_CACHE"
        )


@contextmanager
def one_writer(path: Path, cache: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold the lock of a path in the cache.

    Raises
    ------
    BusyError
        If another process holds it, and this one shall not wait.
    DownloadError
        For any :class:`OSError` within: disk full, read-only, not allowed, a file in the way.
    """
    try:
        with locked(path, wait=wait):
            yield
    except OSError as error:
        reason = error.strerror or error.__cause__ or error  # pooch rewords a PermissionError
        raise DownloadError(
            f"the cache folder {cache} cannot be written ({reason}); what has arrived is kept, so "
            "make room there or choose another folder with LLPBENCH_CACHE"
        ) from error
