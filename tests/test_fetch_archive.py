"""A verified archive in the cache: checksums, stamps, mirrors, renamed files."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pooch
import pytest
from fetching import MD5, NAME, PAYLOAD, RECORD, SIZE, eager, part_of
from zenodo_server import ZenodoServer, content, cut, refusal

from llpbench.catalog import RecordFile
from llpbench.data.fetch import Archive, ArchiveState
from llpbench.data.fetch.record import remember
from llpbench.errors import DownloadError

WRONG = bytes(SIZE)
WRONG_MD5 = hashlib.md5(WRONG).hexdigest()


@pytest.fixture
def published(zenodo: ZenodoServer) -> ZenodoServer:
    zenodo.publish(RECORD, NAME, PAYLOAD)
    return zenodo


def fetch(cache: Path, **settings: object) -> Path:
    """Fetch the test archive without waiting."""
    with eager(attempts=3):
        return Archive(RECORD, cache).fetch(**settings)  # type: ignore[arg-type]


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that pooch hashes."""
    seen: list[str] = []
    file_hash = pooch.file_hash

    def noting(file: str, alg: str) -> Any:
        seen.append(Path(file).name)
        return file_hash(file, alg)

    monkeypatch.setattr(pooch.hashes, "file_hash", noting)
    monkeypatch.setattr(pooch, "file_hash", noting)
    return seen


def test_an_archive_arrives_verified_and_nothing_else_stays(
    published: ZenodoServer, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    archive = fetch(tmp_path)
    assert archive == tmp_path / "archives" / str(RECORD) / NAME
    assert archive.read_bytes() == PAYLOAD
    assert sorted(path.name for path in archive.parent.iterdir()) == [NAME, f"{NAME}.stamp.json"]
    assert archive.stat().st_nlink == 1
    assert capfd.readouterr().err == ""


def test_a_second_fetch_asks_nothing_and_hashes_nothing(
    published: ZenodoServer, tmp_path: Path, hashed: list[str]
) -> None:
    fetch(tmp_path)
    assert len(hashed) == 1
    before = len(published.log)
    fetch(tmp_path)
    assert (len(hashed), len(published.log)) == (1, before)


def test_a_touched_archive_is_hashed_again_and_kept(
    published: ZenodoServer, tmp_path: Path, hashed: list[str]
) -> None:
    archive = fetch(tmp_path)
    os.utime(archive, (0, 0))
    fetch(tmp_path)
    fetch(tmp_path)
    assert hashed.count(NAME) == 1
    assert len(published.asked("file")) == 1


def test_a_changed_archive_is_fetched_again(published: ZenodoServer, tmp_path: Path) -> None:
    archive = fetch(tmp_path)
    archive.write_bytes(WRONG)
    assert fetch(tmp_path).read_bytes() == PAYLOAD
    assert len(published.asked("file")) == 2


def test_verify_hashes_only_what_was_touched_unless_forced(
    published: ZenodoServer, tmp_path: Path, hashed: list[str]
) -> None:
    archive = fetch(tmp_path)
    hashed.clear()
    assert Archive(RECORD, tmp_path).verify() == archive
    assert hashed == []
    assert Archive(RECORD, tmp_path).verify(force=True) == archive
    assert hashed == [NAME]


def test_verify_finds_rot_that_the_stamp_cannot_see(
    published: ZenodoServer, tmp_path: Path
) -> None:
    archive = fetch(tmp_path)
    times = archive.stat()
    archive.write_bytes(WRONG)
    os.utime(archive, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert Archive(RECORD, tmp_path).verify() == archive
    with pytest.raises(DownloadError, match=rf"expected md5 {MD5}, found {WRONG_MD5}"):
        Archive(RECORD, tmp_path).verify(force=True)
    assert fetch(tmp_path).read_bytes() == PAYLOAD


def test_verify_of_what_is_not_there(published: ZenodoServer, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="download it first"):
        Archive(RECORD, tmp_path).verify()
    remember(RECORD, RecordFile(NAME, SIZE, MD5), cache=tmp_path)
    with pytest.raises(DownloadError, match="download it first"):
        Archive(RECORD, tmp_path).verify()


@pytest.mark.parametrize("stamp", ["", "[]", '{"size": 1', "\x00"])
def test_a_damaged_stamp_is_no_stamp(published: ZenodoServer, tmp_path: Path, stamp: str) -> None:
    archive = fetch(tmp_path)
    archive.with_name(f"{NAME}.stamp.json").write_text(stamp)
    assert fetch(tmp_path) == archive
    assert len(published.asked("file")) == 1


def test_wrong_bytes_are_thrown_away_and_fetched_once_more(
    published: ZenodoServer, tmp_path: Path
) -> None:
    published.fail("file", content(WRONG))
    assert fetch(tmp_path).read_bytes() == PAYLOAD
    assert [request.start for request in published.asked("file")] == [0, 0]


def test_wrong_bytes_twice_fail_and_name_both_checksums(
    published: ZenodoServer, tmp_path: Path
) -> None:
    published.fail("file", content(WRONG), times=None)
    with pytest.raises(DownloadError, match=rf"{MD5} but got {WRONG_MD5}"):
        fetch(tmp_path)
    assert len(published.asked("file")) == 2
    assert list(part_of(tmp_path).parent.iterdir()) == []


def test_a_part_with_wrong_bytes_costs_one_more_try(
    published: ZenodoServer, tmp_path: Path
) -> None:
    part_of(tmp_path).write_bytes(WRONG[: SIZE // 2])
    assert fetch(tmp_path).read_bytes() == PAYLOAD
    assert [request.start for request in published.asked("file")] == [SIZE // 2, 0]


def test_a_finished_part_is_verified_without_a_request(
    published: ZenodoServer, tmp_path: Path
) -> None:
    part_of(tmp_path).write_bytes(PAYLOAD)
    assert fetch(tmp_path).read_bytes() == PAYLOAD
    assert published.asked("file") == []


def test_a_disk_without_links_takes_an_archive_too(
    published: ZenodoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    published.fail("file", content(WRONG))
    archive = fetch(tmp_path)
    assert archive.read_bytes() == PAYLOAD
    assert sorted(path.name for path in archive.parent.iterdir()) == [NAME, f"{NAME}.stamp.json"]


def test_an_interrupt_while_the_md5_is_checked_loses_nothing(
    published: ZenodoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pooch.hashes, "file_hash", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fetch(tmp_path)
    assert [path.name for path in part_of(tmp_path).parent.iterdir()] == [part_of(tmp_path).name]
    assert fetch(tmp_path).read_bytes() == PAYLOAD
    assert len(published.asked("file")) == 1


def test_every_byte_is_kept_over_runs_that_fail(published: ZenodoServer, tmp_path: Path) -> None:
    for tenth in range(1, 10):
        published.fail("file", cut(SIZE * tenth // 10))
        published.fail("file", refusal(503), times=3)
        with pytest.raises(DownloadError):
            fetch(tmp_path)
        state = Archive(RECORD, tmp_path).state
        assert state == ArchiveState("partial", SIZE * tenth // 10, SIZE)
        assert state.percent == pytest.approx(10 * tenth, abs=0.01)
    assert fetch(tmp_path).read_bytes() == PAYLOAD
    assert sum(request.sent for request in published.asked("file")) == SIZE


def test_a_renamed_file_is_found_by_its_checksum(published: ZenodoServer, tmp_path: Path) -> None:
    remember(RECORD, RecordFile(NAME, SIZE, MD5), cache=tmp_path)
    published.rename(RECORD, NAME, "benelux v2.zip")
    archive = fetch(tmp_path)
    assert (archive.name, archive.read_bytes()) == (NAME, PAYLOAD)
    assert published.log[-1].path == f"/records/{RECORD}/files/benelux%20v2.zip?download=1"


def test_a_replaced_file_names_both_checksums(published: ZenodoServer, tmp_path: Path) -> None:
    remember(RECORD, RecordFile(NAME, SIZE, MD5), cache=tmp_path)
    published.rename(RECORD, NAME, "benelux v2.zip")
    published.publish(RECORD, "benelux v2.zip", WRONG)
    with pytest.raises(DownloadError, match=rf"{MD5}.*benelux v2.zip with md5 {WRONG_MD5}"):
        fetch(tmp_path)


def test_mirrors_are_asked_in_order_and_zenodo_last(
    published: ZenodoServer, tmp_path: Path
) -> None:
    with ZenodoServer(mirror=True) as empty, ZenodoServer() as broken, ZenodoServer() as good:
        broken.fail("file", refusal(500), times=None)
        good.publish(RECORD, NAME, PAYLOAD)
        fetch(tmp_path, mirrors=[empty.url, broken.url, good.url])
        address = f"/records/{RECORD}/files/{NAME}?download=1"
        assert [request.path for request in empty.log] == [f"/{NAME}", address]
        assert [request.path for request in broken.log] == [f"/{NAME}"] * 3
        assert [request.path for request in good.log] == [f"/{NAME}", address]
    assert published.asked("file") == []


def test_a_mirror_that_dies_leaves_its_bytes_to_the_next(
    published: ZenodoServer, tmp_path: Path
) -> None:
    with ZenodoServer(mirror=True) as mirror:
        mirror.publish(RECORD, NAME, PAYLOAD)
        mirror.fail("file", cut(SIZE // 2))
        mirror.fail("file", refusal(503), times=None)
        assert fetch(tmp_path, mirrors=[f"{mirror.url}/"]).read_bytes() == PAYLOAD
    assert [request.start for request in published.asked("file")] == [SIZE // 2]


def test_a_mirror_with_wrong_bytes_is_left_for_zenodo(
    published: ZenodoServer, tmp_path: Path
) -> None:
    with ZenodoServer(mirror=True) as mirror:
        mirror.publish(RECORD, NAME, WRONG)
        assert fetch(tmp_path, mirrors=[mirror.url]).read_bytes() == PAYLOAD
        assert len(mirror.log) == 2


def test_when_no_server_gives_the_file_all_are_named(
    published: ZenodoServer, tmp_path: Path
) -> None:
    published.fail("file", refusal(403), times=None)
    with ZenodoServer() as mirror:
        with pytest.raises(DownloadError) as raised:
            fetch(tmp_path, mirrors=[mirror.url])
        assert mirror.url in str(raised.value)
    assert f"{published.url}/records/{RECORD}" in str(raised.value)


def test_the_reason_is_the_connections_and_not_the_callers(
    published: ZenodoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("LLPBENCH_ZENODO_URL", address)
    try:
        (tmp_path / "store").stat()
    except FileNotFoundError:
        with pytest.raises(DownloadError, match=r"failed \(Connection refused\)"):
            fetch(tmp_path)


def test_threads_share_one_download(published: ZenodoServer, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as threads:
        paths = list(threads.map(lambda _: fetch(tmp_path), range(4)))
    assert {path.read_bytes() for path in paths} == {PAYLOAD}
    assert len(published.asked("file")) == 1


def test_a_mirror_that_is_no_address_is_told_before_anything_is_asked(
    published: ZenodoServer, tmp_path: Path
) -> None:
    with pytest.raises(DownloadError, match="'ftp://mirror'"):
        fetch(tmp_path, mirrors=["ftp://mirror"])
    assert published.log == []


def test_state_before_between_and_after(published: ZenodoServer, tmp_path: Path) -> None:
    assert Archive(RECORD, tmp_path).state == ArchiveState("absent", 0, None)
    remember(RECORD, RecordFile(NAME, SIZE, MD5), cache=tmp_path)
    assert Archive(RECORD, tmp_path).state == ArchiveState("absent", 0, SIZE)
    fetch(tmp_path)
    assert Archive(RECORD, tmp_path).state == ArchiveState("archive", SIZE, SIZE)
    Archive(RECORD, tmp_path).remove()
    assert Archive(RECORD, tmp_path).state == ArchiveState("absent", 0, SIZE)
