"""Objectives of the field: bags, and what else is asked of the cells in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from llpbench_baselines.backend import keras, tf
from llpbench_baselines.losses import SMALLEST_SHARE
from llpbench_baselines.objectives.bags import DLLP, BagObjective
from llpbench_baselines.objectives.counts import count_log_likelihood
from llpbench_baselines.split_data import SplitData

_CONTINUOUS = ("moments_scale", "scale")
"""Layers after which what a network sees is a number that can be disturbed."""


@dataclass(eq=False, kw_only=True)
class L2PAHIL(DLLP):
    r"""``dllp``, and cross-entropy with hard labels of cells, each weighted by two entropies.

    A cell u of a bag of N has the label :math:`k = \arg\max_j s_{uj}` and the weight

    .. math:: \lambda_u = \exp\left(-\frac{H_u^2}{\beta}\right)
              \exp\left(-\frac{(H_k - \log (N p_k))^2}{\beta}\right)

    with :math:`H_u` the entropy of :math:`s_u` and :math:`H_k` that of :math:`s_{uk} / \sum_v
    s_{vk}` over the cells of the bag. Were :math:`s` the true labels, the first would be 0, and the
    second the logarithm of the number of cells of class k: both factors are 1 where the network is
    as sure as the truth, and the second is nearly 0 for a class that the bag does not hold.
    Weights and labels are taken as given while the network learns from them. (The publication
    learns from a strongly augmented view of each instance; here there is one view.)

    Parameters
    ----------
    trust : float
        What the cross-entropy counts beside the loss of bags.
    width : float
        :math:`\beta`, positive, in squared nats.
    loss, bag_size
        Of :class:`~llpbench_baselines.objectives.bags.DLLP`.

    References
    ----------
    Ma et al., Forming auxiliary high-confident instance-level loss to promote learning from label
    proportions, arXiv 2411.10364. The weights are those of the authors' published program.
    """

    trust: float = 0.5
    width: float = 5.0
    loss: str = "divergence"

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        "trust": (0.0, 100.0),
        "width": (1e-3, 1e6),
    }

    def compute_loss(self, data: SplitData, output: Any, *targets: Any) -> Any:
        """Mean over bags, and over cells."""
        cells = self.cells(output)
        labels = tf.one_hot(tf.argmax(cells, axis=2), cells.shape[2])
        weights = tf.stop_gradient(dual_entropy_weights(cells, labels, targets[0], self.width))
        entropies = -tf.reduce_sum(labels * tf.math.log(cells + SMALLEST_SHARE), axis=2)
        auxiliary = tf.reduce_mean(weights * entropies)
        return super().compute_loss(data, output, *targets) + self.trust * auxiliary


def dual_entropy_weights(cells: Any, labels: Any, proportions: Any, width: float) -> Any:
    """Weigh the labels of the cells of bags by two entropies, see :class:`L2PAHIL`.

    Parameters
    ----------
    cells, labels : tensor, shape (bag, cell, category)
        Probabilities, and ones where the label is.
    proportions : tensor, shape (bag, category)
        Known.
    width : float
        Positive, in squared nats.

    Returns
    -------
    tensor, shape (bag, cell)
        From 0 to 1.
    """
    count = tf.cast(tf.shape(cells)[1], cells.dtype)
    sums = tf.reduce_sum(cells, axis=1, keepdims=True) + SMALLEST_SHARE
    of_cells = -tf.reduce_sum(tf.math.xlogy(cells, cells), axis=2)
    of_classes = -tf.reduce_sum(tf.math.xlogy(cells / sums, cells / sums), axis=1)
    surprise = of_classes - tf.math.log(count * proportions + SMALLEST_SHARE)
    trusted = tf.reduce_sum(labels * tf.exp(-(surprise**2) / width)[:, tf.newaxis], axis=2)
    return tf.exp(-(of_cells**2) / width) * trusted


@dataclass(eq=False, kw_only=True)
class LLPVAT(DLLP):
    r"""``dllp``, and the divergence of what a network says of cells disturbed where it hurts most.

    With z what the network sees of a chip, standardised, :math:`\mathrm{KL}(f(z) \Vert f(z + r))`,
    mean over cells. For small r the divergence is :math:`\frac{1}{2} r^\top H r`, so its gradient
    at a small random :math:`\xi d` is :math:`\xi H d`: a step of power iteration towards the
    eigenvector of the greatest eigenvalue, the direction of r. Directions are drawn anew each
    step, by seed and number of the step.

    Parameters
    ----------
    consistency : float
        What the divergence counts beside the loss of bags.
    reach : float
        Root mean square of r over the numbers of a chip, in their standard deviations.
    loss, bag_size
        Of :class:`~llpbench_baselines.objectives.bags.DLLP`.

    References
    ----------
    Tsai and Lin, Learning from label proportions with consistency regularization, ACML 2020,
    arXiv 1910.13188. The direction: Miyato et al., Virtual adversarial training, PAMI 41(8),
    2019, arXiv 1704.03976, section 3.3.
    """

    consistency: float = 0.05
    reach: float = 0.1
    loss: str = "divergence"

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        "consistency": (0.0, 100.0),
        "reach": (1e-4, 10.0),
    }

    def penalise(self, model: Any, images: Any, seed: Any) -> Any:
        """Mean over cells, for the network as it is beyond the first layers, without dropout."""
        names = {layer.name for layer in model.layers}
        seen = model.get_layer(next(name for name in _CONTINUOUS if name in names)).output
        numbers = keras.Model(model.input, seen)(images)
        network = keras.Model(seen, model.output)
        here = tf.stop_gradient(network(numbers))
        ahead = adversary(network, numbers, here, self.reach, seed)
        return self.consistency * divergence_of_cells(here, network(numbers + ahead))


def divergence_of_cells(here: Any, there: Any) -> Any:
    """Mean Kullback-Leibler divergence of probabilities (..., category), in nats."""
    terms = tf.math.xlogy(here, here) - here * tf.math.log(there + SMALLEST_SHARE)
    return tf.reduce_mean(tf.reduce_sum(terms, axis=-1))


def adversary(network: Any, numbers: Any, here: Any, reach: float, seed: Any) -> Any:
    """Find the direction in which a network changes most, by one step of power iteration.

    Parameters
    ----------
    network : callable
        From numbers to probabilities.
    numbers : tensor, shape (n, ...)
        What it sees of chips.
    here : tensor, shape (n, ..., category)
        Its probabilities there.
    reach : float
        Root mean square of the result over a chip, positive.
    seed : tensor of int, shape (2,)
        Of the first direction.

    Returns
    -------
    tensor, shape (n, ...)
        To be added to the numbers; no gradients pass it.
    """
    axes = list(range(1, len(numbers.shape)))

    def scaled(direction: Any) -> Any:
        square = tf.reduce_mean(direction**2, axis=axes, keepdims=True)
        return reach * direction * tf.math.rsqrt(square + 1e-30)

    first = scaled(tf.random.stateless_normal(tf.shape(numbers), seed))
    with tf.GradientTape() as tape:
        tape.watch(first)
        divergence = divergence_of_cells(here, network(numbers + first))
    return tf.stop_gradient(scaled(tape.gradient(divergence, first)))


@dataclass(eq=False, kw_only=True)
class MixBag(DLLP):
    r"""``dllp``, and bags mixed of the halves of two, whose shares are known within an interval.

    The first n chips of a bag and the last n of the next one make a bag whose expected share of a
    class is :math:`\frac{1}{2} (p + p')`. Were each chip drawn from its division and of one class
    alone, the variance of its share would be :math:`\frac{1}{4 n} (p (1 - p) + p' (1 - p'))`, an
    upper bound for chips of several classes. Where a predicted share lies within so many standard
    deviations as the confidence says of a Gaussian, it is taken to be the expected one: it has no
    loss. (A reimplementation of others adds the half-widths of the two bags, not their variances.)

    Parameters
    ----------
    confidence : float
        Of the interval, from 0 to 1.
    loss, bag_size
        Of :class:`~llpbench_baselines.objectives.bags.DLLP`.

    References
    ----------
    Asanomi et al., MixBag: bag-level data augmentation for learning from label proportions,
    ICCV 2023, arXiv 2308.08822.
    """

    confidence: float = 0.5
    loss: str = "divergence"

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {"confidence": (0.0, 0.9999)}

    def compute_loss(self, data: SplitData, output: Any, *targets: Any) -> Any:
        """Mean over bags, and over mixed bags."""
        chips = self.chips(output)
        half = max(1, self.bag_size // 2)
        first, last = chips[:, :half], tf.roll(chips, -1, axis=0)[:, -half:]
        mixed = (tf.reduce_mean(first, axis=1) + tf.reduce_mean(last, axis=1)) / 2
        other = tf.roll(targets[0], -1, axis=0)
        expected, reach = mixed_interval(targets[0], other, half, self.confidence)
        outside = tf.abs(mixed - expected) > reach
        taken = tf.where(outside, mixed, expected)
        extra = self.losses[self.loss](taken, expected, data.loss_weights)
        return super().compute_loss(data, output, *targets) + tf.reduce_mean(extra)


def mixed_interval(first: Any, second: Any, chips: int, confidence: float) -> tuple[Any, Any]:
    """Compute the shares of mixed bags, and how far they may be from them, see :class:`MixBag`.

    Parameters
    ----------
    first, second : tensor, shape (bag, category)
        Proportions of the two divisions.
    chips : int
        Of each.
    confidence : float
        Of the interval, from 0 to 1.

    Returns
    -------
    expected, reach : tensor, shape (bag, category)
        Middle and half-width.
    """
    from scipy.stats import norm

    variance = (first * (1 - first) + second * (1 - second)) / (4 * chips)
    deviations = np.float32(norm.ppf((1 + confidence) / 2))
    return (first + second) / 2, deviations * tf.sqrt(tf.maximum(variance, 0))


@dataclass(eq=False, kw_only=True)
class LLPPVC(BagObjective):
    r"""The likelihood of how many cells of each class a bag holds.

    With the class of each of N cells drawn from its probabilities, the number of those of class k
    is Poisson-binomial; :math:`-\frac{1}{N} \sum_k w_k \log P(\#_k = N p_k)`, with class weights w,
    see :func:`~llpbench_baselines.objectives.counts.count_log_likelihood`. The proportions are
    taken for those of the bag, not of its division alone.

    Parameters
    ----------
    bag_size : int
        See :class:`~llpbench_baselines.objectives.bags.BagObjective`.

    References
    ----------
    After Learning from label proportions via proportional value classification, ICLR 2026,
    openreview.net/forum?id=JkFBc9anLi, which multiplies polynomials of single instances for the
    same probabilities.
    """

    def compute_loss(self, data: SplitData, output: Any, *targets: Any) -> Any:
        """Mean over bags, per cell."""
        cells = self.cells(output)
        likelihood = count_log_likelihood(cells, targets[0])
        terms = tf.reduce_sum(data.loss_weights * likelihood, axis=1)
        return -tf.reduce_mean(terms) / cells.shape[1]
