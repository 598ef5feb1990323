"""With what numbers a graph computes: as they are, or rounded to bytes where it says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench_baselines.backend import tf

_RARE = 2
"""Percent of chips whose extremes a range may leave out, at each end."""
_NEARLY_ONE = 1 + 2.0**-20


class Numbers:
    """Numbers as they are; subclasses watch or round what a graph shows them.

    A graph passes each array of weights through :meth:`weights` and what it computes from it
    through :meth:`values`. What it does not pass stays float32.
    """

    def weights(self, array: Any) -> Any:
        """Weights of a product, (..., input, output)."""
        return array

    def values(self, name: str, tensor: Any) -> Any:
        """What goes into a product or comes out of one, under a name of its own."""
        return tensor

    def unrounded(self, tensor: Any) -> Any:
        """Values that what follows computes with in float32, though they were rounded."""
        return tensor


class WatchedNumbers(Numbers):
    """Numbers as they are, whose extremes are noted; a graph is called with it chip by chip.

    Attributes
    ----------
    extremes : dict of str to list of (float, float)
        The lowest and the highest value of each chip, by the name of what was watched.
    """

    def __init__(self) -> None:
        self.extremes: dict[str, list[tuple[float, float]]] = {}

    def values(self, name: str, tensor: Any) -> Any:
        """Note the extremes."""
        values = tensor.numpy()
        self.extremes.setdefault(name, []).append((float(values.min()), float(values.max())))
        return tensor

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Where values lie in nearly all chips, 0 always inside: what rounding keeps."""
        found = {}
        for name, extremes in self.extremes.items():
            lowest, highest = np.array(extremes).T
            low, high = np.percentile(lowest, _RARE), np.percentile(highest, 100 - _RARE)
            found[name] = (min(float(low), 0.0), max(float(high), 1e-6))
        return found


class RoundedNumbers(Numbers):
    """Numbers rounded to 256 steps; a runtime that sees where can compute with bytes.

    Weights are rounded symmetrically about 0, all of an array by one step.

    Parameters
    ----------
    ranges : mapping
        What :meth:`WatchedNumbers.ranges` found; what lies outside becomes an end of its range.

    References
    ----------
    Jacob et al., Quantization and training of neural networks for efficient integer-arithmetic-only
    inference, CVPR 2018, arXiv 1712.05877.
    """

    def __init__(self, ranges: Mapping[str, tuple[float, float]]) -> None:
        self.ranges = ranges

    def weights(self, array: Any) -> Any:
        """Round to 255 steps, as many above 0 as below."""
        values: NDArray[np.float32] = np.asarray(array)
        largest = max(float(np.abs(values).max()), 1e-6)
        return tf.quantization.fake_quant_with_min_max_args(
            tf.constant(values), -largest, largest, narrow_range=True
        )

    def values(self, name: str, tensor: Any) -> Any:
        """Round to 256 steps over its range."""
        return tf.quantization.fake_quant_with_min_max_args(tensor, *self.ranges[name])

    def unrounded(self, tensor: Any) -> Any:
        """Multiply by what is nearly 1: a product of unknown range ends what is done in bytes."""
        return tensor * _NEARLY_ONE
