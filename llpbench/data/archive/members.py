"""The members of a published zip: checked by name and size before a byte is inflated."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from isal import isal_zlib
from isal.igzip_lib import IsalError

from llpbench.data.litter import is_litter
from llpbench.errors import ArchiveError, examples
from llpbench.reading import check_file

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
_METHODS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd"}
"""Other ways to compress (APPNOTE 4.4.5); Windows takes Deflate64 for what is large."""


_OTHER_KIND = "it is another kind of archive"


@dataclass(frozen=True, slots=True)
class Member:
    """Where a file stands in the zip; of a folder only its name and size."""

    name: str
    offset: int = 0
    compressed_size: int = 0
    size: int = 0
    checksum: int = 0
    is_deflated: bool = False


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
    check_file(path, None, ArchiveError, "archive")
    try:
        with _DirectoryFile(path) as file, zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
            base = archive.start_dir  # members lie before the central directory
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as error:
        raise ArchiveError(
            f"{path.name} is not a whole zip ({_what_it_is(path) or f'{error!s:.200}'}); fetch it "
            "again or give another file"
        ) from error
    files = [info for info in infos if not info.filename.endswith(("/", "\\"))]
    try:
        _refuse_harmful(files, base)
        return sort_by_kind(path, map(_member, files))
    except ArchiveError as error:
        raise ArchiveError(f"{path.name} {error}") from error


def _what_it_is(path: Path) -> str:
    """What a file is that is no zip, where its first bytes tell."""
    with path.open("rb") as file:
        head = file.read(512)
    if head.startswith(_LOCAL_SIGNATURE):
        return "its end is missing: it was cut off"
    kinds = {b"\x1f\x8b": "a gzip", b"7z\xbc\xaf": "a 7z", b"Rar!": "a rar", b"BZh": "a bzip2"}
    kinds |= {b"\xfd7zXZ": "an xz", b"\x28\xb5\x2f\xfd": "a zstd"}
    for begin, kind in kinds.items():
        if head.startswith(begin):
            return f"it is {kind} archive; unpack it, and import the folder"
    if b"<html" in head.lower() or b"<!doctype html" in head.lower():
        return "it is a web page"
    return "" if head else "it is empty"


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
    path = _place(info.filename)
    if not path.parts or not info.orig_filename.isprintable():
        return "has no printable name"
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        return "points outside its folder"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is a link"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        name = _METHODS.get(info.compress_type, "unknown")
        return (
            f"is compressed by method {info.compress_type} ({name}), where only DEFLATE is "
            "expected; unzip it, and import the folder"
        )
    if info.header_offset < 0 or _least_end(info) > base:
        return "lies outside the file"
    return None


def _least_end(info: zipfile.ZipInfo) -> int:
    """Where a member's bytes end, if its local header repeats neither name nor extra field."""
    return info.header_offset + _LOCAL_HEADER.size + info.compress_size


def _member(info: zipfile.ZipInfo) -> Member:
    return Member(
        name=info.filename,
        offset=info.header_offset,
        compressed_size=info.compress_size,
        size=info.file_size,
        checksum=info.CRC,
        is_deflated=info.compress_type == zipfile.ZIP_DEFLATED,
    )


def _place(name: str) -> PurePosixPath:
    """Where a file is; some programs of Windows write backslashes."""
    return PurePosixPath(name.replace("\\", "/"))


def sort_by_kind(path: Path, files: Iterable[Member]) -> Members:
    """Tell chips and tables by their names; what desktops leave is passed over."""
    placed = [(_place(file.name), file) for file in files]
    placed = [(place, file) for place, file in placed if not is_litter(place)]
    chips: dict[str, Member] = {}
    for place, file in placed:
        if place.suffix == ".pkl" and place.parent.name == "data":
            if place.stem in chips:
                raise ArchiveError(f"holds chip {examples([place.stem])} twice")
            chips[place.stem] = _bounded(file, LARGEST_CHIP)
    if not chips:
        inner = [place.name for place, _file in placed if place.suffix.lower() == ".zip"]
        what = f"holds another zip, {examples(inner)}; import that" if inner else _OTHER_KIND
        raise ArchiveError(f"holds no chips (data/*.pkl): {what}")
    return Members(
        path=path,
        chips=chips,
        splits=_table(placed, "splits", ".csv"),
        chip_table=_table(placed, "_aschip", ".geojson"),
        division_table=_table(placed, "_communes", ".geojson"),
    )


def _bounded(file: Member, largest: int) -> Member:
    if max(file.size, file.compressed_size) > largest:
        raise ArchiveError(
            f"has a member {examples([file.name])} of {file.size} bytes "
            f"({file.compressed_size} compressed); at most {largest} are expected"
        )
    return file


def _table(placed: list[tuple[PurePosixPath, Member]], word: str, suffix: str) -> Member:
    """The table named so; of several not the expanded one, which lacks shares by class."""
    candidates = [
        ("expanded" in place.name, len(place.name), file.name, file)
        for place, file in placed
        if word in place.name and place.name.endswith(suffix)
    ]
    if not candidates:
        raise ArchiveError(f"holds no *{word}*{suffix}: {_OTHER_KIND}")
    file = min(candidates, key=lambda candidate: candidate[:3])[-1]
    return _bounded(file, min(LARGEST_TABLE, MOST_TABLE_RATIO * (file.compressed_size + 1)))
