"""Stores at addresses: the same datasets, refusals and digests as in folders."""

from __future__ import annotations

import json
import pickle
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import xarray as xr
from bucket_work import dying_region, write
from buckets import KEY, SECRET, Bucket, watched
from hostile import assert_sentence
from regions import GridPixels, make_region, write_region
from test_store_hostile import FILES, INFO, ZARR, _edit_json

import llpbench
from llpbench.cli import main
from llpbench.data.region import ChipBlock, Region
from llpbench.data.store import read_info, verify_store, write_store
from llpbench.data.store.layout import BLOCK
from llpbench.errors import StoreError

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture(scope="module")
def large() -> Region:
    """Three blocks, the last not full."""
    return make_region(40, 27, 4, 3, outside=1)


@pytest.fixture(scope="module")
def large_store(large: Region, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clean") / "large"
    write_region(large, path)
    return path


def _write(region: Region, address: str, **options: Any) -> llpbench.data.store.WriteReport:
    said = {"title": "large", "licence": "CC0-1.0", "attribution": "made for a test"}
    return write_store(region, address, name="large", **said, **options)


def _refused(address: str, match: str | None = None) -> str:
    with pytest.raises(StoreError, match=match) as caught:
        llpbench.open_dataset(address).llp.divisions()
    assert_sentence(caught.value)
    assert SECRET not in str(caught.value)
    return str(caught.value)


# What is written and read


def test_a_store_in_a_bucket_is_that_of_a_folder(
    bucket: Bucket, large: Region, large_store: Path
) -> None:
    address = f"{bucket}/some/large"
    report = _write(large, f"{address}/")
    assert (report.path, report.name) == (f"{address}/", "large")
    assert read_info(address) == read_info(large_store) == verify_store(address)
    files = {str(path.relative_to(large_store)) for path in large_store.rglob("*")}
    assert {name.removeprefix("some/large/") for name in bucket.names()} <= files
    here, there = llpbench.open_dataset(large_store), llpbench.open_dataset(address)
    assert there.llp.info.store == address
    xr.testing.assert_equal(there.load(), here.load())
    assert there.llp.divisions().equals(here.llp.divisions())
    sent = pickle.dumps(llpbench.open_dataset(address))
    assert SECRET.encode() not in sent
    np.testing.assert_array_equal(pickle.loads(sent)["label"][:1], here["label"][:1])


def test_commands_take_an_address(
    bucket: Bucket, store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = bucket.upload(store, "grid")
    for command in (
        ["verify", address],
        ["run", "train-mean", "--dataset", address, "--out", str(tmp_path / "run")],
        ["evaluate", str(tmp_path / "run/predictions-test.parquet"), "--dataset", address],
        ["cite", address],
        ["info", address, "--json"],
    ):
        main([*command])
    said = capsys.readouterr().out
    assert "grid is whole" in said
    assert json.loads(said[said.index("\n{") :])["store"] == address


def test_datasets_are_made_at_an_address(
    bucket: Bucket, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, imported = f"{bucket}/made", f"{bucket}/imported"
    main(["synthesize", "made", "--chips", "60", "-o", made])
    assert capsys.readouterr().out.endswith(f"in {made}\n")
    main(["import", str(archive), "--name", "grid", "-o", imported, "--json"])
    said = json.loads(capsys.readouterr().out)
    assert (said["path"], said["digest"]) == (imported, verify_store(imported).digest)
    assert verify_store(made).name == "made"
    main(["stac", made, "--days", "2020-01-01", "2020-12-31", "-o", str(tmp_path)])
    item = json.loads((tmp_path / "item.json").read_text())
    assert item["assets"]["description"]["href"] == f"{made}/store.json"
    assert not llpbench.data.cache.stored_names()


def test_a_website_is_read_and_not_written(bucket: Bucket, store: Path) -> None:
    bucket.upload(store, "grid", acl="public-read")
    address = f"{bucket.url}/{bucket.name}/grid"
    xr.testing.assert_equal(
        llpbench.open_dataset(address).load(), llpbench.open_dataset(store).load()
    )
    with pytest.raises(StoreError, match="a website is only read; write to s3://") as caught:
        _write(make_region(), f"{bucket.url}/{bucket.name}/new")
    assert_sentence(caught.value)


# What is refused


def _array(name: str) -> Callable[[Path], object]:
    array, change, _match = ZARR[name]
    return lambda path: _edit_json(path / "chips.zarr" / array / "zarr.json", change)


def _file(name: str) -> Callable[[Path], object]:
    return lambda path: FILES[name][0](path / "chips.zarr/target/c/0/0")


def _description(name: str) -> Callable[[Path], object]:
    return lambda path: _edit_json(path / "store.json", INFO[name][0])


def _one_more(path: Path) -> None:
    shutil.copytree(path / "chips.zarr/lon", path / "chips.zarr/more")


HARMS: dict[str, Callable[[Path], object]] = {
    "a huge chunk": _array("a huge chunk"),
    "a chunk is missing": _file("missing"),
    "a chunk of nonsense": _file("nonsense"),
    "other chips": _description("other chips"),
    "one more array": _one_more,
    "no description": lambda path: (path / "store.json").unlink(),
    "an endless description": lambda path: (path / "store.json").write_bytes(bytes(2**23)),
    "no outlines": lambda path: (path / "divisions.parquet").unlink(),
}


@pytest.mark.parametrize("name", HARMS)
def test_a_damaged_store_is_refused_as_in_a_folder(
    name: str, bucket: Bucket, store: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(store, tmp_path / "copy"))
    HARMS[name](copy)
    here, there = _refused(str(copy)), _refused(bucket.upload(copy, "copy"))
    if name == "an endless description":
        assert "at most 4194304" in here
        assert "at most 4194304" in there
    elif name == "no outlines":
        assert "copy: divisions.parquet cannot be read" in there
    else:
        assert there.replace(f"{bucket}/copy", str(copy)) == here


@pytest.mark.parametrize(
    ("address", "match"),
    [
        ("ftp://host/grid", r"begins with s3://, gs://, az://, https:// or http://, found 'ftp'"),
        (f"s3://{KEY}:{SECRET}@bucket/grid", "neither user, password nor query"),
        (f"https://host/grid?sig={SECRET}", "neither user, password nor query"),
        ("s3://bucket/../grid", "is no address of a dataset"),
        ("s3://bucket//grid", "is no address of a dataset"),
        ("s3:///grid", "is no address of a dataset"),
        ("s3://bucket/a\x1b[31m", "is no address of a dataset"),
    ],
)
def test_addresses_that_are_none(address: str, match: str) -> None:
    _refused(address, match)


def test_nothing_there(bucket: Bucket) -> None:
    _refused(f"{bucket}/grid", "is not a dataset: expected a folder with store.json")
    _refused("s3://no-such-bucket/grid", "is not a dataset")
    with pytest.raises(StoreError, match=r"cannot be reached \(NoSuchBucket"):
        _write(make_region(), "s3://no-such-bucket/grid")


def test_a_server_that_denies_or_does_not_answer(
    bucket: Bucket, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = bucket.upload(store, "grid")
    _refused(f"{bucket.url}/{bucket.name}/grid", "access to .* is denied .*credentials")
    monkeypatch.setattr("llpbench.data.location.bucket._RETRY", {"max_retries": 0})
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "127.0.0.1" not in _refused(address, "cannot be reached .HTTP error")


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    _refused("s3://bucket/grid", r"needs obstore, .* pip install 'llpbench\[cloud\]'")


# What was interrupted


@dataclass(frozen=True)
class Failing(GridPixels):
    """Raises once its patience is at an end; pickles as the same source all the while."""

    patience: ClassVar[int] = 10**6
    read: ClassVar[list[str]] = []

    def __call__(self, chips: Sequence[str]) -> ChipBlock:
        if len(Failing.read) >= Failing.patience:
            raise RuntimeError("failed")
        Failing.read.append(chips[0])
        return super().__call__(chips)


def test_an_interrupted_writer_goes_on_in_the_bucket(
    bucket: Bucket,
    large: Region,
    large_store: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address, region = f"{bucket}/large", replace(large, read=Failing(12))
    monkeypatch.setattr(Failing, "read", [])
    for patience in (0, 2):
        monkeypatch.setattr(Failing, "patience", patience)
        with pytest.raises(RuntimeError):
            _write(region, address, threads=1)
        _refused(address, "is not a dataset")
    with pytest.raises(StoreError, match="unfinished dataset of other sources") as caught:
        _write(make_region(), address)
    assert_sentence(caught.value)
    monkeypatch.setattr(Failing, "patience", 10**6)
    assert _write(region, address).digest == read_info(large_store).digest
    assert len(Failing.read) == len(set(Failing.read)) == 3  # no block was read twice
    assert not [name for name in bucket.names() if "notes" in name or "plan" in name]
    with pytest.raises(StoreError, match="exists already"):
        _write(region, address)


def _check_notes(requests: Sequence[tuple[str, int]], blocks: int) -> None:
    """Every block was noted once, and none was written after its note."""
    noted: list[int] = []
    for request, status in requests:
        if found := re.fullmatch(r"PUT /.*/notes/(\d+)\.npz", request):
            assert status == 200
            noted.append(int(found[1]))
        elif found := re.fullmatch(r"PUT /.*/chips\.zarr/(image|label)/c/(\d+)/.*", request):
            assert int(found[2]) not in noted
    assert sorted(noted) == list(range(blocks))


@pytest.mark.parametrize(
    ("columns", "kills"), [(50, 2), pytest.param(500, 20, marks=pytest.mark.full)]
)
def test_workers_that_are_killed(columns: int, kills: int, bucket: Bucket, tmp_path: Path) -> None:
    region = dying_region(columns, 36, kills, tmp_path)
    with watched() as requests:
        report = write(region, f"{bucket}/grid", workers=2)
    assert len(list(tmp_path.glob("kill-*"))) == kills
    memory = [int(file.read_text()) for file in tmp_path.glob("memory-*")]
    assert max(memory) < 1.5e6  # kB
    _check_notes(requests, -(-report.chips // BLOCK))
    assert report.digest == write(make_region(columns, 36, 5, 3), tmp_path / "grid", 1).digest
    verify_store(f"{bucket}/grid")


@pytest.mark.full
def test_a_writer_that_is_killed_goes_on_elsewhere(bucket: Bucket, tmp_path: Path) -> None:
    """Its workers may live on for a while, and what they write then does no harm."""
    address = f"{bucket}/grid"
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from pathlib import Path\nfrom bucket_work import dying_region, write\n"
        f"region = dying_region(100, 36, 0, Path({str(tmp_path)!r}))\n"
        f"print(write(region, {address!r}, workers=2).digest)\n"
    )
    command = [sys.executable, "-P", "-c", script]
    with watched() as requests:
        for number in range(3):
            before = len(requests)
            with subprocess.Popen(command, cwd=_made(tmp_path / f"elsewhere-{number}")) as writer:
                while not any("/notes/" in asked for asked, _ in requests[before:]):
                    time.sleep(0.05)
                writer.kill()
        last = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert last.stdout.strip() == write(make_region(100, 36, 5, 3), tmp_path / "grid", 1).digest
    verify_store(address)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_other_things_stand_there(bucket: Bucket) -> None:
    bucket.put("mine/holiday.jpg", b"1")
    for address in (f"{bucket}/mine", str(bucket)):
        with pytest.raises(StoreError, match="stands something else"):
            _write(make_region(), address)
    assert bucket.names() == ["mine/holiday.jpg"]


def test_files_that_two_have_written_are_those_of_the_first(bucket: Bucket) -> None:
    from llpbench.data.location import locate

    location = locate(f"{bucket}/grid")
    assert location.put("note", b"first")
    assert not location.put("note", b"second")
    assert location.read("note", 10) == b"first"
