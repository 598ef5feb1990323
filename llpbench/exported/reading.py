"""Exported files of anybody: of which format, what their card says, and how large they are.

Nothing here opens a file with its runtime; :mod:`llpbench.exported.process` does.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from llpbench.brief import Brief
from llpbench.errors import LLPBenchError, MethodError, first_problem, printable
from llpbench.exported.card import LARGEST, NAME, Card, FileFormat
from llpbench.exported.protobuf import fields, messages
from llpbench.reading import check_file

LARGEST_FILE = 2**29
"""Bytes of the largest file, or of all files of a folder."""

_MOST_FILES = 100
_DIRECTORY = b"PK\x05\x06"
_END = 2**20
"""Bytes at the end of a file in which a zip is looked for; its list of members is bounded so."""

_METADATA, _GRAPH, _INITIALIZER, _EXTERNAL = 14, 7, 5, 13
"""Fields of ONNX: of a model, of its graph, and of one of its arrays (onnx.proto3)."""

_KEY = b"llpbench"
_HOW = "write one with `llpbench export RUN --format litert -o FILE`"


@dataclass(frozen=True, repr=False)
class ExportedFile(Brief):
    """A file that has a card.

    Parameters
    ----------
    path : Path
        The file, or the folder of a SavedModel.
    card : Card
        What it says of itself.
    bytes, sha256
        As in :class:`~llpbench.exported.footprint.ExportFootprint`.
    """

    path: Path
    card: Card
    bytes: int
    sha256: str


def read_exported(path: Path) -> ExportedFile:
    """Read the card of a file, and measure the file.

    Raises
    ------
    MethodError
        If it is no file of a known format, too large, or without a card that can be true.
    """
    found, text, size, digest = _read_folder(path) if path.is_dir() else _read_file(path)
    if text is None:
        raise MethodError(
            f"{str(path)!r} does not say what it takes and gives (it has no {NAME}), so it was not "
            f"exported by llpbench: {_HOW}"
        )
    try:
        card = Card.model_validate_json(text)
    except (ValidationError, ValueError) as error:
        reason = printable(first_problem(error))[:300]
        raise MethodError(f"the card of {str(path)!r} cannot be read ({reason}): {_HOW}") from error
    if card.file_format != found:
        raise MethodError(
            f"the card of {str(path)!r} says {card.file_format}, but it is {found}: {_HOW}"
        )
    return ExportedFile(path, card, size, digest)


def _read_file(path: Path) -> tuple[FileFormat, bytes | None, int, str]:
    content = check_file(path, LARGEST_FILE, MethodError).read_bytes()
    size, digest = len(content), hashlib.sha256(content).hexdigest()
    if content[4:8] == b"TFL3":
        return "litert", _of_zip(path, content), size, digest
    if _is_onnx(memoryview(content)):
        return "onnx", _of_onnx(path, memoryview(content)), size, digest
    raise MethodError(
        f"{str(path)!r} is neither LiteRT (.tflite), ONNX nor the folder of a SavedModel: {_HOW}"
    )


def _read_folder(path: Path) -> tuple[FileFormat, bytes | None, int, str]:
    if not (path / "saved_model.pb").is_file():
        raise MethodError(f"{str(path)!r} is no folder of a SavedModel: it has no saved_model.pb")
    inside = list(islice(path.rglob("*"), _MOST_FILES + 1))
    if len(inside) > _MOST_FILES:
        raise MethodError(f"{str(path)!r} holds more than {_MOST_FILES} files and folders")
    size, digest = 0, hashlib.sha256()
    for file in sorted(inside):
        if file.is_symlink():
            raise MethodError(f"{str(file)!r} is a link; copy the folder with its files")
        if file.is_dir():
            continue
        content = check_file(file, LARGEST_FILE - size, MethodError).read_bytes()
        size += len(content)
        name = file.relative_to(path).as_posix()
        digest.update(f"{name}\n{hashlib.sha256(content).hexdigest()}\n".encode(errors="replace"))
    card = path / "assets.extra" / NAME
    text = check_file(card, LARGEST, MethodError).read_bytes() if card.exists() else None
    return "savedmodel", text, size, digest.hexdigest()


def _of_zip(path: Path, content: bytes) -> bytes | None:
    """The card at the end of a flatbuffer, as in TensorFlow Lite's metadata."""
    if content.rfind(_DIRECTORY, -(2**16 + 22)) < 0:
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content[-_END:])) as archive:
            if NAME not in archive.namelist():
                return None
            with archive.open(NAME) as member:
                return _bounded(path, member.read(LARGEST + 1))
    except LLPBenchError:
        raise
    except Exception as error:  # whatever a damaged zip makes zipfile and zlib raise
        reason = printable(str(error))[:100]
        raise MethodError(f"the card of {str(path)!r} is damaged ({reason}): {_HOW}") from error


def _is_onnx(content: memoryview) -> bool:
    """Whether it is a message with a graph, and the version of the format before all else."""
    try:
        numbers = [number for number, _value in fields(content)]
    except ValueError:
        return False
    return numbers[:1] == [1] and _GRAPH in numbers


def _of_onnx(path: Path, content: memoryview) -> bytes | None:
    try:
        if next(messages(content, _GRAPH, _INITIALIZER, _EXTERNAL), None) is not None:
            raise MethodError(
                f"{str(path)!r} keeps its numbers in other files, which are not read: save it as "
                "one file"
            )
        for entry in messages(content, _METADATA):
            key, value = (next(messages(entry, number), b"") for number in (1, 2))
            if bytes(key[:100]) == _KEY:
                return _bounded(path, bytes(value[: LARGEST + 1]))
    except ValueError as error:
        raise MethodError(f"{str(path)!r} is damaged ({error}): {_HOW}") from error
    return None


def _bounded(path: Path, text: bytes) -> bytes:
    if len(text) > LARGEST:
        raise MethodError(f"the card of {str(path)!r} has more than {LARGEST} bytes: {_HOW}")
    return text
