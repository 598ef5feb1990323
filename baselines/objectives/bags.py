"""Objectives on bags, several chips of a division at a time: the mean of a bag is what is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from llpbench_baselines.backend import tf
from llpbench_baselines.objectives.objective import Network, Objective
from llpbench_baselines.split_data import SplitData


@dataclass(eq=False, kw_only=True)
class BagObjective(Objective):
    """An objective whose targets are the proportions of whole bags.

    Parameters
    ----------
    bag_size : int
        Chips in a bag, drawn by overlap area; with fewer chips some come repeatedly.
    """

    bag_size: int = 16

    by: ClassVar[Literal["chip", "division"]] = "division"

    def targets(self, data: SplitData, network: Network) -> tuple[NDArray[Any], ...]:
        """Proportions of divisions."""
        return (data.divisions.proportions.astype(np.float32),)

    def merge(self, output: Any) -> Any:
        """Make one tall chip of the chips of each bag, whose shares are those of the bag.

        Parameters
        ----------
        output : tensor, shape (n, row, column, category) or (n, category)

        Returns
        -------
        tensor, shape (bag, bag_size * row, column, category) or (bag, category)
        """
        *cells, categories = output.shape[1:]
        if cells:
            return tf.reshape(output, [-1, self.bag_size * cells[0], cells[1], categories])
        return tf.reduce_mean(tf.reshape(output, [-1, self.bag_size, categories]), axis=1)


@dataclass(eq=False, kw_only=True)
class DLLP(BagObjective):
    r"""Deep learning from label proportions: a loss of the mean shares :math:`\bar f_c` of a bag.

    The loss ``divergence`` or ``cross-entropy`` makes it the published
    :math:`-\sum_k p_{ck} \log \bar f_{ck}`, ``squared`` the same with squared errors.

    Parameters
    ----------
    loss : {"squared", "cross-entropy", "divergence", "super-resolution"}
        Of the shares of bags.
    bag_size : int
        See :class:`BagObjective`.

    References
    ----------
    Ardehaly and Culotta, Co-training for demographic classification using deep learning from
    label proportions, arXiv 1709.04108, equation 4.
    """

    loss: str = "squared"

    def compute_loss(self, data: SplitData, output: Any, *targets: Any) -> Any:
        """Mean over bags."""
        loss = self.losses[self.loss](self.merge(output), targets[0], data.loss_weights)
        return tf.reduce_mean(loss)


@dataclass(eq=False, kw_only=True)
class WarmBags(DLLP):
    """An objective by which a network teaches itself, once ``dllp`` has taught it something.

    Parameters
    ----------
    warm_start : float
        Part of the epochs that are ``dllp``, from 0 to 1.
    loss, bag_size
        Of ``dllp``.
    """

    warm_start: float = 0.5

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {"warm_start": (0.0, 1.0)}

    def at(self, epoch: int, epochs: int) -> Objective:
        """First ``dllp``, then this one."""
        if epoch > round(self.warm_start * epochs):
            return self
        return DLLP(bag_size=self.bag_size, loss=self.loss)
