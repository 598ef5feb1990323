"""Label super-resolution on bags: a likelihood of how much of each class a bag holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from llpbench_baselines.backend import load_backend
from llpbench_baselines.losses import super_resolution
from llpbench_baselines.objectives.bag_objective import BagObjective


@dataclass(frozen=True, eq=False)
class LSRN(BagObjective):
    """The loss of label super-resolution, with bags as its blocks.

    Parameters
    ----------
    known : Known
    bag_size : int
    spread : float
        Standard deviation of bags' shares around the proportions of their division, positive.

    References
    ----------
    Malkin et al., Label super-resolution networks, ICLR 2019; see
    :func:`~llpbench_baselines.losses.super_resolution`.
    """

    spread: float

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {"spread": (1e-4, 1.0)}

    def loss(self, output: Any, *targets: Any) -> Any:
        """Mean over bags."""
        tensorflow, _keras = load_backend()
        likelihood = super_resolution(self.known.class_weights, spread=self.spread)
        return tensorflow.reduce_mean(likelihood(self.merge(output), *targets))
