"""Layers that Keras lacks; TensorFlow is imported with this module, so methods import it late."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.imagery import Coding
from llpbench_baselines.backend import keras, tf
from llpbench_baselines.byte_scale import ByteScale

_COLUMNS = 8
"""Numbers whose moments are found at a time."""
_SMALLEST_LOGIT = math.log(1e-10)
"""A component's part in a patch never gets below this."""


class ByteDropout(keras.layers.Layer):  # type: ignore[misc]
    """Dropout that decides with one random byte an activation instead of one float.

    Drawing the random numbers is a third to a half of a small network's training step; this
    takes a quarter of them. The share dropped is a multiple of 1/256, and what is kept is scaled
    by exactly its inverse, so that the expectation does not change.

    Parameters
    ----------
    rate : float
        Share of activations dropped in training, rounded to 1/256.
    """

    def __init__(self, rate: float, **options: Any) -> None:
        super().__init__(**options)
        self.dropped = round(256 * rate)
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, activations: Any, training: bool = False) -> Any:
        """Drop and scale in training, pass on otherwise."""
        if not training or self.dropped == 0:
            return activations
        size = tf.size(activations)
        words = tf.random.stateless_uniform(
            [-(-size // 8)], self.seed_generator.next(), None, None, tf.int64
        )
        bytes_ = tf.reshape(tf.bitcast(words, tf.uint8), [-1])[:size]
        kept = tf.cast(bytes_ >= self.dropped, activations.dtype)
        scaled = kept * (256 / (256 - self.dropped))
        return activations * tf.reshape(scaled, tf.shape(activations))


class KernelMeasurement(keras.layers.Layer):  # type: ignore[misc]
    r"""Class probabilities of patches by kernel quantum measurement.

    With components of positions :math:`c_j`, class vectors :math:`v_j`, weights w and one common
    width :math:`\sigma`, a patch x gets

    .. math:: a_j \propto \max(\mathrm{softmax}(w)_j e^{-\lVert x - c_j \rVert^2 / \sigma^2},
        10^{-10}), \quad P(k | x) = \sum_j a_j v_{jk}^2 / \lVert v_j \rVert^2

    which is a softmax over logarithms; squared distances are expanded into one matrix product.

    Parameters
    ----------
    components : int
        Number of components.
    categories : int
        Number of class groups.
    encoder : keras.Model, optional
        What patches pass before they are compared.
    encodes_components : bool
        Whether components are patches too, and pass the encoder.

    References
    ----------
    González, Ramos-Pollán and Gallego-Mejia, Kernel density matrices for probabilistic deep
    learning, arXiv 2305.18204 (first called Quantum kernel mixtures).
    """

    def __init__(
        self,
        components: int,
        categories: int,
        *,
        encoder: Any = None,
        encodes_components: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.count, self.categories = components, categories
        self.encoder, self.encodes_components = encoder, encodes_components

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights; positions and width are set from data before training."""
        size = input_shape[-1]
        if self.encoder is not None and not self.encodes_components:
            size = self.encoder.output_shape[-1]
        self.positions = self.add_weight(
            shape=(self.count, size), initializer="uniform", name="positions"
        )
        self.classes = self.add_weight(
            shape=(self.count, self.categories),
            initializer=keras.initializers.Constant(0.05),
            name="classes",
        )
        self.weighting = self.add_weight(shape=(self.count,), initializer="zeros", name="weighting")
        self.width = self.add_weight(shape=(), initializer="ones", name="width")

    def call(self, patches: Any) -> Any:
        """Patches (n, row, column, numbers) to probabilities (n, row, column, category)."""
        codes = tf.reshape(patches, [-1, patches.shape[-1]])
        positions = self.positions
        if self.encoder is not None:
            codes = self.encoder(codes)
            positions = self.encoder(positions) if self.encodes_components else positions
        sharpness = 1 / self.width**2
        offset = tf.nn.log_softmax(self.weighting)
        logits = offset - sharpness * squared_distances(codes, positions)
        parts = tf.nn.softmax(tf.maximum(logits, _SMALLEST_LOGIT))
        squares = self.classes**2
        squares /= tf.reduce_sum(squares, axis=1, keepdims=True)
        probabilities = tf.matmul(parts, squares)
        return tf.reshape(probabilities, [-1, *patches.shape[1:3], self.categories])


class GaussianPrototypes(keras.layers.Layer):  # type: ignore[misc]
    r"""Class probabilities of patches by a mixture of Gaussians whose parts have classes.

    Prototype r has a mean, one variance and logits :math:`\theta_r`; with equal priors
    :math:`P(r | x)` follows from Bayes' rule, and
    :math:`P(k | x) = \sum_r P(r | x) \, \mathrm{softmax}(\theta_r)_k`. In training the mean of
    :math:`-\log P(x)` is added to the loss.

    Parameters
    ----------
    prototypes : int
        Number of Gaussians.
    categories : int
        Number of class groups.
    """

    def __init__(self, prototypes: int, categories: int, **options: Any) -> None:
        super().__init__(**options)
        self.count, self.categories = prototypes, categories

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights; means and variances are set from data before training."""
        shape = (self.count, input_shape[-1])
        self.means = self.add_weight(shape=shape, initializer="uniform", name="means")
        self.log_variances = self.add_weight(
            shape=(self.count,), initializer="zeros", name="log_variances"
        )
        self.class_logits = self.add_weight(
            shape=(self.count, self.categories), initializer="zeros", name="class_logits"
        )

    def call(self, patches: Any) -> Any:
        """Patches (n, row, column, numbers) to probabilities (n, row, column, category)."""
        size = patches.shape[-1]
        codes = tf.reshape(patches, [-1, size])
        log_scale = -0.5 * size * (self.log_variances + math.log(2 * math.pi))
        halved = 0.5 * tf.exp(-self.log_variances)
        densities = log_scale - halved * squared_distances(codes, self.means)
        evidence = tf.reduce_logsumexp(densities, axis=1) - math.log(self.count)
        self.add_loss(-tf.reduce_mean(evidence))
        classes = tf.nn.softmax(self.class_logits)
        probabilities = tf.matmul(tf.nn.softmax(densities), classes)
        return tf.reshape(probabilities, [-1, *patches.shape[1:3], self.categories])


class Standardisation(keras.layers.Layer):  # type: ignore[misc]
    """Numbers brought to mean 0 and variance 1.

    Unlike Keras' ``Normalization``, which keeps a copy of its statistics, it follows its weights
    whenever these are set.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make mean and scale; they are set from data before training."""
        shape = (input_shape[-1],)
        self.mean = self.add_weight(shape=shape, initializer="zeros", trainable=False, name="mean")
        self.scale = self.add_weight(shape=shape, initializer="ones", trainable=False, name="scale")

    def adapt(self, values: Any, chosen: NDArray[np.intp]) -> None:
        """Take mean and scale from data.

        Parameters
        ----------
        values : ndarray, shape (n, number)
            What is to be brought to mean 0 and variance 1, in any precision.
        chosen : ndarray of int, shape (sample,)
            Rows that are looked at.
        """
        starts = range(0, values.shape[1], _COLUMNS)
        moments = []
        for start in starts:  # not of all at once, which is much memory for a moment
            part = values[chosen, start : start + _COLUMNS].astype(np.float32)
            moments.append((part.mean(axis=0), part.std(axis=0)))
        mean, deviation = (np.concatenate(each) for each in zip(*moments, strict=True))
        self.mean.assign(mean)
        self.scale.assign(1 / (deviation + 1e-3))

    def call(self, values: Any) -> Any:
        """Subtract and multiply."""
        return (values - self.mean) * self.scale


class UnitScale(keras.layers.Layer):  # type: ignore[misc]
    """Stored numbers of any kind brought to 0 to 1, as bytes are when divided by 256.

    Parameters
    ----------
    coding : Coding
        How stored numbers become values, none of which has a scale of its cell.
    """

    def __init__(self, coding: Coding, **options: Any) -> None:
        super().__init__(**options, autocast=False)
        self.coding = coding

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the numbers of :class:`ByteScale`; they are set from data before training."""
        shape = (input_shape[-1],)
        self.centre = self.add_weight(
            shape=shape, initializer="zeros", trainable=False, name="centre"
        )
        self.spread = self.add_weight(
            shape=shape, initializer="ones", trainable=False, name="spread"
        )

    def adapt(self, images: NDArray[Any]) -> None:
        """Learn the scale of stored images of training chips, (n, row, column, band)."""
        scale = ByteScale.learn(images, self.coding)
        self.centre.assign(scale.centre)
        self.spread.assign(scale.spread)

    def call(self, stored: Any) -> Any:
        """Decode as :meth:`Coding.decode`, then scale as :class:`ByteScale`."""
        return ByteScale(self.coding, self.centre, self.spread).graph(stored) / 256


def squared_distances(points: Any, centres: Any) -> Any:
    """Squared distances (n, m) of points (n, dimension) to centres (m, dimension).

    They come from one matrix product, whose rounding may take those near 0 slightly below it.
    """
    products = tf.matmul(points, -2 * centres, transpose_b=True)
    products = tf.nn.bias_add(products, tf.reduce_sum(centres**2, axis=1))
    return products + tf.reduce_sum(points**2, axis=1, keepdims=True)
