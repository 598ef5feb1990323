"""Small bags of large divisions, trusted as far as they can be like their division."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from llpbench.data.divisions import Divisions
from llpbench_baselines.backend import tf
from llpbench_baselines.objectives.bags import DLLP
from llpbench_baselines.objectives.objective import Network
from llpbench_baselines.split_data import SplitData

_ERROR = 1e-3
"""Variance of what a network gets wrong about a whole division."""


@dataclass(eq=False, kw_only=True)
class MiniBag(DLLP):
    r"""``dllp``, each bag weighted by how near its true mean must be to its division's.

    The mean of m of n chips misses that of all by the variance
    :math:`\frac{V}{m} (1 - \frac{m}{n})`, with V the variance of chips' shares within a division,
    taken for a part of the largest possible one, :math:`p_{ck} (1 - p_{ck})` (mean over
    classes). A bag's weight is the inverse of this variance plus :math:`10^{-3}` for the
    network's own error; weights average 1 over chips.

    Parameters
    ----------
    noise : float
        Variance within divisions as a part of the largest possible one, from 0 to 1.
    loss, bag_size
        Of ``dllp``.

    References
    ----------
    The problem: Kubo et al., Theoretical proportion label perturbation for learning from label
    proportions in large bags, arXiv 2408.14130. The variance: Cochran, Sampling Techniques,
    third edition, theorem 2.2.
    """

    noise: float = 0.5

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {"noise": (0.0, 1.0)}

    def targets(self, data: SplitData, network: Network) -> tuple[NDArray[Any], ...]:
        """Proportions and weights of divisions."""
        return *super().targets(data, network), self.weights(data.divisions)

    def weights(self, divisions: Divisions) -> NDArray[np.float32]:
        """The weight of each division's bags, shape (division,)."""
        counts, shares = divisions.counts, divisions.proportions
        within = self.noise * (shares * (1 - shares)).mean(axis=1)
        missing = 1 - self.bag_size / np.maximum(counts, self.bag_size)
        weights = 1 / (within * missing / self.bag_size + _ERROR)
        usable = np.isfinite(weights)
        mean = np.average(weights[usable], weights=counts[usable])
        return (weights / mean).astype(np.float32)

    def compute_loss(self, data: SplitData, output: Any, *targets: Any) -> Any:
        """Weighted mean over bags."""
        proportions, weights = targets
        loss = self.losses[self.loss](self.merge(output), proportions, data.loss_weights)
        return tf.reduce_mean(weights * loss)
