"""Which archive a record holds: asked of Zenodo once, then remembered in the cache."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

from llpbench.catalog import RecordFile
from llpbench.data.fetch.disk import one_writer
from llpbench.data.fetch.http import get, server_url
from llpbench.data.fetch.retrying import SourceError, TransientError, insist
from llpbench.errors import DownloadError, examples
from llpbench.reading import read_json
from llpbench.writing import replace_text

LONGEST_ANSWER = 2**22
"""Bytes of a record's answer that are read at most."""


def ask_record(record: int) -> RecordFile:
    """Ask a record's API for its archive, as it is now."""
    server = server_url()
    answer = insist(lambda: _ask(f"{server}/api/records/{record}"))
    try:
        return parse_record(answer)
    except DownloadError as error:
        raise SourceError(f"record {record} of {server} cannot be used: {error}") from error


def parse_record(answer: object) -> RecordFile:
    """Find the archive in a record's answer, of the present or the older shape.

    Parameters
    ----------
    answer : object
        The parsed JSON. Each of its ``files`` has a name (``key``, formerly ``filename``), a size
        (``size``, formerly also ``filesize``) and a ``checksum`` (``md5:`` and 32 hexadecimal
        digits, formerly the digits alone).

    Returns
    -------
    RecordFile
        The one file that is a zip.

    Examples
    --------
    >>> md5 = "76cdb2bad9582d23c1f6f4d868218d6c"
    >>> parse_record({"files": [{"key": "a.zip", "size": 22, "checksum": f"md5:{md5}"}]}).name
    'a.zip'
    >>> parse_record({"files": [{"filename": "a.zip", "filesize": 22, "checksum": md5}]}).size
    22
    """
    files = answer.get("files") if isinstance(answer, dict) else None
    entries = [file for file in files if isinstance(file, dict)] if isinstance(files, list) else []
    archives = [entry for entry in entries if _name(entry).lower().endswith(".zip")]
    if len(archives) != 1:
        names = examples(_name(entry) for entry in entries) or "no files"
        raise DownloadError(f"it must hold exactly one .zip, but it holds {names}")
    (archive,) = archives
    size: Any = archive.get("size", archive.get("filesize"))
    md5 = str(archive.get("checksum")).lower().removeprefix("md5:")
    return RecordFile(_name(archive), size, md5)


def file_url(record: int, name: str, server: str | None = None) -> str:
    """Address of a record's file, of the form that answers range requests.

    Examples
    --------
    >>> file_url(7935237, "a b.zip", "https://zenodo.org")
    'https://zenodo.org/records/7935237/files/a%20b.zip?download=1'
    """
    return f"{server_url(server)}/records/{record}/files/{quote(name)}?download=1"


def read_registry(cache: Path) -> dict[int, RecordFile]:
    """Archives that records of this cache have named, by record number."""
    path = cache / "registry.json"
    if not path.exists():
        return {}
    entries = read_json(path, error=DownloadError)
    try:
        return {int(record): RecordFile(**entry) for record, entry in entries.items()}
    except (ValueError, TypeError, AttributeError, DownloadError) as error:
        raise DownloadError(
            f"{path} is not a registry of archives ({error}); remove it and run again"
        ) from error


def remember(record: int, file: RecordFile, *, cache: Path) -> None:
    """Add a record's archive to the registry of a cache; errors as in :func:`read_registry`."""
    path = cache / "registry.json"
    with one_writer(path.with_suffix(""), cache):  # replacing the file takes its own lock
        files = read_registry(cache) | {record: file}
        content = {str(number): asdict(files[number]) for number in sorted(files)}
        replace_text(path, json.dumps(content, indent=2) + "\n")


def _ask(url: str) -> object:
    with get(url) as response:
        body = response.raw.read(LONGEST_ANSWER + 1, decode_content=True)
    if len(body) > LONGEST_ANSWER:
        raise SourceError(f"{url} answered with more than {LONGEST_ANSWER} bytes")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise TransientError(f"{url} answered with something other than JSON") from error


def _name(entry: dict[str, Any]) -> str:
    return str(entry.get("key") or entry.get("filename"))
