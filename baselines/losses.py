"""Losses of networks: from what a network says and what it should say to one number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llpbench_baselines.backend import load_backend

Loss: TypeAlias = Callable[[Any, Any], Any]
"""A network's output and the targets of a batch to the loss of each of its chips."""

SMALLEST_SHARE = 1e-7
"""What is added to a share before its logarithm is taken."""


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
    :math:`\sum_k w_k (f_{ik} - t_{ik})^2`.

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
        return tensorflow.reduce_sum(errors, axis=1)

    return loss


def share_cross_entropy(class_weights: NDArray[np.float32]) -> Loss:
    r"""Make the cross-entropy of shares, :math:`-\sum_k w_k t_{ik} \log f_{ik}`.

    Parameters
    ----------
    class_weights : ndarray of float32, shape (category,)

    Returns
    -------
    callable
        For targets of shape (n, category).

    References
    ----------
    Ardehaly and Culotta, Co-training for demographic classification using deep learning from
    label proportions, arXiv 1709.04108.
    """
    tensorflow, _keras = load_backend()

    def loss(output: Any, targets: Any) -> Any:
        terms = targets * tensorflow.math.log(chip_shares(output) + SMALLEST_SHARE)
        return -tensorflow.reduce_sum(class_weights * terms, axis=1)

    return loss


def divergence(class_weights: NDArray[np.float32]) -> Loss:
    r"""Make the Kullback-Leibler divergence of predicted shares from targets.

    :math:`\sum_k w_k t_{ik} \log (t_{ik} / f_{ik})`: the cross-entropy of
    shares, less what no prediction can avoid.

    Parameters
    ----------
    class_weights : ndarray of float32, shape (category,)

    Returns
    -------
    callable
        For targets of shape (n, category).
    """
    tensorflow, _keras = load_backend()
    cross_entropy = share_cross_entropy(class_weights)

    def loss(output: Any, targets: Any) -> Any:
        terms = class_weights * tensorflow.math.xlogy(targets, targets)
        entropy = -tensorflow.reduce_sum(terms, axis=1)
        return cross_entropy(output, targets) - entropy

    return loss


def super_resolution(class_weights: NDArray[np.float32], *, spread: float = 0.1) -> Loss:
    r"""Make the loss of label super-resolution: a Gaussian likelihood of class counts.

    With :math:`\mu` the mean and :math:`\sigma^2` the variance of a class's share, were each of a
    chip's cells drawn from its probabilities, :math:`\eta` the target and :math:`\rho` its
    standard deviation, :math:`\frac{1}{2} \left[ \frac{(\eta - \mu)^2}{\sigma^2 + \rho^2} +
    \log(\sigma^2 + \rho^2) \right]`. That :math:`\rho` is positive keeps it finite where a
    network is sure of every cell, and where it predicts shares alone.

    Parameters
    ----------
    class_weights : ndarray of float32, shape (category,)
    spread : float
        Standard deviation of chips' shares around the proportions of their division, positive.

    Returns
    -------
    callable
        For targets of shape (n, category).

    References
    ----------
    Malkin et al., Label super-resolution networks, ICLR 2019.
    """
    tensorflow, _keras = load_backend()

    def loss(output: Any, targets: Any) -> Any:
        cells = output.shape[1] * output.shape[2] if len(output.shape) == 4 else None
        variance = chip_shares(output * (1 - output)) / cells if cells else 0.0
        total = variance + spread**2
        terms = (targets - chip_shares(output)) ** 2 / total + tensorflow.math.log(total)
        return tensorflow.reduce_sum(class_weights * terms / 2, axis=1)

    return loss


def pixel_cross_entropy(categories: int) -> Loss:
    """Make the cross-entropy of pixels; a cell that stands for several has the mean of theirs.

    Every labelled pixel of a batch counts alike, whatever chip it is of.

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
        terms = counts * tensorflow.math.log(output + SMALLEST_SHARE)
        labelled = tensorflow.reduce_sum(counts, axis=(1, 2, 3))
        entropies = -tensorflow.reduce_sum(terms, axis=(1, 2, 3))
        return entropies / tensorflow.maximum(tensorflow.reduce_mean(labelled), SMALLEST_SHARE)

    return loss


SHARE_LOSSES: dict[str, Callable[[NDArray[np.float32]], Loss]] = {
    "squared": squared_shares,
    "cross-entropy": share_cross_entropy,
    "divergence": divergence,
    "super-resolution": super_resolution,
}
"""Losses of shares, by the name that methods take, each made from the class weights."""

PIXEL_LOSSES: dict[str, Callable[[NDArray[np.float32]], Loss]] = {
    "pixel-cross-entropy": lambda class_weights: pixel_cross_entropy(len(class_weights)),
}
"""Losses of pixels, likewise."""
