"""What the metadata of a Zarr folder may say: judged before Zarr or a codec sees any of it.

Only format 3 is read, with types that are numbers or text, and codecs that turn bytes into these
and nothing else; format 2 and other codecs have ways to run code. Sizes are bounded, as a few
bytes of metadata can ask for any amount of memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

LARGEST_CHUNK = 2**28
"""Bytes of the largest chunk; those that are written here have 15 MB, others' rarely 100 MB."""
MOST_CHUNKS = 2**16
"""Chunks in a shard."""
MOST_FILES = 2**18
"""Files of an array: pixels of 10^8 chips have 195,000."""

_TEXT_BYTES = 1000
"""Counted for a text of any length."""
_NUMBERS = {
    "bool": 1,
    **{f"{sign}int{8 * size}": size for sign in ("", "u") for size in (1, 2, 4, 8)},
    **{f"float{8 * size}": size for size in (2, 4, 8)},
}

Size = Annotated[int, Field(ge=0, le=2**40)]
Side = Annotated[int, Field(ge=1, le=2**40)]
Sides = Annotated[list[Side], Field(max_length=8)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class _Width(_Part):
    length_bytes: Annotated[int, Field(ge=1, le=4000)]


class _FixedText(_Part):
    name: Literal["fixed_length_utf32"]
    configuration: _Width


class _ChunkShape(_Part):
    chunk_shape: Sides


class _ChunkGrid(_Part):
    name: Literal["regular"]
    configuration: _ChunkShape


class _Separator(_Part):
    separator: Literal["/", "."] = "/"


class _ChunkNames(_Part):
    name: Literal["default"]
    configuration: _Separator = _Separator()


class _Plain(_Part):
    """A step from bytes to an array, of a kind that does nothing else."""

    name: Literal["bytes", "vlen-utf8", "zstd", "crc32c", "transpose"]


class _ShardShape(_ChunkShape):
    codecs: Annotated[list[_Plain], Field(max_length=8)]
    index_codecs: Annotated[list[_Plain], Field(max_length=8)]


class _Sharding(_Part):
    name: Literal["sharding_indexed"]
    configuration: _ShardShape


Codec = Annotated[_Plain | _Sharding, Field(discriminator="name")]


class _Packed(_Part):
    """A step as well of those by which others publish: Blosc, whose header is read before it is."""

    name: Literal["bytes", "zstd", "blosc", "crc32c", "transpose"]


class _PackedShape(_ChunkShape):
    codecs: Annotated[list[_Packed], Field(max_length=8)]
    index_codecs: Annotated[list[_Plain], Field(max_length=8)]


class _PackedSharding(_Part):
    name: Literal["sharding_indexed"]
    configuration: _PackedShape


_PackedCodec = Annotated[_Packed | _PackedSharding, Field(discriminator="name")]


class _AnyArray(_Part):
    """What the ``zarr.json`` of any array says.

    Parameters
    ----------
    shape : list of int
        Length along each dimension.
    data_type : str or object
        A kind of number, or text.
    chunk_grid, chunk_key_encoding
        How it is cut into files, and how these are called.
    dimension_names : list of str
        Of each dimension.
    attributes : dict
        What else is said of it.
    """

    zarr_format: Literal[3]
    node_type: Literal["array"]
    shape: Annotated[list[Size], Field(max_length=8)]
    data_type: str | _FixedText
    chunk_grid: _ChunkGrid
    chunk_key_encoding: _ChunkNames
    dimension_names: list[str]
    attributes: dict[str, Any] = {}
    storage_transformers: Annotated[list[Any], Field(max_length=0)] = []

    @property
    def kind(self) -> str:
        """The name of its type, ``text`` for any text."""
        is_number = isinstance(self.data_type, str) and self.data_type in _NUMBERS
        return str(self.data_type) if is_number else "text"

    @property
    def item_bytes(self) -> int:
        """Bytes of a value, for text about as many as it may have."""
        if isinstance(self.data_type, _FixedText):
            return self.data_type.configuration.length_bytes
        return _NUMBERS.get(self.data_type, _TEXT_BYTES)

    @property
    def nbytes(self) -> int:
        """Bytes of all its values in memory."""
        return math.prod(self.shape) * self.item_bytes

    @property
    def chunk_shape(self) -> list[int]:
        """Length of a file along each dimension."""
        return self.chunk_grid.configuration.chunk_shape

    @property
    def read_shape(self) -> list[int]:
        """Length along each dimension of what cannot but be read together."""
        return self.chunk_shape

    @property
    def shards(self) -> Sequence[list[int]]:
        """Lengths of the chunks in its files, where these are shards."""
        return ()

    @property
    def chunk_bytes(self) -> int:
        """Bytes of a file's values, beyond which no text counts."""
        largest = math.prod(self.chunk_shape) * self.item_bytes
        return min(largest, LARGEST_CHUNK) if self.kind == "text" else largest

    @property
    def file_names(self) -> Iterator[str]:
        """Names of its files, below its folder."""
        separator = self.chunk_key_encoding.configuration.separator
        for place in product(*map(range, self._chunks)):
            yield separator.join(["c", *map(str, place)])

    @property
    def _chunks(self) -> list[int]:
        return [-(-size // side) for size, side in zip(self.shape, self.chunk_shape, strict=True)]

    @field_validator("data_type")
    @classmethod
    def _check_type(cls, value: str | _FixedText) -> str | _FixedText:
        if isinstance(value, str) and value not in {*_NUMBERS, "string"}:
            raise ValueError(f"values of type {value!r:.40} are not read, only numbers and text")
        return value

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if not len(self.shape) == len(self.chunk_shape) == len(self.dimension_names):
            raise ValueError("shape, chunks and names of dimensions differ in number")
        if math.prod(self._chunks) > MOST_FILES:
            raise ValueError(f"more than {MOST_FILES} files; write it in larger chunks")
        if math.prod(self.read_shape) * self.item_bytes > LARGEST_CHUNK and self.kind != "text":
            raise ValueError(
                f"a chunk of {self.read_shape} takes more than {LARGEST_CHUNK} bytes; write it in "
                "smaller chunks"
            )
        for inner in self.shards:
            self._check_shard(inner)
        return self

    def _check_shard(self, inner: list[int]) -> None:
        pairs = zip(self.chunk_shape, inner, strict=False)
        if len(inner) != len(self.shape) or any(whole % part for whole, part in pairs):
            raise ValueError(f"chunks of {inner} do not fill shards of {self.chunk_shape}")
        if math.prod(self.chunk_shape) // math.prod(inner) > MOST_CHUNKS:
            raise ValueError(f"more than {MOST_CHUNKS} chunks in a shard")


class ArrayMetadata(_AnyArray):
    """The ``zarr.json`` of an array of a store or of predictions; ``codecs`` made its bytes."""

    codecs: Annotated[list[Codec], Field(max_length=8)]

    @property
    def shards(self) -> Sequence[list[int]]:
        """Lengths of the chunks in its files, where these are shards."""
        kinds = [codec for codec in self.codecs if isinstance(codec, _Sharding)]
        return [codec.configuration.chunk_shape for codec in kinds]


class MosaicMetadata(_AnyArray):
    """The ``zarr.json`` of an array of a large mosaic: shards are read chunk by chunk."""

    codecs: Annotated[list[_PackedCodec], Field(max_length=8)]
    dimension_names: list[str] = []

    @property
    def shards(self) -> Sequence[list[int]]:
        """Lengths of the chunks in its files, where these are shards."""
        kinds = [codec for codec in self.codecs if isinstance(codec, _PackedSharding)]
        return [codec.configuration.chunk_shape for codec in kinds]

    @property
    def read_shape(self) -> list[int]:
        """A chunk of a shard, unless something was done to the whole shard."""
        return self.shards[0] if len(self.codecs) == len(self.shards) == 1 else self.chunk_shape


class GroupMetadata(_Part):
    """The ``zarr.json`` of a group."""

    zarr_format: Literal[3]
    node_type: Literal["group"]
    attributes: dict[str, Any] = {}
