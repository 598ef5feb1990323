"""The record's answer over real sockets, and the registries that spare asking for it again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from fetching import MD5, NAME, PAYLOAD, RECORD, SIZE, eager
from zenodo_server import ZenodoServer, answer, refusal, web_page

from llpbench import __version__
from llpbench.data.fetch import RecordFile, fetch_archive, known, lookup, pin_records, registry
from llpbench.errors import DownloadError

FILE = RecordFile(NAME, SIZE, MD5)


@pytest.mark.parametrize("shape", ["new", "old"])
def test_both_shapes_of_the_api(zenodo: ZenodoServer, tmp_path: Path, shape: str) -> None:
    zenodo.shape = shape  # type: ignore[assignment]
    zenodo.publish(RECORD, NAME, PAYLOAD)
    zenodo.publish(RECORD, "README.txt", b"read me")
    assert lookup(RECORD, cache=tmp_path, policy=eager()) == FILE


def test_the_record_is_asked_once_and_by_name(zenodo: ZenodoServer, tmp_path: Path) -> None:
    zenodo.publish(RECORD, NAME, PAYLOAD)
    assert known(RECORD, cache=tmp_path) is None
    lookup(RECORD, cache=tmp_path)
    zenodo.publish(RECORD + 1, "other.zip", b"other")
    lookup(RECORD + 1, cache=tmp_path)
    assert lookup(RECORD, cache=tmp_path) == known(RECORD, cache=tmp_path) == FILE
    assert [request.path for request in zenodo.log] == [
        f"/api/records/{RECORD}",
        f"/api/records/{RECORD + 1}",
    ]
    assert zenodo.log[0].headers["User-Agent"].startswith(f"llpbench/{__version__}")


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_burst_of_refusals_is_waited_out(
    zenodo: ZenodoServer, tmp_path: Path, status: int
) -> None:
    zenodo.publish(RECORD, NAME, PAYLOAD)
    zenodo.fail("api", refusal(status), times=4)
    waits: list[float] = []
    assert lookup(RECORD, cache=tmp_path, policy=eager(waits)) == FILE
    assert len(waits) == 4
    assert all(full / 2 <= wait <= full for wait, full in zip(waits, [1, 2, 4, 8], strict=True))


def test_retry_after_is_honoured(zenodo: ZenodoServer, tmp_path: Path) -> None:
    zenodo.publish(RECORD, NAME, PAYLOAD)
    zenodo.fail("api", refusal(429, "37"))
    zenodo.fail("api", refusal(429, "Wed, 21 Oct 2015 07:28:00 GMT"))  # long past: backoff alone
    waits: list[float] = []
    assert lookup(RECORD, cache=tmp_path, policy=eager(waits)) == FILE
    assert 37 <= waits[0] <= 38
    assert waits[1] <= 2


def test_a_server_that_never_recovers_is_given_up(zenodo: ZenodoServer, tmp_path: Path) -> None:
    zenodo.fail("api", refusal(503), times=None)
    with pytest.raises(DownloadError, match="503 Service Unavailable, 3 times in a row"):
        lookup(RECORD, cache=tmp_path, policy=eager(attempts=3))
    assert len(zenodo.log) == 3


def test_a_web_page_with_status_200_may_pass(zenodo: ZenodoServer, tmp_path: Path) -> None:
    zenodo.publish(RECORD, NAME, PAYLOAD)
    zenodo.fail("api", web_page(), times=2)
    assert lookup(RECORD, cache=tmp_path, policy=eager()) == FILE


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe\x00", b"[" * 100_000])
def test_an_answer_that_is_not_json(zenodo: ZenodoServer, tmp_path: Path, body: bytes) -> None:
    zenodo.fail("api", answer(body), times=None)
    with pytest.raises(DownloadError, match="something other than JSON, 2 times"):
        lookup(RECORD, cache=tmp_path, policy=eager(attempts=2))
    assert known(RECORD, cache=tmp_path) is None


@pytest.mark.parametrize("body", [b"{}", b'{"files": []}', b'{"files": null}', b"[]", b"null"])
def test_an_answer_without_files(zenodo: ZenodoServer, tmp_path: Path, body: bytes) -> None:
    zenodo.fail("api", answer(body))
    with pytest.raises(DownloadError, match=rf"record {RECORD} .* holds no files"):
        lookup(RECORD, cache=tmp_path, policy=eager())


def test_an_answer_without_end_is_not_read_to_the_end(zenodo: ZenodoServer, tmp_path: Path) -> None:
    zenodo.fail("api", answer(b" " * (2**22 + 1)))
    with pytest.raises(DownloadError, match="more than 4194304 bytes"):
        lookup(RECORD, cache=tmp_path, policy=eager())


def test_a_record_that_does_not_exist(zenodo: ZenodoServer, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="404 Not Found"):
        lookup(RECORD, cache=tmp_path, policy=eager())
    assert len(zenodo.log) == 1


def test_an_address_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"begins with http:// or https://.*'zenodo.org'"):
        lookup(RECORD, cache=tmp_path, base_url="zenodo.org")


def test_a_damaged_registry_is_told(tmp_path: Path) -> None:
    (tmp_path / "registry.json").write_text('{"7935237": {"name": "../a.zip"}}')
    with pytest.raises(DownloadError, match=r"registry.json is not a registry .* remove it"):
        known(RECORD, cache=tmp_path)


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry of the package that a test may write."""
    path = tmp_path / "package" / "registry.json"
    monkeypatch.setattr(registry, "PACKAGED", path)
    return path


def test_a_pinned_record_needs_no_api(zenodo: ZenodoServer, tmp_path: Path, packaged: Path) -> None:
    zenodo.publish(RECORD, NAME, PAYLOAD)
    assert pin_records([RECORD]) == {RECORD: FILE}
    assert json.loads(packaged.read_text()) == {
        str(RECORD): {"name": NAME, "size": SIZE, "md5": MD5}
    }
    before = len(zenodo.asked("api"))
    archive = fetch_archive(RECORD, cache=tmp_path / "cache", policy=eager())
    assert archive.read_bytes() == PAYLOAD
    assert len(zenodo.asked("api")) == before
    assert not (tmp_path / "cache" / "registry.json").exists()


def test_pinning_again_a_record_that_has_changed_names_both_checksums(
    zenodo: ZenodoServer, packaged: Path
) -> None:
    zenodo.publish(RECORD, NAME, PAYLOAD)
    pin_records([RECORD])
    written = packaged.read_bytes()
    zenodo.publish(RECORD, NAME, b"changed")
    changed = hashlib.md5(b"changed").hexdigest()
    with pytest.raises(DownloadError, match=rf"{MD5}.*{changed}"):
        pin_records([RECORD])
    assert packaged.read_bytes() == written


def test_pinning_keeps_the_records_that_are_pinned(zenodo: ZenodoServer, packaged: Path) -> None:
    zenodo.publish(RECORD, NAME, PAYLOAD)
    zenodo.publish(RECORD + 1, "other.zip", b"other")
    pin_records([RECORD])
    assert set(pin_records([RECORD + 1])) == {RECORD, RECORD + 1}


def test_the_packaged_registry_is_a_registry() -> None:
    assert registry.PACKAGED.is_file()
    assert isinstance(registry.read_registry(registry.PACKAGED), dict)
