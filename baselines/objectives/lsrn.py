"""Label super-resolution on bags: a likelihood of how much of each class a bag holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from llpbench_baselines.backend import tf
from llpbench_baselines.losses import super_resolution
from llpbench_baselines.objectives.bags import BagObjective
from llpbench_baselines.split_data import SplitData


@dataclass(eq=False, kw_only=True)
class LSRN(BagObjective):
    """The loss of label super-resolution, with bags as its blocks.

    Parameters
    ----------
    spread : float
        Standard deviation of bags' shares around the proportions of their division, positive.
    bag_size : int
        See :class:`~llpbench_baselines.objectives.bags.BagObjective`.

    References
    ----------
    Malkin et al., Label super-resolution networks, ICLR 2019; see
    :func:`~llpbench_baselines.losses.super_resolution`.
    """

    spread: float = 0.1

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {"spread": (1e-4, 1.0)}

    def compute_loss(self, data: SplitData, output: Any, *targets: Any) -> Any:
        """Mean over bags."""
        likelihood = super_resolution(
            self.merge(output), targets[0], data.loss_weights, spread=self.spread
        )
        return tf.reduce_mean(likelihood)
