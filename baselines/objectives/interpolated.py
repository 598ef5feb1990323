"""Between bags and broadcasting: the loss of bags plus a part of the variance within them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from llpbench_baselines.backend import tf
from llpbench_baselines.losses import chip_shares
from llpbench_baselines.objectives.bags import BagObjective
from llpbench_baselines.split_data import SplitData


@dataclass(eq=False, kw_only=True)
class Interpolated(BagObjective):
    r"""Squared errors of bags and :math:`\lambda` times the variance of their chips.

    With the shares :math:`f_i` of the m chips of a bag, their mean :math:`\bar f`, and class
    weights w,

    .. math:: \sum_k w_k \left[ (\bar f_k - p_k)^2 +
              \frac{\lambda}{m} \sum_i (f_{ik} - \bar f_k)^2 \right]

    At 1 this is ``broadcast`` with squared errors, at 0 ``dllp`` with them.

    Parameters
    ----------
    interpolation : float
        :math:`\lambda`, from 0 to 1.
    bag_size : int
        See :class:`~llpbench_baselines.objectives.bags.BagObjective`.

    References
    ----------
    Javanmard et al., Learning from aggregate responses: instance level versus bag level loss
    functions, ICLR 2024, arXiv 2401.11081.
    """

    interpolation: float = 0.1

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {"interpolation": (0.0, 1.0)}

    def compute_loss(self, data: SplitData, output: Any, *targets: Any) -> Any:
        """Mean over bags."""
        shares = chip_shares(output)
        chips = tf.reshape(shares, [-1, self.bag_size, shares.shape[-1]])
        mean, variance = tf.nn.moments(chips, axes=1)
        terms = (mean - targets[0]) ** 2 + self.interpolation * variance
        return tf.reduce_mean(tf.reduce_sum(data.loss_weights * terms, axis=1))
