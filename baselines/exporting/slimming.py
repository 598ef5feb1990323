"""A LiteRT file without what no runtime reads: names within it, ranges, notes of the converter."""

from __future__ import annotations

from typing import Any

import numpy as np

from llpbench.exported.card import CLASSES, IMAGES, SHARES

_ALIGNMENT = 16
"""Bytes at whose multiples arrays begin, as the format asks for."""


def slim(content: bytes) -> bytes:
    """Leave out what is not computed with, and call what goes in and out by its name.

    Equal arrays are kept once. The signature is called ``serving_default``, as TensorFlow does.

    Parameters
    ----------
    content : bytes
        A flatbuffer of the TensorFlow Lite schema, version 3, with one graph.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    (graph,) = model.subgraphs
    model.metadata = model.metadataBuffer = model.description = None
    graph.name = None
    for tensor in graph.tensors:
        tensor.name = tensor.shapeSignature = None
        rounding = tensor.quantization
        if rounding is not None:
            rounding.min = rounding.max = None
            if rounding.scale is None or not len(rounding.scale):
                tensor.quantization = None
    graph.tensors[graph.inputs[0]].name = IMAGES
    for number in graph.outputs:
        tensor = graph.tensors[number]
        tensor.name = SHARES if len(tensor.shape) == 2 else CLASSES
    model.signatureDefs = [_signature(graph)]
    model.buffers = _distinct(model, graph)
    builder = flatbuffers.Builder(2 * len(content))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _signature(graph: Any) -> Any:
    """Name what goes in and out for runtimes that call graphs by names."""
    from ai_edge_litert import schema_py_generated as schema

    def named(numbers: Any) -> list[Any]:
        names = [schema.TensorMapT() for _number in numbers]
        for name, number in zip(names, numbers, strict=True):
            name.name, name.tensorIndex = graph.tensors[number].name, int(number)
        return names

    signature = schema.SignatureDefT()
    signature.signatureKey = "serving_default"
    signature.inputs, signature.outputs = named(graph.inputs), named(graph.outputs)
    return signature


def _distinct(model: Any, graph: Any) -> list[Any]:
    """Point tensors to arrays of their own that differ; the first of them is empty."""
    kept: dict[bytes, int] = {b"": 0}
    for tensor in graph.tensors:
        data = model.buffers[tensor.buffer].data
        content = b"" if data is None else np.asarray(data, dtype=np.uint8).tobytes()
        tensor.buffer = kept.setdefault(content, len(kept))
    return [_Array(content) for content in kept]


class _Array:
    """An array that packs itself aligned, as flatbuffers' own object of it does not."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def Pack(self, builder: Any) -> int:  # noqa: N802
        """Write it; flatbuffers are written from their end."""
        from ai_edge_litert import schema_py_generated as schema

        size = len(self.content)
        if size:
            builder.StartVector(1, size, _ALIGNMENT)
            builder.head = builder.Head() - size
            builder.Bytes[builder.Head() : builder.Head() + size] = self.content
            vector = builder.EndVector()
        schema.BufferStart(builder)
        if size:
            schema.BufferAddData(builder, vector)
        return int(schema.BufferEnd(builder))
