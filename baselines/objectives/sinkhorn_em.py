"""Expectation and maximisation: raked probabilities of cells are what is learned next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from llpbench_baselines.objectives.cells import cross_entropy, thin
from llpbench_baselines.objectives.objective import Network
from llpbench_baselines.objectives.warm_bags import WarmBags
from llpbench_baselines.raking import apply_factors, log_factors

_BLOCK = 128
_SAMPLED = 4
"""One in so many cells suffices to find by what all are to be multiplied."""
_ACCURACY = 0.01
"""Chips by which a division's cells may miss its proportions."""


@dataclass(frozen=True, eq=False)
class SinkhornEM(WarmBags):
    """Cross-entropy of cells and their own probabilities, raked to what divisions hold.

    Before every epoch the probabilities of all training cells are raked, until the mean of each
    division is its proportions (the expectation step); an epoch of cross-entropy on them is the
    maximisation step. They are kept in half precision, of at most 24 x 24 cells a chip.

    Parameters
    ----------
    known : Known
    bag_size : int
        Of the warm start.
    warm_start : float

    References
    ----------
    Liu et al., Two-stage training for learning from label proportions, IJCAI 2021,
    arXiv 2105.10635.
    """

    by: ClassVar[Literal["chip", "division"]] = "chip"

    def targets(self, network: Network) -> tuple[NDArray[Any], ...]:
        """Raked probabilities of the cells of chips."""
        cells = np.concatenate(
            [
                thin(network(images)).numpy().astype(np.float16)
                for images in self.known.images.in_order()
            ]
        )
        factors = log_factors(
            cells[:, ::_SAMPLED],
            self.known.bags,
            self.known.proportions,
            accuracy=_ACCURACY,
        )
        for start in range(0, len(cells), _BLOCK):
            block = slice(start, start + _BLOCK)
            cells[block] = apply_factors(cells[block], factors[block])
        return (cells,)

    def loss(self, output: Any, *targets: Any) -> Any:
        """Mean over cells."""
        return cross_entropy(thin(output), targets[0])
