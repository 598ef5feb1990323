"""A record's answer: which archive it holds, how long it is and what its md5 must be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from llpbench.data.fetch.faults import SourceError, TransientError
from llpbench.data.fetch.http import get, is_web_page, open_session, refuse_failure, server_url
from llpbench.data.fetch.registry import RecordFile, known, remember
from llpbench.data.fetch.retry import RetryPolicy, insist
from llpbench.errors import DownloadError, examples

LONGEST_ANSWER = 2**22
"""Bytes of a record's answer that are read at most."""


def lookup(
    record: int,
    *,
    cache: Path,
    base_url: str | None = None,
    policy: RetryPolicy | None = None,
) -> RecordFile:
    """Find out a record's archive: from the package, the cache, or the record itself.

    The record is asked once; its answer is kept in the cache's registry.

    Parameters
    ----------
    record : int
        Zenodo's number.
    cache : Path
        The cache folder.
    base_url : str or None
        The server; default ``LLPBENCH_ZENODO_URL``, else Zenodo's own.
    policy : RetryPolicy or None
        Timeouts and retries.

    Returns
    -------
    RecordFile
        Name, size and md5.

    Raises
    ------
    DownloadError
        If the record does not answer, has not exactly one archive, or the cache cannot be written.
    """
    file = known(record, cache=cache)
    if file is None:
        file = ask_record(record, base_url=base_url, policy=policy)
        remember(record, file, cache=cache)
    return file


def ask_record(
    record: int, *, base_url: str | None = None, policy: RetryPolicy | None = None
) -> RecordFile:
    """Ask a record's API for its archive.

    Parameters
    ----------
    record : int
        Zenodo's number.
    base_url : str or None
        The server; default ``LLPBENCH_ZENODO_URL``, else Zenodo's own.
    policy : RetryPolicy or None
        Timeouts and retries.

    Returns
    -------
    RecordFile
        Name, size and md5 as they are now.

    Raises
    ------
    DownloadError
        If the record does not answer or has not exactly one archive.
    """
    policy = policy or RetryPolicy()
    server = server_url(base_url)
    answer = insist(lambda: _ask(f"{server}/api/records/{record}", policy), policy)
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

    Raises
    ------
    DownloadError
        If there are no files, no zip or several, or a field is missing or wrong.

    Examples
    --------
    >>> md5 = "76cdb2bad9582d23c1f6f4d868218d6c"
    >>> parse_record({"files": [{"key": "a.zip", "size": 22, "checksum": f"md5:{md5}"}]}).name
    'a.zip'
    >>> parse_record({"files": [{"filename": "a.zip", "filesize": 22, "checksum": md5}]}).size
    22
    >>> parse_record({"files": []})
    Traceback (most recent call last):
        ...
    llpbench.errors.DownloadError: it must hold exactly one .zip, but it holds no files
    """
    files = answer.get("files") if isinstance(answer, dict) else None
    entries = (
        [entry for entry in files if isinstance(entry, dict)] if isinstance(files, list) else []
    )
    archives = [entry for entry in entries if _name(entry).lower().endswith(".zip")]
    if len(archives) != 1:
        names = examples(_name(entry) for entry in entries) or "no files"
        raise DownloadError(f"it must hold exactly one .zip, but it holds {names}")
    (archive,) = archives
    size: Any = archive.get("size", archive.get("filesize"))
    md5 = str(archive.get("checksum")).lower().removeprefix("md5:")
    return RecordFile(_name(archive), size, md5)


def file_url(record: int, name: str, *, base_url: str | None = None) -> str:
    """Address of a record's file, of the form that answers range requests.

    Parameters
    ----------
    record : int
        Zenodo's number.
    name : str
        The file's name.
    base_url : str or None
        The server; default ``LLPBENCH_ZENODO_URL``, else Zenodo's own.

    Returns
    -------
    str
        The address.

    Examples
    --------
    >>> file_url(7935237, "a b.zip", base_url="https://zenodo.org")
    'https://zenodo.org/records/7935237/files/a%20b.zip?download=1'
    """
    return f"{server_url(base_url)}/records/{record}/files/{quote(name)}?download=1"


def _ask(url: str, policy: RetryPolicy) -> object:
    with open_session() as session, get(session, url, policy) as answer:
        refuse_failure(answer)
        if is_web_page(answer):
            raise TransientError(f"{url} answered with a web page instead of JSON")
        body = answer.raw.read(LONGEST_ANSWER + 1, decode_content=True)
    if len(body) > LONGEST_ANSWER:
        raise SourceError(f"{url} answered with more than {LONGEST_ANSWER} bytes")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise TransientError(f"{url} answered with something other than JSON") from error


def _name(entry: dict[str, Any]) -> str:
    return str(entry.get("key") or entry.get("filename"))
