"""Losses of networks: from what a network says and what it should say to one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llpbench_baselines.backend import load_backend

Loss: TypeAlias = Callable[[Any, Any], Any]
"""A network's output and the targets of a batch to the mean loss of its chips."""


def chip_shares(output: Any) -> Any:
    """Give the class shares of chips: the mean probabilities of their pixels.

    Parameters
    ----------
    output : tensor, shape (n, row, column, category) or (n, category)
        Probabilities of pixels, or already shares.

    Returns
    -------
    tensor, shape (n, category)
    """
    tensorflow, _keras = load_backend()
    return tensorflow.reduce_mean(output, axis=list(range(1, len(output.shape) - 1)))


def squared_shares(class_weights: NDArray[np.float32]) -> Loss:
    r"""Make the paper's loss: weighted squared errors of shares.

    With :math:`f_i` the shares of a chip, :math:`t_i` its target and class weights w,
    :math:`\frac{1}{n} \sum_i \sum_k w_k (f_{ik} - t_{ik})^2`.

    Parameters
    ----------
    class_weights : ndarray of float32, shape (category,)

    Returns
    -------
    callable
        For targets of shape (n, category).

    References
    ----------
    Ramos-Pollán and González, arXiv 2306.12461.
    """
    tensorflow, _keras = load_backend()

    def loss(output: Any, targets: Any) -> Any:
        errors = class_weights * (chip_shares(output) - targets) ** 2
        return tensorflow.reduce_mean(tensorflow.reduce_sum(errors, axis=1))

    return loss


def pixel_cross_entropy(categories: int) -> Loss:
    """Make the cross-entropy of pixels; a cell that stands for several has the mean of theirs.

    Parameters
    ----------
    categories : int
        Number of class groups.

    Returns
    -------
    callable
        For targets of uint8, shape (n, 96, 96): class numbers, 255 where there is none.
    """
    tensorflow, _keras = load_backend()

    def loss(output: Any, labels: Any) -> Any:
        known = tensorflow.one_hot(labels, categories)
        cell = labels.shape[1] // output.shape[1]
        counts = tensorflow.nn.avg_pool2d(known, cell, cell, "VALID")
        entropies = -tensorflow.reduce_sum(counts * tensorflow.math.log(output + 1e-7))
        return entropies / tensorflow.maximum(tensorflow.reduce_sum(counts), 1)

    return loss
