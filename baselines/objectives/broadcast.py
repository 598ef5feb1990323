"""The paper's objective: the target of every chip is the mix of its divisions' proportions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from llpbench_baselines.backend import tf
from llpbench_baselines.losses import PIXEL_LOSSES, Loss
from llpbench_baselines.objectives.objective import Network, Objective
from llpbench_baselines.split_data import SplitData


@dataclass(eq=False, kw_only=True)
class Broadcast(Objective):
    r"""Each chip's own target.

    With squared errors this is the loss of bags plus the variance within them,
    :math:`\frac{1}{n} \sum_i \lVert f_i - p \rVert^2 = \lVert \bar f - p \rVert^2 +
    \frac{1}{n} \sum_i \lVert f_i - \bar f \rVert^2`, so it makes chips of a division alike
    (Javanmard et al., Learning from aggregate responses, ICLR 2024, arXiv 2401.11081).

    Parameters
    ----------
    loss : {"squared", "cross-entropy", "divergence", "super-resolution"}
        Of the shares of chips, see :mod:`llpbench_baselines.losses`.
    """

    loss: str = "squared"

    def targets(self, data: SplitData, network: Network) -> tuple[NDArray[Any], ...]:
        """Targets of chips."""
        return (data.targets,)

    def compute_loss(self, data: SplitData, output: Any, *targets: Any) -> Any:
        """Mean over chips."""
        loss = self.losses[self.loss](output, targets[0], data.loss_weights)
        return tf.reduce_mean(loss)


@dataclass(eq=False, kw_only=True)
class LabelledPixels(Broadcast):
    """The label of each pixel.

    Parameters
    ----------
    loss : {"pixel-cross-entropy"}
        All pixels count alike.
    """

    loss: str = "pixel-cross-entropy"

    losses: ClassVar[Mapping[str, Loss]] = PIXEL_LOSSES
