"""The training loop of all Keras methods: shuffled batches, an objective, the best weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from llpbench.data.batches.shuffling import Shuffle
from llpbench.errors import MethodError
from llpbench.methods.journal import Journal
from llpbench.methods.method import Progress
from llpbench_baselines.averages import AveragedWeights
from llpbench_baselines.backend import load_backend
from llpbench_baselines.objectives import Objective
from llpbench_baselines.training_state import TrainingState
from llpbench_baselines.validation import Validation


def train_model(
    model: Any,
    objective: Objective,
    shuffle: Callable[[str], Shuffle],
    validation: Validation,
    *,
    epochs: int,
    learning_rate: float,
    patience: int | None = None,
    journal: Journal | None = None,
    progress: Progress | None = None,
) -> list[dict[str, float]]:
    """Train a model and keep its best weights.

    Every epoch shuffles all chips anew and keeps the last batch; dropout is active. (The
    published training did neither, and dropped the last batch.) What is validated and kept, and
    what an objective sees of the network, are averages of weights over steps: single steps are
    too noisy to choose between epochs. What layers add to the loss is trained on, too. The
    weights put back at the end are those with the lowest loss of validation divisions.

    Parameters
    ----------
    model : keras.Model
        From images (n, 96, 96, 3) of uint8.
    objective : Objective
    shuffle : callable
        Gives the batches of chips, or of divisions, for ``"chip"`` or ``"division"``.
    validation : Validation
    epochs : int
    learning_rate : float
        Of Adam.
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
    optimizer = keras.optimizers.Adam(learning_rate)
    optimizer.build(model.trainable_variables)
    averages = AveragedWeights(model.trainable_variables)
    network = _network(model)
    state = TrainingState(model, optimizer, averages)
    if journal is not None:
        kept = journal.resume()
        if kept is None:
            journal.keep(state.to_arrays())
        else:
            state.take(kept)
    lessons: dict[Objective, _Lesson] = {}
    while len(state.history) < epochs and not _is_stale(state, patience):
        present = objective.now(len(state.history) + 1, epochs)
        with averages.in_place():
            targets = present.targets(network)
        if present not in lessons:
            step = _step(model, optimizer, averages, present, targets)
            lessons[present] = _Lesson(shuffle(present.by), step)
        with _Epoch(state, lessons[present], epochs, journal, progress) as epoch:
            mean_loss = epoch.run(targets)
            if epoch.is_cut_short and state.history:
                break
            with averages.in_place():
                epoch.end({"loss": mean_loss, **validation.score_network(network)})
        if journal is not None:
            journal.note(state.history)
            if epoch.is_cut_short:
                break
            journal.keep(state.to_arrays())
    model.set_weights(state.best_weights)
    return state.history


@dataclass(frozen=True)
class _Lesson:
    """The batches of an objective and a training step with it."""

    shuffle: Shuffle
    step: Callable[..., Any]


class _Epoch:
    """One pass over the training chips, shown while it runs."""

    def __init__(
        self,
        state: TrainingState,
        lesson: _Lesson,
        epochs: int,
        journal: Journal | None,
        progress: Progress | None,
    ) -> None:
        self.state, self.lesson, self.journal = state, lesson, journal
        self.number = len(state.history) + 1
        self.is_cut_short = False
        title = f"epoch {self.number}/{epochs}"
        self.bar = progress and progress(total=lesson.shuffle.chips, desc=title, unit="chip")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def run(self, targets: tuple[NDArray[Any], ...]) -> float:
        """Take a step for each batch; the mean loss of the chips or bags seen."""
        total, seen = 0.0, 0
        for batch, (images, items) in enumerate(self.lesson.shuffle.epoch(self.number), 1):
            chips = images.reshape(-1, *images.shape[-3:])
            loss = float(self.lesson.step(chips, *[target[items] for target in targets]))
            if not np.isfinite(loss):
                raise MethodError(
                    f"the loss is {loss} in epoch {self.number}, batch {batch}: "
                    "try a lower learning rate"
                )
            total, seen = total + loss * len(items), seen + len(items)
            self._show(len(chips), loss=total / seen)
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


def _step(
    model: Any,
    optimizer: Any,
    averages: AveragedWeights,
    objective: Objective,
    targets: tuple[NDArray[Any], ...],
) -> Callable[..., Any]:
    """A training step as a graph of a fixed shape."""
    tf, _keras = load_backend()
    told = [
        tf.TensorSpec([None, *one.shape[1:]], "float32" if one.dtype == np.float16 else one.dtype)
        for one in targets
    ]

    def step(images: Any, *targets: Any) -> Any:
        with tf.GradientTape() as tape:
            value = objective.loss(model(images, training=True), *targets)
            total = tf.add_n([value, *model.losses])
        gradients = tape.gradient(total, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        averages.update(optimizer.iterations)
        return total

    return tf.function(step, [_images(), *told], autograph=False)


def _network(model: Any) -> Callable[[NDArray[np.uint8]], Any]:
    """A prediction as a graph of a fixed shape."""
    tf, _keras = load_backend()
    return tf.function(lambda images: model(images, training=False), [_images()], autograph=False)


def _images() -> Any:
    tf, _keras = load_backend()
    return tf.TensorSpec([None, 96, 96, 3], tf.uint8)


def _is_stale(state: TrainingState, patience: int | None) -> bool:
    return patience is not None and len(state.history) - state.best_epoch >= patience
