"""Neighbouring cells mostly belong to the same class: probabilities made to agree nearby."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench_baselines.backend import tf

_BLOCK = 128


def smooth(
    probabilities: NDArray[np.floating],
    *,
    coupling: float,
    window: int = 5,
    iterations: int = 5,
) -> NDArray[np.float32]:
    r"""Class probabilities of cells that also listen to the cells around them.

    The mean-field approximation of a Potts model whose cells have the given probabilities
    :math:`s` on their own,

    .. math:: q_{uk} \propto s_{uk} \exp(J \bar q_{uk}),

    where :math:`\bar q_u` is the mean over the window around cell u (Wainwright and Jordan,
    Graphical models, exponential families and variational inference, 2008, section 5.3; the
    window instead of four neighbours as in Krähenbühl and Koltun, NIPS 2011).

    Parameters
    ----------
    probabilities : ndarray, shape (chip, row, column, category)
        From 0 to 1; each cell's sum to 1.
    coupling : float
        :math:`J`: 0 leaves all as it is.
    window : int
        Side of the window in cells, odd; at the edge, of what lies inside.
    iterations : int
        Rounds of the fixed-point equation.

    Returns
    -------
    ndarray of float32, shape (chip, row, column, category)
        From 0 to 1; each cell's sum to 1.

    Examples
    --------
    One cell in the middle of others is drawn towards them:

    >>> row = np.array([0.9, 0.9, 0.4, 0.9, 0.9])
    >>> cells = np.stack([row, 1 - row], axis=-1)[np.newaxis, np.newaxis]
    >>> bool(smooth(cells, coupling=1.5)[0, 0, 2, 0] > 0.5)
    True
    """
    settle = _graph(coupling, window, iterations)
    blocks = [
        settle(tf.cast(probabilities[start : start + _BLOCK], tf.float32)).numpy()
        for start in range(0, len(probabilities), _BLOCK)
    ]
    return np.concatenate(blocks)


@lru_cache(maxsize=8)
def _graph(coupling: float, window: int, iterations: int) -> Callable[..., Any]:
    """The fixed-point iteration, compiled once."""

    def settle(alone: Any) -> Any:
        logits = tf.math.log(alone + 1e-6)
        together = alone
        for _ in range(iterations):
            nearby = tf.nn.avg_pool2d(together, window, 1, "SAME")
            together = tf.nn.softmax(logits + coupling * nearby)
        return together

    cells = tf.TensorSpec([None, None, None, None], tf.float32)
    graph: Callable[..., Any] = tf.function(settle, [cells], autograph=False)
    return graph
