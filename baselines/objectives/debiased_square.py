"""Squared errors of single chips, estimated from bags as if their chips were drawn anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from llpbench_baselines.backend import tf
from llpbench_baselines.objectives.bags import BagObjective
from llpbench_baselines.objectives.objective import Network
from llpbench_baselines.split_data import SplitData


@dataclass(eq=False, kw_only=True)
class DebiasedSquare(BagObjective):
    r"""The squared error of chips, unbiased where bags are chips drawn at random.

    With the errors :math:`e_i = y_i - f_i` of the n chips of a division, independent and alike,
    the mean error has :math:`E\,\bar e^2 = E[e^2] / n + (1 - 1/n) (E\,e)^2`, so that

    .. math:: E[e^2] = n\,E\,\bar e^2 - (n - 1) (E\,e)^2 .

    Of m chips drawn without repetition, :math:`r = p - \bar f_m` misses :math:`\bar e` by the
    variance :math:`(1/m - 1/n)\,s_f^2`, and the product of the residuals of two divisions has the
    expectation :math:`(E\,e)^2`: a bag's loss, next to another bag of residual r', is

    .. math:: \sum_k w_k \left[ n r_k^2 - \left(\frac{n}{m} - 1\right) s_{fk}^2
              - (n - 1) r_k r'_k \right] .

    Real divisions are places, whose chips are alike and unlike those of others: there it estimates
    nothing of the kind, and is here to show it.

    Parameters
    ----------
    bag_size : int
        At least 2, m above; see :class:`~llpbench_baselines.objectives.bags.BagObjective`.

    References
    ----------
    After Li et al., Optimistic rates for learning from label proportions, arXiv 2406.00487, and
    Busa-Fekete et al., ICML 2025, arXiv 2505.05355.
    """

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {"bag_size": (2, 1_000_000)}

    def targets(self, data: SplitData, network: Network) -> tuple[NDArray[Any], ...]:
        """Proportions of divisions, and their numbers of chips."""
        return *super().targets(data, network), data.divisions.counts.astype(np.float32)

    def compute_loss(self, data: SplitData, output: Any, *targets: Any) -> Any:
        """Mean over bags; the last one stands beside the first."""
        proportions, counts = targets
        mean, variance = tf.nn.moments(self.chips(output), axes=1)
        variance *= self.bag_size / (self.bag_size - 1)
        residuals = proportions - mean
        n = tf.maximum(counts, 1)[:, tf.newaxis]
        missed = tf.nn.relu(n / self.bag_size - 1) * variance
        terms = n * residuals**2 - missed - (n - 1) * residuals * tf.roll(residuals, -1, axis=0)
        return tf.reduce_mean(tf.reduce_sum(data.loss_weights * terms, axis=1))
