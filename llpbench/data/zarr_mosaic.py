"""Arrays of large mosaics in Zarr, as others publish them: sparse, in shards of any size.

They are held to the same rules as stores (:mod:`llpbench.data.zarr_files`) but for two: files may
be missing, which means that nothing is known there, and chunks may be packed by Blosc.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.location import Folder
from llpbench.data.zarr_files import (
    METADATA,
    array_names,
    check_member,
    largest_file,
    read_metadata,
)
from llpbench.data.zarr_metadata import GroupMetadata, MosaicMetadata
from llpbench.errors import ZarrError, examples

_LARGEST_COORDINATE = 2**24

_OPENING = Lock()
"""Settings of zarr are those of all threads: one that is done would take them from another."""


def is_zarr(path: Path) -> bool:
    """Whether a path is a Zarr folder, or means to be one by its name."""
    return path.is_dir() and (path.suffix == ".zarr" or (path / METADATA).is_file())


def read_group(folder: Path) -> Mapping[str, Any]:
    """Attributes of a group."""
    shown = f"{folder.name} cannot be read"
    return read_metadata(Folder(folder), "", GroupMetadata, shown).attributes


def list_groups(folder: Path) -> list[Path]:
    """Groups in a group, by name."""
    return [folder / name for name in array_names(Folder(folder)) if _is_group(folder / name)]


def _is_group(folder: Path) -> bool:
    try:
        read_group(folder)
    except ZarrError:
        return False
    return True


def list_arrays(folder: Path) -> dict[str, MosaicMetadata]:
    """Arrays of a group by name, those that can be read; their files are not looked at."""
    arrays = {}
    for name in array_names(Folder(folder)):
        try:
            arrays[name] = read_metadata(Folder(folder), name, MosaicMetadata, name)
        except ZarrError:  # said of those that are wanted, by check_array
            continue
    return arrays


def check_array(folder: Path, name: str) -> MosaicMetadata:
    """Refuse an array that is not plainly one of numbers; its files may be missing.

    Examples
    --------
    >>> check_array(Path("no/such.zarr"), "embeddings")
    Traceback (most recent call last):
        ...
    llpbench.errors.ZarrError: such.zarr cannot be read: its array 'embeddings': there is no ...
    """
    shown = f"{folder.name} cannot be read: its array {examples([name])}"
    if Path(name).name != name:
        raise ZarrError(f"{shown} is called by a path, not by a name")
    place = Folder(folder)
    array = read_metadata(place, name, MosaicMetadata, shown)
    for file in array.file_names:
        try:
            check_member(place, f"{name}/{file}", largest_file(array))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise ZarrError(f"{shown}, file {file!r} ({error})") from error
    return array


def open_array(folder: Path, name: str) -> Any:
    """Open an array that :func:`check_array` has passed, to be read window by window."""
    import zarr

    from llpbench.data.zarr_codec import BOUNDED_BLOSC, BOUNDED_ZSTD

    bounded = {"codecs.zstd": BOUNDED_ZSTD, "codecs.blosc": BOUNDED_BLOSC}
    try:
        with _OPENING, zarr.config.set(bounded):
            return zarr.open_array(folder / name, mode="r", zarr_format=3)
    except Exception as error:  # whatever metadata make zarr raise
        raise ZarrError(f"{folder.name} cannot be read ({error!r:.200})") from error


def read_array(array: Any, where: Any, shown: str) -> NDArray[Any]:
    """Read a part of an open array; ``shown`` is the name of its folder."""
    try:
        return np.asarray(array[where])
    except Exception as error:  # whatever damaged chunks make codecs raise
        raise ZarrError(f"{shown} cannot be read ({error!r:.200})") from error


def read_coordinate(folder: Path, name: str) -> NDArray[Any]:
    """Read a small array whole."""
    array = check_array(folder, name)
    if len(array.shape) != 1 or array.nbytes > _LARGEST_COORDINATE or array.kind == "text":
        raise ZarrError(f"{folder.name}: its array {examples([name])} is no coordinate")
    return read_array(open_array(folder, name), slice(None), folder.name)
