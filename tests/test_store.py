"""A dataset on disk: what it is made of, that it is whole, and that nothing else opens."""

from __future__ import annotations

import errno
import json
import os
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import xarray as xr
import zarr
from hostile import assert_sentence
from killing import killable_region
from regions import GridPixels, make_region, write_region

from llpbench import open_dataset
from llpbench.errors import ArchiveError, StoreError
from llpbench.region import ChipBlock, Region
from llpbench.store import read_info, verify_store
from llpbench.store.layout import CHUNK, SHARD

SHARED_TYPES = {
    "image": ("chip y x band", "uint8"),
    "label": ("chip y x", "uint8"),
    "chip_proportions": ("chip category", "float32"),
    "target": ("chip category", "float32"),
    "division_proportions": ("division category", "float32"),
    "overlap_chip": ("overlap", "int32"),
    "overlap_division": ("overlap", "int32"),
    "overlap_area": ("overlap", "float32"),
    "bounds": ("chip bound", "float64"),
    "chip_number": ("chip", "int32"),
    "division_number": ("division", "int32"),
    "category": ("category", "int32"),
}


@pytest.fixture
def copy(store: Path, tmp_path: Path) -> Path:
    """A store to damage."""
    return Path(shutil.copytree(store, tmp_path / "copy"))


@pytest.fixture(scope="module")
def large() -> Region:
    """Three shards, the last not full."""
    return make_region(40, 27, 4, 3, outside=1)


@pytest.fixture(scope="module")
def large_digest(large: Region, tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_region(large, tmp_path_factory.mktemp("clean") / "large", workers=1).digest


# What it is made of


def test_variables_have_the_types_of_the_schema(store: Path) -> None:
    ds = open_dataset(store)
    for name, (dims, dtype) in SHARED_TYPES.items():
        assert ds[name].dims == tuple(dims.split())
        assert ds[name].dtype == dtype
    texts = ("chip", "division", "split", "split_chip", "own_division", "category_name", "band")
    assert {ds[name].dtype.kind for name in texts} == {"U"}
    assert ds["band"].to_numpy().tolist() == ["red", "green", "blue"]
    assert ds["bound"].to_numpy().tolist() == ["west", "south", "east", "north"]


def test_labels_stay_integers_and_say_what_they_mean(store: Path) -> None:
    plain = xr.open_zarr(store / "chips.zarr", chunks=None, consolidated=False)
    label = plain["label"]
    assert label.dtype == np.uint8  # a _FillValue would make floats of them
    assert list(label.attrs["flag_values"]) == [*range(12), 255]
    meanings = label.attrs["flag_meanings"].split()
    assert (meanings[0], meanings[-1], len(meanings)) == ("invalid", "no_label", 13)


def test_pixels_are_chunked_for_shuffling_and_sharded_for_whole_reads(store: Path) -> None:
    group = zarr.open_group(store / "chips.zarr", mode="r")
    for name, side in (("image", (100, 100, 3)), ("label", (100, 100))):
        array = group[name]
        assert isinstance(array, zarr.Array)
        assert array.chunks == (CHUNK, *side)
        assert array.shards == (SHARD, *side)
        assert array.metadata.zarr_format == 3


def test_chips_of_a_division_lie_together(large: Region, tmp_path: Path) -> None:
    write_region(large, tmp_path / "large")
    ds = open_dataset(tmp_path / "large")
    for name in ("split", "own_division"):
        runs = [value for value, _run in groupby(ds[name].to_numpy().tolist())]
        if name == "split":
            assert runs == ["train", "val", "test"]
        else:  # chips outside every division lie together in each split
            owned = [run for run in runs if run]
            assert len(owned) == len(set(owned)) == 12
    for _division, chips in groupby(
        ds["chip"].to_numpy().tolist(), ds["own_division"].to_series().get
    ):
        ids = list(chips)
        assert ids == sorted(ids)


def test_contents_are_the_regions(store: Path) -> None:
    region = make_region(outside=1, unlabelled=1)
    ds = open_dataset(store).load()
    chips = ds["chip"].to_numpy().tolist()
    block = region.read(chips)
    np.testing.assert_array_equal(ds["image"], block.image)
    np.testing.assert_array_equal(ds["label"], block.label)
    np.testing.assert_array_equal(ds["split"], region.chips.loc[chips, "split"])
    np.testing.assert_array_equal(ds["split_chip"], region.chips.loc[chips, "split_chip"])
    np.testing.assert_array_equal(ds["bounds"], region.chips.loc[chips].bounds)
    for number, label in enumerate(block.label):
        counted = np.bincount(label.ravel(), minlength=256)[:12] / 10_000
        expected = np.where(counted.sum() > 0.5, counted, np.nan)
        np.testing.assert_array_equal(ds["chip_proportions"][number], np.float32(expected))
    assert np.isnan(ds["target"]).any("category").sum() == 4  # a column of four rows outside


def test_targets_follow_from_the_known_overlaps(store: Path) -> None:
    ds = open_dataset(store)
    region = make_region(outside=1, unlabelled=1)
    shares = region.division_proportions
    for row in range(4):
        west, east = shares[[0, 1]] if row < 2 else shares[[2, 3]]
        for column, expected in ((0, west), (3, 0.75 * west + 0.25 * east), (4, east), (7, east)):
            chip = region.chips.index[row * 9 + column]
            target = ds["target"].sel(chip=chip)
            np.testing.assert_allclose(target, expected, atol=1e-6)
    assert len(ds["overlap_area"]) == 32 + 4  # four chips are cut


def test_it_opens_without_a_warning(store: Path) -> None:
    code = (
        "import sys, warnings, xarray, dask.array, pydantic, zarr, geopandas; import llpbench;"
        "warnings.simplefilter('error'); ds = llpbench.open_dataset(sys.argv[1]).load();"
        "ds.llp.divisions(); ds.llp.group().llp.split('train'); print(ds.sizes['chip'])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(store)], capture_output=True, text=True, check=True
    )
    assert (result.stdout.strip(), result.stderr) == ("36", "")


# The digest


def test_the_digest_does_not_depend_on_workers(
    large: Region, large_digest: str, tmp_path: Path
) -> None:
    assert write_region(large, tmp_path / "two", workers=2).digest == large_digest
    assert verify_store(tmp_path / "two").digest == large_digest


def test_the_digest_does_not_depend_on_chunks_and_codecs(copy: Path) -> None:
    group = zarr.open_group(copy / "chips.zarr", mode="r+")
    for name in ("image", "label", "target"):
        array = group[name]
        assert isinstance(array, zarr.Array)
        values, names = np.asarray(array[:]), array.metadata.dimension_names
        group.create_array(
            name,
            data=values,
            chunks=(7, *values.shape[1:]),
            compressors=None,
            dimension_names=names,
            overwrite=True,
        )
    assert verify_store(copy) == read_info(copy)


def test_the_digest_tells_contents_apart(store: Path, tmp_path: Path) -> None:
    region = make_region(outside=1, unlabelled=1)
    renamed = replace(region, divisions=region.divisions.assign(name="another"))
    shares = region.division_proportions.copy()
    shares[0, [0, 1]] = shares[0, [1, 0]]
    moved = region.chips.copy()
    moved["split_chip"] = moved["split_chip"].to_numpy()[::-1]
    others = {
        "same": make_region(outside=1, unlabelled=1),
        "pixels": replace(region, read=GridPixels(12, seed=1)),
        "names": renamed,
        "shares": replace(region, division_proportions=shares),
        "splits": replace(region, chips=moved),
    }
    digests = {name: write_region(r, tmp_path / name).digest for name, r in others.items()}
    assert digests.pop("same") == read_info(store).digest
    assert len({*digests.values(), read_info(store).digest}) == 5


# Interrupted runs


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
            write_region(region, path, workers=workers)
        assert not path.exists()
    monkeypatch.setattr(Failing, "patience", 10**6)
    report = write_region(region, path, workers=workers)
    assert report.digest == large_digest == verify_store(path).digest
    assert len(Failing.read) == len(set(Failing.read)) == 3  # no shard was read twice
    assert not list(tmp_path.glob("*.partial"))


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
    clean = write_region(killable_region(), tmp_path / "clean", workers=1)
    for whole in (path, *tmp_path.glob("whole-*")):
        assert verify_store(whole).digest == report.digest == clean.digest
    assert not list(tmp_path.glob("*.partial"))


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


# What the source says itself


@dataclass(frozen=True)
class Stating(GridPixels):
    """States for one chip a mix that is off by 0.01, for another none, for the rest ours."""

    ours: tuple[tuple[str, tuple[float, ...]], ...] = ()

    def __call__(self, chips: Sequence[str]) -> ChipBlock:
        known = dict(self.ours)
        stated = np.array([known[chip] for chip in chips])
        return replace(super().__call__(chips), stated_target=stated)


def test_stated_mixes_that_differ_are_reported(store: Path, tmp_path: Path) -> None:
    ds = open_dataset(store)
    target = ds["target"].to_numpy().astype(float)
    known = np.flatnonzero(np.isfinite(target).all(axis=1))
    target[known[0], :2] += [0.01, -0.01]
    target[known[1], :2] += [0.0009, -0.0009]
    target[known[2]] = np.nan
    ours = tuple(zip(ds["chip"].to_numpy().tolist(), map(tuple, target.tolist()), strict=True))
    region = make_region(outside=1, unlabelled=1)
    stating = Stating(12, unlabelled=region.read.unlabelled, ours=ours)
    report = write_region(replace(region, read=stating), tmp_path / "stated")
    assert report.digest == read_info(store).digest  # ours are used
    assert report.remarks == (
        "4 chips lie outside every division",
        "the mixes stored for 1 chips differ by more than 0.001 from those by equal-area "
        "overlap (by 0.0100 at most); ours are used",
    )


def test_a_chip_in_another_split_than_its_division_is_remarked(tmp_path: Path) -> None:
    region = make_region()
    chips = region.chips.copy()
    inner, border = chips.index[[0, 3]]  # 3 lies for a quarter in the validation division
    chips.loc[[inner, border], "split"] = "val"
    report = write_region(replace(region, chips=chips), tmp_path / "stray")
    assert report.remarks == (
        "1 chips are in another split than every division they overlap and belong to none, "
        f"such as '{inner}'",
    )
    ds = open_dataset(tmp_path / "stray")
    assert ds["own_division"].sel(chip=inner) == ""
    assert ds["own_division"].sel(chip=border) == "01d0c0ffee0d1"
    verify_store(tmp_path / "stray")


# What verifying finds


def test_a_whole_store_verifies(store: Path) -> None:
    assert verify_store(store) == read_info(store)


def _wrong(path: Path, match: str) -> None:
    with pytest.raises(StoreError, match=match) as caught:
        verify_store(path)
    assert_sentence(caught.value)


def _shards(path: Path) -> list[Path]:
    files = (path / "chips.zarr").glob("*/c/**/*")
    return sorted(file for file in files if file.is_file() and file.stat().st_size)


def test_any_flipped_byte_is_found(copy: Path) -> None:
    chosen = random.Random(0)
    for file in _shards(copy):
        whole = file.read_bytes()
        damaged = bytearray(whole)
        damaged[chosen.randrange(len(whole))] ^= 1 << chosen.randrange(8)
        file.write_bytes(damaged)
        _wrong(copy, "damaged|cannot be read|sum to 1|splits|other divisions")
        file.write_bytes(whole)
    verify_store(copy)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.999])
def test_a_damaged_table_of_divisions_is_found(copy: Path, share: float) -> None:
    file = copy / "divisions.parquet"
    whole = file.read_bytes()
    place = int(share * len(whole))
    file.write_bytes(whole[:place] + bytes(40) + whole[place + 40 :])
    _wrong(copy, "cannot be read")


def test_a_changed_outline_is_found(copy: Path) -> None:
    import geopandas as gpd

    table = gpd.read_parquet(copy / "divisions.parquet")
    for changed in (
        table.assign(name="other"),
        table.assign(area_km2=table["area_km2"] * (1 + 1e-12)),
        table.set_geometry(table.geometry.translate(1e-9)),
    ):
        changed.to_parquet(copy / "divisions.parquet")
        _wrong(copy, "digest")
    table.iloc[::-1].to_parquet(copy / "divisions.parquet")
    _wrong(copy, "lists other divisions")


@pytest.mark.parametrize("name", ["target", "chip_proportions", "division_proportions"])
def test_changed_shares_are_found(copy: Path, name: str) -> None:
    array = zarr.open_array(copy / "chips.zarr" / name, mode="r+")
    whole = np.asarray(array[2])
    array[2] = np.roll(whole, 1)  # they still sum to 1
    _wrong(copy, "its digest should be")
    array[2] = whole * 1.01
    _wrong(copy, f"1 rows of {name} do not sum to 1")
    array[2] = np.where(np.arange(12) == 0, -0.5, np.where(np.arange(12) == 1, 1.5, 0))
    _wrong(copy, f"rows of {name}")
    array[2] = np.where(np.arange(12) == 0, np.nan, whole)
    _wrong(copy, "do not sum to 1|digest")


def test_a_division_in_two_splits_is_found(copy: Path) -> None:
    array = zarr.open_array(copy / "chips.zarr/split", mode="r+")
    assert array[5] == "train"
    array[5] = "test"
    _wrong(copy, "divisions own chips in two splits: '00d0c0ffee0d1'")
    array[5] = "dev"
    _wrong(copy, "expected splits .* found 'dev'")


@pytest.mark.filterwarnings("ignore:Object at .* is not recognized")  # zarr's, on what is left
def test_missing_files_are_found(copy: Path) -> None:
    for file in [*_shards(copy), *copy.glob("chips.zarr/*/zarr.json"), copy / "divisions.parquet"]:
        content = file.read_bytes()
        file.unlink()
        _wrong(copy, "damaged|cannot be read|sum to 1|splits|other divisions")
        file.write_bytes(content)
    verify_store(copy)
    (copy / "store.json").unlink()
    _wrong(copy, "is not a dataset: expected a folder with store.json")


def _edit_info(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    info = json.loads((path / "store.json").read_text())
    change(info)
    (path / "store.json").write_text(json.dumps(info))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda info: info.update(format=2), "has store format 2, .* upgrade llpbench"),
        (lambda info: info.update(format=2, novelty=[1]), "upgrade llpbench"),
        (lambda info: info.update(format="x"), "is damaged"),
        (lambda info: info.update(novelty=1), "is damaged"),
        (lambda info: info.pop("digest"), "is damaged"),
        (lambda info: info["label_set"].update(groups=[]), "is damaged"),
        (lambda info: info["label_set"]["groups"][0].update(members=[0, 0]), "is damaged"),
        (lambda info: info.update(digest="sha256:" + "0" * 64), "its digest should be"),
        (lambda info: info.update(chips=35), "should hold 35 chips and 4 divisions, .* 36 and 4"),
    ],
)
def test_a_description_that_is_wrong(
    copy: Path, change: Callable[[dict[str, Any]], object], match: str
) -> None:
    _edit_info(copy, change)
    _wrong(copy, match)
    if "should" not in match:
        with pytest.raises(StoreError, match=match):
            open_dataset(copy)


@pytest.mark.parametrize("content", [b"", b"[1]", b"null", b"{", b"\xff\xfe", b"[" * 10**5])
def test_a_description_that_is_none(copy: Path, content: bytes) -> None:
    (copy / "store.json").write_bytes(content)
    _wrong(copy, "is damaged")


def test_a_description_that_is_endless(copy: Path) -> None:
    with (copy / "store.json").open("wb") as file:
        file.truncate(2**23)
    _wrong(copy, "at most")


def test_an_array_that_is_damaged_is_said_so_on_opening(copy: Path) -> None:
    for content in (b"{", b"", b"[]", b'{"zarr_format": 3}', b"\xff"):
        (copy / "chips.zarr/target/zarr.json").write_bytes(content)
        _wrong(copy, "cannot be read")
        with pytest.raises(StoreError, match="cannot be opened") as caught:
            open_dataset(copy)
        assert_sentence(caught.value)
