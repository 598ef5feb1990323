"""Thousands of damaged pickles and zips: always one sentence, never more memory, never a hang."""

from __future__ import annotations

import pickle
import random
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hostile import assert_sentence, name_of, read_zip, write_zip
from mutating import mutate
from regions import make_region, write_region

from llpbench import import_archive
from llpbench.data.archive.chip import read_chip
from llpbench.data.archive.reader import read_archive
from llpbench.data.archive_export import write_archive
from llpbench.data.cache import cache_folder
from llpbench.errors import ArchiveError, StoreError

ALL = pytest.param(10_000, id="all", marks=[pytest.mark.full, pytest.mark.timeout(1800)])
COUNTS = [pytest.param(300, id="few"), ALL]
MOST_MEMORY = 64 * 2**20
"""Bytes that one mutant of a file of some 100 kB may take; a bomb would take gigabytes."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten chips: little to read, so that thousands of mutants are soon through."""
    folder = tmp_path_factory.mktemp("archives")
    write_region(make_region(4, 2, outside=1, unlabelled=1), folder / "grid")
    return write_archive(folder / "grid", folder / "grid.zip")


@pytest.fixture(autouse=True)
def _no_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a mutant names, nothing may be called or evaluated."""

    def forbidden(*arguments: object) -> None:
        raise AssertionError(f"a mutant was executed with {arguments!r}")

    monkeypatch.setattr("os.system", forbidden)
    monkeypatch.setattr("builtins.eval", forbidden)


def outcomes(count: int, read: Callable[[random.Random], object]) -> dict[str, int]:
    """Try ``count`` mutants; how many were read and how many refused, each in one sentence."""
    found = {"read": 0, "refused": 0}
    tracemalloc.start()
    try:
        for seed in range(count):
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            try:
                read(random.Random(seed))
                found["read"] += 1
            except (ArchiveError, StoreError) as error:
                assert_sentence(error)
                found["refused"] += 1
            except BaseException as error:
                error.add_note(f"seed {seed}")
                raise
            assert tracemalloc.get_traced_memory()[1] - before < MOST_MEMORY, f"seed {seed}"
    finally:
        tracemalloc.stop()
    return found


def _small_chip() -> bytes:
    """A chip whose structure is a large part of its bytes; its image is refused by shape."""
    chip = {
        "chip": np.arange(12, dtype=np.int16).reshape(2, 2, 3),
        "chip_id": "0b58fcf227576",
        "center_latlon": np.array([50.0, 4.0]),
        "corners": {"nw": np.array([50.01, 4.0]), "se": np.array([50.0, 4.01])},
        "label": np.zeros((2, 2), dtype=np.int16),
        "label_proportions": {
            "partitions_aschip": {"1": 0.75, "4": 0.25},
            "partitions_communes": {"1": 0.5, "11": 0.5},
            "foreignid_communes": "0317cf42be0eb",
        },
    }
    return pickle.dumps(chip, 4)


@pytest.mark.parametrize("count", COUNTS)
def test_pickles(count: int, archive: Path) -> None:
    members = read_zip(archive)
    seeds = [_small_chip(), members[name_of(members, ".pkl")]]

    def read(random: random.Random) -> None:
        read_chip(mutate(random.choice(seeds), random), 12)

    found = outcomes(count, read)
    assert min(found.values()) > 0  # some mutants only change a pixel


@pytest.mark.parametrize("count", [pytest.param(100, id="few"), ALL])
def test_tables(count: int, archive: Path, tmp_path: Path) -> None:
    members = read_zip(archive)
    tables = [
        name_of(members, end) for end in ("splits.csv", "aschips.geojson", "communes.geojson")
    ]
    few = {name: members[name] for name in [*tables, name_of(members, ".pkl")]}

    def read(random: random.Random) -> None:
        name = random.choice(tables)
        zipped = write_zip(tmp_path / "x.zip", {**few, name: mutate(few[name], random)})
        read_archive(zipped)

    found = outcomes(count, read)
    assert min(found.values()) > 0


def _mutants_of_zip(archive: Path) -> Iterator[bytes]:
    """A whole archive, and one that is mostly its table of contents."""
    members = read_zip(archive)
    yield archive.read_bytes()
    small = {name: content for name, content in members.items() if not name.endswith(".pkl")}
    small[name_of(members, ".pkl")] = b"N."
    small.update({f"grid/data/{number:013x}.pkl": b"N." for number in range(20)})
    folder = archive.parent / "small"
    folder.mkdir(exist_ok=True)
    yield write_zip(folder / "small.zip", small).read_bytes()


@pytest.mark.parametrize("count", COUNTS)
def test_zips(count: int, archive: Path, tmp_path: Path) -> None:
    seeds = list(_mutants_of_zip(archive))
    path = tmp_path / "x.zip"

    def read(random: random.Random) -> None:
        data = random.choice(seeds)
        start = random.choice([0, data.index(b"PK\x01\x02")])  # anywhere, or in the contents
        path.write_bytes(data[:start] + mutate(data[start:], random))
        region, _remarks = read_archive(path)
        region.read(region.chips.index.tolist())

    found = outcomes(count, read)
    assert min(found.values()) > 0


@pytest.mark.parametrize(
    "count", [pytest.param(10, id="few"), pytest.param(500, id="all", marks=pytest.mark.full)]
)
def test_imports_leave_a_whole_store_or_none(count: int, archive: Path, tmp_path: Path) -> None:
    data, path = archive.read_bytes(), tmp_path / "x.zip"

    def read(random: random.Random) -> None:
        path.write_bytes(mutate(data, random))
        name = f"x{random.getrandbits(64):x}"
        try:
            import_archive(path, name)
        except (ArchiveError, StoreError):
            assert not any(cache_folder().glob(f"{name}*"))
            raise

    outcomes(count, read)
