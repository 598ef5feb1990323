"""The members of a published zip: checked by name and size before a byte is inflated."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from isal import isal_zlib
from isal.igzip_lib import IsalError

from llpbench.errors import ArchiveError, examples

LARGEST_DIRECTORY = 2**25
"""Bytes of the largest table of contents accepted; one of 72,000 chips has about 10 MB."""
LARGEST_CHIP = 2**20
"""Bytes of the largest chip pickle accepted; published ones have about 81 kB."""
LARGEST_TABLE = 2**28
"""Bytes of the largest CSV or GeoJSON accepted; one of 72,000 chips has about 50 MB."""
MOST_TABLE_RATIO = 200
"""How many times larger than its compressed bytes a table may be; GeoJSON has about 10."""

_LOCAL_HEADER = struct.Struct("<4s22xHH")
_LOCAL_SIGNATURE = b"PK\x03\x04"
_ENCRYPTED = 0x1
_RAW_DEFLATE = -15


@dataclass(frozen=True, slots=True)
class Member:
    """Where a file stands in the zip."""

    name: str
    offset: int
    compressed_size: int
    size: int
    checksum: int
    is_deflated: bool


@dataclass(frozen=True)
class Members:
    """The files of a published archive: chips by id, the CSV of splits, GeoJSON tables."""

    path: Path
    chips: dict[str, Member]
    splits: Member
    chip_table: Member
    division_table: Member


def list_members(path: Path) -> Members:
    """Find what a published archive holds, and refuse what could do harm."""
    if not path.is_file():
        raise ArchiveError(f"there is no archive {str(path)!r}; give the path of a published zip")
    try:
        with _DirectoryFile(path) as file, zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
            base = archive.start_dir  # members lie before the central directory
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as error:
        raise ArchiveError(
            f"{path.name} is not a whole zip ({error!s:.200}); fetch it again or give another file"
        ) from error
    files = [info for info in infos if not info.filename.endswith("/")]
    try:
        _refuse_harmful(files, base)
        return _sorted_by_kind(path, files)
    except ArchiveError as error:
        raise ArchiveError(f"{path.name} {error}") from error


class _DirectoryFile(io.FileIO):
    """A zip whose table of contents is read at once, as large as the zip says, within bounds."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > LARGEST_DIRECTORY:
            raise ValueError(f"its table of contents has {size} bytes, at most {LARGEST_DIRECTORY}")
        return super().read(size) or b""


def read_member(file: BinaryIO, member: Member) -> bytes:
    """Inflate one member of a zip that is open as a plain file, to no more than its stated size."""
    shown = examples([member.name])
    file.seek(member.offset)
    header = file.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size or header[:4] != _LOCAL_SIGNATURE:
        raise ArchiveError(f"{shown} does not start where the archive says")
    _signature, name_length, extra_length = _LOCAL_HEADER.unpack(header)
    file.seek(name_length + extra_length, 1)
    stored = file.read(member.compressed_size)
    try:
        content = _inflate(stored, member.size) if member.is_deflated else stored
    except IsalError as error:  # type: ignore[misc]  # its stub takes the class for an instance
        raise ArchiveError(f"{shown} cannot be inflated ({error})") from error
    if len(content) != member.size or isal_zlib.crc32(content) != member.checksum:
        raise ArchiveError(f"{shown} is damaged: its size or checksum is not as stated")
    return content


def _inflate(stored: bytes, size: int) -> bytes:
    return isal_zlib.decompressobj(_RAW_DEFLATE).decompress(stored, size + 1)


def _refuse_harmful(files: list[zipfile.ZipInfo], base: int) -> None:
    for info in files:
        problem = _problem(info, base)
        if problem:
            raise ArchiveError(f"has a member {examples([info.filename])} that {problem}")
    counts = Counter(info.filename for info in files)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise ArchiveError(f"holds the same member twice: {examples(twice)}")
    for before, after in pairwise(sorted(files, key=lambda info: info.header_offset)):
        if _least_end(before) > after.header_offset:
            raise ArchiveError(
                f"has members that overlap: {examples([before.filename, after.filename])}"
            )


def _problem(info: zipfile.ZipInfo, base: int) -> str | None:
    path = PurePosixPath(info.filename)
    if not path.parts or not info.orig_filename.isprintable():
        return "has no printable name"
    if (
        path.is_absolute()
        or ".." in path.parts
        or "\\" in info.orig_filename
        or ":" in path.parts[0]
    ):
        return "points outside its folder"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is a link"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"is compressed by method {info.compress_type}; only DEFLATE is expected"
    if info.header_offset < 0 or _least_end(info) > base:
        return "lies outside the file"
    return None


def _least_end(info: zipfile.ZipInfo) -> int:
    """Where a member's bytes end, if its local header repeats neither name nor extra field."""
    return info.header_offset + _LOCAL_HEADER.size + info.compress_size


def _member(info: zipfile.ZipInfo, largest: int) -> Member:
    if max(info.file_size, info.compress_size) > largest:
        raise ArchiveError(
            f"has a member {examples([info.filename])} of {info.file_size} bytes "
            f"({info.compress_size} compressed); at most {largest} are expected"
        )
    return Member(
        name=info.filename,
        offset=info.header_offset,
        compressed_size=info.compress_size,
        size=info.file_size,
        checksum=info.CRC,
        is_deflated=info.compress_type == zipfile.ZIP_DEFLATED,
    )


def _sorted_by_kind(path: Path, files: list[zipfile.ZipInfo]) -> Members:
    chips: dict[str, Member] = {}
    for info in files:
        place = PurePosixPath(info.filename)
        if place.suffix == ".pkl" and place.parent.name == "data":
            if place.stem in chips:
                raise ArchiveError(f"holds chip {examples([place.stem])} twice")
            chips[place.stem] = _member(info, LARGEST_CHIP)
    if not chips:
        raise ArchiveError("holds no chips (data/*.pkl): it is another kind of archive")
    return Members(
        path=path,
        chips=chips,
        splits=_table(files, "splits", ".csv"),
        chip_table=_table(files, "_aschip", ".geojson"),
        division_table=_table(files, "_communes", ".geojson"),
    )


def _table(files: list[zipfile.ZipInfo], word: str, suffix: str) -> Member:
    """The table named so; of several not the expanded one, which lacks shares by class."""
    names = ((PurePosixPath(info.filename).name, info) for info in files)
    candidates = [
        ("expanded" in name, len(name), info.filename, info)
        for name, info in names
        if word in name and name.endswith(suffix)
    ]
    if not candidates:
        raise ArchiveError(f"holds no *{word}*{suffix}: it is another kind of archive")
    info = min(candidates, key=lambda candidate: candidate[:3])[-1]
    return _member(info, min(LARGEST_TABLE, MOST_TABLE_RATIO * (info.compress_size + 1)))
