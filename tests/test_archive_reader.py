"""Whole zips: one as published is read, any other is refused in one sentence, leaving nothing."""

from __future__ import annotations

import json
import pickle
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hostile import (
    assert_refused,
    assert_sentence,
    name_of,
    write_zip,
)

from llpbench import import_archive, open_dataset
from llpbench.data.archive.reader import read_archive
from llpbench.data.cache import cache_folder
from llpbench.data.store import verify_store
from llpbench.errors import StoreError

Members = dict[str, bytes]
CENTRAL, LOCAL, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"


def _digest(zipped: Path, name: str) -> str:
    return import_archive(zipped, name).digest


def test_a_whole_archive_becomes_the_dataset_it_was(archive: Path, store: Path) -> None:
    report = import_archive(archive, "grid")
    assert (report.chips, report.divisions) == (36, 4)
    assert report.path == cache_folder() / "grid"
    verify_store(report.path)
    np.testing.assert_array_equal(open_dataset("grid")["image"], open_dataset(store)["image"])
    with pytest.raises(StoreError, match="'grid'"):
        import_archive(archive, "grid")


def test_semi_real_archives(shared: Path) -> None:
    counts = {
        "esa-world-cover": (4001, 131, {"train": 2531, "val": 735, "test": 735}),
        "humanpop2015": (1022, 39, {"train": 757, "val": 172, "test": 93}),
    }
    for labels, (chips, divisions, splits) in counts.items():
        path = shared / f"data/benelux_sentinel2-rgb-median-2020_{labels}.zip"
        region, remarks = read_archive(path)
        assert remarks == []
        assert (len(region.chips), len(region.divisions)) == (chips, divisions)
        assert region.chips["split"].value_counts().to_dict() == splits
        first = region.chips.index[:3].tolist()
        block = region.read(first)
        with zipfile.ZipFile(path) as file:
            for number, chip in enumerate(first):
                name = name_of(dict.fromkeys(file.namelist(), b""), f"data/{chip}.pkl")
                expected = pickle.loads(file.read(name))
                np.testing.assert_array_equal(block.image[number], expected["chip"])
                np.testing.assert_array_equal(block.label[number], expected["label"])


# Variants that are read


def _with_hashes(members: Members) -> Members:
    mark = "_0123456789abcdef"
    renamed = {}
    for name, content in members.items():
        stem, dot, suffix = name.rpartition(".")
        is_table = suffix in ("geojson", "csv")
        renamed[stem + mark * (suffix == "geojson") + dot + suffix] = (
            content.replace(b"cover_proportions", b"cover" + mark.encode() + b"_proportions")
            if is_table
            else content
        )
    return renamed


def _expanded_beside(members: Members) -> Members:
    chips, communes = name_of(members, "aschips.geojson"), name_of(members, "communes.geojson")
    nonsense = b'{"type": "FeatureCollection", "features": []}'
    return {
        chips.replace("aschips", "aschips_expanded"): nonsense,
        **_with_hashes(members),
        communes.replace("communes", "communes_expanded"): nonsense,
    }


def _without_folder(members: Members) -> Members:
    return {name.partition("/")[2]: content for name, content in members.items()}


def _shares_as_text(members: Members) -> Members:
    name = name_of(members, "communes.geojson")
    table = json.loads(members[name])
    for feature in table["features"]:
        key = "esa-world-cover_proportions"
        feature["properties"][key] = json.dumps(feature["properties"][key])
    return {**members, name: json.dumps(table).encode()}


def _folder_entries(members: Members) -> Members:
    return {"grid/": b"", "grid/data/": b"", **members}


def _csv_in_another_order(members: Members) -> Members:
    name = name_of(members, "splits.csv")
    head, *rows = members[name].decode().splitlines()
    rows = [f"{row},more" for row in reversed(rows)]
    return {**members, name: "\r\n".join([f"{head},extra", *rows, rows[0]]).encode()}


@pytest.mark.parametrize(
    "variant",
    [
        _with_hashes,
        _expanded_beside,
        _without_folder,
        _shares_as_text,
        _folder_entries,
        _csv_in_another_order,
    ],
)
def test_variants_of_the_layout_give_the_same(
    variant: Callable[[Members], Members], archive: Path, members: Members, tmp_path: Path
) -> None:
    changed = write_zip(tmp_path / "variant.zip", variant(members))
    assert _digest(changed, "changed") == _digest(archive, "plain")


def test_stored_members_and_a_preamble_are_read(
    archive: Path, members: Members, tmp_path: Path
) -> None:
    path = tmp_path / "stored.zip"
    path.write_bytes(b"MZ" * 500)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    assert _digest(path, "stored") == _digest(archive, "plain")


def test_things_out_of_order_are_remarked(members: Members, tmp_path: Path) -> None:
    communes, chips = name_of(members, "communes.geojson"), name_of(members, ".pkl")
    table = json.loads(members[communes])
    table["features"][0]["properties"]["esa-world-cover_proportions"] = {"1": 0.5}
    table["features"][1]["properties"]["esa-world-cover_proportions"] = {}
    del members[chips]
    members[communes] = json.dumps(table).encode()
    remarks = " ".join(import_archive(write_zip(tmp_path / "x.zip", members), "x").remarks)
    assert "1 chips stand in the table but not in the archive" in remarks
    assert "1 communes state no shares, such as '01d0c0ffee0d1'" in remarks
    assert "the shares of 1 communes did not sum to 1 and were scaled" in remarks
    ds = open_dataset("x")
    assert ds["division_proportions"][0, 1] == 1
    assert np.isnan(ds["division_proportions"][1]).all()


# Files that are no archive


def test_no_archive_at_all(tmp_path: Path) -> None:
    assert_refused(tmp_path / "absent.zip", "there is no archive")
    assert_refused(tmp_path, "holds no chips")


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 1000, b"identifier,split\n" * 50, b"PK\x03\x04", END, END + b"\xff" * 18],
    ids=["empty", "zeros", "text", "a-header", "an-end", "an-end-of-ones"],
)
def test_files_that_are_no_zip(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    assert_refused(path, "not a whole zip")


def test_zips_of_something_else(tmp_path: Path, archive: Path, members: Members) -> None:
    others: list[Members] = [
        {},
        {"a.txt": b"a"},
        {"inner.zip": archive.read_bytes()},
        {name: content for name, content in members.items() if not name.endswith(".pkl")},
        {"data/chip.pkl": b"N."},
    ]
    for number, other in enumerate(others):
        assert_refused(
            write_zip(tmp_path / f"{number}.zip", other), "another (kind of archive|zip)"
        )


@pytest.mark.parametrize("ending", ["splits.csv", "aschips.geojson", "communes.geojson"])
def test_a_missing_table(tmp_path: Path, members: Members, ending: str) -> None:
    del members[name_of(members, ending)]
    assert_refused(write_zip(tmp_path / "x.zip", members), "holds no .*another kind of archive")


@pytest.mark.parametrize("tenth", range(10))
def test_a_truncated_archive(tmp_path: Path, archive: Path, tenth: int) -> None:
    data = archive.read_bytes()
    path = tmp_path / "x.zip"
    path.write_bytes(data[: len(data) * tenth // 10 + tenth])
    assert_refused(path, "not a whole zip")


@pytest.mark.parametrize("ending", [".pkl", "splits.csv", "aschips.geojson", "communes.geojson"])
def test_a_flipped_byte(tmp_path: Path, archive: Path, ending: str) -> None:
    data = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as file:
        info = next(info for info in file.infolist() if info.filename.endswith(ending))
    start = info.header_offset + 30 + len(info.filename)
    for share in (0, 0.3, 0.7):
        damaged = bytearray(data)
        damaged[start + int(share * info.compress_size)] ^= 0x10
        path = tmp_path / "x.zip"
        path.write_bytes(damaged)
        assert_refused(path, "damaged|cannot be inflated")


def test_a_name_that_cannot_be_a_folder(archive: Path, tmp_path: Path) -> None:
    for name in ("../out", "", "a/b", ".hidden", "a\0b", "x" * 200):
        with pytest.raises(StoreError, match="cannot name a dataset") as caught:
            import_archive(archive, name)
        assert_sentence(caught.value)
    assert not cache_folder().exists()


def test_the_order_in_which_chips_are_asked_for(archive: Path) -> None:
    region, _remarks = read_archive(archive)
    ids = region.chips.index.tolist()
    random.Random(0).shuffle(ids)
    block = region.read(ids)
    for number, chip in enumerate(ids):
        np.testing.assert_array_equal(block.image[number], region.read([chip]).image[0])
