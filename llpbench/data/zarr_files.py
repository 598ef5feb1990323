"""Zarr folders of anybody: checked before they are opened, and bounded while they are read."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from llpbench.data.location import Location
from llpbench.data.zarr_metadata import (
    MOST_CHUNKS,
    ArrayMetadata,
    GroupMetadata,
    MosaicMetadata,
)
from llpbench.errors import ZarrError, examples, first_problem

if TYPE_CHECKING:
    import xarray as xr
    import zarr

METADATA = "zarr.json"
LARGEST_METADATA = 2**22
MOST_ARRAYS = 200

_SHARD_INDEX = 16 * MOST_CHUNKS + 4
"""Bytes of the largest table of a shard's chunks."""

_Model = TypeVar("_Model", bound=BaseModel)


def check_zarr(location: Location, expected: Collection[str] = ()) -> dict[str, ArrayMetadata]:
    """Refuse a Zarr folder that is not plainly arrays of numbers and text, all of them there.

    Nothing but metadata is read. Zarr takes a chunk that is missing for one of zeros; whoever
    writes for others writes them all (``write_empty_chunks=True``).

    It is a group of format 3; its arrays are returned by name. Where nobody can list them, those
    that are ``expected`` are looked for.

    Examples
    --------
    >>> from llpbench.data.location import locate
    >>> check_zarr(locate("no/such.zarr"))
    Traceback (most recent call last):
        ...
    llpbench.errors.ZarrError: such.zarr cannot be read: there is no zarr.json, which Zarr ...
    """
    shown = f"{location.name} cannot be read"
    read_metadata(location, "", GroupMetadata, shown)
    arrays = {}
    for name in array_names(location, expected):
        of_array = f"{shown}: its array {examples([name])}"
        arrays[name] = read_metadata(location, name, ArrayMetadata, of_array)
        _check_files(location, name, arrays[name], of_array)
    return arrays


def open_zarr(
    location: Location,
    arrays: Collection[str],
    *,
    decode: bool = True,
    without: Sequence[str] = (),
) -> xr.Dataset:
    """Open a Zarr folder that :func:`check_zarr` has passed, with the arrays that it found.

    ``decode`` is whether numbers become values by the CF attributes of their arrays; ``without``
    names arrays to leave out, as ids that would all be read at once.

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
                location.opened(arrays),
                chunks=None,
                consolidated=False,
                zarr_format=3,
                mask_and_scale=decode,
                drop_variables=list(without),
            )
    except Exception as error:  # whatever metadata or coordinates make zarr and xarray raise
        raise ZarrError(f"{location.name} cannot be read ({error!r:.200})") from error


def open_array(location: Location, name: str) -> zarr.Array[Any]:
    """Open one array of a Zarr folder that :func:`check_zarr` has passed, as :func:`open_zarr`."""
    import zarr

    from llpbench.data.zarr_codec import BOUNDED_ZSTD

    try:
        with zarr.config.set({"codecs.zstd": BOUNDED_ZSTD}):
            return zarr.open_array(location.opened([name]), path=name, mode="r", zarr_format=3)
    except Exception as error:  # whatever metadata make zarr raise
        raise ZarrError(f"{location.name} cannot be read ({error!r:.200})") from error


def array_names(location: Location, expected: Collection[str] = ()) -> list[str]:
    """Names of what should be arrays; files and hidden folders are not looked at."""
    try:
        return location.folders(MOST_ARRAYS, expected)
    except ValueError as error:
        raise ZarrError(f"{location.name} cannot be read: {error}") from error


def read_metadata(location: Location, array: str, model: type[_Model], shown: str) -> _Model:
    """Read the metadata of an array, or of the group itself where its name is empty."""
    file = f"{array}/{METADATA}".lstrip("/")
    try:
        check_member(location, file, LARGEST_METADATA)
        return model.model_validate_json(location.read(file, LARGEST_METADATA))
    except FileNotFoundError:
        raise ZarrError(f"{shown}: there is no {METADATA}, which Zarr format 3 has") from None
    except (OSError, ValueError) as error:
        raise ZarrError(f"{shown} ({first_problem(error)})") from error


def _check_files(location: Location, name: str, array: ArrayMetadata, shown: str) -> None:
    for file in array.file_names:
        try:
            check_member(location, f"{name}/{file}", largest_file(array))
        except FileNotFoundError:
            raise ZarrError(
                f"{shown} lacks its file {file!r}, which would read as zeros; copy it again"
            ) from None
        except (OSError, ValueError) as error:
            raise ZarrError(f"{shown}, file {file!r} ({error})") from error


def largest_file(array: ArrayMetadata | MosaicMetadata) -> int:
    """Bytes of the largest file that an array may have: what cannot be compressed, with tables."""
    return array.chunk_bytes + array.chunk_bytes // 8 + _SHARD_INDEX


def check_member(location: Location, file: str, largest: int) -> None:
    """Refuse what is no regular file of its own folder, of a reasonable size."""
    size = location.size(file)
    if not 0 < size <= largest:
        raise ValueError(f"{size} bytes, expected are 1 to {largest}")
