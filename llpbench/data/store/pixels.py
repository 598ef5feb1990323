"""The large arrays of a store: pixels, labels and cells, as they are laid out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from llpbench.data.imagery import DIMS, EMBEDDING, EMBEDDING_SCALE, SIDES, Imagery
from llpbench.protocol import CHIP_SIZE

_CONVENTION = {
    "uuid": "61c12cc5-0e28-4056-999a-480cf3fb7e4c",
    "name": "geoemb:",
    "spec_url": "https://github.com/geo-embeddings/embeddings-zarr-convention/blob/v1/README.md",
    "description": "Metadata of geospatial embeddings",
}


class Expected(NamedTuple):
    """An array of a store: ``shape`` is of one chip's pixels, empty where it has none."""

    dims: tuple[str, ...]
    kind: str
    shape: tuple[int, ...] = ()
    attributes: Mapping[str, Any] = MappingProxyType({})


def describe_pixels(images: Mapping[str, Imagery]) -> dict[str, Expected]:
    """Arrays of pixels and cells by name, ``label`` among them."""
    arrays = {}
    for name, imagery in images.items():
        side, coding = SIDES[name], imagery.coding
        shape = (side, side, len(imagery.bands))
        arrays[name] = Expected(DIMS[name], imagery.dtype, shape, coding.attributes())
        if coding.by_cell:
            arrays[EMBEDDING_SCALE] = Expected(DIMS[EMBEDDING_SCALE], "float32", (side, side))
    return arrays | {"label": Expected(("chip", "y", "x"), "uint8", (CHIP_SIZE, CHIP_SIZE))}


def describe_embedding(images: Mapping[str, Imagery]) -> dict[str, Any]:
    """Attributes of the geo-embeddings Zarr convention, for a group that has an embedding."""
    if EMBEDDING not in images:
        return {}
    embedding = images[EMBEDDING]
    coding = embedding.coding
    said: dict[str, Any] = {
        "zarr_conventions": [_CONVENTION],
        "geoemb:type": "pixel",
        "geoemb:dimensions": len(embedding.bands),
        "geoemb:model": embedding.source,
        "geoemb:source_data": [],
        "geoemb:data_type": embedding.dtype,
    }
    if embedding.dtype == "float32":
        return said
    method, scale = "linear", {"type": "scalar", "scale": coding.scale, "offset": coding.offset}
    if coding.by_cell:
        method, scale = "per_pixel_scale", {"type": "array", "array_name": EMBEDDING_SCALE}
    elif coding.power != 1:
        method = "signed_power"
    kinds = {"original_dtype": "float32", "quantized_dtype": embedding.dtype}
    return said | {"geoemb:quantization": {"method": method, **kinds, "scale": scale}}
