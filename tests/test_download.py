"""From a record to a ready dataset, over a real socket."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner, Result
from fetching import eager
from regions import make_region, write_region
from zenodo_server import ZenodoServer, content

import llpbench
from llpbench import catalog
from llpbench.cli import cli
from llpbench.data import fetch
from llpbench.data.archive_export import write_archive
from llpbench.data.cache import cache_folder, find_store, import_archive
from llpbench.data.downloading import plan
from llpbench.data.store import read_info, verify_store
from llpbench.errors import DatasetWarning, DownloadError, StoreError
from llpbench.writing import part_path

NAME = "benelux-esaworldcover"
RECORD = 7935237
FILE = "benelux.zip"
MAKE_WARNINGS_FINE = pytest.mark.filterwarnings("ignore::llpbench.errors.DatasetWarning")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A region of 1,200 chips, which makes three shards, in the published layout."""
    folder = tmp_path_factory.mktemp("published")
    write_region(make_region(40, 30, 8, 6), folder / "grid")
    return write_archive(folder / "grid", folder / FILE)


@pytest.fixture
def published(zenodo: ZenodoServer, archive: Path) -> ZenodoServer:
    zenodo.publish(RECORD, FILE, archive)
    return zenodo


def archive_state() -> str:
    return fetch.Archive(RECORD, cache_folder()).state.state


def _call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), catch_exceptions=False)


@MAKE_WARNINGS_FINE
def test_a_download_ends_as_a_verified_dataset(published: ZenodoServer, archive: Path) -> None:
    path = llpbench.download(NAME, progress=False)
    assert path == cache_folder() / NAME
    info = verify_store(path)
    assert info.doi == "10.5281/zenodo.7935237"
    assert info.source_md5 == published.find(f"/records/{RECORD}/files/{FILE}").md5
    imported = import_archive(archive, "by-hand")
    assert imported.digest == info.digest
    assert archive_state() == "absent"
    assert llpbench.open_dataset(NAME).sizes["chip"] == 1200


@MAKE_WARNINGS_FINE
def test_a_second_download_asks_nobody(published: ZenodoServer) -> None:
    first = llpbench.download(NAME, keep_archive=True, progress=False)
    asked = len(published.asked("api")) + len(published.asked("file"))
    assert llpbench.download(NAME, progress=False) == first
    assert len(published.asked("api")) + len(published.asked("file")) == asked
    assert archive_state() == "archive"


def test_another_number_of_chips_is_a_warning(published: ZenodoServer) -> None:
    with pytest.warns(DatasetWarning) as caught:
        llpbench.download(NAME, progress=False)
    said = [str(warning.message) for warning in caught]
    assert any("has 1200 chips, 72213 were published" in text for text in said)
    assert any("split counts" in text for text in said)


@MAKE_WARNINGS_FINE
def test_opening_with_download_fetches(published: ZenodoServer) -> None:
    with pytest.raises(StoreError, match=f"llpbench download {NAME}.*download=True"):
        llpbench.open_dataset(NAME)
    assert llpbench.open_dataset(NAME, "test", download=True).sizes["chip"] > 0


def test_a_small_part_holds_whole_divisions_of_every_split(published: ZenodoServer) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # its chip count is no surprise
        path = llpbench.download(NAME, chips=200, keep_archive=True, progress=False)
    assert path.name == f"{NAME}-200chips"
    part = llpbench.open_dataset(path)
    assert 200 <= part.sizes["chip"] <= 200 + 3 * 25
    assert set(part["split"].to_numpy()) == {"train", "val", "test"}
    import_archive(fetch.Archive(RECORD, cache_folder()).fetch(), "whole")
    whole = llpbench.open_dataset("whole")
    for division in np.unique(part["own_division"]):
        chips = whole["chip"][whole["own_division"] == division].to_numpy()
        assert np.isin(chips, part["chip"]).all()
    same = whole.sel(chip=part["chip"].to_numpy())
    np.testing.assert_allclose(part["target"], same["target"], atol=1e-6)
    np.testing.assert_array_equal(same["image"], part["image"])
    assert _call("download", NAME, "--chips", "200", "--json").exit_code == 0


def test_the_command_reports_and_goes_on_after_a_failure(published: ZenodoServer) -> None:
    result = CliRunner().invoke(
        cli, ["--quiet", "download", "benelux-humanpop", NAME, "--json"]
    )  # nobody published the first one
    assert result.exit_code != 0
    assert "benelux-humanpop" in str(result.exception)
    assert f'"name": "{NAME}"' in result.stdout


def test_names_or_all(published: ZenodoServer) -> None:
    assert _call("download").exit_code == 2
    assert _call("download", NAME, "--all").exit_code == 2


def test_a_dry_run_fetches_nothing(published: ZenodoServer) -> None:
    rows = json.loads(_call("download", NAME, "--dry-run", "--json").output)
    size = published.find(f"/records/{RECORD}/files/{FILE}").size
    assert rows[0]["archive_bytes"] == size
    assert rows[0]["needed_bytes"] == size + int(1.1 * size)
    assert not published.asked("file")
    assert "to fetch" in _call("download", NAME, "--dry-run").output


def test_too_little_space_is_said_before_anything_is_fetched(
    published: ZenodoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1_000_000))
    with pytest.raises(DownloadError, match=r"needs 0\.0 GB .* --cache-dir"):
        llpbench.download(NAME, progress=False)
    assert not published.asked("file")


def test_a_mirror_is_tried_first(published: ZenodoServer, archive: Path) -> None:
    with ZenodoServer(mirror=True) as mirror:
        mirror.publish(RECORD, FILE, archive)
        result = _call("--quiet", "download", NAME, "--mirror", mirror.url)
    assert result.exit_code == 0
    assert not published.asked("file")


def test_states_and_cleaning(published: ZenodoServer) -> None:
    def states() -> dict[str, str]:
        rows = json.loads(_call("datasets", "--json").output)
        return {row["name"]: row["state"] for row in rows}

    assert states()[NAME] == "absent"
    assert _call("clean").output == "The cache is empty.\n"
    fetch.Archive(RECORD, cache_folder()).fetch(progress=False)
    assert states()[NAME] == "archive"
    assert "is whole" in _call("verify", NAME, "--archive").output
    _call("--quiet", "download", NAME, "--keep-archive")
    assert states()[NAME] == "ready"
    held = json.loads(_call("clean", "--json").output)
    assert {(row["name"], row["kind"]) for row in held} == {(NAME, "dataset"), (NAME, "archive")}
    assert not any(row["removed"] for row in held)
    _call("clean", "--archives")
    assert archive_state() == "absent"
    assert states()[NAME] == "ready"
    _call("clean", NAME)
    assert states()[NAME] == "absent"
    assert _call("clean", "nonsense").exit_code == 2


def test_a_half_fetched_archive_shows_its_percentage(published: ZenodoServer) -> None:
    archive = fetch.Archive(RECORD, cache_folder())
    record = archive.lookup()
    part = part_path(archive.folder / record.name)
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(bytes(record.size // 4))
    rows = {row["name"]: row for row in json.loads(_call("datasets", "--json").output)}
    assert rows[NAME]["state"] == "partial, 25 %"


def test_a_wrong_archive_leaves_no_dataset(zenodo: ZenodoServer, archive: Path) -> None:
    zenodo.publish(RECORD, FILE, archive)
    zenodo.fail("file", content(b"x" * archive.stat().st_size), times=None)
    with pytest.raises(DownloadError, match="md5"):
        llpbench.download(NAME, progress=False)
    assert not (cache_folder() / NAME).exists()


_CONVERT = """
import sys
import llpbench
from llpbench.data.archive import reader
slow = reader.ArchivePixels.__call__
def slowly(self, chips):
    import time
    time.sleep(0.15)
    return slow(self, chips)
reader.ArchivePixels.__call__ = slowly
print("ready", flush=True)
print(llpbench.import_archive(sys.argv[1], "killed").digest)
"""


@pytest.mark.parametrize(
    "kills", [3, pytest.param(20, marks=pytest.mark.full)], ids=["few", "many"]
)
def test_a_killed_conversion_is_finished_by_the_next(
    kills: int, archive: Path, published: ZenodoServer
) -> None:
    """SIGKILL at random moments; never a store that opens but is wrong."""
    expected = import_archive(archive, "clean").digest
    random_moment = random.Random(kills)
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _CONVERT, str(archive)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(random_moment.uniform(0, 1.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        if (cache_folder() / "killed").exists():
            assert verify_store(cache_folder() / "killed").digest == expected
            break
    else:
        assert import_archive(archive, "killed").digest == expected
    assert verify_store(cache_folder() / "killed").digest == expected
    assert not part_path(cache_folder() / "killed").exists()


def test_what_an_interrupted_conversion_left_is_listed_and_removed(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("llpbench.data.store.blocks.write_note", full)
    with pytest.raises(StoreError, match=r"No space left.*is kept in '\.grid\.part\.v1'"):
        import_archive(archive, "grid.v1")
    (held,) = json.loads(_call("clean", "--json").output)
    assert (held["name"], held["kind"], held["removed"]) == ("grid.v1", "partial", False)
    assert "grid.v1" not in llpbench.list_datasets()
    _call("clean", "--partial")
    assert _call("clean").output == "The cache is empty.\n"


def test_two_processes_share_one_download(published: ZenodoServer) -> None:
    program = f"import llpbench; print(llpbench.download({NAME!r}, progress=False))"
    processes = [
        subprocess.Popen(
            [sys.executable, "-P", "-W", "ignore", "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert len(published.asked("file")) == 1
    assert verify_store(cache_folder() / NAME)


def test_embedded_datasets_are_not_fetched(zenodo: ZenodoServer) -> None:
    with pytest.raises(DownloadError, match="embedded"):
        plan("demo-humanpop")
    assert not zenodo.asked("api")
    assert os.environ["LLPBENCH_ZENODO_URL"] == zenodo.url
    assert catalog.dataset("demo-humanpop").record is None


@MAKE_WARNINGS_FINE
def test_a_read_only_cache_is_one_sentence(
    published: ZenodoServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LLPBENCH_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises((StoreError, DownloadError)) as caught:
        llpbench.download(NAME, progress=False)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "file") in str(caught.value)


@MAKE_WARNINGS_FINE
def test_the_dataset_says_where_it_comes_from(published: ZenodoServer) -> None:
    llpbench.download(NAME, progress=False)
    info = read_info(find_store(NAME))
    assert info.title == "Benelux, ESA WorldCover"
    assert "Copernicus" in info.attribution
    assert not info.synthetic


def test_without_a_network_the_other_ways_are_named(
    zenodo: ZenodoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLPBENCH_ZENODO_URL", "http://zenodo.invalid")

    def no_address(*_arguments: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", no_address)
    with eager(), pytest.raises(DownloadError, match="Name or service not known") as caught:
        llpbench.download(NAME, progress=False)
    assert f"llpbench import ARCHIVE.zip --name {NAME}" in str(caught.value)
    assert "--mirror" in str(caught.value)
