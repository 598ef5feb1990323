"""Which files are meant by a path: one, those of a folder, or those that fit a pattern."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from llpbench.errors import BuildError

_ENDINGS = {".tif", ".tiff", ".jp2", ".img", ".png", ".jpg", ".jpeg", ".asc"}
"""Of what is looked for in a folder."""

_PRODUCTS = ("GRANULE/*/IMG_DATA/*", "GRANULE/*/IMG_DATA/R?0m/*", "R?0m/*", "measurement/*")
"""Where products of Sentinel-2 and Sentinel-1 keep their bands."""


def expand(paths: Iterable[Path]) -> list[Path]:
    """Put the files of folders and patterns in their place, sorted by name.

    Examples
    --------
    >>> [path.name for path in expand([Path("one.tif"), Path("other.tif")])]
    ['one.tif', 'other.tif']
    """
    return [file for path in paths for file in _files(path)]


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        inside = [*path.iterdir(), *(file for where in _PRODUCTS for file in path.glob(where))]
        found = [file for file in inside if file.suffix.lower() in _ENDINGS]
        expected = f"no raster in the folder {str(path)!r}: none ends in .tif, .jp2, .img or .png"
    elif glob.has_magic(str(path)) and not path.exists():
        found = [Path(file) for file in glob.glob(str(path), recursive=True)]  # noqa: PTH207
        expected = f"no raster that fits {str(path)!r}"
    else:
        return [path]
    chosen = sorted(file for file in found if not file.name.startswith(".") and file.is_file())
    if not chosen:
        raise BuildError(f"there is {expected}")
    return chosen
