"""Deep learning from label proportions: only the mean of a bag is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llpbench_baselines.backend import load_backend
from llpbench_baselines.objectives.bag_objective import BagObjective


@dataclass(frozen=True, eq=False)
class DLLP(BagObjective):
    r"""The method's loss, of the mean shares :math:`\bar f_c` of a bag and its proportions.

    The loss ``divergence`` or ``cross-entropy`` makes it the published
    :math:`-\sum_k p_{ck} \log \bar f_{ck}`, ``squared`` the same with squared errors.

    Parameters
    ----------
    known : Known
    bag_size : int

    References
    ----------
    Ardehaly and Culotta, Co-training for demographic classification using deep learning from
    label proportions, arXiv 1709.04108, equation 4.
    """

    def loss(self, output: Any, *targets: Any) -> Any:
        """Mean over bags."""
        tensorflow, _keras = load_backend()
        return tensorflow.reduce_mean(self.known.loss(self.merge(output), *targets))
