"""The paper's objective: every chip is told its division's proportions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from llpbench_baselines.backend import load_backend
from llpbench_baselines.objectives.objective import Network, Objective


@dataclass(frozen=True, eq=False)
class Broadcast(Objective):
    r"""Each chip's own target, by whatever loss the method has.

    With squared errors this is the loss of bags plus the variance within them,
    :math:`\frac{1}{n} \sum_i \lVert f_i - p \rVert^2 = \lVert \bar f - p \rVert^2 +
    \frac{1}{n} \sum_i \lVert f_i - \bar f \rVert^2`, so it makes chips of a division alike
    (Javanmard et al., Learning from aggregate responses, ICLR 2024, arXiv 2401.11081).
    """

    def targets(self, network: Network) -> tuple[NDArray[Any], ...]:
        """Targets of chips."""
        return (self.known.targets,)

    def loss(self, output: Any, *targets: Any) -> Any:
        """Mean over chips."""
        tensorflow, _keras = load_backend()
        return tensorflow.reduce_mean(self.known.loss(output, *targets))
