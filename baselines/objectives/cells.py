"""Cells of a network's output, few enough to keep and enough to stand for all of them."""

from __future__ import annotations

from typing import Any

from llpbench_baselines.backend import tf

MOST = 24
"""Rows and columns of cells: neighbouring pixels of larger outputs are nearly equal."""


def thin(output: Any, most: int = MOST) -> Any:
    """Keep evenly spaced cells.

    Parameters
    ----------
    output : tensor, shape (n, row, column, category) or (n, category)
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


def cross_entropy(cells: Any, labels: Any) -> Any:
    """Mean cross-entropy of cells and the probabilities they should have.

    Parameters
    ----------
    cells, labels : tensor, shape (..., category)

    Returns
    -------
    tensor, shape ()
    """
    logarithms = tf.math.log(cells + 1e-7)
    return -tf.reduce_mean(tf.reduce_sum(labels * logarithms, axis=-1))
