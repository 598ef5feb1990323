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
from llpbench_baselines.losses import Loss

AVERAGING = 0.99
"""Momentum of the averages of weights over steps that are validated and kept."""


@dataclass(frozen=True)
class Examples:
    """Images and what they are to be trained on.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, 96, 96, 3)
    targets : ndarray, shape (n, ...)
        Shares (category) of float32, or labels (96, 96) of uint8.
    """

    images: NDArray[np.uint8]
    targets: NDArray[Any]


def train_model(
    model: Any,
    training: Examples,
    validation: Examples,
    *,
    loss: Loss,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    random_state: int,
    progress: Progress | None = None,
) -> list[dict[str, float]]:
    """Train a model and keep its best weights.

    Every epoch shuffles all chips anew and keeps the last batch; dropout is active. (The
    published training did neither, and dropped the last batch.) Weights are averaged over steps
    (Polyak and Juditsky, SIAM J. Control Optim. 1992), and the averages are what is validated
    and kept: single steps are too noisy to choose between epochs. What layers add to the loss
    is trained on, too, but the weights put back at the end are those with the lowest loss
    proper on the validation targets.

    Parameters
    ----------
    model : keras.Model
        From images (n, 96, 96, 3) of uint8.
    training, validation : Examples
    loss : callable
        Of the model's output and the targets.
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
    optimizer = keras.optimizers.Adam(learning_rate, use_ema=True, ema_momentum=AVERAGING)
    optimizer.build(model.trainable_variables)
    batch = [
        tf.TensorSpec([None, *array.shape[1:]], array.dtype)
        for array in (training.images, training.targets)
    ]

    def step(images: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            value = loss(model(images, training=True), targets)
            total = tf.add_n([value, *model.losses])
        gradients = tape.gradient(total, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return total

    def validate(images: Any, targets: Any) -> Any:
        return loss(model(images, training=False), targets)

    step_graph, validation_graph = (
        tf.function(run, batch, autograph=False) for run in (step, validate)
    )
    generator = np.random.default_rng(random_state)
    history: list[dict[str, float]] = []
    best, best_weights = np.inf, model.get_weights()
    rounds = range(1, epochs + 1)
    for epoch in rounds if progress is None else progress(rounds, desc="training", unit="epoch"):
        order = generator.permutation(len(training.images))
        train_loss = _epoch(step_graph, training, order, batch_size)
        trained = [variable.numpy() for variable in model.trainable_variables]
        optimizer.finalize_variable_values(model.trainable_variables)
        in_order = np.arange(len(validation.images))
        val_loss = _epoch(validation_graph, validation, in_order, batch_size)
        if not np.isfinite(train_loss):
            raise MethodError(
                f"the loss is no number any more in epoch {epoch}: try a lower learning rate"
            )
        history.append({"epoch": epoch, "loss": train_loss, "val_loss": val_loss})
        if val_loss < best:
            best, best_weights = val_loss, model.get_weights()
        for variable, weights in zip(model.trainable_variables, trained, strict=True):
            variable.assign(weights)
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
