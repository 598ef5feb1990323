"""Losses of networks: from a network's output and what it should be to one number a chip."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from llpbench_baselines.backend import tf

Loss: TypeAlias = Callable[[Any, Any, NDArray[np.float32]], Any]
"""Of a network's output, the targets of a batch and class weights; the loss of each chip."""

SMALLEST_SHARE = 1e-7
"""What is added to a share before its logarithm is taken."""


def chip_shares(output: Any) -> Any:
    """Class shares of chips, (n, category): mean probabilities of pixels, or shares as they are."""
    return tf.reduce_mean(output, axis=list(range(1, len(output.shape) - 1)))


def squared_shares(output: Any, targets: Any, class_weights: NDArray[np.float32]) -> Any:
    r"""Compute the paper's loss: weighted squared errors of shares.

    With :math:`f_i` the shares of a chip, :math:`t_i` its target and class weights w,
    :math:`\sum_k w_k (f_{ik} - t_{ik})^2`.

    Parameters
    ----------
    output : tensor, shape (n, row, column, category) or (n, category)
        Probabilities of pixels, or already shares.
    targets : tensor, shape (n, category)
        Shares that chips should have; debiased ones may be below 0 or above 1.
    class_weights : ndarray of float32, shape (category,)
        What each class counts, not negative.

    Returns
    -------
    tensor, shape (n,)
        The loss of each chip.

    References
    ----------
    Ramos-Pollán and González, arXiv 2306.12461.
    """
    errors = class_weights * (chip_shares(output) - targets) ** 2
    return tf.reduce_sum(errors, axis=1)


def share_cross_entropy(output: Any, targets: Any, class_weights: NDArray[np.float32]) -> Any:
    r"""Compute the cross-entropy of shares.

    .. math:: \sum_k w_k \left( f_{ik} - t_{ik} - t_{ik} \log f_{ik} \right)

    With the same weight for all classes the first two terms cancel. With others the logarithms
    alone would be least where :math:`f_{ik}` is in proportion to :math:`w_k t_{ik}`; all three
    together are least at the targets, also where shares do not sum to 1.

    Parameters and result are those of :func:`squared_shares`.

    References
    ----------
    Ardehaly and Culotta, Co-training for demographic classification using deep learning from
    label proportions, arXiv 1709.04108, without class weights.
    """
    shares = chip_shares(output)
    terms = shares - targets - targets * tf.math.log(shares + SMALLEST_SHARE)
    return tf.reduce_sum(class_weights * terms, axis=1)


def divergence(output: Any, targets: Any, class_weights: NDArray[np.float32]) -> Any:
    r"""Compute the divergence of predicted shares from targets.

    :math:`\sum_k w_k \left( t_{ik} \log (t_{ik} / f_{ik}) + f_{ik} - t_{ik} \right)`: the
    cross-entropy of shares, less what no prediction can avoid. It is never negative, Kullback's and
    Leibler's where classes have the same weight, and else Csiszár's I-divergence (Annals of
    Statistics 19(4), 1991), weighted. Parameters and result are those of :func:`squared_shares`.
    """
    terms = class_weights * tf.math.xlogy(targets, targets)
    entropy = -tf.reduce_sum(terms, axis=1)
    return share_cross_entropy(output, targets, class_weights) - entropy


def super_resolution(
    output: Any, targets: Any, class_weights: NDArray[np.float32], *, spread: float = 0.1
) -> Any:
    r"""Compute the loss of label super-resolution: a Gaussian likelihood of class counts.

    With :math:`\mu` the mean and :math:`\sigma^2` the variance of a class's share, were each of a
    chip's cells drawn from its probabilities, :math:`\eta` the target and :math:`\rho` its
    standard deviation, :math:`\frac{1}{2} \left[ \frac{(\eta - \mu)^2}{\sigma^2 + \rho^2} +
    \log(\sigma^2 + \rho^2) \right]`. That :math:`\rho` is positive keeps it finite where a
    network is sure of every cell, and where it predicts shares alone.

    Parameters
    ----------
    output, targets, class_weights
        As for :func:`squared_shares`.
    spread : float
        Standard deviation of chips' shares around the proportions of their division, positive.

    References
    ----------
    Malkin et al., Label super-resolution networks, ICLR 2019.
    """
    cells = output.shape[1] * output.shape[2] if len(output.shape) == 4 else None
    variance = chip_shares(output * (1 - output)) / cells if cells else 0.0
    total = variance + spread**2
    terms = (targets - chip_shares(output)) ** 2 / total + tf.math.log(total)
    return tf.reduce_sum(class_weights * terms / 2, axis=1)


def pixel_cross_entropy(output: Any, labels: Any, _class_weights: NDArray[np.float32]) -> Any:
    """Compute the cross-entropy of pixels; a cell of several has the mean of theirs.

    Every labelled pixel of a batch counts alike, whatever chip and class it is of.

    Parameters
    ----------
    output : tensor, shape (n, row, column, category)
        Probabilities of cells, from 0 to 1; rows and columns divide 96.
    labels : tensor of uint8, shape (n, 96, 96)
        Class numbers, 255 where there is none.

    Returns
    -------
    tensor, shape (n,)
        Of each chip; their mean is that over all labelled pixels, in nats.
    """
    known = tf.one_hot(labels, output.shape[-1])
    cell = labels.shape[1] // output.shape[1]
    counts = tf.nn.avg_pool2d(known, cell, cell, "VALID")
    terms = counts * tf.math.log(output + SMALLEST_SHARE)
    labelled = tf.reduce_sum(counts, axis=(1, 2, 3))
    entropies = -tf.reduce_sum(terms, axis=(1, 2, 3))
    return entropies / tf.maximum(tf.reduce_mean(labelled), SMALLEST_SHARE)


SHARE_LOSSES: Mapping[str, Loss] = {
    "squared": squared_shares,
    "cross-entropy": share_cross_entropy,
    "divergence": divergence,
    "super-resolution": super_resolution,
}
"""Losses of shares, by the name that objectives take."""

PIXEL_LOSSES: Mapping[str, Loss] = {"pixel-cross-entropy": pixel_cross_entropy}
"""Losses of pixels, likewise."""
