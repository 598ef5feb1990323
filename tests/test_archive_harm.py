"""Zips made to do harm: names, links, bombs, overlaps, each refused in one sentence."""

from __future__ import annotations

import io
import stat
import struct
import tracemalloc
import warnings
import zipfile
import zlib
from pathlib import Path

import pytest
from hostile import (
    assert_refused,
    name_of,
    write_zip,
)

from llpbench.data.archive.members import LARGEST_CHIP, LARGEST_DIRECTORY, Member, read_member
from llpbench.errors import ArchiveError

Members = dict[str, bytes]
CENTRAL, LOCAL, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"


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
