"""Numbers of all cells of many chips in half precision: drawn, normalised, put through layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench_baselines.backend import compiled, keras, raised, tf

_SAMPLE = 200_000
"""Cells that normalisations are adapted to, at most."""
_BLOCK = 64


def apply(layers: Sequence[Any], values: Any) -> Any:
    """Apply layers to cells, (..., number), one after the other: all cells as rows of a matrix.

    Of which products are quicker than of arrays of more dimensions.
    """
    rows = keras.ops.reshape(values, (-1, values.shape[-1]))
    for layer in layers:
        rows = layer(rows)
    return keras.ops.reshape(rows, (-1, *values.shape[1:-1], rows.shape[-1]))


def predict_cells(layers: Sequence[Any], features: NDArray[np.float16]) -> NDArray[np.float16]:
    """Class probabilities of cells, float16 (n, ..., category), from their normalised numbers.

    Each cell's sum to 1, but for half precision.
    """
    return in_blocks(lambda values: keras.ops.softmax(apply(layers, values)), features)


def in_blocks(
    function: Callable[[Any], Any],
    values: NDArray[np.float16],
    into: NDArray[np.float16] | None = None,
) -> NDArray[np.float16]:
    """Results of a function of tensors in single precision for all chips, in half precision."""

    def in_halves(values: Any) -> Any:
        return tf.cast(function(raised(values)), tf.float16)

    graph = compiled(in_halves, values.shape[1:], "float16")
    for start in range(0, len(values), _BLOCK):
        block = graph(values[start : start + _BLOCK]).numpy()
        if into is None:
            into = np.empty((len(values), *block.shape[1:]), np.float16)
        into[start : start + len(block)] = block
    assert into is not None
    return into


def some_cells(
    values: NDArray[np.float16], cells: int, generator: np.random.Generator
) -> NDArray[np.float16]:
    """Random cells of each chip, (chip, cell, 1, number)."""
    flat = values.reshape(len(values), -1, 1, values.shape[-1])
    chosen = generator.random(flat.shape[:2]).argpartition(cells, axis=1)[:, :cells]
    return np.take_along_axis(flat, chosen[..., np.newaxis, np.newaxis], axis=1)


def normalise(layer: Any, values: NDArray[np.float16], seed: int | None) -> NDArray[np.float16]:
    """Apply a normalisation to all cells, in place; adapts it to a random sample of them first."""
    if seed is not None:
        cells = values.reshape(-1, values.shape[-1])
        chosen = np.random.default_rng(seed).choice(
            len(cells), min(len(cells), _SAMPLE), replace=False
        )
        layer.adapt(cells, np.sort(chosen))
    return in_blocks(layer, values, values)
