"""A note beside a checked file that spares checking it again while nothing has touched it."""

from __future__ import annotations

import json
from pathlib import Path

from llpbench.writing import replace_text


def stamp_path(file: Path) -> Path:
    """Where a file's stamp is kept."""
    return file.with_name(file.name + ".stamp.json")


def write_stamp(file: Path, md5: str) -> None:
    """Note that a file has just been found to have an md5."""
    replace_text(stamp_path(file), json.dumps(_stamp(file, md5)) + "\n")


def is_stamped(file: Path, md5: str) -> bool:
    """Whether a file was found to have an md5 and has kept its size and time of modification."""
    try:
        return bool(json.loads(stamp_path(file).read_bytes()) == _stamp(file, md5))
    except (OSError, ValueError):
        return False


def _stamp(file: Path, md5: str) -> dict[str, int | str]:
    status = file.stat()
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "md5": md5}
