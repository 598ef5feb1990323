"""Objectives by which a network teaches itself the classes of cells, after a start with bags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from llpbench_baselines.backend import tf
from llpbench_baselines.objectives.bags import DLLP, thin
from llpbench_baselines.objectives.objective import Network, Objective
from llpbench_baselines.raking import rake_cells
from llpbench_baselines.split_data import SplitData

_ROUNDS = 30


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


@dataclass(eq=False, kw_only=True)
class ROT(WarmBags):
    r"""Cross-entropy of cells and the labels that transport classes to them at least cost.

    With the probabilities s of a bag's N cells and proportions p, the labels are N times

    .. math:: T = \arg\min_{T 1 = 1 / N} \langle T, -\log s \rangle - \varepsilon H(T)
              + \tau \, \mathrm{KL}(T^\top 1 \Vert p)

    found by Sinkhorn's iterations on :math:`T_{uk} \propto s_{uk}^{1 / \varepsilon} b_k`, each
    of which moves b to :math:`(p_k / \sum_u a_u s_{uk}^{1 / \varepsilon})^{\tau / (\tau +
    \varepsilon)}`. They are taken as given while the network learns from them.

    Parameters
    ----------
    temperature : float
        :math:`\varepsilon`: labels are harder than probabilities below 1.
    relaxation : float
        :math:`\tau`: how strictly the labels of a bag make up its proportions.
    warm_start, loss, bag_size
        See :class:`~llpbench_baselines.objectives.self_training.WarmBags`.

    References
    ----------
    Dulac-Arnold et al., Deep multi-class learning from label proportions, arXiv 1905.12909.
    The iterations: Chizat et al., Scaling algorithms for unbalanced optimal transport
    problems, Mathematics of Computation 2018, arXiv 1607.05816.
    """

    temperature: float = 1.0
    relaxation: float = 10.0

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        **WarmBags.ranges,
        "temperature": (0.01, 100.0),
        "relaxation": (0.01, 1e6),
    }

    def compute_loss(self, data: SplitData, output: Any, *targets: Any) -> Any:
        """Mean over cells."""
        bags = self.cells(output)
        labels = transport(bags, targets[0], self.temperature, self.relaxation)
        return cross_entropy(bags, tf.stop_gradient(labels))


def transport(cells: Any, proportions: Any, temperature: float, relaxation: float) -> Any:
    """Label the cells of bags.

    Parameters
    ----------
    cells : tensor, shape (bag, cell, category)
        Probabilities.
    proportions : tensor, shape (bag, category)
        Known, from 0 to 1; each bag's sum to 1.
    temperature, relaxation : float
        Positive.

    Returns
    -------
    tensor, shape (bag, cell, category)
        Each cell's sum to 1.
    """
    kernel = tf.nn.softmax(tf.math.log(cells + 1e-7) / temperature)
    demanded = proportions[..., tf.newaxis] + 1e-7
    count = tf.cast(tf.shape(cells)[1], cells.dtype)
    factors = tf.ones_like(demanded)
    for _ in range(_ROUNDS):
        rows = tf.matmul(kernel, factors)
        columns = tf.matmul(kernel, 1 / rows, transpose_a=True) / count
        factors = (demanded / (columns + 1e-30)) ** (relaxation / (relaxation + temperature))
    plan = kernel * tf.linalg.matrix_transpose(factors)
    return plan / tf.reduce_sum(plan, axis=2, keepdims=True)


@dataclass(eq=False, kw_only=True)
class SinkhornEM(WarmBags):
    """Cross-entropy of cells and their own probabilities, raked to what divisions hold.

    Before every epoch the probabilities of all training cells are raked, until the mean of each
    division is its proportions (the expectation step); an epoch of cross-entropy on them is the
    maximisation step. They are stored in half precision, of at most 24 x 24 cells a chip.

    Parameters
    ----------
    warm_start, loss, bag_size
        See :class:`~llpbench_baselines.objectives.self_training.WarmBags`.

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


def cross_entropy(cells: Any, labels: Any) -> Any:
    """Mean cross-entropy of cells and the probabilities they should have.

    Parameters
    ----------
    cells, labels : tensor, shape (..., category)
        Probabilities from 0 to 1; each cell's sum to 1.

    Returns
    -------
    tensor, shape ()
        In nats.
    """
    logarithms = tf.math.log(cells + 1e-7)
    return -tf.reduce_mean(tf.reduce_sum(labels * logarithms, axis=-1))
