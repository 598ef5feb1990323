"""The files of a store, made in memory: Zarr encodes, and they are put where the store stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from numpy.typing import NDArray

from llpbench.catalog import NO_LABEL
from llpbench.data.region import Region
from llpbench.data.store.layout import files_of
from llpbench.data.store.pixels import describe_embedding, describe_pixels
from llpbench.data.store.tables import StoredArray, Tables

_METADATA = "zarr.json"


def encode_tables(tables: Tables, region: Region) -> Iterator[tuple[str, bytes]]:
    """Make the group and its small arrays: names of files below ``chips.zarr``, and contents."""
    import zarr

    attributes = {"coordinates": " ".join(tables.coordinates), **describe_embedding(region.images)}
    files: dict[str, Any] = {}
    zarr.create_group(zarr.storage.MemoryStore(files), zarr_format=3, attributes=attributes)
    yield from _drained(files, "")
    for name, array in tables.arrays.items():
        yield from encode_array(name, array)


def encode_array(name: str, array: StoredArray) -> Iterator[tuple[str, bytes]]:
    """Make a small array, as :func:`encode_tables` makes several."""
    import zarr

    files: dict[str, Any] = {}
    zarr.create_array(
        zarr.storage.MemoryStore(files),
        data=array.values,
        dimension_names=array.dims,
        attributes=dict(array.attributes),
        config={"write_empty_chunks": True},  # one that is missing is a fault
    )
    yield from _drained(files, f"{name}/")


def encode_pixels(chips: int, region: Region) -> dict[str, bytes]:
    """Make the metadata of arrays of pixels, by the name of the array."""
    import zarr
    from zarr.codecs import ZstdCodec

    classes = region.label_set.classes
    meanings = " ".join(label_class.name.replace(" ", "_") for label_class in classes)
    flags: dict[str, Any] = {
        "flag_values": [*range(len(classes)), NO_LABEL],
        "flag_meanings": f"{meanings} no_label",
    }
    shard, chunk = files_of(region.images)
    metadata = {}
    for name, pixels in describe_pixels(region.images).items():
        files: dict[str, Any] = {}
        zarr.create_array(
            zarr.storage.MemoryStore(files),
            shape=(chips, *pixels.shape),
            dtype=pixels.kind,
            chunks=(chunk, *pixels.shape),
            shards=(shard, *pixels.shape),
            compressors=[ZstdCodec(level=1)],  # a tenth larger than level 3, twice as fast
            dimension_names=pixels.dims,
            attributes=flags if name == "label" else dict(pixels.attributes),
        )
        metadata[name] = files[_METADATA].to_bytes()
    return metadata


def encode_shard(
    metadata: bytes, chips: slice, values: NDArray[Any]
) -> Iterator[tuple[str, bytes]]:
    """Make the file of an array of pixels that holds these chips, by its name below the array."""
    import zarr
    from zarr.core.buffer import default_buffer_prototype

    content = default_buffer_prototype().buffer.from_bytes(metadata)
    files: dict[str, Any] = {_METADATA: content}
    array = zarr.open_array(zarr.storage.MemoryStore(files), mode="r+")
    array.with_config({"write_empty_chunks": True})[chips] = values
    del files[_METADATA]
    yield from _drained(files, "")


def _drained(files: Mapping[str, Any], folder: str) -> Iterator[tuple[str, bytes]]:
    return ((folder + name, content.to_bytes()) for name, content in files.items())
