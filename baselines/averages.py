"""Averages of weights over training steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llpbench_baselines.backend import load_backend

_LONGEST = 0.99


class AveragedWeights:
    """Exponential averages of a model's trainable weights (Polyak and Juditsky, 1992).

    After step t an average keeps the part min(.99, (1 + t) / (10 + t)) of what it was, so that
    those of a short training do not remember its beginning.

    Parameters
    ----------
    variables : list of keras.Variable

    Attributes
    ----------
    averages : list of tensorflow.Variable
    """

    def __init__(self, variables: list[Any]) -> None:
        tensorflow, _keras = load_backend()
        self._variables = variables
        self.averages = [tensorflow.Variable(one.value, trainable=False) for one in variables]

    def update(self, steps: Any) -> None:
        """Take in the present weights.

        Parameters
        ----------
        steps : tensor of int, shape ()
            So far, this one among them.
        """
        tensorflow, _keras = load_backend()
        taken = tensorflow.cast(steps, tensorflow.float32)
        part = 1 - tensorflow.minimum(_LONGEST, (1 + taken) / (10 + taken))
        for average, variable in zip(self.averages, self._variables, strict=True):
            average.assign_sub(part * (average - variable.value))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the averages in the place of the weights for a while."""
        kept = [variable.numpy() for variable in self._variables]
        for variable, average in zip(self._variables, self.averages, strict=True):
            variable.assign(average)
        try:
            yield
        finally:
            for variable, weights in zip(self._variables, kept, strict=True):
                variable.assign(weights)
