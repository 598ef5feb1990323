"""Whole zips: one as published is read, any other is refused in one sentence, leaving nothing."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import stat
import struct
import tracemalloc
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import (
    Payload,
    assert_refused,
    assert_sentence,
    edit_chip,
    name_of,
    read_zip,
    write_zip,
)

from llpbench import import_archive, open_dataset
from llpbench.archive.members import LARGEST_CHIP, LARGEST_DIRECTORY, Member, read_member
from llpbench.archive.reader import read_archive
from llpbench.cache import cache_folder
from llpbench.errors import ArchiveError, StoreError
from llpbench.store import verify_store

Members = dict[str, bytes]
CENTRAL, LOCAL, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"


@pytest.fixture
def members(archive: Path) -> Members:
    return read_zip(archive)


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
    assert_refused(tmp_path, "there is no archive")


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
        assert_refused(write_zip(tmp_path / f"{number}.zip", other), "another kind of archive")


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


# Members that could do harm


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("../escape.txt", "outside its folder"),
        ("grid/../../escape.txt", "outside its folder"),
        ("/etc/escape.txt", "outside its folder"),
        ("//host/share.txt", "outside its folder"),
        ("grid\\..\\escape.txt", "outside its folder"),
        ("C:/escape.txt", "outside its folder"),
        ("C:escape.txt", "outside its folder"),
        ("../data/aaaaaaaaaaaaa.pkl", "outside its folder"),
        ("grid/new\nline.txt", "no printable name"),
        ("grid/\x1b[2Jescape.txt", "no printable name"),
        ("grid/right\u202eto-left.txt", "no printable name"),
        (".", "no printable name"),
    ],
)
def test_names_that_could_do_harm(tmp_path: Path, members: Members, name: str, match: str) -> None:
    path = write_zip(tmp_path / "x.zip", {**members, name: b"x"})
    assert_refused(path, match)
    assert not list(tmp_path.parent.glob("escape*"))


def test_a_name_that_ends_in_a_zero_byte(tmp_path: Path, members: Members) -> None:
    path = write_zip(tmp_path / "x.zip", {**members, "grid/x.txt?.pkl": b"x"})
    path.write_bytes(path.read_bytes().replace(b"x.txt?", b"x.txt\0"))
    assert_refused(path, "no printable name")


def test_a_member_without_a_name(tmp_path: Path, members: Members) -> None:
    path = write_zip(tmp_path / "x.zip", {**members, "grid/nameless": b"x"})
    lengths = struct.pack("<3H", 0, 0, len("grid/nameless"))  # of name, extra field, comment
    assert_refused(_patched(path, "grid/nameless", 28, lengths), "no printable name")


def test_links(tmp_path: Path, members: Members) -> None:
    path = write_zip(tmp_path / "x.zip", members)
    link = zipfile.ZipInfo("grid/link")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(link, "/etc/passwd")
    assert_refused(path, "is a link")


def test_members_that_stand_twice(tmp_path: Path, members: Members) -> None:
    chip = name_of(members, ".pkl")
    for name in (chip, name_of(members, "splits.csv")):
        path = write_zip(tmp_path / "x.zip", members)
        with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as file:
            warnings.simplefilter("ignore")  # zipfile's own about the name
            file.writestr(name, members[name])
        assert_refused(path, "same member twice")
    other = f"elsewhere/data/{Path(chip).name}"
    assert_refused(write_zip(tmp_path / "y.zip", {**members, other: members[chip]}), "twice")


def _central(data: bytes, name: str) -> int:
    """Where the entry of a member begins in the table of contents."""
    return data.index(name.encode(), data.index(CENTRAL)) - 46


def _patched(path: Path, name: str, field: int, value: bytes) -> Path:
    data = bytearray(path.read_bytes())
    place = _central(data, name) + field
    data[place : place + len(value)] = value
    path.write_bytes(data)
    return path


def test_encrypted_members(tmp_path: Path, members: Members) -> None:
    chip = name_of(members, ".pkl")
    path = _patched(write_zip(tmp_path / "x.zip", members), chip, 8, b"\x01\x00")
    assert_refused(path, "is encrypted")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_that_nobody_published(tmp_path: Path, members: Members, method: int) -> None:
    chip = name_of(members, ".pkl")
    path = write_zip(tmp_path / "x.zip", {k: v for k, v in members.items() if k != chip})
    with zipfile.ZipFile(path, "a", method) as file:
        file.writestr(chip, members[chip])
    assert_refused(path, "is compressed by method")


def test_a_method_that_does_not_exist(tmp_path: Path, members: Members) -> None:
    chip = name_of(members, ".pkl")
    path = _patched(write_zip(tmp_path / "x.zip", members), chip, 10, b"\x63\x00")
    assert_refused(path, "is compressed by method 99")


# Bombs


def test_a_chip_that_says_how_large_it_is(tmp_path: Path, members: Members) -> None:
    chip = name_of(members, ".pkl")
    members[chip] = bytes(LARGEST_CHIP + 1)
    assert_refused(write_zip(tmp_path / "x.zip", members), "at most 1048576 are expected")


def test_a_chip_that_lies_about_its_size(tmp_path: Path, members: Members) -> None:
    chip = name_of(members, ".pkl")
    size = struct.pack("<I", len(members[chip]))
    members[chip] = bytes(200 * 2**20)  # 200 kB in the zip
    path = _patched(write_zip(tmp_path / "x.zip", members), chip, 24, size)
    tracemalloc.start()
    assert_refused(path, "damaged: its size or checksum")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50 * 2**20


def test_a_table_that_says_how_large_it_is(tmp_path: Path, members: Members) -> None:
    name = name_of(members, "splits.csv")
    members[name] = members[name] + b"\n" * 20 * 2**20
    assert_refused(write_zip(tmp_path / "x.zip", members), "at most [0-9]+ are expected")


def test_a_stored_chip_with_a_huge_compressed_size(tmp_path: Path, members: Members) -> None:
    chip = name_of(members, ".pkl")
    path = write_zip(tmp_path / "x.zip", members)
    _patched(path, chip, 20, struct.pack("<I", 2**31))
    assert_refused(path, "lies outside the file")
    _patched(path, chip, 20, struct.pack("<I", 2**21))
    padded = bytearray(path.read_bytes())
    directory = padded.index(CENTRAL)
    grown = padded[:directory] + bytes(2**22) + padded[directory:]
    place = grown.rindex(END) + 16
    grown[place : place + 4] = struct.pack("<I", directory + 2**22)
    path.write_bytes(grown)
    assert_refused(path, "overlap|at most 1048576 are expected")


def test_members_that_overlap(tmp_path: Path, members: Members) -> None:
    chips = [name for name in members if name.endswith(".pkl")][:2]
    path = write_zip(tmp_path / "x.zip", members)
    data = path.read_bytes()
    first = _central(data, chips[0])
    _patched(path, chips[1], 42, data[first + 42 : first + 46])
    assert_refused(path, "members that overlap")
    shifted = struct.unpack("<I", data[first + 42 : first + 46])[0] + 50
    _patched(path, chips[1], 42, struct.pack("<I", shifted))
    assert_refused(path, "members that overlap")


def test_a_member_that_does_not_start_where_it_should(tmp_path: Path, members: Members) -> None:
    chip = name_of(members, ".pkl")
    path = write_zip(tmp_path / "x.zip", members)
    data = bytearray(path.read_bytes())
    place = struct.unpack_from("<I", data, _central(data, chip) + 42)[0]
    data[place : place + 4] = b"PK\x07\x08"
    path.write_bytes(data)
    assert_refused(path, "does not start where")


def test_a_table_of_contents_without_end(tmp_path: Path) -> None:
    path, size = tmp_path / "x.zip", LARGEST_DIRECTORY + 1
    with path.open("wb") as file:
        file.truncate(size)  # sparse
        file.seek(size)
        file.write(END + struct.pack("<4H2IH", 0, 0, 9, 9, size, 0, 0))
    tracemalloc.start()
    assert_refused(path, "table of contents")
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_a_member_never_inflates_beyond_what_it_states() -> None:
    bomb = zlib.compress(bytes(10**7), wbits=-15)
    header = struct.pack("<4s22xHH", LOCAL, 1, 0) + b"x"
    member = Member("x", 0, len(bomb), 1000, zlib.crc32(bytes(1000)), is_deflated=True)
    with pytest.raises(ArchiveError, match="damaged"):
        read_member(io.BytesIO(header + bomb), member)


# Contents that are wrong


def _csv(change: Callable[[str], str]) -> Callable[[Members], None]:
    def edit(members: Members) -> None:
        name = name_of(members, "splits.csv")
        members[name] = change(members[name].decode()).encode("utf-8", "surrogatepass")

    return edit


def _table(ending: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Members], None]:
    def edit(members: Members) -> None:
        name = name_of(members, ending)
        table = json.loads(members[name])
        changed = change(table)
        members[name] = json.dumps(table if changed is None else changed).encode()

    return edit


def _chips(change: Callable[[dict[str, Any]], object]) -> Callable[[Members], None]:
    return _table("aschips.geojson", change)


def _communes(change: Callable[[dict[str, Any]], object]) -> Callable[[Members], None]:
    return _table("communes.geojson", change)


def _text(ending: str, content: bytes) -> Callable[[Members], None]:
    def edit(members: Members) -> None:
        members[name_of(members, ending)] = content

    return edit


def _set(key: str, value: Any, row: int = 0) -> Callable[[dict[str, Any]], None]:
    return lambda table: table["features"][row]["properties"].update({key: value})


def _shape(value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda table: table["features"][0].update(geometry=value)


def _polygon(*points: tuple[Any, Any]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [points]}


SHARES = "esa-world-cover_proportions"
WRONG: dict[str, tuple[Callable[[Members], None], str]] = {
    "csv without a column": (
        _csv(lambda text: text.replace("split_communes", "split_munes")),
        "lacks column 'split_communes'",
    ),
    "csv without header": (_csv(lambda text: text.partition("\n")[2]), "lacks column"),
    "csv of nothing": (_csv(lambda text: ""), "cannot be read"),
    "csv of bytes": (_text("splits.csv", b"\xff\xfe\0\x80" * 30), "cannot be read|lacks column"),
    "csv of one endless name": (_csv(lambda text: "x" * 9_000 + text), "lacks column"),
    "chip in no split": (
        _csv(lambda text: "\n".join(text.splitlines()[:-1])),
        "1 chips are in no split",
    ),
    "split without a name": (
        _csv(lambda text: text.replace(",train\n", ",\n", 1)),
        "expected train, val or test, found ''",
    ),
    "unknown split": (
        _csv(lambda text: text.replace(",train\n", ",dev\n", 1)),
        "expected train, val or test, found 'dev'",
    ),
    "chip in two splits": (
        _csv(lambda text: text + text.splitlines()[1].replace("train", "test") + "\n"),
        "chips in two splits",
    ),
    "row with too many fields": (
        _csv(lambda text: text + "a,b,c,d,e,f\n"),
        "cannot be read",
    ),
    "geojson of text": (_text("aschips.geojson", b"not json"), "cannot be read"),
    "geojson of bytes": (_text("communes.geojson", b"\xff\xfe\x80"), "cannot be read"),
    "geojson nested without end": (_text("communes.geojson", b"[" * 9_000), "cannot be read"),
    "geojson with an endless number": (_text("communes.geojson", b"9" * 9_000), "cannot be read"),
    "geojson of a list": (_chips(lambda table: [1, 2, 3]), "cannot be read"),
    "geojson without features": (_chips(lambda table: table.pop("features") and None), "features"),
    "features of nothing": (_chips(lambda table: table.update(features=[])), "cannot be read"),
    "features as numbers": (_chips(lambda table: table.update(features=[1, 2])), "cannot be read"),
    "features as text": (_chips(lambda table: table.update(features="abc")), "cannot be read"),
    "features without identifier": (
        _chips(
            lambda table: [f["properties"].pop("identifier") for f in table["features"]] and None
        ),
        "cannot be read",
    ),
    "features without properties": (
        _communes(lambda table: [f.pop("properties") for f in table["features"]] and None),
        "cannot be read",
    ),
    "a chip that the table lacks": (
        _chips(lambda table: table["features"].pop(3) and None),
        "lacks 1 chips",
    ),
    "chip twice": (
        _chips(lambda table: table["features"].append(table["features"][0])),
        "names '.*' twice",
    ),
    "commune twice": (
        _communes(lambda table: table["features"].append(table["features"][0])),
        "names '.*' twice",
    ),
    "a point": (_chips(_shape({"type": "Point", "coordinates": [4, 50]})), "than polygons"),
    "no outline": (_communes(_shape(None)), "than polygons"),
    "an outline of text": (_communes(_shape("POLYGON ((0 0))")), "cannot be read"),
    "an outline of another type": (
        _communes(_shape({"type": "Curve", "coordinates": []})),
        "cannot be read|than polygons",
    ),
    "an outline of two points": (_communes(_shape(_polygon((4, 50), (5, 50)))), "cannot be read"),
    "an outline of text points": (
        _communes(_shape(_polygon(("a", "b"), ("c", "d"), ("e", "f"), ("a", "b")))),
        "cannot be read",
    ),
    "an outline without points": (
        _communes(_shape({"type": "Polygon", "coordinates": []})),
        "not in degrees on Earth|cannot be read",
    ),
    "an outline of endless numbers": (
        _communes(_shape(_polygon((10**400, 0), (1, 0), (1, 1), (10**400, 0)))),
        "cannot be read",
    ),
    "an outline not a number": (
        _communes(_shape(_polygon((float("nan"), 0), (1, 0), (1, 1), (float("nan"), 0)))),
        "not in degrees on Earth|cannot be read",
    ),
    "an outline without bounds": (
        _communes(_shape(_polygon((float("inf"), 0), (1, 0), (1, 1), (float("inf"), 0)))),
        "not in degrees on Earth|cannot be read",
    ),
    "an outline in metres": (
        _chips(_shape(_polygon((600000, 5e6), (601000, 5e6), (601000, 5.001e6), (600000, 5e6)))),
        "not in degrees on Earth",
    ),
    "unknown labels": (
        _text(
            "communes.geojson",
            b'{"features": [{"properties": {"identifier": "a", "corine_proportions": {}},'
            b'"geometry": {"type": "Polygon", "coordinates": [[[4,50],[5,50],[5,51],[4,50]]]}}]}',
        ),
        "label set in the catalog; found 'corine_proportions'",
    ),
    "no labels": (
        _communes(lambda table: [f["properties"].pop(SHARES) for f in table["features"]] and None),
        "found none",
    ),
    "shares as a number": (_communes(_set(SHARES, 0.5)), "shares of commune '00d0c0ffee0d1'"),
    "shares as a list": (_communes(_set(SHARES, [0.5])), "shares of commune"),
    "shares missing": (_communes(_set(SHARES, None)), "shares of commune"),
    "shares as bad text": (_communes(_set(SHARES, "{'1': 0.5}")), "shares of commune"),
    "shares nested without end": (_communes(_set(SHARES, "[" * 50_000)), "shares of commune"),
    "shares of a class out of range": (_communes(_set(SHARES, {"12": 1})), "class '12'"),
    "shares below 0": (_communes(_set(SHARES, {"1": -1})), "no number from 0 to 1"),
    "shares as text": (_communes(_set(SHARES, {"1": "a"})), "no number from 0 to 1"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_tables(tmp_path: Path, members: Members, what: str) -> None:
    edit, match = WRONG[what]
    edit(members)
    assert_refused(write_zip(tmp_path / "x.zip", members), match)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"chip_id": "aaaaaaaaaaaaa"}, "of another chip, 'aaaaaaaaaaaaa'"),
        ({"chip_id": "a\nb" * 1000}, "of another chip"),
        ({"chip": np.zeros((50, 50, 3), "i2")}, "has shape"),
        ({"label": np.full((100, 100), 12, "i2")}, "outside 0 to 11"),
        ({"label": np.zeros((100, 100))}, "instead of integers"),
        ({"corners": {"nw": [95.0, 0.0], "se": [0.0, 0.0]}}, "not on Earth"),
        ({"label_proportions": {"partitions_communes": {"99": 1.0}}}, "class '99'"),
    ],
)
def test_wrong_chips(tmp_path: Path, members: Members, changes: dict[str, Any], match: str) -> None:
    chip = list(members)[-3]
    members[chip] = edit_chip(members[chip], **changes)
    assert_refused(write_zip(tmp_path / "x.zip", members), match)


def test_a_chip_that_calls_is_refused_and_not_executed(tmp_path: Path, members: Members) -> None:
    canary = tmp_path / "canary"
    chip = list(members)[-3]
    for call in (Payload(os.system, f"touch {canary}"), Payload(Path.touch, canary)):
        whole = pickle.dumps(call, 4)
        pickle.loads(whole)  # the attack works on a careless reader
        assert canary.exists()
        canary.unlink()
        for attack in (whole, edit_chip(members[chip], chip_id=call)):
            path = write_zip(tmp_path / "x.zip", {**members, chip: attack})
            assert_refused(path, f"chip '{Path(chip).stem}': it names")
            assert not canary.exists()


def test_a_name_that_cannot_be_a_folder(archive: Path, tmp_path: Path) -> None:
    for name in ("../out", "", "a/b", ".hidden", "x.partial", "a\0b", "x" * 200):
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
