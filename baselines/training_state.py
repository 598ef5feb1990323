"""All that the next epoch of a training depends on, as arrays and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


class TrainingState:
    """A training between two epochs.

    Parameters
    ----------
    model : keras.Model
    optimizer : keras.optimizers.Optimizer
        Built for the model, with averages of weights.
    random_state : int
        Seed of the order of chips.

    Attributes
    ----------
    history : list of dict
        A row for each epoch that has ended.
    generator : numpy.random.Generator
        Draws the order of chips.
    best_weights : list of ndarray
        The average weights with the lowest validation loss.
    """

    def __init__(self, model: Any, optimizer: Any, random_state: int) -> None:
        self.model, self.optimizer = model, optimizer
        self.history: list[dict[str, float]] = []
        self.generator = np.random.default_rng(random_state)
        self.best_weights: list[NDArray[Any]] = model.get_weights()

    @property
    def best_epoch(self) -> int:
        """The epoch with the lowest validation loss; 0 before the first has ended."""
        losses = [row["val_loss"] for row in self.history]
        return 1 + int(np.argmin(losses)) if losses else 0

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Everything by name, random states of layers and averages of weights included.

        Returns
        -------
        dict of str to ndarray
        """
        rest = {"history": self.history, "generator": self.generator.bit_generator.state}
        return {
            **{f"model/{n}": v.numpy() for n, v in enumerate(self.model.variables)},
            **{f"optimizer/{n}": v.numpy() for n, v in enumerate(self.optimizer.variables)},
            **{f"best/{n}": weights for n, weights in enumerate(self.best_weights)},
            "rest": np.array(json.dumps(rest)),
        }

    def take(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Become what :meth:`to_arrays` described.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            Of the same model.
        """
        for kind, variables in (
            ("model", self.model.variables),
            ("optimizer", self.optimizer.variables),
        ):
            for number, variable in enumerate(variables):
                variable.assign(arrays[f"{kind}/{number}"])
        self.best_weights = [arrays[f"best/{n}"] for n in range(len(self.best_weights))]
        rest = json.loads(str(arrays["rest"]))
        self.history = rest["history"]
        self.generator.bit_generator.state = rest["generator"]
