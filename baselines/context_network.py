"""A small network that sees what kinds of texture lie around each cell of 40 m."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.imagery import CELL, CELLS, IMAGE
from llpbench_baselines.backend import compiled, keras, tf
from llpbench_baselines.cell_arrays import apply, in_blocks, normalise, some_cells
from llpbench_baselines.chip_input import ChipInput
from llpbench_baselines.exporting.numbers import Numbers

WINDOWS = (1, 3, 7, 15)
"""Sides in cells of the windows that are averaged: 40 m to 600 m."""
DECAY = 1e-4


class ContextNetwork:
    """The layers of the network, for whole images and for loose cells.

    A cell is described by mean and logarithm of the standard deviation of its bands, and of the
    windows around it. Two small layers turn its own numbers (six of three bands) into kinds of
    texture, of which every window is averaged too: what is around a cell is described by how often
    each kind occurs there. Two more layers tell the class from all of these. Averages have no
    weights. A cell of an embedding is described by its own numbers alone, and what is around it
    by the kinds.

    Parameters
    ----------
    categories : int
        Number of class groups.
    seen : ChipInput
        What the network sees of chips; by default red, green and blue.
    kinds : sequence of int
        Units of the two layers that see a cell alone.
    units : sequence of int
        Units of the two layers that see its surroundings.

    Attributes
    ----------
    moments_scale, kinds_scale : Standardisation
        Of the means and deviations (24 of three bands), and of the averaged kinds; adapted before
        training.
    local, local_head, context : list of keras.layers.Layer
        Applied one after the other: a cell's own numbers to kinds; kinds to logits, in training
        only; all numbers to logits.
    scale : UnitScale or None
        Of numbers that are no bytes; adapted first.
    count : int
        Numbers that describe a cell alone.
    """

    def __init__(
        self,
        categories: int,
        seen: ChipInput | None = None,
        *,
        kinds: Sequence[int] = (32, 32),
        units: Sequence[int] = (54, 32),
    ) -> None:
        self.seen = seen or ChipInput()
        self.count = len(self.seen.bands) * (2 if self.seen.array == IMAGE else 1)

        def dense(size: int, name: str, activation: str | None = "relu") -> Any:
            return keras.layers.Dense(
                size,
                activation=activation,
                kernel_initializer="he_normal" if activation else "glorot_uniform",
                kernel_regularizer=keras.regularizers.L2(DECAY),
                name=name,
            )

        from llpbench_baselines.layers import Standardisation, UnitScale

        is_bytes = self.seen.is_bytes
        self.scale = None if is_bytes else UnitScale(self.seen.coding, name="scale")
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

        Notes
        -----
        A variance is the mean square less the squared mean, which cancel where cells are flat and
        bright. Bytes less the chip's mean, rounded, are whole numbers, and so are sums of their
        squares, below 2**24: exact in float32, so that a flat cell has a variance of exactly 0.
        """
        operations, bands = keras.ops, len(self.seen.bands)
        numbers = operations.cast(images, "float32")
        if self.seen.array != IMAGE:
            return numbers / 255 if self.scale is None else self.scale(images)
        if self.scale is not None:
            numbers = 255 * self.scale(images)
        centre = operations.round(operations.mean(numbers, axis=(1, 2), keepdims=True))
        numbers = numbers - centre
        powers = operations.concatenate([numbers, numbers * numbers], axis=-1)
        cells = operations.average_pool(powers, CELL)
        windows = [self._average(cells, window) for window in WINDOWS]
        stacked = operations.concatenate(windows, axis=-1)
        stacked = operations.reshape(stacked, (-1, CELLS * CELLS, len(WINDOWS), 2 * bands))
        mean, square = stacked[..., :bands], stacked[..., bands:]
        deviation = operations.sqrt(operations.relu(square - mean * mean))
        described = [(mean + centre) / 255, operations.log(1 + deviation)]
        described = operations.concatenate(described, axis=-1)
        return operations.reshape(described, (-1, CELLS, CELLS, len(WINDOWS) * 2 * bands))

    def surroundings(self, moments: Any) -> Any:
        """Average the kinds of texture over the windows around cells; neither is normalised after.

        ``moments`` are normalised, (n, row, column, 24); the result is (n, row, column, number).
        """
        return self._around(apply(self.local, moments[..., : self.count]))

    def _around(self, kinds: Any) -> Any:
        averages = [self._average(kinds, window) for window in WINDOWS[1:]]
        return keras.ops.concatenate(averages, axis=-1)

    @property
    def _numbers_around(self) -> int:
        """Numbers that describe the surroundings of a cell."""
        return (len(WINDOWS) - 1) * int(self.local[-1].units)

    @property
    def cell_bytes(self) -> int:
        """Bytes that a cell takes in half precision while :meth:`surround` is at work."""
        moments = self.count * (len(WINDOWS) if self.seen.array == IMAGE else 1)
        return 2 * (2 * moments + self._numbers_around)

    @property
    def local_layers(self) -> list[Any]:
        """From the numbers of a cell alone to its logits."""
        return [*self.local, *self.local_head]

    def describe(
        self, batches: Iterable[NDArray[Any]], seed: int | None, cells: int = CELLS**2
    ) -> NDArray[np.float16]:
        """Describe and normalise cells of images.

        Parameters
        ----------
        batches : iterable of ndarray, shape (n, 96, 96, band)
            Score windows of chips, as they are stored; or cells (n, 24, 24, feature).
        seed : int, optional
            Of the sample that the normalisation is adapted to, and of the cells kept; by default
            it stays as it is, and all are kept.
        cells : int
            How many of each image are kept, drawn at random.

        Returns
        -------
        ndarray of float16, shape (chip, 24, 24, number)
            The numbers of :meth:`moments`, each brought to mean 0 and variance 1, about; of fewer
            cells than all (chip, cell, 1, number).
        """

        def halves(images: Any) -> Any:
            return tf.cast(self.moments(images), tf.float16)

        graph = compiled(halves, self.seen.shape, self.seen.dtype)
        parts = (graph(images).numpy() for images in batches)
        if cells < CELLS**2:
            generator = np.random.default_rng(seed)
            parts = (some_cells(part, cells, generator) for part in parts)
        return normalise(self.moments_scale, np.concatenate(list(parts)), seed)

    def surround(self, moments: NDArray[np.float16], seed: int | None) -> NDArray[np.float16]:
        """Average kinds of texture around all cells.

        ``moments`` are those of :meth:`describe`, and ``seed`` means the same. The result holds
        both, moments first: there is no copy of what is large.
        """
        count = moments.shape[-1]
        seen = np.empty((*moments.shape[:-1], count + self._numbers_around), np.float16)
        seen[..., :count] = moments
        in_blocks(self.surroundings, moments, seen[..., count:])
        normalise(self.kinds_scale, seen[..., count:], seed)
        return seen

    def local_model(self) -> Any:
        """The local layers alone, from images as :meth:`model`."""
        images = self._input()
        alone = self.moments_scale(self.moments(images))[..., : self.count]
        return keras.Model(images, keras.layers.Softmax()(apply(self.local_layers, alone)))

    def model(self) -> Any:
        """Make the whole network.

        Returns
        -------
        keras.Model
            Images (n, 96, 96, band), or cells, to class probabilities (n, 24, 24, category).
        """
        images = self._input()
        moments = self.moments_scale(self.moments(images))
        around = self.kinds_scale(self.surroundings(moments))
        seen = keras.layers.Concatenate()([moments, around])
        return keras.Model(images, keras.layers.Softmax()(apply(self.context, seen)), name="llpnet")

    def logits(self, images: Any, numbers: Numbers, sharpness: float = 1.0) -> Any:
        """Logits of cells as of :meth:`model`, its products with other numbers.

        Layers are shown to ``numbers``, with what goes into them; moments, averages and
        normalisations stay float32.

        Parameters
        ----------
        images : tensor, shape (1, 96, 96, band), or cells
            As they are stored.
        numbers : Numbers
            What weights and values pass through.
        sharpness : float
            By which logits are multiplied.

        Returns
        -------
        tensor of float32, shape (1, 24, 24, category)
            Before the softmax.
        """
        moments = self.moments_scale(self.moments(images))
        kinds = numbers.values("cells", moments[..., : self.count])
        for layer in self.local:
            kinds = _multiply(layer, kinds, numbers)
        around = self.kinds_scale(self._around(numbers.unrounded(kinds)))
        seen = numbers.values("seen", keras.ops.concatenate([moments, around], axis=-1))
        for layer in self.context[:-1]:
            seen = _multiply(layer, seen, numbers)
        return self.end(seen, numbers, sharpness)

    def end(self, seen: Any, numbers: Numbers, sharpness: float) -> Any:
        """Logits from the last layer, times a factor."""
        return _multiply(self.context[-1], seen, numbers, sharpness)

    def _input(self) -> Any:
        return keras.layers.Input(self.seen.shape, dtype=self.seen.dtype)

    @staticmethod
    def _average(values: Any, window: int) -> Any:
        """Mean over the window around each cell, at the edge of what lies inside."""
        if window == 1:
            return values
        rows = keras.ops.average_pool(values, (window, 1), strides=1, padding="same")
        return keras.ops.average_pool(rows, (1, window), strides=1, padding="same")


def _multiply(layer: Any, values: Any, numbers: Numbers, factor: float = 1.0) -> Any:
    """Apply a layer, times a factor, as a convolution of 1 x 1: what runtimes know as integers."""
    with tf.init_scope():  # also where a graph is traced, weights are at hand
        kernel, bias = (factor * np.asarray(weights) for weights in (layer.kernel, layer.bias))
    products = tf.nn.conv2d(values, numbers.weights(kernel[np.newaxis, np.newaxis]), 1, "VALID")
    return numbers.values(layer.name, layer.activation(tf.nn.bias_add(products, bias)))
