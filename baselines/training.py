"""The training loop of all Keras methods: shuffled batches, a loss, the best weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import MethodError
from llpbench.method import Progress
from llpbench_baselines.backend import load_backend


@dataclass(frozen=True)
class Examples:
    """Images and what they are to be trained on.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, 96, 96, 3)
    targets : ndarray of float32, shape (n, category)
    """

    images: NDArray[np.uint8]
    targets: NDArray[np.float32]


def train_model(
    model: Any,
    training: Examples,
    validation: Examples,
    *,
    class_weights: NDArray[np.float32],
    epochs: int,
    batch_size: int,
    learning_rate: float,
    random_state: int,
    progress: Progress | None = None,
) -> list[dict[str, float]]:
    r"""Train a model of pixel probabilities on chip targets and keep its best weights.

    The loss is the paper's (Ramos-Pollán and González, arXiv 2306.12461): with :math:`f_i` the
    mean probabilities of a chip's pixels, :math:`t_i` its target and class weights w,

    .. math:: \frac{1}{n} \sum_i \sum_k w_k (f_{ik} - t_{ik})^2

    Every epoch shuffles all chips anew and keeps the last batch; dropout is active. (The
    published training did neither, and dropped the last batch.) The weights with the lowest loss
    on the validation targets, which are division-level quantities, are put back at the end.

    Parameters
    ----------
    model : keras.Model
        Images (n, 96, 96, 3) in 0..255 to probabilities (n, row, column, category).
    training, validation : Examples
    class_weights : ndarray, shape (category,)
    epochs, batch_size : int
    learning_rate : float
        Of Adam.
    random_state : int
        Seed of the order of chips.
    progress : callable, optional
        Wraps the epochs.

    Returns
    -------
    list of dict
        For each epoch ``epoch``, ``loss`` and ``val_loss``.

    Raises
    ------
    MethodError
        If the loss is no longer a number.
    """
    tf, keras = load_backend()
    optimizer = keras.optimizers.Adam(learning_rate)
    optimizer.build(model.trainable_variables)
    weights = tf.constant(class_weights)

    def loss_of(images: Any, targets: Any, *, is_training: bool) -> Any:
        shares = tf.reduce_mean(model(images, training=is_training), axis=(1, 2))
        return tf.reduce_mean(tf.reduce_sum(weights * (shares - targets) ** 2, axis=1))

    @tf.function(reduce_retracing=True)
    def step(images: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(images, targets, is_training=True)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    @tf.function(reduce_retracing=True)
    def validate(images: Any, targets: Any) -> Any:
        return loss_of(images, targets, is_training=False)

    generator = np.random.default_rng(random_state)
    history: list[dict[str, float]] = []
    best, best_weights = np.inf, model.get_weights()
    rounds = range(1, epochs + 1)
    for epoch in rounds if progress is None else progress(rounds, desc="training", unit="epoch"):
        order = generator.permutation(len(training.images))
        loss = _epoch(step, training, order, batch_size)
        val_loss = _epoch(validate, validation, np.arange(len(validation.images)), 256)
        if not np.isfinite(loss):
            raise MethodError(
                f"the loss is no number any more in epoch {epoch}: try a lower learning rate"
            )
        history.append({"epoch": epoch, "loss": loss, "val_loss": val_loss})
        if val_loss < best:
            best, best_weights = val_loss, model.get_weights()
    model.set_weights(best_weights)
    return history


def _epoch(
    step: Callable[[Any, Any], Any], examples: Examples, order: NDArray[np.int64], batch_size: int
) -> float:
    """Mean loss over all chips."""
    total = 0.0
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        loss = step(examples.images[chosen], examples.targets[chosen])
        total += float(loss) * len(chosen)
    return total / len(order)
