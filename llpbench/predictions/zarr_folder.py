"""A zarr folder of strangers: what it would be when read, told from its files before it is opened.

Zarr gives memory to whatever an array or a chunk says of itself, reads a missing chunk as zeros,
and loads codecs by name. So read are only arrays of numbers and text, in whole chunks, compressed
by codecs that state how large a chunk will be.
"""

from __future__ import annotations

import json
import math
import os
import re
import struct
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from llpbench.data.folders import list_files
from llpbench.errors import PredictionsError, examples
from llpbench.predictions.columns import LONGEST_ID

MOST_FILES = 20_000
"""Files of a folder; one of 70,000 chips that is written here has 30."""
DEEPEST = 6
"""Folders within one another: the array's, ``c`` and one for each dimension but the last."""
LARGEST_DESCRIPTION = 2**20
LARGEST_CHUNK = 2**28
"""Bytes of a chunk, inflated."""

_CODECS = {"bytes", "vlen-utf8", "zstd", "blosc", "crc32c"}
_TYPES = {f"{kind}{bits}" for kind in ("int", "uint", "float") for bits in (8, 16, 32, 64)}
_CHUNK = re.compile(r"c(/[0-9]+)*")
_AGAIN = "write it again with llpbench.write_predictions"


def check_files(folder: Path) -> list[Path]:
    """Files of a zarr folder, none of which is a link or larger than one can be.

    Raises
    ------
    PredictionsError
        If there are others, too many or too deep.
    """
    files = []
    for path, size in list_files(folder, PredictionsError, most=MOST_FILES, deepest=DEEPEST):
        largest = LARGEST_DESCRIPTION if path.name == "zarr.json" else LARGEST_CHUNK
        if size > largest:
            raise PredictionsError(
                f"{folder.name}: {examples([path.name])} has {size} bytes; at most {largest} are "
                "read"
            )
        files.append(path)
    return files


def check_zarr(folder: Path, largest: int) -> None:
    """Refuse a folder that would be larger when read, or not what it seems.

    Parameters
    ----------
    largest : int
        Bytes of each of its arrays.

    Raises
    ------
    PredictionsError
        If it is not of format 3, lacks chunks, or needs codecs that do not state sizes.
    """
    arrays: dict[str, dict[str, Path]] = {}
    for path in check_files(folder):
        array, _, key = path.relative_to(folder).as_posix().partition("/")
        if key == "zarr.json":
            arrays.setdefault(array, {})
        elif _CHUNK.fullmatch(key):
            arrays.setdefault(array, {})[key] = path
    if not (folder / "zarr.json").is_file():
        raise PredictionsError(f"{folder.name} is no zarr folder of format 3; {_AGAIN}")
    for array, chunks in arrays.items():
        try:
            _check_array(folder / array, chunks, largest)
        except (KeyError, TypeError, ValueError, OSError, RecursionError, struct.error) as error:
            raise PredictionsError(
                f"{folder.name}: array {examples([array])} cannot be read ({error!r:.80})"
            ) from error
        except PredictionsError as error:
            raise PredictionsError(f"{folder.name}: array {examples([array])} {error}") from error


def _check_array(folder: Path, chunks: dict[str, Path], largest: int) -> None:
    said = json.loads((folder / "zarr.json").read_bytes())
    if said["node_type"] != "array" or said["zarr_format"] != 3:
        raise PredictionsError(f"is no array of format 3; {_AGAIN}")
    if said.get("storage_transformers"):
        raise PredictionsError(f"needs storage transformers; {_AGAIN}")
    names = [codec["name"] for codec in said["codecs"]]
    if not set(names) <= _CODECS:
        raise PredictionsError(f"is written with codecs {examples(names)}; {_AGAIN}")
    size = _item_size(said["data_type"])
    grid, shape = said["chunk_grid"], [int(side) for side in said["shape"]]
    parts = [int(side) for side in grid["configuration"]["chunk_shape"]]
    if grid["name"] != "regular" or len(parts) != len(shape) or min(parts, default=1) < 1:
        raise PredictionsError(f"has chunks of another form; {_AGAIN}")
    if size * math.prod(shape) > largest or size * math.prod(parts) > LARGEST_CHUNK:
        raise PredictionsError(f"would be {size * math.prod(shape)} bytes large when read")
    expected = math.prod(-(-side // part) for side, part in zip(shape, parts, strict=True))
    if len(chunks) != expected:
        raise PredictionsError(
            f"must have {expected} chunks, found {len(chunks)}: missing ones would be read as "
            f"zeros; {_AGAIN}"
        )
    for chunk in chunks.values():
        with chunk.open("rb") as file:
            if _inflated(file, names) > size * math.prod(parts):
                raise PredictionsError("has a chunk that is larger than it should be")


def _item_size(kind: Any) -> int:
    """Bytes of an item in memory; of a text at most."""
    if kind == "string":
        return LONGEST_ID + 4
    if isinstance(kind, dict) and kind.get("name") == "fixed_length_utf32":
        return int(kind["configuration"]["length_bytes"])
    if kind not in _TYPES:
        raise PredictionsError(f"holds {examples([kind])}; read are numbers and text")
    return np.dtype(kind).itemsize


def _inflated(file: BinaryIO, codecs: list[str]) -> int:
    """Bytes that a chunk says it has when inflated."""
    head = file.read(18)
    if "zstd" in codecs:
        return _zstd_size(head)
    if "blosc" in codecs:
        return int.from_bytes(head[4:8], "little")
    return os.fstat(file.fileno()).st_size - 4 * codecs.count("crc32c")


def _zstd_size(head: bytes) -> int:
    """The frame's content size (RFC 8878, 3.1.1.1), which must be there."""
    flags = head[4]
    single, kind = bool(flags & 0x20), flags >> 6
    length = [int(single), 2, 4, 8][kind]
    start = 5 + (not single) + [0, 1, 2, 4][flags & 3]
    if head[:4] != b"\x28\xb5\x2f\xfd" or not length:
        raise PredictionsError(f"has a chunk that does not state its size; {_AGAIN}")
    size = int.from_bytes(head[start : start + length], "little")
    return size + 256 * (kind == 1)
