"""What verifying a store finds, and what opening one refuses."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from hostile import assert_sentence

from llpbench import open_dataset
from llpbench.data.store import read_info, verify_store
from llpbench.errors import StoreError


@pytest.fixture
def copy(store: Path, tmp_path: Path) -> Path:
    """A store to damage."""
    return Path(shutil.copytree(store, tmp_path / "copy"))


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


def test_a_changed_shape_is_found_though_no_byte_has_changed(copy: Path) -> None:
    group = zarr.open_group(copy / "chips.zarr")
    bounds = group["bounds"][:]
    del group["bounds"]
    turned = bounds.reshape(bounds.shape[::-1])
    group.create_array("bounds", data=turned, dimension_names=("bound", "chip"))
    _wrong(copy, "bounds should be")


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
        (lambda info: info.update(format=3), "has store format 3, .* upgrade llpbench"),
        (lambda info: info.update(format=3, novelty=[1]), "upgrade llpbench"),
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
