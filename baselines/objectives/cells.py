"""Some cells of a network's output, enough to stand for all of them."""

from __future__ import annotations

from typing import Any

from llpbench_baselines.backend import load_backend

MOST = 24
"""Rows and columns of cells: neighbouring pixels of larger outputs say the same."""


def thin(output: Any, most: int = MOST) -> Any:
    """Leave evenly spaced cells.

    Parameters
    ----------
    output : tensor, shape (n, row, column, category) or (n, category)
    most : int
        Rows and columns that may be left.

    Returns
    -------
    tensor, shape (n, cell, category)
        A chip without cells is one cell.
    """
    tensorflow, _keras = load_backend()
    if len(output.shape) == 4:
        step = -(-output.shape[1] // most)
        output = output[:, ::step, ::step]
    cells = 1 if len(output.shape) == 2 else output.shape[1] * output.shape[2]
    return tensorflow.reshape(output, [-1, cells, output.shape[-1]])


def cross_entropy(cells: Any, labels: Any) -> Any:
    """Mean cross-entropy of cells and the probabilities they should have.

    Parameters
    ----------
    cells, labels : tensor, shape (..., category)

    Returns
    -------
    tensor, shape ()
    """
    tensorflow, _keras = load_backend()
    logarithms = tensorflow.math.log(cells + 1e-7)
    return -tensorflow.reduce_mean(tensorflow.reduce_sum(labels * logarithms, axis=-1))
