"""Adam, and the averages of weights over its steps that are validated and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from numpy.typing import NDArray

from llpbench_baselines.backend import keras, raised, tf

_LONGEST = 0.99


class Optimisation:
    """Adam on some variables, with exponential averages of them (Polyak and Juditsky, 1992).

    After step t an average keeps the part min(.99, (1 + t) / (10 + t)) of what it was, so that
    those of a short training do not remember its beginning. (``use_ema`` of Keras' optimisers
    keeps a constant part.)

    Attributes
    ----------
    averages : list of tensorflow.Variable
        One for each variable, in their order.
    """

    def __init__(self, variables: Sequence[Any], learning_rate: Any) -> None:
        self.variables = list(variables)
        self.optimizer = keras.optimizers.Adam(learning_rate)
        self.optimizer.build(self.variables)
        self.averages = [
            tf.Variable(variable.value, trainable=False) for variable in self.variables
        ]

    @property
    def state(self) -> list[Any]:
        """All variables that the next step depends on, but for those that it moves."""
        return [*self.optimizer.variables, *self.averages]

    def make_step(self, loss: Callable[..., Any], arrays: Sequence[NDArray[Any]]) -> Any:
        """Compile a step of gradient descent.

        Parameters
        ----------
        loss : callable
            Of tensors, to a tensor of shape ().
        arrays : sequence of ndarray
            Examples of what the loss is of: their types and shapes, but for the first dimension,
            hold for all. Half precision is raised to single in the graph, where that is quick.

        Returns
        -------
        callable
            Of such arrays, to the loss before the step.
        """
        shapes = [tf.TensorSpec([None, *array.shape[1:]], array.dtype) for array in arrays]

        def step(*tensors: Any) -> Any:
            with tf.GradientTape() as tape:
                value = loss(*map(raised, tensors))
            self.optimizer.apply(tape.gradient(value, self.variables), self.variables)
            self.update(self.optimizer.iterations)
            return value

        graph = tf.function(step, shapes, autograph=False).get_concrete_function()
        return lambda *arrays: graph(*map(tf.convert_to_tensor, arrays))

    def update(self, steps: Any) -> None:
        """Take the present weights into the averages.

        Parameters
        ----------
        steps : tensor of int, shape ()
            So far, this one among them.
        """
        taken = tf.cast(steps, tf.float32)
        part = 1 - tf.minimum(_LONGEST, (1 + taken) / (10 + taken))
        for average, variable in zip(self.averages, self.variables, strict=True):
            average.assign_sub(part * (average - variable.value))

    def settle(self) -> None:
        """Put the averages in the place of the weights for good."""
        for variable, average in zip(self.variables, self.averages, strict=True):
            variable.assign(average)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the averages in the place of the weights for a while."""
        weights = [variable.numpy() for variable in self.variables]
        self.settle()
        try:
            yield
        finally:
            for variable, value in zip(self.variables, weights, strict=True):
                variable.assign(value)
