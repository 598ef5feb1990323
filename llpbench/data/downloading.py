"""From a dataset's name to a store in the cache: fetch, convert, verify, tidy up."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from llpbench import catalog
from llpbench.data import fetch
from llpbench.data.cache import cache_folder, find_folder, import_archive, stored_names
from llpbench.data.store import WriteReport, read_info, verify_store
from llpbench.data.store.reading import open_chips
from llpbench.errors import DatasetWarning, DownloadError

STORE_SHARE = 1.1
"""Bytes of a store for each byte of its archive, rounded up from what was measured."""


@dataclass(frozen=True)
class Plan:
    """What a download would do: the bytes it would fetch and take, and those that are free.

    ``store_bytes`` is an estimate, ``present_bytes`` the part of the archive that is here already.
    """

    name: str
    archive_bytes: int
    present_bytes: int
    store_bytes: int
    free_bytes: int

    @property
    def needed_bytes(self) -> int:
        """What the disk must have left."""
        return self.archive_bytes - self.present_bytes + self.store_bytes


def plan(name: str, *, chips: int | None = None) -> Plan:
    """Say what downloading a published dataset, or about so many chips of it, would need."""
    entry = catalog.dataset(name)
    archive = published_archive(name)
    size = archive.lookup().size
    share = 1.0 if chips is None else min(1.0, chips / entry.chips)
    return Plan(
        name=_store_name(name, chips),
        archive_bytes=size,
        present_bytes=archive.state.present,
        store_bytes=int(STORE_SHARE * share * size),
        free_bytes=fetch.free_bytes(archive.cache),
    )


def published_archive(name: str) -> fetch.Archive:
    """The archive of a published dataset, in the cache or yet to be fetched."""
    entry = catalog.dataset(name)
    if entry.record is None:
        why = "is embedded and made at its first use" if entry.synthetic else "is not published yet"
        raise DownloadError(f"{name!r} {why}: it has no archive")
    return fetch.Archive(entry.record, cache_folder())


def download(
    name: str,
    *,
    mirrors: Sequence[str] = (),
    keep_archive: bool = False,
    chips: int | None = None,
    progress: bool = True,
) -> Path:
    """Fetch a published dataset and make its store, unless it is here already.

    What was fetched or converted before an interruption is not done again. The archive is
    removed once the store is verified. Two processes that download the same dataset share one
    download.

    Parameters
    ----------
    name : str
        Of a dataset in the catalog; an embedded one is made instead of fetched.
    mirrors : sequence of str
        Addresses that serve the archive under its file name, tried in order before Zenodo.
    keep_archive : bool
        Whether the archive stays in the cache.
    chips : int, optional
        Only about that many chips: whole divisions of every split, as a dataset of its own
        called ``NAME-Nchips``.
    progress : bool
        Whether to show progress bars.

    Returns
    -------
    Path
        The store.

    Raises
    ------
    UnknownNameError
        If there is no such dataset.
    DownloadError
        If it cannot be fetched whole, or the disk has too little space.
    ArchiveError, StoreError
        If the archive is damaged, or the store cannot be written.

    Warns
    -----
    DatasetWarning
        For each thing that was out of order, such as another number of chips than published.

    Examples
    --------
    >>> download("benelux-esaworldcover", chips=2000)  # doctest: +SKIP
    PosixPath('.cache/llpbench/benelux-esaworldcover-2000chips')
    """
    if catalog.dataset(name).synthetic:
        return find_folder(name)
    archive, target = published_archive(name), _store_name(name, chips)
    with archive.in_use(), _advising(name):
        if target in stored_names():
            return archive.cache / target
        needed = plan(name, chips=chips).needed_bytes
        fetch.require_space(archive.cache, needed, f"{target} (archive and store)")
        path = archive.fetch(mirrors, progress=progress)
        md5 = archive.lookup().md5
        report = import_archive(path, target, chips=chips, md5=md5, progress=progress)
        verify_store(report.path, progress=progress)
        if not keep_archive:
            archive.remove()
    for remark in (*report.remarks, *([] if chips else _count_remarks(name, report))):
        warnings.warn(remark, DatasetWarning, stacklevel=2)
    return find_folder(target)


@contextmanager
def _advising(name: str) -> Iterator[None]:
    """Say what else can be done where no server gives the archive."""
    try:
        yield
    except fetch.SourceError as error:
        raise DownloadError(
            f"{error}; with an archive from elsewhere, `llpbench import ARCHIVE.zip --name {name}` "
            "makes the dataset, and --mirror URL names another server"
        ) from error


def _store_name(name: str, chips: int | None) -> str:
    return name if chips is None else f"{name}-{chips}chips"


def _count_remarks(name: str, report: WriteReport) -> list[str]:
    """Compare chip counts with the published ones; a difference is no reason to refuse."""
    entry = catalog.dataset(name)
    remarks = []
    if report.chips != entry.chips:
        remarks.append(f"{name} has {report.chips} chips, {entry.chips} were published")
    ds = open_chips(report.path, read_info(report.path))
    for column, published in entry.splits.items():
        names, counts = np.unique(ds[column].to_numpy(), return_counts=True)
        stored = dict(zip(names.tolist(), counts.tolist(), strict=True))
        if stored != dict(published):
            remarks.append(
                f"{name}: {column} counts {stored} differ from the published {dict(published)}"
            )
    return remarks
