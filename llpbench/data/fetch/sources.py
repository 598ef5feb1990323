"""The servers that may have a record's archive, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from llpbench.data.fetch.faults import SourceError
from llpbench.data.fetch.http import server_url
from llpbench.data.fetch.record import ask_record, file_url
from llpbench.data.fetch.registry import RecordFile
from llpbench.data.fetch.retry import RetryPolicy


@dataclass(frozen=True)
class Source:
    """A server and the two places where it may have a file.

    Parameters
    ----------
    usual : str
        The address to ask first.
    otherwise : callable
        Gives the address to ask if the first does not exist.
    """

    usual: str
    otherwise: Callable[[], str]


def sources(
    record: int,
    file: RecordFile,
    *,
    mirrors: Sequence[str] = (),
    base_url: str | None = None,
    policy: RetryPolicy | None = None,
) -> Iterator[Source]:
    """List the servers: the mirrors first, then Zenodo.

    Parameters
    ----------
    record : int
        Zenodo's number.
    file : RecordFile
        Its archive.
    mirrors : sequence of str
        Each serves ``MIRROR/NAME.zip`` or ``MIRROR/records/RECORD/files/NAME.zip``.
    base_url : str or None
        The server; default ``LLPBENCH_ZENODO_URL``, else Zenodo's own. If it has no such file any
        more, its record is asked whether the same bytes have another name.
    policy : RetryPolicy or None
        Timeouts and retries of that question.

    Yields
    ------
    Source
        A server.

    Raises
    ------
    DownloadError
        If an address begins with neither ``http://`` nor ``https://``.

    Examples
    --------
    >>> file = RecordFile("a.zip", 22, "76cdb2bad9582d23c1f6f4d868218d6c")
    >>> mirror, zenodo = sources(1, file, mirrors=["http://host/data"], base_url="http://z")
    >>> mirror.usual, mirror.otherwise()
    ('http://host/data/a.zip', 'http://host/data/records/1/files/a.zip?download=1')
    >>> zenodo.usual
    'http://z/records/1/files/a.zip?download=1'
    """
    for mirror in map(server_url, mirrors):
        like_zenodo = partial(file_url, record, file.name, base_url=mirror)
        yield Source(f"{mirror}/{quote(file.name)}", like_zenodo)
    usual = file_url(record, file.name, base_url=base_url)
    yield Source(usual, partial(_renamed_url, record, file, base_url, policy))


def _renamed_url(
    record: int, file: RecordFile, base_url: str | None, policy: RetryPolicy | None
) -> str:
    now = ask_record(record, base_url=base_url, policy=policy)
    if now.md5 != file.md5:
        raise SourceError(
            f"record {record} no longer holds {file.name} with md5 {file.md5}: "
            f"it holds {now.name} with md5 {now.md5}"
        )
    return file_url(record, now.name, base_url=base_url)
