"""Zarr folders of anybody: checked before they are opened, and bounded while they are read."""

from __future__ import annotations

import os
import stat
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from llpbench.data.zarr_metadata import MOST_CHUNKS, ArrayMetadata, GroupMetadata
from llpbench.errors import ZarrError, examples, first_problem

if TYPE_CHECKING:
    import xarray as xr

METADATA = "zarr.json"
LARGEST_METADATA = 2**22
MOST_ARRAYS = 200

SHARD_INDEX = 16 * MOST_CHUNKS + 4
"""Bytes of the largest table of a shard's chunks."""

_Model = TypeVar("_Model", bound=BaseModel)


def check_zarr(folder: Path) -> dict[str, ArrayMetadata]:
    """Refuse a Zarr folder that is not plainly arrays of numbers and text, all of them there.

    Nothing but metadata is read. Zarr takes a chunk that is missing for one of zeros; whoever
    writes for others writes them all (``write_empty_chunks=True``).

    It is a group of format 3; its arrays are returned by name.

    Examples
    --------
    >>> check_zarr(Path("no/such.zarr"))
    Traceback (most recent call last):
        ...
    llpbench.errors.ZarrError: such.zarr cannot be read: there is no zarr.json, which Zarr ...
    """
    shown = f"{folder.name} cannot be read"
    folder = folder.resolve()
    read_metadata(folder, GroupMetadata, shown)
    arrays = {}
    for name in subfolders(folder):
        of_array = f"{shown}: its array {examples([name])}"
        arrays[name] = read_metadata(folder / name, ArrayMetadata, of_array)
        _check_files(folder / name, arrays[name], of_array)
    return arrays


def open_zarr(folder: Path, *, decode: bool = True) -> xr.Dataset:
    """Open a Zarr folder that :func:`check_zarr` has passed.

    ``decode`` is whether numbers become values by the CF attributes of their arrays.

    Raises
    ------
    ZarrError
        If it cannot be opened. A chunk that claims to inflate to more than it should is refused
        when it is read.
    """
    import xarray as xr
    import zarr

    from llpbench.data.zarr_codec import BOUNDED_ZSTD

    try:
        with zarr.config.set({"codecs.zstd": BOUNDED_ZSTD}), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Object at .* is not recognized")  # .DS_Store
            return xr.open_zarr(
                folder, chunks=None, consolidated=False, zarr_format=3, mask_and_scale=decode
            )
    except Exception as error:  # whatever metadata or coordinates make zarr and xarray raise
        raise ZarrError(f"{folder.name} cannot be read ({error!r:.200})") from error


def subfolders(folder: Path) -> list[str]:
    """Names of what should be arrays; files and hidden folders are not looked at."""
    names = []
    with os.scandir(folder) as items:
        for item in items:
            if item.is_dir() and not item.name.startswith("."):
                names.append(item.name)
            if len(names) > MOST_ARRAYS:
                raise ZarrError(
                    f"{folder.name} cannot be read: it has more than {MOST_ARRAYS} parts"
                )
    return sorted(names)


def read_metadata(folder: Path, model: type[_Model], shown: str) -> _Model:
    """Read the metadata of a group or an array."""
    file = folder / METADATA
    try:
        check_member(file, LARGEST_METADATA)
        return model.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise ZarrError(f"{shown}: there is no {METADATA}, which Zarr format 3 has") from None
    except (OSError, ValueError) as error:
        raise ZarrError(f"{shown} ({first_problem(error)})") from error


def _check_files(folder: Path, array: ArrayMetadata, shown: str) -> None:
    largest = array.chunk_bytes + array.chunk_bytes // 8 + SHARD_INDEX
    for name in array.file_names:
        try:
            check_member(folder / name, largest)
        except FileNotFoundError:
            raise ZarrError(
                f"{shown} lacks its file {name!r}, which would read as zeros; copy it again"
            ) from None
        except (OSError, ValueError) as error:
            raise ZarrError(f"{shown}, file {name!r} ({error})") from error


def check_member(file: Path, largest: int) -> None:
    """Refuse what is no regular file of its own folder, of a reasonable size."""
    status = file.stat(follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode) or os.path.realpath(file) != str(file):
        raise ValueError("no regular file of this folder")
    if not 0 < status.st_size <= largest:
        raise ValueError(f"{status.st_size} bytes, expected are 1 to {largest}")
