"""Name, size and md5 of each record's archive, once known: the registry in a file.

The registry of the cache is filled from the records' answers; the one in the package is written by
a maintainer (:mod:`llpbench.data.fetch.pinning`) and, where it knows a record, is
the only one asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock

from llpbench.data.fetch.disk import one_sentence, write_json
from llpbench.errors import DownloadError

PACKAGED = Path(__file__).parents[1] / "registry.json"
"""The registry of the package."""

_NAME = re.compile(r"[^/\\\x00-\x1f\x7f\ud800-\udfff]{1,200}\.zip", re.IGNORECASE)
_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class RecordFile:
    """A record's archive.

    Parameters
    ----------
    name : str
        A file name that ends in ``.zip`` and names no folder.
    size : int
        Bytes, 1 to 2⁶³ - 1.
    md5 : str
        32 hexadecimal digits in lower case.

    Raises
    ------
    DownloadError
        If any of them is something else: they come from outside and become paths.

    Examples
    --------
    >>> RecordFile("benelux.zip", 22, "76cdb2bad9582d23c1f6f4d868218d6c").size
    22
    >>> RecordFile("../benelux.zip", 22, "76cdb2bad9582d23c1f6f4d868218d6c")
    Traceback (most recent call last):
        ...
    llpbench.errors.DownloadError: a record's archive must have a plain name that ends in .zip, a \
positive size and an md5, but this one has '../benelux.zip', 22 and \
'76cdb2bad9582d23c1f6f4d868218d6c'
    """

    name: str
    size: int
    md5: str

    def __post_init__(self) -> None:
        """Refuse anything that is not a plain file name, a size and an md5."""
        if not (
            isinstance(self.name, str)
            and _NAME.fullmatch(self.name)
            and type(self.size) is int
            and 0 < self.size < 2**63
            and isinstance(self.md5, str)
            and _MD5.fullmatch(self.md5)
        ):
            raise DownloadError(
                "a record's archive must have a plain name that ends in .zip, a positive size and "
                f"an md5, but this one has {self.name!r}, {self.size!r} and {self.md5!r}"
            )


def read_registry(path: Path) -> dict[int, RecordFile]:
    """Read a registry.

    Parameters
    ----------
    path : Path
        The file, which need not be there.

    Returns
    -------
    dict
        The archives by record number.

    Raises
    ------
    DownloadError
        If it is there and cannot be read or is not a registry.

    Examples
    --------
    >>> read_registry(Path("no-such-registry.json"))
    {}
    """
    try:
        entries = json.loads(path.read_bytes())
        return {int(record): RecordFile(**entry) for record, entry in entries.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError, DownloadError) as error:
        raise DownloadError(
            f"{path} is not a registry of archives ({error}); remove it and run again"
        ) from error
    except OSError as error:
        raise DownloadError(f"{path} cannot be read ({error.strerror})") from error


def write_registry(path: Path, files: Mapping[int, RecordFile]) -> None:
    """Write a registry, whole or not at all.

    Parameters
    ----------
    path : Path
        The file.
    files : mapping
        The archives by record number.

    Examples
    --------
    >>> import tempfile
    >>> files = {1: RecordFile("benelux.zip", 22, "76cdb2bad9582d23c1f6f4d868218d6c")}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "registry.json"
    ...     write_registry(path, files)
    ...     read_registry(path) == files
    True
    """
    write_json(path, {str(record): asdict(files[record]) for record in sorted(files)})


def cached_registry(cache: Path) -> Path:
    """Return where a cache keeps its registry.

    Parameters
    ----------
    cache : Path
        The cache folder.

    Returns
    -------
    Path
        The file.

    Examples
    --------
    >>> cached_registry(Path("cache")).name
    'registry.json'
    """
    return cache / "registry.json"


def known(record: int, *, cache: Path) -> RecordFile | None:
    """Look a record's archive up in the registries, without the network.

    Parameters
    ----------
    record : int
        Zenodo's number.
    cache : Path
        The cache folder.

    Returns
    -------
    RecordFile or None
        None where neither the package nor the cache knows it.

    Raises
    ------
    DownloadError
        If a registry is damaged.

    Examples
    --------
    >>> known(0, cache=Path("no-such-cache")) is None
    True
    """
    pinned = read_registry(PACKAGED).get(record)
    return pinned or read_registry(cached_registry(cache)).get(record)


def remember(record: int, file: RecordFile, *, cache: Path) -> None:
    """Keep a record's archive in the cache's registry.

    Parameters
    ----------
    record : int
        Zenodo's number.
    file : RecordFile
        Its archive.
    cache : Path
        The cache folder.

    Raises
    ------
    DownloadError
        If the registry cannot be read or written.
    """
    path = cached_registry(cache)
    with one_sentence(cache):
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name("registry.json.lock")):
            write_registry(path, {**read_registry(path), record: file})
