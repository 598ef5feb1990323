"""Objectives on bags, several chips of a division at a time: the mean of a bag is what is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from llpbench.data.divisions import Divisions
from llpbench_baselines.backend import tf
from llpbench_baselines.losses import chip_shares, super_resolution
from llpbench_baselines.objectives.objective import Network, Objective
from llpbench_baselines.split_data import SplitData

_ERROR = 1e-3
"""Variance of what a network gets wrong about a whole division."""
MOST = 24
"""Rows and columns of cells: neighbouring pixels of larger outputs are nearly equal."""


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
            Of chips, those of a bag one after the other: probabilities of cells, or shares.

        Returns
        -------
        tensor, shape (bag, bag_size * row, column, category) or (bag, category)
            Probabilities of all cells of each bag, or its mean shares.
        """
        *cells, categories = output.shape[1:]
        if cells:
            return tf.reshape(output, [-1, self.bag_size * cells[0], cells[1], categories])
        return tf.reduce_mean(tf.reshape(output, [-1, self.bag_size, categories]), axis=1)

    def chips(self, output: Any) -> Any:
        """Shares of the chips of each bag, (bag, bag_size, category), from their output."""
        shares = chip_shares(output)
        return tf.reshape(shares, [-1, self.bag_size, shares.shape[-1]])

    def cells(self, output: Any) -> Any:
        """Probabilities of some cells of each bag, (bag, cell, category), see :func:`thin`."""
        cells = thin(output)
        return tf.reshape(cells, [-1, self.bag_size * cells.shape[1], cells.shape[2]])


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
    label proportions, arXiv 1709.04108.
    """

    loss: str = "squared"

    def compute_loss(self, data: SplitData, output: Any, *targets: Any) -> Any:
        """Mean over bags."""
        loss = self.losses[self.loss](self.merge(output), targets[0], data.loss_weights)
        return tf.reduce_mean(loss)


@dataclass(eq=False, kw_only=True)
class Interpolated(BagObjective):
    r"""Squared errors of bags and :math:`\lambda` times the variance of their chips.

    With the shares :math:`f_i` of the m chips of a bag, their mean :math:`\bar f`, and class
    weights w,

    .. math:: \sum_k w_k \left[ (\bar f_k - p_k)^2 +
              \frac{\lambda}{m} \sum_i (f_{ik} - \bar f_k)^2 \right]

    At 1 this is ``broadcast`` with squared errors, at 0 ``dllp`` with them.

    Parameters
    ----------
    interpolation : float
        :math:`\lambda`, from 0 to 1.
    bag_size : int
        See :class:`~llpbench_baselines.objectives.bags.BagObjective`.

    References
    ----------
    Javanmard et al., Learning from aggregate responses: instance level versus bag level loss
    functions, ICLR 2024, arXiv 2401.11081.
    """

    interpolation: float = 0.1

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {"interpolation": (0.0, 1.0)}

    def compute_loss(self, data: SplitData, output: Any, *targets: Any) -> Any:
        """Mean over bags."""
        mean, variance = tf.nn.moments(self.chips(output), axes=1)
        terms = (mean - targets[0]) ** 2 + self.interpolation * variance
        return tf.reduce_mean(tf.reduce_sum(data.loss_weights * terms, axis=1))


@dataclass(eq=False, kw_only=True)
class MiniBag(DLLP):
    r"""``dllp``, each bag weighted by how near its true mean must be to its division's.

    The mean of m of n chips misses that of all by the variance
    :math:`\frac{V}{m} (1 - \frac{m}{n})`, with V the variance of chips' shares within a division,
    taken for a part of the largest possible one, :math:`p_{ck} (1 - p_{ck})` (mean over
    classes). A bag's weight is the inverse of this variance plus :math:`10^{-3}` for the
    network's own error; weights average 1 over chips.

    Parameters
    ----------
    noise : float
        Variance within divisions as a part of the largest possible one, from 0 to 1.
    loss, bag_size
        Of ``dllp``.

    References
    ----------
    The problem: Kubo et al., Theoretical proportion label perturbation for learning from label
    proportions in large bags, arXiv 2408.14130. The variance: Cochran, Sampling Techniques,
    third edition, theorem 2.2.
    """

    noise: float = 0.5

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {"noise": (0.0, 1.0)}

    def targets(self, data: SplitData, network: Network) -> tuple[NDArray[Any], ...]:
        """Proportions and weights of divisions."""
        return *super().targets(data, network), self.weights(data.divisions)

    def weights(self, divisions: Divisions) -> NDArray[np.float32]:
        """The weight of each division's bags, shape (division,)."""
        counts, shares = divisions.counts, divisions.proportions
        within = self.noise * (shares * (1 - shares)).mean(axis=1)
        missing = 1 - self.bag_size / np.maximum(counts, self.bag_size)
        weights = 1 / (within * missing / self.bag_size + _ERROR)
        usable = np.isfinite(weights)
        mean = np.average(weights[usable], weights=counts[usable])
        return (weights / mean).astype(np.float32)

    def compute_loss(self, data: SplitData, output: Any, *targets: Any) -> Any:
        """Weighted mean over bags."""
        proportions, weights = targets
        loss = self.losses[self.loss](self.merge(output), proportions, data.loss_weights)
        return tf.reduce_mean(weights * loss)


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


def thin(output: Any, most: int = MOST) -> Any:
    """Keep evenly spaced cells.

    Parameters
    ----------
    output : tensor, shape (n, row, column, category) or (n, category)
        Probabilities of cells, or shares of chips.
    most : int
        Rows and columns at most.

    Returns
    -------
    tensor, shape (n, cell, category)
        A chip without cells is one cell.
    """
    if len(output.shape) == 4:
        step = -(-output.shape[1] // most)
        output = output[:, ::step, ::step]
    cells = 1 if len(output.shape) == 2 else output.shape[1] * output.shape[2]
    return tf.reshape(output, [-1, cells, output.shape[-1]])
