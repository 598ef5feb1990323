"""Training the layers of a network on loose cells, which need no images any more."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.batches.bags import Bags
from llpbench.methods.method import Progress
from llpbench_baselines.averages import AveragedWeights
from llpbench_baselines.backend import load_backend
from llpbench_baselines.context_network import apply

_DIVISIONS = 96
_CELLS_OF_DIVISION = 512
_CELLS = 16_384


class Cells:
    """Features of the cells of chips, and drawing some of them.

    Parameters
    ----------
    features : ndarray of float16, shape (chip, row, column, number)
    generator : numpy.random.Generator
    """

    def __init__(self, features: NDArray[np.float16], generator: np.random.Generator) -> None:
        self.flat = features.reshape(-1, features.shape[-1])
        self.of_chip = features.shape[1] * features.shape[2]
        self.generator = generator

    def of_divisions(self, bags: Bags) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
        """Draw cells of divisions, so that each division's mean estimates that of all its cells.

        Parameters
        ----------
        bags : Bags
            Their size says how many cells a division gives.

        Returns
        -------
        features : ndarray of float32, shape (division * size, number)
        divisions : ndarray of int, shape (division,)
        """
        usable = np.unique(bags.visits)
        if len(usable) > _DIVISIONS:
            usable = self.generator.choice(usable, _DIVISIONS, replace=False)
        chips = bags.draw(usable, self.generator).ravel()
        cells = chips * self.of_chip + self.generator.integers(0, self.of_chip, len(chips))
        return self.flat[cells].astype(np.float32), usable

    def some(self, *labels: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """Draw cells of all chips.

        Parameters
        ----------
        *labels : ndarray, shape (chip, row, column, ...)
            What is known of the cells.

        Returns
        -------
        tuple of ndarray
            Features, and what is known of these cells.
        """
        cells = self.generator.integers(0, len(self.flat), _CELLS)
        known = [one.reshape(len(self.flat), -1)[cells].astype(np.float32) for one in labels]
        return (self.flat[cells].astype(np.float32), *known)


def match_divisions(
    layers: Sequence[Any],
    cells: Cells,
    rows: Any,
    proportions: NDArray[np.float32],
    weights: NDArray[np.float64],
    *,
    steps: int,
    learning_rate: float,
    progress: Progress | None = None,
) -> None:
    r"""Train layers until the mean probabilities of divisions are their proportions.

    The loss is that of Ardehali and Culotta (arXiv 1709.04108), the cross-entropy
    :math:`-\sum_d a_d \sum_k p_{dk} \log \bar f_{dk}`. As its means are over cells drawn from the
    whole division, not from a few of its chips, they hardly miss what they estimate.

    Parameters
    ----------
    layers : list of keras.layers.Layer
        From features to logits.
    cells : Cells
    rows : csr_array, shape (division, chip)
    proportions : ndarray of float32, shape (division, category)
    weights : ndarray, shape (division,)
        :math:`a_d`, the area of each division.
    steps : int
    learning_rate : float
        At first; it falls to 0 along a cosine.
    progress : callable, optional
    """
    tf, _keras = load_backend()
    bags = Bags(rows, proportions, _CELLS_OF_DIVISION)
    scaled = (weights / weights[np.unique(bags.visits)].mean()).astype(np.float32)

    def loss(features: Any, shares: Any, area: Any) -> Any:
        probabilities = tf.nn.softmax(apply(layers, features))
        size = (-1, _CELLS_OF_DIVISION, probabilities.shape[-1])
        means = tf.reduce_mean(tf.reshape(probabilities, size), axis=1)
        entropy = -tf.reduce_sum(shares * tf.math.log(means + 1e-6), axis=-1)
        return tf.reduce_mean(area * entropy)

    def draw() -> tuple[NDArray[Any], ...]:
        features, divisions = cells.of_divisions(bags)
        return features, proportions[divisions], scaled[divisions]

    descend(layers, loss, draw, steps, learning_rate, progress, "divisions")


def match_cells(
    layers: Sequence[Any],
    cells: Cells,
    labels: NDArray[np.floating],
    *,
    steps: int,
    learning_rate: float,
    progress: Progress | None = None,
) -> None:
    """Train layers to give cells the class probabilities they should have, by cross-entropy.

    Parameters
    ----------
    layers : list of keras.layers.Layer
        From features to logits.
    cells : Cells
    labels : ndarray, shape (chip, row, column, category)
        Probabilities.
    steps, learning_rate, progress
        As for :func:`match_divisions`.
    """
    tf, _keras = load_backend()

    def loss(features: Any, labels: Any) -> Any:
        logits = apply(layers, features)
        return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels, logits))

    def draw() -> tuple[NDArray[Any], ...]:
        return cells.some(labels)

    descend(layers, loss, draw, steps, learning_rate, progress, "cells")


def descend(
    layers: Sequence[Any],
    loss: Callable[..., Any],
    draw: Callable[[], tuple[NDArray[Any], ...]],
    steps: int,
    learning_rate: float,
    progress: Progress | None,
    description: str,
) -> None:
    """Minimise a loss by Adam along a cosine; layers end with the averages of their weights.

    Parameters
    ----------
    layers : sequence of keras.layers.Layer
    loss : callable
        A scalar from what is drawn, beside which layers may have losses of their own.
    draw : callable
        Arrays of a step; the first holds features.
    steps : int
    learning_rate : float
        At the first step; 0 at the last.
    progress : callable or None
        Such as ``tqdm.tqdm``.
    description : str
        What progress is of.
    """
    tf, keras = load_backend()
    apply(layers, draw()[0][:1])
    variables = [variable for layer in layers for variable in layer.trainable_variables]
    optimizer = keras.optimizers.Adam(learning_rate)
    optimizer.build(variables)
    averages = AveragedWeights(variables)

    @tf.function(autograph=False, reduce_retracing=True)
    def step(rate: Any, features: Any, *known: Any) -> None:
        with tf.GradientTape() as tape:
            value = loss(features, *known)
            total = tf.add_n([value, *(one for layer in layers for one in layer.losses)])
        optimizer.learning_rate.assign(rate)
        optimizer.apply(tape.gradient(total, variables), variables)
        averages.update(optimizer.iterations)

    rounds: Any = range(steps)
    if progress is not None:
        rounds = progress(rounds, total=steps, desc=f"matching {description}")
    for number in rounds:
        rate = learning_rate * 0.5 * (1 + math.cos(math.pi * number / steps))
        step(tf.constant(rate, tf.float32), *draw())
    for variable, average in zip(variables, averages.averages, strict=True):
        variable.assign(average)
