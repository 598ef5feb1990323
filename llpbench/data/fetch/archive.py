"""The archive of a record in a cache: how much of it is there, fetching, verifying, removing it.

pooch decides whether to download, checks the md5 and puts the file in place. Around it are mirrors,
a lock and a stamp, and within it, as its downloader, a transfer that resumes.

::

    archives/RECORD/NAME.zip              verified
    archives/RECORD/NAME.zip.stamp.json   what was verified
    archives/RECORD/.NAME.part.zip        what has arrived so far
    archives/.RECORD.lock                 held by the one process that fetches
    archives/.RECORD.dataset.lock         held by the one that fetches or makes a dataset of it
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import pooch

from llpbench import catalog
from llpbench.catalog import RecordFile
from llpbench.data.fetch.disk import one_writer
from llpbench.data.fetch.http import server_url
from llpbench.data.fetch.record import ask_record, file_url, read_registry, remember
from llpbench.data.fetch.retrying import MissingError, SourceError
from llpbench.data.fetch.stamp import is_stamped, stamp_path, write_stamp
from llpbench.data.fetch.transfer import Transfer, size_of
from llpbench.errors import DownloadError
from llpbench.writing import discard, part_path

log = logging.getLogger(__name__)
pooch.get_logger().setLevel("WARNING")  # the progress bar says what is fetched


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


@dataclass(frozen=True)
class Archive:
    """The archive of a record, and the cache that it belongs to."""

    record: int
    cache: Path

    @property
    def folder(self) -> Path:
        """The folder that holds it, there or not."""
        return self.cache / "archives" / str(self.record)

    @property
    def known(self) -> RecordFile | None:
        """Name, size and md5 by the catalog or the cache's registry; None where neither knows."""
        pinned = catalog.load().record_file(self.record)
        return pinned or read_registry(self.cache).get(self.record)

    @property
    def state(self) -> ArchiveState:
        """How much of it is there, without the network."""
        file = self.known
        if file is None:
            return ArchiveState("absent", 0, None)
        path = self.folder / file.name
        if path.exists():
            return ArchiveState("archive", size_of(path), file.size)
        arrived = size_of(part_path(path))
        return ArchiveState("partial" if arrived else "absent", arrived, file.size)

    def lookup(self) -> RecordFile:
        """Find out name, size and md5: from the catalog, the cache, or the record itself, once."""
        file = self.known
        if file is None:
            file = ask_record(self.record)
            remember(self.record, file, cache=self.cache)
        return file

    def fetch(self, mirrors: Sequence[str] = (), *, progress: bool = True) -> Path:
        """Fetch it, or what is missing of it, and verify it.

        Parameters
        ----------
        mirrors : sequence of str
            Addresses asked before Zenodo, in this order. A mirror serves the file as
            ``MIRROR/NAME.zip`` or, as Zenodo does, as ``MIRROR/records/RECORD/files/NAME.zip``.
            It need not be trusted: the md5 is the record's.
        progress : bool
            Show a progress bar where standard error is a terminal.

        Returns
        -------
        Path
            The verified archive. One that is already there costs no request and no hash.

        Raises
        ------
        DownloadError
            If no server gives the file as the record describes it, or the disk cannot take it.
            What has arrived stays, and the next call continues there.
        """
        mirrors = [server_url(mirror) for mirror in mirrors]
        file = self.lookup()
        path = self.folder / file.name
        if is_stamped(path, file.md5):
            return path
        with one_writer(self.folder, self.cache):
            if not is_stamped(path, file.md5):
                self._fetch_from_any(mirrors, Transfer(file, part_path(path), progress))
                for other in {*self.folder.iterdir()} - {path}:  # what killed runs left, the part
                    discard(other)
                write_stamp(path, file.md5)
        return path

    def verify(self, *, force: bool = False) -> Path:
        """Check it against its record's md5, without the network.

        Parameters
        ----------
        force : bool
            Hash it even if nothing has touched it since it was last found right.

        Raises
        ------
        DownloadError
            If it is not there or its md5 is another; the next :meth:`fetch` then fetches it anew.
        """
        file = self.known
        if file is None or not (path := self.folder / file.name).exists():
            raise DownloadError(
                f"the archive of record {self.record} is not in {self.cache}: download it first"
            )
        if is_stamped(path, file.md5) and not force:
            return path
        with one_writer(self.folder, self.cache):
            if (md5 := pooch.file_hash(path, alg="md5")) != file.md5:
                stamp_path(path).unlink(missing_ok=True)
                raise DownloadError(
                    f"{path} is damaged: expected md5 {file.md5}, found {md5}; download it again"
                )
        return path

    def in_use(self, *, wait: bool = True) -> AbstractContextManager[None]:
        """Let one process at a time fetch it, make a dataset of it, or remove it.

        Parameters
        ----------
        wait : bool
            Whether to wait for another process that does; else that is a :class:`BusyError`.
        """
        return one_writer(self.folder.with_name(f"{self.record}.dataset"), self.cache, wait=wait)

    def remove(self) -> None:
        """Remove it, and what has arrived of it; name, size and md5 stay in the registry."""
        if self.folder.exists():
            with one_writer(self.folder, self.cache):
                shutil.rmtree(self.folder)

    def _addresses(self, file: RecordFile, mirror: str | None) -> Iterator[str]:
        """Where a mirror, or else Zenodo, has the file; next, where if it is not there."""
        yield f"{mirror}/{quote(file.name)}" if mirror else file_url(self.record, file.name)
        yield file_url(self.record, file.name, mirror) if mirror else self._renamed_url(file)

    def _renamed_url(self, file: RecordFile) -> str:
        """Ask the record whether the same bytes have another name now."""
        now = ask_record(self.record)
        if now.md5 != file.md5:
            raise SourceError(
                f"record {self.record} no longer holds {file.name} with md5 {file.md5}: "
                f"it holds {now.name} with md5 {now.md5}"
            )
        return file_url(self.record, now.name)

    def _fetch_from_any(self, mirrors: Sequence[str], transfer: Transfer) -> None:
        """Try mirrors, then Zenodo; raise the failures of all if none gives the file."""
        failures: list[SourceError] = []
        for mirror in (*mirrors, None):
            if failures:
                log.warning("%s; asking %s instead", failures[-1], mirror or "Zenodo")
            addresses = self._addresses(transfer.file, mirror)
            try:
                try:
                    return self._fetch_from(next(addresses), transfer)
                except MissingError:
                    return self._fetch_from(next(addresses), transfer)
            except SourceError as error:
                failures.append(error)
        raise SourceError("; ".join(map(str, failures))) from failures[-1]

    def _fetch_from(self, url: str, transfer: Transfer) -> None:
        """Have pooch fetch and check it; wrong bytes are thrown away and fetched once more."""
        file = transfer.file
        for last in (False, True):
            try:
                pooch.retrieve(url, f"md5:{file.md5}", file.name, self.folder, downloader=transfer)
                return
            except ValueError as error:
                discard(transfer.part)
                wrong = str(error).partition(". Deleted")[0]  # names the md5 expected and received
                if last:
                    raise SourceError(f"{url} gave wrong bytes twice: {wrong}") from error
                log.warning("%s gave wrong bytes, which are thrown away: %s", url, wrong)
