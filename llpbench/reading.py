"""Files of anybody, opened with care: regular ones only, and no more of them than fits."""

from __future__ import annotations

import json
import math
import stat
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import LLPBenchError

LARGEST_JSON = 2**26
"""Bytes of the largest JSON read: scores of 100,000 divisions have some 20 MB."""

LARGEST_ARRAYS = 2**31
"""Bytes of the largest file of arrays read: a checkpoint of 180 million weights with Adam's."""

_POINTER = b"version https://git-lfs"
_LARGEST_POINTER = 1024


def check_file(
    path: Path,
    largest: int | None = None,
    error: type[LLPBenchError] = LLPBenchError,
    what: str = "file",
) -> Path:
    """Refuse what is no regular file, only a pointer to one, or too large; the path again.

    Pipes and devices may wait for ever or never end, so they are never opened. A link to a file
    is one. ``error`` is what is raised, ``what`` what a file that is not there is called.

    Examples
    --------
    >>> check_file(Path("/dev/zero"))
    Traceback (most recent call last):
        ...
    llpbench.errors.LLPBenchError: '/dev/zero' is no regular file; give the name of a file
    """
    try:
        status = path.stat()
    except FileNotFoundError as fault:
        raise error(f"there is no {what} {str(path)!r}; check its path") from fault
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or fault
        raise error(f"{str(path)!r} cannot be read ({reason})") from fault
    if not stat.S_ISREG(status.st_mode):
        raise error(f"{str(path)!r} is no regular file; give the name of a file")
    if largest is not None and status.st_size > largest:
        raise error(f"{str(path)!r} has {status.st_size} bytes; at most {largest} are read")
    if 0 < status.st_size < _LARGEST_POINTER and _begins(path, _POINTER):
        raise error(
            f"{str(path)!r} is a pointer of Git LFS and not the file itself; fetch it with "
            "`git lfs pull`"
        )
    return path


def _begins(path: Path, start: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(start)) == start
    except OSError:  # said by whoever reads it
        return False


def read_json(
    path: Path, largest: int = LARGEST_JSON, error: type[LLPBenchError] = LLPBenchError
) -> Any:
    """Read a JSON file; what is none, too large or too deep is refused."""
    return parse_json(read_text(path, largest, error), str(path), error)


def parse_json(content: str | bytes, shown: str, error: type[LLPBenchError] = LLPBenchError) -> Any:
    """Parse JSON, bytes of it as UTF-8; ``shown`` is what it is called where it is none."""
    try:
        return json.loads(content.decode("utf-8") if isinstance(content, bytes) else content)
    except (ValueError, RecursionError) as fault:
        reason = "it is too deep" if isinstance(fault, RecursionError) else fault
        raise error(f"{shown!r} is damaged: it is no JSON ({reason})") from fault


def read_xml(
    path: Path, largest: int, error: type[LLPBenchError] = LLPBenchError
) -> ElementTree.Element:
    """Read an XML file; what declares a document type, and so may name entities, is refused."""
    text = check_file(path, largest, error).read_bytes()
    try:
        if b"<!" in text.replace(b"<!--", b""):
            raise ElementTree.ParseError("it declares a document type")
        return ElementTree.fromstring(text)  # noqa: S314  (no entities)
    except (ElementTree.ParseError, ValueError) as fault:
        raise error(f"{path.name} cannot be read as XML ({fault})") from fault


def read_text(
    path: Path, largest: int = LARGEST_JSON, error: type[LLPBenchError] = LLPBenchError
) -> str:
    """Read a text in UTF-8; what is no such file, or larger, is refused."""
    try:
        return check_file(path, largest, error).read_text(encoding="utf-8")
    except UnicodeDecodeError as fault:
        raise error(f"{str(path)!r} is damaged or no text in UTF-8 ({fault.reason})") from fault
    except LLPBenchError:
        raise
    except OSError as fault:
        raise error(f"{str(path)!r} cannot be read ({fault.strerror})") from fault


def read_arrays(path: Path, largest: int = LARGEST_ARRAYS) -> dict[str, NDArray[Any]]:
    """Read an npz file whose arrays hold numbers or text.

    Every array's stated size is compared with the bytes that are there before it is made.
    """
    check_file(path, largest)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            inflated = sum(member.file_size for member in members)
            if inflated > largest:
                raise ValueError(f"{inflated} bytes when read, at most {largest} are")
            return {m.filename.removesuffix(".npy"): _read_array(archive, m) for m in members}
    except Exception as error:  # whatever a damaged zip makes zipfile, zlib and numpy raise
        reason = str(error) or type(error).__name__
        raise LLPBenchError(f"{str(path)!r} is no file of arrays ({reason:.200})") from error


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version](file)
        shape, _is_fortran, dtype = header
        if dtype.hasobject or dtype.itemsize * math.prod(shape) != member.file_size - file.tell():
            raise ValueError(f"the size of {member.filename!r:.60} is not the one it states")
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)
