"""Codecs for Zarr that inflate no chunk beyond the size it should have."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from typing import Any

from zarr.codecs import BloscCodec, ZstdCodec
from zarr.registry import register_codec

from llpbench.data.zarr_metadata import LARGEST_CHUNK

BOUNDED_ZSTD = "llpbench.BoundedZstd"
BOUNDED_BLOSC = "llpbench.BoundedBlosc"
"""Their names in zarr's registry."""

_BLOSC_HEADER = struct.Struct("<4B3I")
_MAGIC = (0xFD2FB528).to_bytes(4, "little")
_LONGEST_HEADER = 18
_CHECKSUM = 4


class BoundedZstd(ZstdCodec):
    """Looks at what a frame says of its size before memory is taken for it."""

    async def decode(self, chunks_and_specs: Iterable[tuple[Any, Any]]) -> Any:
        """Inflate a batch of chunks, which may be None."""
        pairs = list(chunks_and_specs)
        for chunk, spec in pairs:
            if chunk is not None:
                found = content_bytes(chunk[:_LONGEST_HEADER].to_bytes())
                if found is None or found > _most_bytes(spec):
                    raise ValueError(f"a chunk would inflate to {found} bytes")
        return await super().decode(pairs)


class BoundedBlosc(BloscCodec):
    """Looks at what the header of a chunk says of its size before memory is taken for it."""

    async def decode(self, chunks_and_specs: Iterable[tuple[Any, Any]]) -> Any:
        """Inflate a batch of chunks, which may be None."""
        pairs = list(chunks_and_specs)
        for chunk, spec in pairs:
            if chunk is not None:
                _check_blosc(chunk[: _BLOSC_HEADER.size].to_bytes(), len(chunk), _most_bytes(spec))
        return await super().decode(pairs)


def _check_blosc(header: bytes, length: int, most: int) -> None:
    """Refuse a chunk whose header does not fit it (c-blosc, README_CHUNK_FORMAT.rst)."""
    if len(header) < _BLOSC_HEADER.size:
        raise ValueError(f"a chunk of {len(header)} bytes is too short for Blosc")
    *_flags, inflated, _block, packed = _BLOSC_HEADER.unpack(header)
    if inflated > most or packed != length:
        raise ValueError(f"a chunk of {length} bytes would inflate to {inflated} bytes")


def content_bytes(header: bytes) -> int | None:
    r"""Bytes that a zstd frame says it inflates to; None where it does not say so.

    RFC 8878, section 3.1.1.

    Examples
    --------
    >>> content_bytes(bytes.fromhex("28b52ffd20052900006162636465"))
    5
    """
    if header[:4] != _MAGIC or len(header) < 6:
        return None
    descriptor = header[4]
    is_single = bool(descriptor & 0x20)
    size = (1 if is_single else 0, 2, 4, 8)[descriptor >> 6]
    start = 5 + (not is_single) + (0, 1, 2, 4)[descriptor & 3]
    field = header[start : start + size]
    if not size or len(field) < size:
        return None
    return int.from_bytes(field, "little") + (256 if size == 2 else 0)


def _most_bytes(spec: Any) -> int:
    """Of a chunk: of its numbers, and a checksum; of text any that is not too much."""
    item = getattr(spec.dtype, "item_size", None)
    return LARGEST_CHUNK if item is None else math.prod(spec.shape) * item + _CHECKSUM


register_codec("zstd", BoundedZstd, qualname=BOUNDED_ZSTD)
register_codec("blosc", BoundedBlosc, qualname=BOUNDED_BLOSC)
