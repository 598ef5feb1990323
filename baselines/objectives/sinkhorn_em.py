"""Expectation and maximisation: raked probabilities of cells are what is learned next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from llpbench_baselines.objectives.bags import WarmBags
from llpbench_baselines.objectives.cells import cross_entropy, thin
from llpbench_baselines.objectives.objective import Network
from llpbench_baselines.raking import rake_cells
from llpbench_baselines.split_data import SplitData


@dataclass(eq=False, kw_only=True)
class SinkhornEM(WarmBags):
    """Cross-entropy of cells and their own probabilities, raked to what divisions hold.

    Before every epoch the probabilities of all training cells are raked, until the mean of each
    division is its proportions (the expectation step); an epoch of cross-entropy on them is the
    maximisation step. They are stored in half precision, of at most 24 x 24 cells a chip.

    Parameters
    ----------
    warm_start, loss, bag_size
        See :class:`~llpbench_baselines.objectives.bags.WarmBags`.

    References
    ----------
    Liu et al., Two-stage training for learning from label proportions, IJCAI 2021,
    arXiv 2105.10635.
    """

    by: ClassVar[Literal["chip", "division"]] = "chip"

    def targets(self, data: SplitData, network: Network) -> tuple[NDArray[Any], ...]:
        """Raked probabilities of the cells of chips."""
        batches = data.images.in_order()
        parts = [thin(network(images)).numpy().astype(np.float16) for images in batches]
        return (rake_cells(np.concatenate(parts), data.divisions),)

    def compute_loss(self, data: SplitData, output: Any, *targets: Any) -> Any:
        """Mean over cells."""
        return cross_entropy(thin(output), targets[0])
