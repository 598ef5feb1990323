"""A note beside a checked file that spares checking it again while nothing has touched it."""

from __future__ import annotations

import json
from pathlib import Path

from llpbench.writing import replacing


def stamp_path(file: Path) -> Path:
    """Where a file's stamp is kept."""
    return file.with_name(file.name + ".stamp.json")


def write_stamp(file: Path, md5: str) -> None:
    """Note that a file has just been found to have an md5; the caller is its only writer.

    A lock of its own would stay where a process is killed just before it ends: nobody writes
    the stamp of a finished download again, so nobody would remove it.
    """
    with replacing(stamp_path(file), resume=True) as part:
        part.write_text(json.dumps(_stamp(file, md5)) + "\n", encoding="utf-8")


def is_stamped(file: Path, md5: str) -> bool:
    """Whether a file was found to have an md5 and has kept its size and time of modification."""
    try:
        return bool(json.loads(stamp_path(file).read_bytes()) == _stamp(file, md5))
    except (OSError, ValueError):
        return False


def _stamp(file: Path, md5: str) -> dict[str, int | str]:
    status = file.stat()
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "md5": md5}
