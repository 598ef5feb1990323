"""Relaxed optimal transport: bags label their own cells, near what they know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from llpbench_baselines.backend import tf
from llpbench_baselines.objectives.bags import WarmBags
from llpbench_baselines.objectives.cells import cross_entropy, thin
from llpbench_baselines.split_data import SplitData

_ROUNDS = 30


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
        See :class:`~llpbench_baselines.objectives.bags.WarmBags`.

    References
    ----------
    Dulac-Arnold et al., Deep multi-class learning from label proportions, arXiv 1905.12909,
    section 3. The iterations: Chizat et al., Scaling algorithms for unbalanced optimal transport
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
        cells = thin(output)
        bags = tf.reshape(cells, [-1, self.bag_size * cells.shape[1], cells.shape[2]])
        labels = transport(bags, targets[0], self.temperature, self.relaxation)
        return cross_entropy(bags, tf.stop_gradient(labels))


def transport(cells: Any, proportions: Any, temperature: float, relaxation: float) -> Any:
    """Label the cells of bags.

    Parameters
    ----------
    cells : tensor, shape (bag, cell, category)
        Probabilities.
    proportions : tensor, shape (bag, category)
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
