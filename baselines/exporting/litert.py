"""A graph as a LiteRT file (once TensorFlow Lite), the card in a zip behind it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import MethodError, first_problem
from llpbench.exported.card import NAME, Card
from llpbench_baselines.backend import tf
from llpbench_baselines.exporting.slimming import slim
from llpbench_baselines.exporting.tracing import TracedGraph

_UNROUNDED = [
    *("ADD", "ADD_N", "SUB", "SUM", "MEAN", "AVERAGE_POOL_2D", "SQUARED_DIFFERENCE"),
    *("MUL", "DIV", "SQUARE", "SQRT", "RSQRT", "EXP", "LOG", "SOFTMAX", "LOG_SOFTMAX"),
    *("MAXIMUM", "MINIMUM", "REDUCE_MAX", "ARG_MAX"),
]
"""What is computed with float32 where products are of bytes: 256 steps are too few for shares, for
their means and for differences."""

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The day of the card within the zip: the same run gives the same bytes."""


def write_litert(
    path: Path, graph: TracedGraph, card: Card, calibration: NDArray[Any] | None
) -> None:
    """Write a graph with the numbers that the card names.

    Parameters
    ----------
    path : Path
        A new file.
    calibration : ndarray, shape (n, row, column, band), or None
        Images on which the converter finds the ranges of all values; None where none are rounded,
        or where the graph says itself which are.
    """
    from tensorflow.lite.python.convert_phase import ConverterError

    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph.frozen()])
    is_of_bytes = card.quantize == "int8" and calibration is not None
    if card.quantize != "none":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if card.quantize == "int16x8":
        kinds = tf.lite.OpsSet
        converter.target_spec.supported_ops = [
            kinds.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
            kinds.TFLITE_BUILTINS,
        ]
    if calibration is not None:
        converter.representative_dataset = lambda: ([image[np.newaxis]] for image in calibration)
    try:
        content = _round(converter) if is_of_bytes else converter.convert()
    except (ConverterError, RuntimeError) as error:
        raise MethodError(
            f"LiteRT cannot compute this method with --quantize {card.quantize} "
            f"({first_problem(error)}); give another"
        ) from error
    path.write_bytes(slim(content))
    _append_card(path, card)


def _round(converter: Any) -> bytes:
    """Convert a graph whose products, and what only moves numbers, are of bytes."""
    from tensorflow.lite.python.convert import mlir_quantize

    converter._experimental_calibrate_only = True
    content: bytes = mlir_quantize(converter.convert(), denylisted_ops=_UNROUNDED)
    return content


def _append_card(path: Path, card: Card) -> None:
    """Append a zip, as metadata of TensorFlow Lite files are: runtimes ignore what follows."""
    entry = zipfile.ZipInfo(NAME, _LONG_AGO)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(entry, card.model_dump_json(), zipfile.ZIP_DEFLATED, compresslevel=9)
