"""A method's graph written as a file of any format."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from llpbench.errors import MethodError
from llpbench.exported.card import Card
from llpbench_baselines.backend import quiet
from llpbench_baselines.exporting.litert import write_litert
from llpbench_baselines.exporting.numbers import Numbers
from llpbench_baselines.exporting.onnx_file import write_onnx
from llpbench_baselines.exporting.saved_model import write_saved_model
from llpbench_baselines.exporting.tracing import Graph, round_numbers, trace


def write_graph(
    graph: Graph,
    path: Path,
    card: Card,
    calibration: NDArray[Any] | None,
    *,
    marks_integers: bool,
) -> None:
    """Write a graph as a file of the card's format.

    Parameters
    ----------
    graph, marks_integers
        See :class:`~llpbench_baselines.exporting.exportable.Exportable`.
    path, card, calibration
        See :meth:`~llpbench.methods.method.Method.export`; the grid of the card is that of the
        graph.

    Raises
    ------
    MethodError
        If a library that writes is missing, or cannot write this graph.
    """
    if marks_integers and (card.file_format, card.quantize) == ("litert", "int16x8"):
        raise MethodError(
            f"{card.method} is rounded in products alone, and LiteRT rounds all to two bytes, "
            "which variances and distances do not survive: give --quantize int8 or dynamic, or "
            "--format onnx"
        )
    traced = trace(graph, card, Numbers())
    card = card.model_copy(update={"grid": traced.grid})
    if card.quantize == "int8" and card.file_format == "litert" and marks_integers:
        assert calibration is not None
        traced, calibration = trace(graph, card, round_numbers(graph, calibration)), None
    try:
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if card.file_format == "litert":
                write_litert(path, traced, card, calibration)
            elif card.file_format == "onnx":
                write_onnx(path, traced, card, calibration)
            else:
                write_saved_model(path, traced, card)
    except ImportError as error:
        raise MethodError(
            f"this format needs libraries that are not installed ({error}); install them with: "
            "pip install 'llpbench[export]'"
        ) from error
