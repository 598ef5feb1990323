"""Writing a store that is interrupted, killed or out of room: whole in the end, or not there."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hostile import assert_sentence
from killing import killable_region
from regions import GridPixels, make_region, write_region

from llpbench.data.region import ChipBlock, Region
from llpbench.data.store import read_info, verify_store
from llpbench.errors import ArchiveError, StoreError


@pytest.fixture(scope="module")
def large() -> Region:
    """Three shards, the last not full."""
    return make_region(40, 27, 4, 3, outside=1)


@pytest.fixture(scope="module")
def large_digest(large: Region, tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_region(large, tmp_path_factory.mktemp("clean") / "large", threads=1).digest


@dataclass(frozen=True)
class Failing(GridPixels):
    """Raises once its patience is at an end; pickles as the same source all the while."""

    patience: ClassVar[int] = 10**6
    error: ClassVar[BaseException] = RuntimeError("failed")
    read: ClassVar[list[str]] = []

    def __call__(self, chips: Sequence[str]) -> ChipBlock:
        if len(Failing.read) >= Failing.patience:
            raise Failing.error
        Failing.read.append(chips[0])
        return super().__call__(chips)


@pytest.mark.parametrize(
    ("error", "workers"),
    [
        (KeyboardInterrupt(), 1),
        (RuntimeError("failed"), 2),
        (OSError(errno.EIO, "I/O error"), 2),
    ],
)
def test_an_interrupted_run_goes_on_where_it_stood(
    error: BaseException,
    workers: int,
    large: Region,
    large_digest: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    region, path = replace(large, read=Failing(12)), tmp_path / "large"
    monkeypatch.setattr(Failing, "error", error)
    monkeypatch.setattr(Failing, "read", [])
    for patience in (0, 2):
        monkeypatch.setattr(Failing, "patience", patience)
        expected = StoreError if isinstance(error, OSError) else type(error)
        with pytest.raises(expected):
            write_region(region, path, threads=workers)
        assert not path.exists()
    monkeypatch.setattr(Failing, "patience", 10**6)
    report = write_region(region, path, threads=workers)
    assert report.digest == large_digest == verify_store(path).digest
    assert len(Failing.read) == len(set(Failing.read)) == 3  # no shard was read twice
    assert not list(tmp_path.glob(".*.part*"))


def test_another_region_starts_clean(
    large: Region, large_digest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Failing, "read", [])
    monkeypatch.setattr(Failing, "patience", 2)
    with pytest.raises(RuntimeError):
        write_region(replace(large, read=Failing(12, seed=5)), tmp_path / "large")
    assert write_region(large, tmp_path / "large").digest == large_digest


def test_a_bad_source_leaves_nothing_at_all(
    large: Region, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Failing, "read", [])
    monkeypatch.setattr(Failing, "patience", 2)
    monkeypatch.setattr(Failing, "error", ArchiveError("the third shard is damaged"))
    with pytest.raises(ArchiveError, match="third shard"):
        write_region(replace(large, read=Failing(12)), tmp_path / "large")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.full)])
def test_killed_at_any_step_it_leaves_no_store_and_finishes_later(
    kills: int, tmp_path: Path
) -> None:
    script, path = Path(__file__).with_name("killing.py"), tmp_path / "killed"
    result = subprocess.run(
        [sys.executable, str(script), str(path), str(kills)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    ends = [line.split()[1:] for line in result.stdout.splitlines()]
    assert len(ends) == kills
    assert ["-9", "False"] in ends
    assert all(end in (["-9", "False"], ["-9", "True"], ["0", "True"]) for end in ends)
    report = write_region(killable_region(), path)
    clean = write_region(killable_region(), tmp_path / "clean", threads=1)
    for whole in (path, *tmp_path.glob("whole-*")):
        assert verify_store(whole).digest == report.digest == clean.digest
    assert not list(tmp_path.glob(".*.part*"))


# No room


@contextmanager
def _files_up_to(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 400, 2_000, 20_000, 200_000])
def test_files_that_cannot_be_written(size: int, large: Region, tmp_path: Path) -> None:
    path = tmp_path / "large"
    with _files_up_to(size), pytest.raises(StoreError, match="could not be written") as caught:
        write_region(large, path)
    assert_sentence(caught.value)
    assert not path.exists()


@pytest.mark.parametrize("step", ["numpy.savez", "pathlib.Path.replace", "shutil.rmtree"])
def test_a_full_disk_at_a_later_step(
    step: str, large: Region, large_digest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: Any, **_options: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "large"
    with monkeypatch.context() as patch:
        patch.setattr(step, full)
        with pytest.raises(StoreError, match="No space left on device") as caught:
            write_region(large, path)
    assert_sentence(caught.value)
    assert not path.exists()
    assert write_region(large, path).digest == large_digest


def test_a_name_that_is_taken(store: Path) -> None:
    before = read_info(store)
    with pytest.raises(StoreError, match="exists already") as caught:
        write_region(make_region(), store)
    assert_sentence(caught.value)
    assert read_info(store) == before


def test_a_region_without_chips(tmp_path: Path) -> None:
    region = make_region()
    with pytest.raises(StoreError, match="without chips"):
        write_region(replace(region, chips=region.chips.iloc[:0]), tmp_path / "empty")
    assert not any(tmp_path.iterdir())
