"""The members of a published zip: checked by name and size before a byte is inflated."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from llpbench.errors import ArchiveError, examples

MOST_MEMBERS = 1_000_000
LARGEST_CHIP = 2**20
"""Bytes of the largest chip pickle accepted; published ones have about 81 kB."""
LARGEST_TABLE = 2**30
"""Bytes of the largest CSV or GeoJSON accepted."""

_LOCAL_HEADER = struct.Struct("<4s22xHH")
_LOCAL_SIGNATURE = b"PK\x03\x04"
_ENCRYPTED = 0x1


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
    """The files of a published archive, sorted by what they are.

    Parameters
    ----------
    path : Path
        The zip.
    chips : dict
        Chip id to its pickle.
    splits, chip_table, division_table : Member
        The CSV of splits and the two GeoJSON files.
    """

    path: Path
    chips: dict[str, Member]
    splits: Member
    chip_table: Member
    division_table: Member


def list_members(path: Path) -> Members:
    """Find what a published archive holds, and refuse what could do harm.

    Parameters
    ----------
    path : Path
        A zip on disk.

    Returns
    -------
    Members

    Raises
    ------
    ArchiveError
        If the file is no zip, is cut short, has a member that is encrypted, a link, twice there,
        too large or named with an absolute path or ``..``, or lacks a file every archive has.
    """
    if not path.is_file():
        raise ArchiveError(f"there is no archive {str(path)!r}; give the path of a published zip")
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            base = archive.start_dir  # members lie before the central directory
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, struct.error) as error:
        raise ArchiveError(
            f"{path.name} is not a whole zip ({error}); fetch it again or give another file"
        ) from error
    if len(infos) > MOST_MEMBERS:
        raise ArchiveError(f"{path.name} has {len(infos)} members, more than {MOST_MEMBERS}")
    files = [info for info in infos if not info.is_dir()]
    _refuse_harmful(path.name, files, base)
    names = [info.filename for info in files]
    if len(set(names)) < len(names):
        twice = (
            sorted({name for name in names if names.count(name) > 1}) if len(names) < 10_000 else []
        )
        raise ArchiveError(f"{path.name} holds the same member twice: {examples(twice)}")
    return _sorted_by_kind(path, [_member(info) for info in files])


def read_member(file: BinaryIO, member: Member) -> bytes:
    """Inflate one member of a zip that is open as a plain file.

    Parameters
    ----------
    file : binary file
        The zip.
    member : Member
        From :func:`list_members`.

    Returns
    -------
    bytes
        Its content; never more than its stated size is inflated.

    Raises
    ------
    ArchiveError
        If it is cut short, longer than stated, or fails its checksum.
    """
    file.seek(member.offset)
    header = file.read(_LOCAL_HEADER.size)
    if len(header) < _LOCAL_HEADER.size or header[:4] != _LOCAL_SIGNATURE:
        raise ArchiveError(f"{member.name} does not start where the archive says")
    _signature, name_length, extra_length = _LOCAL_HEADER.unpack(header)
    file.seek(name_length + extra_length, 1)
    stored = file.read(member.compressed_size)
    try:
        content = _inflate(stored, member.size) if member.is_deflated else stored
    except zlib.error as error:
        raise ArchiveError(f"{member.name} cannot be inflated ({error})") from error
    if len(content) != member.size or zlib.crc32(content) != member.checksum:
        raise ArchiveError(f"{member.name} is damaged: its size or checksum is not as stated")
    return content


def _inflate(stored: bytes, size: int) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflater.decompress(stored, size + 1)
    return content


def _refuse_harmful(archive: str, files: list[zipfile.ZipInfo], base: int) -> None:
    for info in files:
        problem = _problem(info, base)
        if problem:
            raise ArchiveError(f"{archive} has a member {info.filename[:200]!r} that {problem}")


def _problem(info: zipfile.ZipInfo, base: int) -> str | None:
    path = PurePosixPath(info.filename)
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
    largest = LARGEST_CHIP if path.suffix == ".pkl" else LARGEST_TABLE
    if info.file_size > largest:
        return f"would be {info.file_size} bytes large; at most {largest} are expected"
    if info.header_offset < 0 or info.header_offset + info.compress_size > base:
        return "lies outside the file"
    return None


def _member(info: zipfile.ZipInfo) -> Member:
    return Member(
        name=info.filename,
        offset=info.header_offset,
        compressed_size=info.compress_size,
        size=info.file_size,
        checksum=info.CRC,
        is_deflated=info.compress_type == zipfile.ZIP_DEFLATED,
    )


def _sorted_by_kind(path: Path, members: list[Member]) -> Members:
    chips = {}
    for member in members:
        place = PurePosixPath(member.name)
        if place.suffix == ".pkl" and place.parent.name == "data":
            chips[place.stem] = member
    if not chips:
        raise ArchiveError(
            f"{path.name} holds no chips (data/*.pkl): it is another kind of archive"
        )
    by_name = {PurePosixPath(member.name).name: member for member in members}
    return Members(
        path=path,
        chips=chips,
        splits=_one(path, by_name, "splits", ".csv"),
        chip_table=_one(path, by_name, "_aschip", ".geojson"),
        division_table=_one(path, by_name, "_communes", ".geojson"),
    )


def _one(path: Path, by_name: dict[str, Member], word: str, suffix: str) -> Member:
    """The member named so; the shortest of several (the tables also come expanded)."""
    found = [name for name in by_name if word in name and name.endswith(suffix)]
    if not found:
        raise ArchiveError(f"{path.name} holds no *{word}*{suffix}: it is another kind of archive")
    return by_name[min(found, key=lambda name: (len(name), name))]
