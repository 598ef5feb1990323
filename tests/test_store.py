"""A dataset on disk: what it is made of, that it is whole, and that nothing else opens."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr
from regions import GridPixels, make_region, write_region

from llpbench import open_dataset
from llpbench.data.imagery import RGB_ONLY
from llpbench.data.region import ChipBlock, Region
from llpbench.data.store import read_info, verify_store
from llpbench.data.store.layout import files_of

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
    return write_region(large, tmp_path_factory.mktemp("clean") / "large", threads=1).digest


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
        shard, chunk = files_of(RGB_ONLY)
        assert array.chunks == (chunk, *side)
        assert array.shards == (shard, *side)
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
    assert write_region(large, tmp_path / "two", threads=2).digest == large_digest
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
