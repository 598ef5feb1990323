"""The training loop of all Keras methods: shuffled batches, a loss, the best weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import MethodError
from llpbench.journal import Journal
from llpbench.method import Progress
from llpbench_baselines.backend import load_backend
from llpbench_baselines.losses import Loss, chip_shares
from llpbench_baselines.training_state import TrainingState
from llpbench_baselines.validation import Validation

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
    validation: Validation,
    *,
    loss: Loss,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    random_state: int,
    patience: int | None = None,
    journal: Journal | None = None,
    progress: Progress | None = None,
) -> list[dict[str, float]]:
    """Train a model and keep its best weights.

    Every epoch shuffles all chips anew and keeps the last batch; dropout is active. (The
    published training did neither, and dropped the last batch.) Weights are averaged over steps
    (Polyak and Juditsky, SIAM J. Control Optim. 1992), and the averages are what is validated
    and kept: single steps are too noisy to choose between epochs. What layers add to the loss
    is trained on, too. The weights put back at the end are those with the lowest loss of
    validation divisions.

    Parameters
    ----------
    model : keras.Model
        From images (n, 96, 96, 3) of uint8.
    training : Examples
    validation : Validation
    loss : callable
        Of the model's output and the targets.
    epochs, batch_size : int
    learning_rate : float
        Of Adam.
    random_state : int
        Seed of the order of chips.
    patience : int, optional
        Stop when so many epochs in a row brought no lower validation loss.
    journal : Journal, optional
        Receives every epoch, and says where to go on and when to stop. A stop is obeyed after
        the batch at hand; an epoch that it cuts short counts only if it is the first.
    progress : callable, optional
        Such as :class:`tqdm.tqdm`: shows the batches of each epoch.

    Returns
    -------
    list of dict
        For each epoch ``epoch``, ``loss``, ``val_loss`` and ``val_mae``, see
        :meth:`~llpbench_baselines.validation.Validation.score`.

    Raises
    ------
    MethodError
        If the loss is no longer a number.
    """
    _tf, keras = load_backend()
    optimizer = keras.optimizers.Adam(learning_rate, use_ema=True, ema_momentum=AVERAGING)
    optimizer.build(model.trainable_variables)
    step, predict = _graphs(model, optimizer, loss, training)
    state = TrainingState(model, optimizer, random_state)
    if journal is not None:
        kept = journal.resume()
        if kept is None:
            journal.keep(state.to_arrays())
        else:
            state.take(kept)
    while len(state.history) < epochs and not _is_stale(state, patience):
        with _Epoch(state, training, epochs, journal, progress) as epoch:
            mean_loss = epoch.run(step, batch_size)
            if epoch.is_cut_short and state.history:
                break
            trained = [variable.numpy() for variable in model.trainable_variables]
            optimizer.finalize_variable_values(model.trainable_variables)
            scores = validation.score(_shares(predict, validation.images, batch_size))
            epoch.end({"loss": mean_loss, **scores})
        for variable, weights in zip(model.trainable_variables, trained, strict=True):
            variable.assign(weights)
        if journal is not None:
            journal.note(state.history)
            if epoch.is_cut_short:
                break
            journal.keep(state.to_arrays())
    model.set_weights(state.best_weights)
    return state.history


class _Epoch:
    """One pass over the training chips, shown while it runs."""

    def __init__(
        self,
        state: TrainingState,
        examples: Examples,
        epochs: int,
        journal: Journal | None,
        progress: Progress | None,
    ) -> None:
        self.state, self.examples, self.journal = state, examples, journal
        self.number = len(state.history) + 1
        self.is_cut_short = False
        title = f"epoch {self.number}/{epochs}"
        self.bar = progress and progress(total=len(examples.images), desc=title, unit="chip")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def run(self, step: Callable[[Any, Any], Any], batch_size: int) -> float:
        """Take a step for each batch; the mean loss of the chips seen."""
        images, targets = self.examples.images, self.examples.targets
        order = self.state.generator.permutation(len(images))
        total = 0.0
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            loss = float(step(images[chosen], targets[chosen]))
            if not np.isfinite(loss):
                raise MethodError(
                    f"the loss is {loss} in epoch {self.number}, batch {start // batch_size + 1}: "
                    "try a lower learning rate"
                )
            total += loss * len(chosen)
            seen = start + len(chosen)
            self._show(len(chosen), loss=total / seen)
            if self.journal is not None and self.journal.must_stop():
                self.is_cut_short = True
                break
        return total / seen

    def end(self, row: dict[str, float]) -> None:
        """Note what came of it, and its weights if they are the best so far."""
        self.state.history.append({"epoch": self.number, **row})
        if self.state.best_epoch == self.number:
            self.state.best_weights = self.state.model.get_weights()
        self._show(0, **row)

    def _show(self, chips: int, **figures: float) -> None:
        if self.bar is not None:
            self.bar.set_postfix(figures, refresh=not chips)
            self.bar.update(chips)


def _graphs(
    model: Any, optimizer: Any, loss: Loss, training: Examples
) -> tuple[Callable[[Any, Any], Any], Callable[[Any], Any]]:
    """A training step and the prediction of shares, as graphs of a fixed shape."""
    tf, _keras = load_backend()
    images, targets = (
        tf.TensorSpec([None, *array.shape[1:]], array.dtype)
        for array in (training.images, training.targets)
    )

    def step(images: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            value = loss(model(images, training=True), targets)
            total = tf.add_n([value, *model.losses])
        gradients = tape.gradient(total, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return total

    def predict(images: Any) -> Any:
        return chip_shares(model(images, training=False))

    return (
        tf.function(step, [images, targets], autograph=False),
        tf.function(predict, [images], autograph=False),
    )


def _shares(
    predict: Callable[[Any], Any], images: NDArray[np.uint8], batch_size: int
) -> NDArray[np.float32]:
    starts = range(0, len(images), batch_size)
    return np.concatenate([predict(images[start : start + batch_size]) for start in starts])


def _is_stale(state: TrainingState, patience: int | None) -> bool:
    return patience is not None and len(state.history) - state.best_epoch >= patience
