"""All that the next epoch of a training depends on, as arrays and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench_baselines.averages import AveragedWeights


class TrainingState:
    """A training between two epochs.

    Parameters
    ----------
    model : keras.Model
    optimizer : keras.optimizers.Optimizer
        Built for the model.
    averages : AveragedWeights

    Attributes
    ----------
    history : list of dict
        A row for each epoch that has ended.
    best_weights : list of ndarray
        The average weights with the lowest validation loss.
    """

    def __init__(self, model: Any, optimizer: Any, averages: AveragedWeights) -> None:
        self.model, self.optimizer, self.averages = model, optimizer, averages
        self.history: list[dict[str, float]] = []
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
        return {
            **{f"model/{n}": v.numpy() for n, v in enumerate(self.model.variables)},
            **{f"optimizer/{n}": v.numpy() for n, v in enumerate(self.optimizer.variables)},
            **{f"average/{n}": v.numpy() for n, v in enumerate(self.averages.averages)},
            **{f"best/{n}": weights for n, weights in enumerate(self.best_weights)},
            "history": np.array(json.dumps(self.history)),
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
            ("average", self.averages.averages),
        ):
            for number, variable in enumerate(variables):
                variable.assign(arrays[f"{kind}/{number}"])
        self.best_weights = [arrays[f"best/{n}"] for n in range(len(self.best_weights))]
        self.history = json.loads(str(arrays["history"]))
