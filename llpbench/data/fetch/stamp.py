"""A note beside a checked file that spares checking it again while nothing has touched it."""

from __future__ import annotations

import json
from pathlib import Path

from llpbench.data.fetch.disk import write_json


def stamp_path(path: Path) -> Path:
    """Return where a file's stamp is kept.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Path
        Beside it.

    Examples
    --------
    >>> stamp_path(Path("a.zip")).name
    'a.zip.stamp.json'
    """
    return path.with_name(path.name + ".stamp.json")


def write_stamp(path: Path, md5: str) -> None:
    """Note that a file has just been found to have an md5.

    Parameters
    ----------
    path : Path
        The file.
    md5 : str
        Its md5.
    """
    write_json(stamp_path(path), _stamp(path, md5))


def is_stamped(path: Path, md5: str) -> bool:
    """Whether a file was found to have an md5 and has not been touched since.

    Parameters
    ----------
    path : Path
        The file, which need not be there.
    md5 : str
        The md5 it must have.

    Returns
    -------
    bool
        True if size, time of modification and md5 are those of its stamp.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.zip"
    ...     _ = path.write_bytes(b"a")
    ...     write_stamp(path, "0cc175b9c0f1b6a831c399e269772661")
    ...     before = is_stamped(path, "0cc175b9c0f1b6a831c399e269772661")
    ...     _ = path.write_bytes(b"ab")
    ...     before, is_stamped(path, "0cc175b9c0f1b6a831c399e269772661")
    (True, False)
    """
    try:
        return bool(json.loads(stamp_path(path).read_bytes()) == _stamp(path, md5))
    except (OSError, ValueError):
        return False


def _stamp(path: Path, md5: str) -> dict[str, int | str]:
    status = path.stat()
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "md5": md5}
