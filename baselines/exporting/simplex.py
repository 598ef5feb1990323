"""The nearest point of the probability simplex, as a graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from llpbench_baselines.backend import tf


def project_to_simplex_graph(values: Any) -> Any:
    r"""As :func:`~llpbench.uncertainty.simplex.project_to_simplex` does, of a tensor (1, category).

    With the values in descending order :math:`u_1, u_2, \dots`, the common shift is the largest
    :math:`(u_1 + \dots + u_k - 1) / k` over k: this grows as long as :math:`u_{k + 1}` exceeds
    it, which is the condition of Duchi et al. (Efficient projections onto the l1-ball, ICML 2008,
    figure 1), and falls from then on.
    """
    count = values.shape[1]
    sums = tf.cumsum(tf.math.top_k(values, count).values, axis=1)
    shifts = (sums - 1) * (1 / np.arange(1, count + 1, dtype=np.float32))
    return tf.nn.relu(values - tf.reduce_max(shifts, axis=1, keepdims=True))
