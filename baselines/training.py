"""The training loop of all networks: epochs as a curriculum gives them, the best weights kept."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import MethodError
from llpbench.methods.journal import Journal
from llpbench.methods.method import Progress

Arrays: TypeAlias = tuple[NDArray[Any], ...]


@dataclass(frozen=True)
class Lesson:
    """What is trained in an epoch.

    Parameters
    ----------
    batches : iterator of (int, tuple of ndarray)
        What a step is of, and how many units that are.
    step : callable
        Takes a step with the arrays of a batch; gives the mean loss over its units.
    total : int
        Units in all.
    unit : str
        What progress is counted in.
    """

    batches: Iterator[tuple[int, Arrays]]
    step: Callable[..., Any]
    total: int
    unit: str


class Curriculum(ABC):
    """What a network is trained on, epoch by epoch.

    Attributes
    ----------
    epochs : int
        In all.
    warmup : int
        Epochs at the beginning whose results are never kept: they prepare for the others.
    state : sequence of variables
        All that an epoch depends on and its beginning does not make anew.
    weights : sequence of variables
        Of the trained network, as they are validated and kept.
    """

    epochs: int
    warmup: int = 0
    state: Sequence[Any]
    weights: Sequence[Any]

    @abstractmethod
    def begin(self, epoch: int) -> Lesson:
        """Prepare an epoch, from 1 on, perhaps after a look at the network as it is."""

    @abstractmethod
    def averages(self) -> AbstractContextManager[None]:
        """Put averages of the weights in their place, to validate and keep them."""

    @abstractmethod
    def validate(self) -> dict[str, float]:
        """Score the network on validation divisions: ``val_loss``, which decides, ``val_mae``."""


def train_network(
    curriculum: Curriculum,
    *,
    patience: int | None = None,
    journal: Journal | None = None,
    progress: Progress | None = None,
) -> list[dict[str, float]]:
    """Train a network and keep its best weights.

    What is validated and kept are averages of weights over steps: single steps are too noisy to
    choose between epochs. The weights put back at the end are those with the lowest loss of
    validation divisions.

    Parameters
    ----------
    patience : int, optional
        Stop when so many epochs in a row brought no lower validation loss.
    journal : Journal, optional
        Receives every epoch, and says where to go on and when to stop. A stop is obeyed after
        the batch at hand; an epoch that it cuts short counts only where there is no result yet.
    progress : callable, optional
        Such as :class:`tqdm.tqdm`: shows how far the training is, and its validation errors.

    Returns
    -------
    list of dict
        For each epoch ``epoch``, ``loss`` and the validation scores.

    Raises
    ------
    MethodError
        If the loss is no longer a number.
    """
    if patience is not None and patience < 1:
        raise MethodError(f"patience is a number of epochs from 1 on, found {patience}")
    state = TrainingState(curriculum)
    if journal is not None:
        checkpoint = journal.resume()
        if checkpoint is None:
            journal.keep(state.to_arrays())
        else:
            try:
                state.restore(checkpoint)
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise journal.damaged(error) from error
    with _Bar(state, progress) as bar:
        while len(state.history) < curriculum.epochs and not state.is_stale(patience):
            epoch = _Epoch(state, journal, bar)
            loss = epoch.run()
            if epoch.is_cut_short and (state.best_epoch or epoch.number <= curriculum.warmup):
                break
            with curriculum.averages():
                epoch.end({"loss": loss, **curriculum.validate()})
            if journal is not None:
                journal.note(state.history)
                if epoch.is_cut_short:
                    break
                journal.keep(state.to_arrays())
    for variable, value in zip(curriculum.weights, state.best_weights, strict=True):
        variable.assign(value)
    return state.history


class TrainingState:
    """A training between two epochs, as arrays and back.

    Attributes
    ----------
    history : list of dict
        A row for each epoch that has ended.
    best_weights : list of ndarray
        The average weights with the lowest validation loss.
    """

    def __init__(self, curriculum: Curriculum) -> None:
        self.curriculum = curriculum
        self.history: list[dict[str, float]] = []
        self.best_weights = [weights.numpy() for weights in curriculum.weights]

    @property
    def best_epoch(self) -> int:
        """The epoch with the lowest validation loss; 0 before the first has ended."""
        warmup = self.curriculum.warmup
        losses = [row["val_loss"] for row in self.history[warmup:]]
        return warmup + 1 + int(np.argmin(losses)) if losses else 0

    def is_stale(self, patience: int | None) -> bool:
        """Whether so many epochs in a row brought no lower validation loss."""
        epochs = len(self.history) - self.best_epoch
        return patience is not None and self.best_epoch > 0 and epochs >= patience

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Everything by name, random states of layers and averages of weights included."""
        return {
            **{f"state/{n}": v.numpy() for n, v in enumerate(self.curriculum.state)},
            **{f"best/{n}": weights for n, weights in enumerate(self.best_weights)},
            "history": np.array(json.dumps(self.history)),
        }

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Become what :meth:`to_arrays` described."""
        for number, variable in enumerate(self.curriculum.state):
            variable.assign(arrays[f"state/{number}"])
        self.best_weights = [arrays[f"best/{n}"] for n in range(len(self.best_weights))]
        rows = json.loads(str(arrays["history"]))
        self.history = [
            {**{name: float(row[name]) for name in row}, "epoch": n}
            for n, row in enumerate(rows, 1)
        ]


class _Bar:
    """One bar for all epochs, which are taken to be as long as the first; nothing without any."""

    def __init__(self, state: TrainingState, progress: Progress | None) -> None:
        self.state, self.progress = state, progress
        self.bar: Any = None
        self.length = self.position = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_failure: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def begin(self, lesson: Lesson) -> None:
        """Show that an epoch begins."""
        if self.progress is not None and self.bar is None:
            self.length = lesson.total
            self.position = self.length * len(self.state.history)
            total = self.length * self.state.curriculum.epochs
            self.bar = self.progress(total=total, initial=self.position, unit=lesson.unit)

    def show(self, number: int, done: float, loss: float) -> None:
        """Show which part of an epoch is done, and the losses so far."""
        if self.bar is None:
            return
        best = self.state.best_epoch
        losses = f"loss {loss:.4f}"
        if best:
            now, lowest = (self.state.history[n]["val_mae"] for n in (-1, best - 1))
            losses = f"val MAE {now:.4f}, best {lowest:.4f}"
        text = f"epoch {number}/{self.state.curriculum.epochs}, {losses}"
        self.bar.set_postfix_str(text, refresh=done == 1)
        position = round(self.length * (number - 1 + done))
        self.bar.update(position - self.position)
        self.position = position


class _Epoch:
    """One pass over a lesson, shown while it runs."""

    def __init__(self, state: TrainingState, journal: Journal | None, bar: _Bar) -> None:
        self.state, self.journal, self.bar = state, journal, bar
        self.number = len(state.history) + 1
        self.is_cut_short = False
        self.lesson = state.curriculum.begin(self.number)
        bar.begin(self.lesson)

    def run(self) -> float:
        """Take a step for each batch; the mean loss."""
        total, seen = 0.0, 0
        for number, (units, arrays) in enumerate(self.lesson.batches, 1):
            loss = float(self.lesson.step(*arrays))
            if not np.isfinite(loss):
                raise MethodError(
                    f"the loss is {loss} in epoch {self.number}, batch {number}: "
                    "try a lower learning rate"
                )
            total, seen = total + loss * units, seen + units
            self.bar.show(self.number, seen / self.lesson.total, total / seen)
            if self.journal is not None and self.journal.must_stop():
                self.is_cut_short = True
                break
        return total / seen

    def end(self, row: dict[str, float]) -> None:
        """Write its row, and take its weights if they are the best so far."""
        self.state.history.append({"epoch": self.number, **row})
        if self.state.best_epoch == self.number:
            self.state.best_weights = [v.numpy() for v in self.state.curriculum.weights]
        self.bar.show(self.number, 1, row["loss"])
