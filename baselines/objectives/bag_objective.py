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
        tensor, shape (n / bag_size, bag_size * row, column, category)
            Or (n / bag_size, category), mean shares, where chips have no cells.
        """
        tensorflow, _keras = load_backend()
        *cells, categories = output.shape[1:]
        if cells:
            return tensorflow.reshape(output, [-1, self.bag_size * cells[0], cells[1], categories])
        chips = tensorflow.reshape(output, [-1, self.bag_size, categories])
        return tensorflow.reduce_mean(chips, axis=1)
