"""What opens exported files by their runtimes, written apart from the library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.imagery import Coding
from llpbench.exported.card import CLASSES, IMAGES, SHARES, Card

ENDINGS = {"litert": ".tflite", "onnx": ".onnx"}
CARD = Card(
    llpbench="1",
    method="downconv",
    settings={"epochs": 2},
    seed=0,
    trained_on="small",
    digest="sha256:0",
    classes=("other", "tree"),
    array="image",
    bands=("red", "green", "blue"),
    dtype="uint8",
    coding=Coding(),
    shape=(96, 96, 3),
    grid=None,
    recipe=None,
    licence="CC-BY-4.0",
    file_format="litert",
    quantize="none",
    calibrated_on=0,
    parameters=5189,
    multiply_adds=None,
    supervision="division",
    is_reference=False,
    train_on="train",
    fold=None,
    synthetic=False,
)

Runner = Callable[[NDArray[Any]], dict[str, NDArray[Any]]]


def opened(path: Path) -> Runner:
    """What predicts a chip with the runtime of a file, written here apart from the library."""
    if path.suffix == ".tflite":
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(str(path), num_threads=1)
        runner = interpreter.get_signature_runner()
        names = {part["name"] for part in interpreter.get_output_details()}
        assert names in ({SHARES}, {SHARES, CLASSES})
        return lambda image: {
            name: part[0].copy() for name, part in runner(**{IMAGES: image[np.newaxis]}).items()
        }
    if path.suffix == ".onnx":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(path, options)
        names = [part.name for part in session.get_outputs()]
        return lambda image: {
            name: part[0]
            for name, part in zip(names, session.run(names, {IMAGES: image[None]}), strict=True)
        }
    import tensorflow as tf

    signature = tf.saved_model.load(str(path)).signatures["serving_default"]
    return lambda image: {
        name: part.numpy()[0] for name, part in signature(images=tf.constant(image[None])).items()
    }


def predicted(path: Path, images: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Shares and classes of chips."""
    run = opened(path)
    parts = [run(image) for image in images]
    assert parts[0][SHARES].dtype == np.float32
    classes = [part[CLASSES] for part in parts if CLASSES in part]
    assert all(part.dtype == np.uint8 for part in classes)
    return np.stack([part[SHARES] for part in parts]), np.stack(classes) if classes else None


def windows(region: Any) -> NDArray[Any]:
    """Score windows, or cells of embeddings."""
    if "image" not in region:
        return np.asarray(region["embedding"])
    return np.asarray(region["image"][:, 2:98, 2:98])
