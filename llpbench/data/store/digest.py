"""One number that tells whether two stores hold the same dataset.

The digest is the SHA-256 of a text with a line for each array, sorted by name: name, type,
shape and the SHA-256 of its contents. Pixels are hashed in blocks of 512 chips, and the block
hashes hashed again, so that blocks can be hashed in any order and by several workers. Chunks,
shards, codecs and file names do not enter.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import geopandas as gpd

Part = tuple[str, tuple[int, ...], str]
"""Type, shape and content hash of one array."""


def hash_array(array: NDArray[Any]) -> str:
    """Hexadecimal SHA-256 of an array's contents.

    Numbers are hashed as little-endian bytes in C order, strings as a JSON list.

    Examples
    --------
    >>> hash_array(np.arange(3, dtype="<i4")) == hash_array(np.arange(3, dtype=">i4"))
    True
    """
    if array.dtype.kind in "OTU":
        texts = [str(item) for item in array.ravel()]
        return hashlib.sha256(json.dumps(texts).encode()).hexdigest()
    return hashlib.sha256(plain_bytes(array)).hexdigest()


def plain_bytes(array: NDArray[Any]) -> memoryview:
    """Numbers as little-endian bytes in C order."""
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).ravel().view("u1").data


def hash_blocks(hashes: Iterable[str]) -> str:
    """SHA-256 of the hashes of blocks of 512 chips, see :func:`hash_array`, in their order."""
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def combine(parts: Mapping[str, Part]) -> str:
    """Digest of a dataset from its arrays by name: ``sha256:`` and 64 hexadecimal digits."""
    lines = [
        f"{name}|{kind}|{shape}|{content}\n"
        for name, (kind, shape, content) in sorted(parts.items())
    ]
    return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()


def describe(array: NDArray[Any]) -> Part:
    """Type, shape and content hash of an array, as :func:`combine` takes them."""
    kind = "text" if array.dtype.kind in "OTU" else array.dtype.newbyteorder("<").str
    return kind, tuple(array.shape), hash_array(array)


def small_parts(arrays: Mapping[str, NDArray[Any]], divisions: gpd.GeoDataFrame) -> dict[str, Part]:
    """Describe every array of a dataset but the pixels, and the table of divisions."""
    parts = {name: describe(array) for name, array in arrays.items()}
    outlines = [outline.hex() for outline in divisions.geometry.to_wkb(byte_order=1)]
    return parts | {
        "divisions.geometry": describe(np.array(outlines)),
        "divisions.name": describe(divisions["name"].to_numpy(dtype=object)),
        "divisions.area_km2": describe(divisions["area_km2"].to_numpy(dtype=np.float64)),
    }
