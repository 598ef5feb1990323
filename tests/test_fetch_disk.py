"""Disks that are full, read-only or in the way: one sentence, and nothing that arrived is lost."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from fetching import MD5, NAME, PAYLOAD, RECORD, SIZE, eager, part_of
from zenodo_server import ZenodoServer

from llpbench.catalog import RecordFile
from llpbench.data.fetch import Archive
from llpbench.data.fetch.record import remember
from llpbench.errors import DownloadError


@pytest.fixture(autouse=True)
def _published(zenodo: ZenodoServer) -> None:
    zenodo.publish(RECORD, NAME, PAYLOAD)


def fetch(cache: Path) -> Path:
    """Fetch the test archive without waiting."""
    with eager():
        return Archive(RECORD, cache).fetch()


def test_too_little_space_is_told_before_the_file_is_asked_for(
    zenodo: ZenodoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=SIZE - 1))
    with pytest.raises(DownloadError, match="GB free; free some or choose another folder"):
        fetch(tmp_path)
    assert zenodo.asked("file") == []


def test_only_what_is_missing_needs_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part_of(tmp_path).write_bytes(PAYLOAD[: SIZE // 2])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=SIZE - SIZE // 2))
    assert fetch(tmp_path).read_bytes() == PAYLOAD


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_device_that_is_full(tmp_path: Path) -> None:
    part = part_of(tmp_path)
    part.symlink_to("/dev/full")
    with pytest.raises(DownloadError, match=r"No space left on device.*what has arrived is kept"):
        fetch(tmp_path)
    part.unlink()
    assert fetch(tmp_path).read_bytes() == PAYLOAD


def test_a_file_size_limit_reached_amid_a_download(zenodo: ZenodoServer, tmp_path: Path) -> None:
    limit = SIZE // 2
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        with pytest.raises(DownloadError, match=r"File too large\).*what has arrived is kept"):
            fetch(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert part_of(tmp_path).read_bytes() == PAYLOAD[:limit]
    assert fetch(tmp_path).read_bytes() == PAYLOAD
    assert zenodo.log[-1].headers["Range"] == f"bytes={limit}-"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_a_disk_that_refuses_the_stamp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr("llpbench.data.fetch.archive.write_stamp", refuse)
        with pytest.raises(DownloadError, match=os.strerror(code)):
            fetch(tmp_path)
    assert fetch(tmp_path).read_bytes() == PAYLOAD


def test_a_cache_folder_that_is_a_file(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.write_bytes(b"in the way")
    with pytest.raises(DownloadError, match=f"the cache folder {cache} cannot be written"):
        fetch(cache)
    assert cache.read_bytes() == b"in the way"


def test_an_archive_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "archives").write_bytes(b"in the way")
    with pytest.raises(DownloadError, match=r"cannot be written \(File exists\)"):
        fetch(tmp_path)
    assert (tmp_path / "archives").read_bytes() == b"in the way"


@contextmanager
def unprivileged() -> Iterator[None]:
    """Be someone whom permissions bind, which they do not bind root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A cache folder that nobody may write, below folders that everybody may read."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        cache = Path(folder) / "cache"
        cache.mkdir()
        yield cache
        for path in (cache, *cache.rglob("*")):
            path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IRWXU)


def seal(cache: Path) -> None:
    """Take away everyone's permission to write."""
    for path in (cache, *cache.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)


def test_a_read_only_cache(read_only: Path) -> None:
    seal(read_only)
    with unprivileged(), pytest.raises(DownloadError, match="Permission denied"):
        fetch(read_only)
    assert list(read_only.iterdir()) == []


def test_a_read_only_cache_that_knows_the_record(read_only: Path, zenodo: ZenodoServer) -> None:
    remember(RECORD, RecordFile(NAME, SIZE, MD5), cache=read_only)
    seal(read_only)
    with unprivileged(), pytest.raises(DownloadError, match="Permission denied"):
        fetch(read_only)
    assert zenodo.log == []


def test_an_archive_folder_that_is_read_only(read_only: Path, zenodo: ZenodoServer) -> None:
    archive = fetch(read_only)
    archive.unlink()
    seal(read_only)
    for path in (read_only, *archive.parents[1].iterdir()):
        path.chmod(0o777)
    archive.parent.chmod(0o555)
    with unprivileged(), pytest.raises(DownloadError, match=r"written \(.*denied[^|]*\); what has"):
        fetch(read_only)
    assert len(zenodo.asked("file")) == 1


def test_an_archive_in_a_read_only_cache_is_used(read_only: Path, zenodo: ZenodoServer) -> None:
    fetch(read_only)
    seal(read_only)
    asked = len(zenodo.log)
    with unprivileged():
        assert fetch(read_only).read_bytes() == PAYLOAD
    assert len(zenodo.log) == asked
