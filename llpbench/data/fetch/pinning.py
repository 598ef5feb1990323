"""For maintainers: write the records' archives into the package, so that no API is asked again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from llpbench.data.fetch import registry
from llpbench.data.fetch.disk import one_sentence
from llpbench.data.fetch.record import ask_record
from llpbench.data.fetch.retry import RetryPolicy
from llpbench.errors import DownloadError


def pin_records(
    records: Iterable[int],
    *,
    path: Path | None = None,
    base_url: str | None = None,
    policy: RetryPolicy | None = None,
) -> dict[int, registry.RecordFile]:
    """Ask each record for its archive and write the answers into a registry.

    Parameters
    ----------
    records : iterable of int
        Zenodo's numbers.
    path : Path or None
        The registry; default the package's. Other records in it stay.
    base_url : str or None
        The server; default ``LLPBENCH_ZENODO_URL``, else Zenodo's own.
    policy : RetryPolicy or None
        Timeouts and retries.

    Returns
    -------
    dict
        All archives in the registry by record number.

    Raises
    ------
    DownloadError
        If a record does not answer, or its md5 is not the one that is pinned already; the registry
        then stays as it was.
    """
    path = path or registry.PACKAGED
    pinned = registry.read_registry(path)
    for record in records:
        found = ask_record(record, base_url=base_url, policy=policy)
        before = pinned.get(record, found)
        if found.md5 != before.md5:
            raise DownloadError(
                f"record {record} is pinned with md5 {before.md5} ({before.name}) but now holds "
                f"md5 {found.md5} ({found.name}); remove it from {path} if that is meant"
            )
        pinned[record] = found
    with one_sentence(path.parent):
        registry.write_registry(path, pinned)
    return pinned
