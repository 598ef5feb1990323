"""A record number in, the path of its verified archive out.

The cache folder, the registry and the final check are pooch's; what pooch does not have, resuming,
mirrors, a lock and a stamp, is added around it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

import pooch

from llpbench.data.fetch.disk import one_sentence
from llpbench.data.fetch.downloader import ResumingDownloader
from llpbench.data.fetch.faults import MissingError, SourceError
from llpbench.data.fetch.http import server_url
from llpbench.data.fetch.places import archive_path, held, part_path
from llpbench.data.fetch.record import lookup
from llpbench.data.fetch.registry import known
from llpbench.data.fetch.retry import RetryPolicy
from llpbench.data.fetch.sources import Source, sources
from llpbench.data.fetch.stamp import is_stamped, stamp_path, write_stamp
from llpbench.errors import DownloadError

log = logging.getLogger(__name__)

_POOCH_TEMPORARY = "tmp" + "[a-z0-9_]" * 8


def fetch_archive(
    record: int,
    *,
    cache: Path,
    mirrors: Sequence[str] = (),
    base_url: str | None = None,
    progress: bool = True,
    policy: RetryPolicy | None = None,
) -> Path:
    """Fetch a record's archive, or what is missing of it, and verify it.

    Parameters
    ----------
    record : int
        Zenodo's number.
    cache : Path
        The cache folder.
    mirrors : sequence of str
        Addresses asked before Zenodo, in this order. A mirror serves the file as
        ``MIRROR/NAME.zip`` or, as Zenodo does, as ``MIRROR/records/RECORD/files/NAME.zip``. It
        need not be trusted: the md5 is the record's.
    base_url : str or None
        The server; default ``LLPBENCH_ZENODO_URL``, else Zenodo's own.
    progress : bool
        Show a progress bar where standard error is a terminal.
    policy : RetryPolicy or None
        Timeouts and retries.

    Returns
    -------
    Path
        The verified archive. One that is already there costs no request and no hash.

    Raises
    ------
    DownloadError
        If no server gives the file as the record describes it, or the disk cannot take it. What
        has arrived stays, and the next call continues there.
    """
    policy = policy or RetryPolicy()
    for address in (*mirrors, base_url):
        server_url(address)
    file = lookup(record, cache=cache, base_url=base_url, policy=policy)
    archive = archive_path(record, file, cache=cache)
    if is_stamped(archive, file.md5):
        return archive
    with one_sentence(cache), held(archive.parent):
        if not is_stamped(archive, file.md5):
            for stray in archive.parent.glob(_POOCH_TEMPORARY):
                stray.unlink()
            downloader = ResumingDownloader(part_path(archive), file.size, policy, progress)
            servers = sources(record, file, mirrors=mirrors, base_url=base_url, policy=policy)
            _fetch_from_any(servers, archive, file.md5, downloader)
            write_stamp(archive, file.md5)
            part_path(archive).unlink(missing_ok=True)
    return archive


def verify_archive(record: int, *, cache: Path, force: bool = False) -> Path:
    """Check an archive that is there against its record's md5, without the network.

    Parameters
    ----------
    record : int
        Zenodo's number.
    cache : Path
        The cache folder.
    force : bool
        Hash it even if nothing has touched it since it was last found right.

    Returns
    -------
    Path
        The archive.

    Raises
    ------
    DownloadError
        If it is not there or its md5 is another; the next :func:`fetch_archive` then fetches it
        anew.
    """
    file = known(record, cache=cache)
    archive = archive_path(record, file, cache=cache) if file else None
    if file is None or archive is None or not archive.exists():
        raise DownloadError(f"the archive of record {record} is not in {cache}: download it first")
    if is_stamped(archive, file.md5) and not force:
        return archive
    with one_sentence(cache):
        found = pooch.file_hash(str(archive), alg="md5")
        if found != file.md5:
            stamp_path(archive).unlink(missing_ok=True)
            raise DownloadError(
                f"{archive} is damaged: expected md5 {file.md5}, found {found}; download it again"
            )
    return archive


def _fetch_from_any(
    servers: Iterable[Source], archive: Path, md5: str, downloader: ResumingDownloader
) -> None:
    """Try each server in turn; raise what all of them said if none gives the file."""
    failures: list[SourceError] = []
    for source in servers:
        if failures:
            log.warning("%s; asking %s instead", failures[-1], source.usual)
        try:
            try:
                return _fetch_from(source.usual, archive, md5, downloader)
            except MissingError:
                return _fetch_from(source.otherwise(), archive, md5, downloader)
        except SourceError as error:
            failures.append(error)
    raise DownloadError("; ".join(map(str, failures))) from failures[-1]


def _fetch_from(url: str, archive: Path, md5: str, downloader: ResumingDownloader) -> None:
    """Have pooch fetch and check; wrong bytes are thrown away and fetched once more."""
    keeper = pooch.create(
        path=archive.parent,
        base_url="",
        registry={archive.name: f"md5:{md5}"},
        urls={archive.name: url},
    )
    pooch.get_logger().setLevel("WARNING")
    for last in (False, True):
        try:
            keeper.fetch(archive.name, downloader=downloader)
            return
        except ValueError as error:
            downloader.part.unlink(missing_ok=True)
            said = str(error).partition(". ")[0]  # names the expected and the found md5
            if last:
                raise SourceError(f"{url} gave wrong bytes twice: {said}") from error
            log.warning("%s gave wrong bytes, which are thrown away: %s", url, said)
