"""A small network that sees what kinds of texture lie around each cell of 40 m."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.protocol import WINDOW_SIDE
from llpbench_baselines.backend import IMAGE, compiled, image_graph, keras

CELL = 4
"""Side of a cell in pixels."""
CELLS = WINDOW_SIDE // CELL
"""Cells along the side of a chip."""
WINDOWS = (1, 3, 7, 15)
"""Sides in cells of the windows that are averaged: 40 m to 600 m."""
LOCAL = 6
"""Numbers that describe a cell alone: its bands' means and logarithms of deviations."""
_SAMPLE = 200_000
"""Cells that normalisations are adapted to, at most."""
_BLOCK = 64
_DECAY = 1e-4


class ContextNetwork:
    """The layers of the network, for whole images and for loose cells.

    A cell is described by mean and logarithm of the standard deviation of its three bands, and of
    the windows around it. Two small layers turn its own six numbers into kinds of texture, of
    which every window is averaged too: what is around a cell is described by how often each kind
    occurs there. Two more layers tell the class from all of these. Averages have no weights.

    Parameters
    ----------
    categories : int
        Number of class groups.
    kinds : sequence of int
        Units of the two layers that see a cell alone.
    units : sequence of int
        Units of the two layers that see its surroundings.

    Attributes
    ----------
    moments_scale, kinds_scale : Standardisation
        Of the 24 means and deviations, and of the averaged kinds; adapted before training.
    local, local_head, context : list of keras.layers.Layer
        Applied one after the other: a cell's six numbers to kinds; kinds to logits, in training
        only; all numbers to logits.
    """

    def __init__(
        self, categories: int, *, kinds: Sequence[int] = (48, 20), units: Sequence[int] = (64, 32)
    ) -> None:

        def dense(size: int, name: str, activation: str | None = "relu") -> Any:
            return keras.layers.Dense(
                size,
                activation=activation,
                kernel_initializer="he_normal" if activation else "glorot_uniform",
                kernel_regularizer=keras.regularizers.L2(_DECAY),
                name=name,
            )

        from llpbench_baselines.layers import Standardisation

        self.moments_scale = Standardisation(name="moments_scale")
        self.kinds_scale = Standardisation(name="kinds_scale")
        self.local = [dense(size, f"local_{number}") for number, size in enumerate(kinds)]
        self.local_head = [dense(categories, "local_head", None)]
        context = [dense(size, f"context_{number}") for number, size in enumerate(units)]
        self.context = [*context, dense(categories, "head", None)]

    def moments(self, images: Any) -> Any:
        """Describe cells and the windows around them.

        Parameters
        ----------
        images : tensor of uint8, shape (n, 96, 96, 3)
            Score windows of chips.

        Returns
        -------
        tensor of float32, shape (n, 24, 24, 24)
            For each window the means of the bands (0 to 1), then the logarithms of 1 and their
            standard deviations (0 to 255); not normalised.
        """
        operations = keras.ops
        scaled = operations.cast(images, "float32") / 255
        mean = operations.average_pool(scaled, CELL)
        square = operations.average_pool(operations.square(scaled), CELL)
        parts = []
        for window in WINDOWS:
            average = self._average(mean, window)
            variance = self._average(square, window) - operations.square(average)
            deviation = operations.sqrt(operations.maximum(variance, 0.0))
            parts += [average, operations.log1p(255 * deviation)]
        return operations.concatenate(parts, axis=-1)

    def surroundings(self, moments: Any) -> Any:
        """Average the kinds of texture over the windows around cells; neither is normalised after.

        ``moments`` are normalised, (n, row, column, 24); the result is (n, row, column, number).
        """
        kinds = apply(self.local, moments[..., :LOCAL])
        averages = [self._average(kinds, window) for window in WINDOWS[1:]]
        return keras.ops.concatenate(averages, axis=-1)

    @property
    def local_layers(self) -> list[Any]:
        """From the six numbers of a cell to its logits."""
        return [*self.local, *self.local_head]

    def describe(self, batches: Iterable[NDArray[np.uint8]], seed: int) -> NDArray[np.float16]:
        """Describe and normalise all cells of images; adapts the normalisation to a sample.

        Parameters
        ----------
        batches : iterable of ndarray of uint8, shape (n, 96, 96, 3)
            Score windows of chips.
        seed : int
            Of the sample.

        Returns
        -------
        ndarray of float16, shape (chip, 24, 24, 24)
            The numbers of :meth:`moments`, each brought to mean 0 and variance 1, about.
        """
        graph = image_graph(self.moments)
        parts = [graph(images).numpy().astype(np.float16) for images in batches]
        return _normalise(self.moments_scale, np.concatenate(parts), seed)

    def surround(self, moments: NDArray[np.float16], seed: int) -> NDArray[np.float16]:
        """Average kinds of texture around all cells; adapts the normalisation to a sample.

        ``moments`` are those of :meth:`describe`.
        """
        return _normalise(self.kinds_scale, _in_blocks(self.surroundings, moments), seed)

    def local_model(self) -> Any:
        """The local layers alone, from images as :meth:`model`."""
        images = keras.layers.Input(IMAGE, dtype="uint8")
        alone = self.moments_scale(self.moments(images))[..., :LOCAL]
        return keras.Model(images, keras.layers.Softmax()(apply(self.local_layers, alone)))

    def model(self) -> Any:
        """Make the whole network.

        Returns
        -------
        keras.Model
            Images (n, 96, 96, 3) of uint8 to class probabilities (n, 24, 24, category).
        """
        images = keras.layers.Input(IMAGE, dtype="uint8")
        moments = self.moments_scale(self.moments(images))
        around = self.kinds_scale(self.surroundings(moments))
        seen = keras.layers.Concatenate()([moments, around])
        return keras.Model(images, keras.layers.Softmax()(apply(self.context, seen)), name="llpnet")

    @staticmethod
    def _average(values: Any, window: int) -> Any:
        """Mean over the window around each cell, at the edge of what lies inside."""
        if window == 1:
            return values
        rows = keras.ops.average_pool(values, (window, 1), strides=1, padding="same")
        return keras.ops.average_pool(rows, (1, window), strides=1, padding="same")


def apply(layers: Sequence[Any], values: Any) -> Any:
    """Apply layers one after the other."""
    for layer in layers:
        values = layer(values)
    return values


def predict_cells(layers: Sequence[Any], features: NDArray[np.float16]) -> NDArray[np.float16]:
    """Class probabilities of cells, float16 (n, ..., category), from their normalised numbers.

    Each cell's sum to 1, but for half precision.
    """
    return _in_blocks(lambda values: keras.ops.softmax(apply(layers, values)), features)


def _in_blocks(function: Callable[[Any], Any], values: NDArray[np.float16]) -> NDArray[np.float16]:
    """Results of a function of tensors for all chips, in half precision."""
    graph = compiled(function, values.shape[1:], "float32")
    blocks = [
        graph(values[start : start + _BLOCK].astype(np.float32)).numpy().astype(np.float16)
        for start in range(0, len(values), _BLOCK)
    ]
    return np.concatenate(blocks)


def _normalise(layer: Any, values: NDArray[np.float16], seed: int) -> NDArray[np.float16]:
    """Adapt a normalisation to a random sample of cells, and apply it to all."""
    flat = values.reshape(-1, values.shape[-1])
    chosen = np.random.default_rng(seed).choice(len(flat), min(len(flat), _SAMPLE), replace=False)
    layer.adapt(flat[np.sort(chosen)].astype(np.float32))
    return _in_blocks(layer, values)
