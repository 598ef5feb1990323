"""A graph as an ONNX file, the card among its properties."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.exported.card import IMAGES, Card
from llpbench_baselines.exporting.tracing import TracedGraph

OPSET = 18
"""Version of the operators."""

PROPERTY = "llpbench"
"""Under which the card is kept among a file's properties."""

_PRODUCTS = ["Conv", "ConvTranspose", "Gemm", "MatMul"]
"""What is computed with bytes; sums, averages and roots of them stay float32."""


def write_onnx(
    path: Path, graph: TracedGraph, card: Card, calibration: NDArray[Any] | None
) -> None:
    """Write a graph with the numbers that the card names.

    Parameters
    ----------
    path : Path
        A new file.
    calibration : ndarray, shape (n, row, column, band), or None
        Images on which ranges of values are found, where there are bytes.
    """
    import onnx

    model = _convert(graph)
    if card.quantize != "none":
        model = _quantize(model, calibration, "QInt16" if card.quantize == "int16x8" else "QInt8")
    onnx.helper.set_model_props(model, {PROPERTY: card.model_dump_json()})
    onnx.save(model, path)


def _convert(graph: TracedGraph) -> Any:
    """Make a model of ONNX of a graph."""
    import tf2onnx

    with _silent("tf2onnx"):
        model, _storage = tf2onnx.convert.from_function(
            graph.function, input_signature=[graph.signature], opset=OPSET
        )
    return model


def _quantize(model: Any, calibration: NDArray[Any] | None, kind: str) -> Any:
    """Make weights of products bytes and, with images, what they are multiplied by of a kind."""
    import onnx
    from onnxruntime import quantization

    with tempfile.TemporaryDirectory() as folder, _silent(""):
        before, after = Path(folder, "before.onnx"), Path(folder, "after.onnx")
        onnx.save(model, before)
        if calibration is None:
            quantization.quantize_dynamic(
                before,
                after,
                op_types_to_quantize=_PRODUCTS,
                weight_type=quantization.QuantType.QUInt8,
            )
        else:
            quantization.quantize_static(
                before,
                after,
                _Reader(calibration),
                op_types_to_quantize=_PRODUCTS,
                activation_type=quantization.QuantType[kind],
            )
        return onnx.load(after)


class _Reader:
    """Hands images to ONNX Runtime, one at a time."""

    def __init__(self, images: NDArray[Any]) -> None:
        self._images = iter(images)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        """The next chip, None after the last."""
        image = next(self._images, None)
        return None if image is None else {IMAGES: image[np.newaxis]}


@contextmanager
def _silent(name: str) -> Iterator[None]:
    """Keep back what a library logs of its own progress."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
