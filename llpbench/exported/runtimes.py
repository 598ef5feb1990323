"""Runtimes of exported files: each opens one and predicts chips in one thread.

Imported where a file is run and nowhere else: of all that is installed, this needs numpy and the
runtime alone.
"""

from __future__ import annotations

import contextlib
from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import LLPBenchError, examples

Arrays = dict[str, tuple[tuple[int, ...], str]]
"""Shapes and types of arrays by name."""


class Runtime:
    """What runs a file of one format.

    Parameters
    ----------
    path : Path
        The file.
    takes, gives : dict
        The one array that it must take, ``images``, and those that it must give: ``shares`` and,
        where it has pixels, ``classes``.

    Raises
    ------
    LLPBenchError
        If it takes or gives something else.
    """

    def __init__(self, path: Path, takes: Arrays, gives: Arrays) -> None:
        found_in, found_out = self.open(path)
        for what, expected, found in (("takes", takes, found_in), ("gives", gives, found_out)):
            if found != expected:
                raise LLPBenchError(
                    f"its card says that it {what} {_list(expected)}, but it {what} {_list(found)}"
                )

    @abstractmethod
    def open(self, path: Path) -> tuple[Arrays, Arrays]:
        """Open the file, and say what it takes and gives."""

    @abstractmethod
    def run(self, images: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Shares and classes of one chip, (1, row, column, band)."""


class LiteRT(Runtime):
    """Flatbuffers of LiteRT, once TensorFlow Lite; arrays are told by their rank."""

    def open(self, path: Path) -> tuple[Arrays, Arrays]:
        """Open it with one thread."""
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_path=str(path), num_threads=1)
        self._interpreter.allocate_tensors()
        takes, gives = (
            {names.get(len(one["shape"]), one["name"]): one for one in details}
            for names, details in (
                ({4: "images"}, self._interpreter.get_input_details()),
                ({2: "shares", 3: "classes"}, self._interpreter.get_output_details()),
            )
        )
        self._places = {name: one["index"] for name, one in (takes | gives).items()}
        self._gives = list(gives)
        return _described(takes), _described(gives)

    def run(self, images: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Predict one chip."""
        self._interpreter.set_tensor(self._places["images"], images)
        self._interpreter.invoke()
        return {name: self._interpreter.get_tensor(self._places[name]) for name in self._gives}


class OnnxRuntime(Runtime):
    """Graphs of ONNX on the processor, read from bytes, so that no other file is looked for."""

    def open(self, path: Path) -> tuple[Arrays, Arrays]:
        """Open it with one thread."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        self._gives = [one.name for one in self._session.get_outputs()]
        takes, gives = (
            {one.name: (_static(one.shape), _ONNX_TYPES.get(one.type, one.type)) for one in some}
            for some in (self._session.get_inputs(), self._session.get_outputs())
        )
        return takes, gives

    def run(self, images: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Predict one chip."""
        return dict(zip(self._gives, self._session.run(None, {"images": images}), strict=True))


class SavedModel(Runtime):
    """Folders of TensorFlow, by their signature ``serving_default``."""

    def open(self, path: Path) -> tuple[Arrays, Arrays]:
        """Open it with one thread."""
        import tensorflow as tf

        with contextlib.suppress(RuntimeError):  # it has begun to compute
            tf.config.threading.set_intra_op_parallelism_threads(1)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        self._model = tf.saved_model.load(str(path))
        if "serving_default" not in self._model.signatures:
            raise LLPBenchError("it has no signature 'serving_default'")
        self._call = self._model.signatures["serving_default"]
        _nothing, takes = self._call.structured_input_signature
        self._tensor = tf.constant
        gives = self._call.structured_outputs
        takes, gives = (
            {name: (_static(one.shape), one.dtype.name) for name, one in some.items()}
            for some in (takes, gives)
        )
        return takes, gives

    def run(self, images: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Predict one chip."""
        found = self._call(images=self._tensor(images))
        return {name: one.numpy() for name, one in found.items()}


RUNTIMES: dict[str, type[Runtime]] = {
    "litert": LiteRT,
    "onnx": OnnxRuntime,
    "savedmodel": SavedModel,
}

MODULES = {
    "litert": "ai_edge_litert.interpreter",
    "onnx": "onnxruntime",
    "savedmodel": "tensorflow",
}
"""What each imports."""

_ONNX_TYPES = {
    "tensor(float)": "float32",
    **{f"tensor({name})": name for name in ("uint8", "int8", "uint16", "int16")},
}


def _described(details: dict[str, Any]) -> Arrays:
    return {
        name: (tuple(int(size) for size in one["shape"]), np.dtype(one["dtype"]).name)
        for name, one in details.items()
    }


def _static(shape: Any) -> tuple[int, ...]:
    """A shape whose first size, the number of chips, may be left open."""
    sizes = [size if isinstance(size, int) else -1 for size in shape]
    return (1 if sizes[:1] == [-1] else sizes[0], *sizes[1:]) if sizes else ()


def _list(arrays: Arrays) -> str:
    return examples(f"{name} {shape} of {dtype}" for name, (shape, dtype) in arrays.items())
