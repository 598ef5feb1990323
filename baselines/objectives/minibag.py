"""Small bags of large divisions, trusted as far as they can be like their division."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from llpbench_baselines.backend import load_backend
from llpbench_baselines.objectives.bag_objective import BagObjective
from llpbench_baselines.objectives.objective import Network

_ERROR = 1e-3
"""Variance of what a network gets wrong about a whole division."""


@dataclass(frozen=True, eq=False)
class MiniBag(BagObjective):
    r"""``dllp``, each bag weighted by how near its true mean must be to its division's.

    The mean of m of n chips misses that of all by the variance
    :math:`\frac{V}{m} (1 - \frac{m}{n})`, with V the variance of chips' shares within a division,
    taken for a part of the largest possible one, :math:`p_{ck} (1 - p_{ck})` (mean over
    classes). A bag's weight is the inverse of this variance plus :math:`10^{-3}` for the
    network's own error; weights average 1 over chips.

    Parameters
    ----------
    known : Known
    bag_size : int
    noise : float
        Variance within divisions as a part of the largest possible one, from 0 to 1.

    References
    ----------
    The problem: Kubo et al., Theoretical proportion label perturbation for learning from label
    proportions in large bags, arXiv 2408.14130. The variance: Cochran, Sampling Techniques,
    third edition, theorem 2.2.
    """

    noise: float

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {"noise": (0.0, 1.0)}

    def targets(self, network: Network) -> tuple[NDArray[Any], ...]:
        """Proportions and weights of divisions."""
        return self.known.proportions, self.weights()

    def weights(self) -> NDArray[np.float32]:
        """Give the weight of each division's bags.

        Returns
        -------
        ndarray of float32, shape (division,)
        """
        counts, shares = self.known.counts, self.known.proportions.astype(np.float64)
        within = self.noise * (shares * (1 - shares)).mean(axis=1)
        missing = 1 - self.bag_size / np.maximum(counts, self.bag_size)
        weights = 1 / (within * missing / self.bag_size + _ERROR)
        usable = np.isfinite(weights)
        mean = np.average(weights[usable], weights=counts[usable])
        return (weights / mean).astype(np.float32)

    def loss(self, output: Any, *targets: Any) -> Any:
        """Weighted mean over bags."""
        tensorflow, _keras = load_backend()
        proportions, weights = targets
        return tensorflow.reduce_mean(weights * self.known.loss(self.merge(output), proportions))
