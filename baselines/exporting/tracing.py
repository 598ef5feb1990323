"""A method's graph traced for one chip, as the writers of files take it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llpbench.exported.card import CLASSES, IMAGES, SHARES, Card
from llpbench_baselines.backend import tf
from llpbench_baselines.exporting.numbers import Numbers, RoundedNumbers, WatchedNumbers

Graph: TypeAlias = Callable[[Any, Numbers], tuple[Any, Any | None]]
"""See :meth:`~llpbench_baselines.exporting.exportable.Exportable.graph`."""


@dataclass(frozen=True)
class TracedGraph:
    """A graph of one chip.

    Parameters
    ----------
    function : callable
        A ``tf.function`` of ``images`` with a dictionary of ``shares`` and, where there are any,
        ``classes``.
    signature : tf.TensorSpec
        Of ``images``.
    """

    function: Any
    signature: Any

    @property
    def grid(self) -> int | None:
        """Side of the grid of classes; None where there are none."""
        outputs = self.function.get_concrete_function().structured_outputs
        return int(outputs[CLASSES].shape[1]) if CLASSES in outputs else None

    def frozen(self) -> Any:
        """The concrete function with all weights as constants."""
        from tensorflow.python.framework.convert_to_constants import (
            convert_variables_to_constants_v2,
        )

        return convert_variables_to_constants_v2(self.function.get_concrete_function())


def trace(graph: Graph, card: Card, numbers: Numbers) -> TracedGraph:
    """Trace a graph for chips as a card describes them; rounded shares are made to sum to 1.

    By their mean, for LiteRT gives wrong sums of two bytes.
    """
    signature = tf.TensorSpec((1, *card.shape), card.dtype, name=IMAGES)

    def estimate(images: Any) -> dict[str, Any]:
        shares, classes = graph(images, numbers)
        if card.quantize != "none":
            shares = shares / (shares.shape[1] * tf.reduce_mean(shares, axis=1, keepdims=True))
        return {SHARES: shares} if classes is None else {SHARES: shares, CLASSES: classes}

    return TracedGraph(tf.function(estimate, [signature], autograph=False), signature)


def round_numbers(graph: Graph, calibration: NDArray[Any]) -> RoundedNumbers:
    """Find the ranges of a graph's numbers on images, (n, row, column, band), and round to them."""
    watched = WatchedNumbers()
    for image in calibration:
        graph(tf.constant(image[np.newaxis]), watched)
    return RoundedNumbers(watched.ranges())
