"""Objectives on bags: several chips of a division at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from numpy.typing import NDArray

from llpbench_baselines.backend import load_backend
from llpbench_baselines.objectives.objective import Network, Objective


@dataclass(frozen=True, eq=False)
class BagObjective(Objective):
    """An objective that tells a network the proportions of whole bags.

    Parameters
    ----------
    known : Known
    bag_size : int
        Chips in a bag, drawn by overlap area; with fewer chips some come repeatedly.
    """

    bag_size: int

    by: ClassVar[Literal["chip", "division"]] = "division"

    def targets(self, network: Network) -> tuple[NDArray[Any], ...]:
        """Proportions of divisions."""
        return (self.known.proportions,)

    def merge(self, output: Any) -> Any:
        """Make one tall chip of the chips of each bag, whose shares are those of the bag.

        Parameters
        ----------
        output : tensor, shape (n, row, column, category) or (n, category)

        Returns
        -------
        tensor, shape (n / bag_size, bag_size * row, column, category) or
        (n / bag_size, bag_size, 1, category)
        """
        tensorflow, _keras = load_backend()
        rows, columns = output.shape[1:3] if len(output.shape) == 4 else (1, 1)
        shape = [-1, self.bag_size * rows, columns, output.shape[-1]]
        return tensorflow.reshape(output, shape)
