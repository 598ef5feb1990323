"""The record's answer over real sockets, and the registries that spare asking for it again."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
from click.testing import CliRunner
from fetching import MD5, NAME, PAYLOAD, RECORD, SIZE, lookup
from zenodo_server import ZenodoServer, answer, refusal, web_page

from llpbench import __version__, catalog
from llpbench.catalog import RecordFile
from llpbench.cli import cli
from llpbench.data.fetch import Archive, pin_records
from llpbench.errors import DownloadError

FILE = RecordFile(NAME, SIZE, MD5)


@pytest.mark.parametrize("shape", ["new", "old"])
def test_both_shapes_of_the_api(zenodo: ZenodoServer, tmp_path: Path, shape: str) -> None:
    zenodo.shape = shape  # type: ignore[assignment]
    zenodo.publish(RECORD, NAME, PAYLOAD)
    zenodo.publish(RECORD, "README.txt", b"read me")
    assert lookup(tmp_path) == FILE


def test_the_record_is_asked_once_and_by_name(zenodo: ZenodoServer, tmp_path: Path) -> None:
    zenodo.publish(RECORD, NAME, PAYLOAD)
    assert Archive(RECORD, tmp_path).known is None
    lookup(tmp_path)
    zenodo.publish(RECORD + 1, "other.zip", b"other")
    Archive(RECORD + 1, tmp_path).lookup()
    assert lookup(tmp_path) == Archive(RECORD, tmp_path).known == FILE
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
    assert lookup(tmp_path, waits) == FILE
    assert len(waits) == 4
    assert all(full / 2 <= wait <= full for wait, full in zip(waits, [1, 2, 4, 8], strict=True))


def test_retry_after_is_honoured(zenodo: ZenodoServer, tmp_path: Path) -> None:
    zenodo.publish(RECORD, NAME, PAYLOAD)
    zenodo.fail("api", refusal(429, "37"))
    zenodo.fail("api", refusal(429, "Wed, 21 Oct 2015 07:28:00 GMT"))  # long past: backoff alone
    waits: list[float] = []
    assert lookup(tmp_path, waits) == FILE
    assert 37 <= waits[0] <= 38
    assert waits[1] <= 2


def test_a_server_that_never_recovers_is_given_up(zenodo: ZenodoServer, tmp_path: Path) -> None:
    zenodo.fail("api", refusal(503), times=None)
    with pytest.raises(DownloadError, match="503 Service Unavailable, 3 times in a row"):
        lookup(tmp_path, attempts=3)
    assert len(zenodo.log) == 3


def test_a_web_page_with_status_200_may_pass(zenodo: ZenodoServer, tmp_path: Path) -> None:
    zenodo.publish(RECORD, NAME, PAYLOAD)
    zenodo.fail("api", web_page(), times=2)
    assert lookup(tmp_path) == FILE


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe\x00", b"[" * 100_000])
def test_an_answer_that_is_not_json(zenodo: ZenodoServer, tmp_path: Path, body: bytes) -> None:
    zenodo.fail("api", answer(body), times=None)
    with pytest.raises(DownloadError, match="something other than JSON, 2 times"):
        lookup(tmp_path, attempts=2)
    assert Archive(RECORD, tmp_path).known is None


@pytest.mark.parametrize("body", [b"{}", b'{"files": []}', b'{"files": null}', b"[]", b"null"])
def test_an_answer_without_files(zenodo: ZenodoServer, tmp_path: Path, body: bytes) -> None:
    zenodo.fail("api", answer(body))
    with pytest.raises(DownloadError, match=rf"record {RECORD} .* holds no files"):
        lookup(tmp_path)


def test_an_answer_without_end_is_not_read_to_the_end(zenodo: ZenodoServer, tmp_path: Path) -> None:
    zenodo.fail("api", answer(b" " * (2**22 + 1)))
    with pytest.raises(DownloadError, match="more than 4194304 bytes"):
        lookup(tmp_path)


def test_a_record_that_does_not_exist(zenodo: ZenodoServer, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="404 Not Found"):
        lookup(tmp_path)
    assert len(zenodo.log) == 1


def test_an_address_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLPBENCH_ZENODO_URL", "zenodo.org")
    with pytest.raises(DownloadError, match=r"begins with http:// or https://.*'zenodo.org'"):
        lookup(tmp_path)


def test_a_damaged_registry_is_told(tmp_path: Path) -> None:
    (tmp_path / "registry.json").write_text('{"7935237": {"name": "../a.zip"}}')
    with pytest.raises(DownloadError, match=r"registry.json is not a registry .* remove it"):
        _ = Archive(RECORD, tmp_path).known


@pytest.fixture
def records(zenodo: ZenodoServer) -> list[int]:
    """All records of the catalog, published; that of the tests holds the payload."""
    numbers = [entry.record for entry in catalog.load().datasets.values() if entry.record]
    for number in numbers:
        zenodo.publish(number, NAME, PAYLOAD if number == RECORD else str(number).encode())
    return numbers


@pytest.fixture
def pinned(records: list[int], tmp_path: Path) -> Path:
    """A catalog with all of them pinned by the command."""
    path = tmp_path / "catalog.toml"
    path.write_bytes(resources.files("llpbench.catalog").joinpath("catalog.toml").read_bytes())
    assert CliRunner().invoke(cli, ["pin-records", "--out", str(path)]).exit_code == 0
    return path


def test_a_pinned_record_needs_no_api(
    zenodo: ZenodoServer, tmp_path: Path, pinned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = catalog.parse(pinned.read_text(encoding="utf-8"))
    assert whole.record_file(RECORD) == FILE
    assert replace(whole, datasets={}) == replace(catalog.load(), datasets={})
    monkeypatch.setattr(catalog, "load", lambda: whole)
    before = len(zenodo.asked("api"))
    archive = Archive(RECORD, tmp_path / "cache").fetch()
    assert archive.read_bytes() == PAYLOAD
    assert len(zenodo.asked("api")) == before
    assert not (tmp_path / "cache" / "registry.json").exists()


def test_pinning_again_a_record_that_has_changed_names_both_checksums(
    zenodo: ZenodoServer, pinned: Path
) -> None:
    written = pinned.read_bytes()
    zenodo.publish(RECORD, NAME, b"changed")
    changed = hashlib.md5(b"changed").hexdigest()
    with pytest.raises(DownloadError, match=rf"{MD5}.*{changed}"):
        pin_records(pinned)
    assert pinned.read_bytes() == written


def test_pinning_again_changes_nothing(records: list[int], pinned: Path) -> None:
    written = pinned.read_bytes()
    assert list(pin_records(pinned)) == records
    assert pinned.read_bytes() == written


def test_what_is_no_catalog_is_not_pinned(records: list[int], tmp_path: Path) -> None:
    for text in ("", "[", "datasets = 3"):
        (tmp_path / "other.toml").write_text(text)
        with pytest.raises(DownloadError, match="is no catalog"):
            pin_records(tmp_path / "other.toml")
