"""A network of a few numbers as exported files, and the same in numpy."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from llpbench.cli import main

WEIGHTS = np.round(np.random.default_rng(0).normal(0, 0.02, (3, 5)), 4).astype(np.float32)
"""From the mean colour of a cell to five classes."""

ROOT = Path(__file__).resolve().parents[1]

LITERT = Path(__file__).parent / "data" / "cells.tflite"
"""What TensorFlow 2.21 makes of :func:`as_tensorflow`; a test of the full counts makes it again."""


def predict(images: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Shares and classes of chips (n, 96, 96, 3), by the definition."""
    cells = images.astype(np.float64).reshape(-1, 24, 4, 24, 4, 3).mean(axis=(2, 4))
    values = np.exp(cells @ WEIGHTS.astype(np.float64))
    chances = values / values.sum(axis=-1, keepdims=True)
    return chances.mean(axis=(1, 2)), chances.argmax(axis=-1).astype(np.uint8)


def card_of(ds: xr.Dataset, **changed: Any) -> dict[str, Any]:
    """What a file says that was made of a grouped dataset, as plain JSON."""
    info = ds.llp.info
    return {
        "llpbench": "0.1",
        "method": "downconv",
        "settings": {"epochs": 3},
        "seed": 2,
        "trained_on": info.name,
        "digest": info.digest,
        "classes": ds["category_name"].to_numpy().tolist(),
        "array": "image",
        "bands": ["red", "green", "blue"],
        "dtype": "uint8",
        "coding": {},
        "shape": [96, 96, 3],
        "grid": 24,
        "recipe": None,
        "licence": "CC-BY-4.0",
        "file_format": "litert",
        "quantize": "none",
        "calibrated_on": 0,
        "parameters": WEIGHTS.size,
        "multiply_adds": 24 * 24 * WEIGHTS.size,
        "supervision": "chip",
        "is_reference": False,
        "train_on": "train",
        "fold": None,
        "synthetic": False,
        **changed,
    }


def write_litert(path: Path, card: dict[str, Any]) -> Path:
    """The network as a flatbuffer, with its card behind it."""
    path.write_bytes(LITERT.read_bytes())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("llpbench.json", json.dumps(card))
    return path


def write_onnx(path: Path, card: dict[str, Any], *, scale: float = 1.0) -> Path:
    """The network as ONNX; its shares times ``scale``."""
    path.write_bytes(make_onnx(card, scale).SerializeToString())
    return path


def make_onnx(card: dict[str, Any], scale: float = 1.0, copies: int = 1) -> Any:
    """The network in ONNX; ``scale`` times its shares, from the first of many copies."""
    from onnx import TensorProto, helper, numpy_helper

    kernel = WEIGHTS.T.reshape(5, 3, 1, 1)
    constants = {"kernel": kernel, "axes": np.array([2, 3]), "scale": np.float32(scale)}
    constants |= {"copies": np.array([copies, 1, 1, 1]), "first": np.array([0])}
    nodes = [
        helper.make_node("Cast", ["images"], ["one"], to=TensorProto.FLOAT),
        helper.make_node("Tile", ["one", "copies"], ["many"]),
        helper.make_node("Gather", ["many", "first"], ["numbers"]),
        helper.make_node("Transpose", ["numbers"], ["channels"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "AveragePool", ["channels"], ["cells"], kernel_shape=[4, 4], strides=[4, 4]
        ),
        helper.make_node("Conv", ["cells", "kernel"], ["values"]),
        helper.make_node("Softmax", ["values"], ["chances"], axis=1),
        helper.make_node("ReduceMean", ["chances", "axes"], ["means"], keepdims=0),
        helper.make_node("Mul", ["means", "scale"], ["shares"]),
        helper.make_node("ArgMax", ["values"], ["numbered"], axis=1, keepdims=0),
        helper.make_node("Cast", ["numbered"], ["classes"], to=TensorProto.UINT8),
    ]
    graph = helper.make_graph(
        nodes,
        "cells",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, [1, 96, 96, 3])],
        [
            helper.make_tensor_value_info("shares", TensorProto.FLOAT, [1, 5]),
            helper.make_tensor_value_info("classes", TensorProto.UINT8, [1, 24, 24]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {"llpbench": json.dumps({**card, "file_format": "onnx"})})
    return model


def as_tensorflow() -> Any:
    """The network as a module of TensorFlow, with the signature that files have."""
    import tensorflow as tf

    images = tf.TensorSpec((1, 96, 96, 3), tf.uint8, name="images")

    class Cells(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[images], autograph=False)
        def predict(self, images: Any) -> dict[str, Any]:
            cells = tf.nn.avg_pool2d(tf.cast(images, tf.float32), 4, 4, "VALID")
            values = tf.nn.conv2d(cells, WEIGHTS[None, None], 1, "VALID")
            shares = tf.reduce_mean(tf.nn.softmax(values), (1, 2))
            classes = tf.cast(tf.argmax(values, -1, output_type=tf.int32), tf.uint8)
            return {"shares": shares, "classes": classes}

    return Cells()


def write_saved_model(path: Path, card: dict[str, Any]) -> Path:
    """The network as a folder of TensorFlow, with its card among the files it may hold."""
    import tensorflow as tf

    module = as_tensorflow()
    tf.saved_model.save(module, str(path), signatures={"serving_default": module.predict})
    extra = path / "assets.extra"
    extra.mkdir()
    (extra / "llpbench.json").write_text(json.dumps({**card, "file_format": "savedmodel"}))
    return path


def forbid(folder: Path, *names: str, by: str = "raise ModuleNotFoundError(name)") -> str:
    """A PYTHONPATH of programs, and of those they start, that cannot import these packages."""
    (folder / "sitecustomize.py").write_text(
        "import os, sys, time\n"
        "class Forbid:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.partition('.')[0] in {names}:\n"
        f"            {by}\n"
        "sys.meta_path.insert(0, Forbid())\n"
    )
    return f"{folder}{os.pathsep}{ROOT}"


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a command says in its one line where it refuses."""
    with pytest.raises(SystemExit) as left:
        main(["run-exported", *map(str, arguments)])
    assert left.value.code == 1
    out, error = capsys.readouterr()
    assert out == ""
    assert error.count("\n") == 1
    return error
