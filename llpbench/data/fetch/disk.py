"""Room on the disk, whole files or none, and the disk's own errors as one sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llpbench.errors import DownloadError


def free_bytes(path: Path) -> int:
    """Bytes free on the disk that holds a path.

    Parameters
    ----------
    path : Path
        It need not be there yet.

    Returns
    -------
    int
        What an ordinary user may still write.

    Examples
    --------
    >>> free_bytes(Path("no/such/folder")) > 0
    True
    """
    there = path.absolute()
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free


def require_space(path: Path, size: int) -> None:
    """Refuse to begin what the disk cannot hold.

    Parameters
    ----------
    path : Path
        Where it would go.
    size : int
        Bytes it takes.

    Raises
    ------
    DownloadError
        If fewer bytes are free.

    Examples
    --------
    >>> require_space(Path(), 0)
    """
    free = free_bytes(path)
    if free < size:
        raise DownloadError(
            f"{path} needs {size / 1e9:.2f} GB more but its disk has {free / 1e9:.2f} GB free; "
            "free some or choose another folder with LLPBENCH_CACHE"
        )


def write_json(path: Path, content: object) -> None:
    """Write a small JSON file whole or not at all.

    Parameters
    ----------
    path : Path
        The file; its folder is made where it is missing.
    content : object
        What :mod:`json` can write.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_json(Path(folder) / "a.json", {"size": 3})
    ...     print((Path(folder) / "a.json").read_text())
    {
      "size": 3
    }
    <BLANKLINE>
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".tmp")
    beside.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    beside.replace(path)


@contextmanager
def one_sentence(folder: Path) -> Iterator[None]:
    """Turn the disk's refusals into a :class:`~llpbench.errors.DownloadError`.

    Parameters
    ----------
    folder : Path
        What was to be written to.

    Raises
    ------
    DownloadError
        For any :class:`OSError` within: disk full, read-only, not allowed, in the way of a file.

    Examples
    --------
    >>> with one_sentence(Path("cache")):
    ...     raise OSError(28, "No space left on device")
    Traceback (most recent call last):
        ...
    llpbench.errors.DownloadError: the cache folder cache cannot be written (No space left on \
device); what has arrived is kept, so make room there or choose another folder with LLPBENCH_CACHE
    """
    try:
        yield
    except OSError as error:
        raise DownloadError(
            f"the cache folder {folder} cannot be written ({error.strerror or error}); what has "
            "arrived is kept, so make room there or choose another folder with LLPBENCH_CACHE"
        ) from error
