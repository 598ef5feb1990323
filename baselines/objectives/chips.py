"""Objectives on single chips: the paper's targets, labels of pixels, and debiased targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from llpbench.data.hardness import intraclass_correlation
from llpbench.protocol import WINDOW_SIDE
from llpbench_baselines.backend import tf
from llpbench_baselines.losses import PIXEL_LOSSES, Loss, squared_shares
from llpbench_baselines.objectives.objective import Network, Objective
from llpbench_baselines.split_data import SplitData


@dataclass(eq=False, kw_only=True)
class Broadcast(Objective):
    r"""Each chip's own target.

    With squared errors this is the loss of bags plus the variance within them,
    :math:`\frac{1}{n} \sum_i \lVert f_i - p \rVert^2 = \lVert \bar f - p \rVert^2 +
    \frac{1}{n} \sum_i \lVert f_i - \bar f \rVert^2`, so it makes chips of a division alike
    (Javanmard et al., Learning from aggregate responses, ICLR 2024, arXiv 2401.11081).

    Parameters
    ----------
    loss : {"squared", "cross-entropy", "divergence", "super-resolution"}
        Of the shares of chips, see :mod:`llpbench_baselines.losses`.
    """

    loss: str = "squared"

    def targets(self, data: SplitData, network: Network) -> tuple[NDArray[Any], ...]:
        """Targets of chips."""
        return (data.targets,)

    def compute_loss(self, data: SplitData, output: Any, *targets: Any) -> Any:
        """Mean over chips."""
        loss = self.losses[self.loss](output, targets[0], data.loss_weights)
        return tf.reduce_mean(loss)


@dataclass(eq=False, kw_only=True)
class LabelledPixels(Broadcast):
    """The label of each pixel.

    Parameters
    ----------
    loss : {"pixel-cross-entropy"}
        All pixels count alike.
    """

    loss: str = "pixel-cross-entropy"

    losses: ClassVar[Mapping[str, Loss]] = PIXEL_LOSSES


@dataclass(eq=False, kw_only=True)
class EasyLLP(Objective):
    r"""Squared errors against debiased targets.

    A division's proportions say little about one of its n chips. Were its chips drawn at random
    from all, the mean of :math:`n (p_c - \bar p) + \bar p` over the divisions that a chip could
    be in would be the chip's own shares. With squared errors the loss is, but for a constant,
    that of the published estimator, which weighs the losses of all classes by these targets; some
    are below 0 or above 1.

    References
    ----------
    Busa-Fekete et al., Easy learning from label proportions, NeurIPS 2023, arXiv 2302.03115.
    """

    def correlation(self, _data: SplitData) -> float:
        """How alike chips of a division are beyond chance."""
        return 0.0

    def targets(self, data: SplitData, network: Network) -> tuple[NDArray[Any], ...]:
        """Debiased targets of chips; of one between divisions, their mix."""
        divisions, mean = data.divisions, data.divisions.mean_proportions
        factors = debiasing(divisions.counts, self.correlation(data))[:, np.newaxis]
        excess = np.nan_to_num(factors * (divisions.proportions - mean))
        return ((mean + divisions.chip_weights @ excess).astype(np.float32),)

    def compute_loss(self, data: SplitData, output: Any, *targets: Any) -> Any:
        """Mean over chips."""
        return tf.reduce_mean(squared_shares(output, targets[0], data.loss_weights))


@dataclass(eq=False, kw_only=True)
class CorrelatedEasyLLP(EasyLLP):
    """``easyllp`` for divisions whose chips are alike, as those of a landscape are.

    How alike is read off the mean colours of the chips, for want of their shares.
    """

    def correlation(self, data: SplitData) -> float:
        """Intraclass correlation of the chips' mean colours, averaged over bands."""
        colours = np.concatenate([_mean_colours(part, data) for part in data.images.in_order()])
        colours = np.where(np.isfinite(colours), colours, np.nanmean(colours, axis=0))
        owner = data.divisions.chip_weights.argmax(axis=1)
        return float(np.nanmean(intraclass_correlation(colours, owner)))


def _mean_colours(images: NDArray[Any], data: SplitData) -> NDArray[np.float64]:
    """Mean of each band of chips, (n, band), NaN where all of it is missing."""
    if images.dtype == np.uint8:
        sums: NDArray[np.uint32] = images.sum(axis=(1, 2), dtype=np.uint32)
        return sums / (256 * WINDOW_SIDE**2)
    values = data.images.coding.decode(images)
    known = np.isfinite(values)
    count = known.sum(axis=(1, 2))
    total = np.where(known, values, 0).sum(axis=(1, 2), dtype=np.float64)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def debiasing(counts: NDArray[np.float64], correlation: float) -> NDArray[np.float64]:
    r"""Compute the factor of each division's difference from the mean.

    If chips of a division correlate by :math:`\rho`, regressing the division's mean on one
    of its n chips has the slope :math:`\rho + (1 - \rho) / n`; this is the inverse. It is n
    for chips drawn at random and :math:`1 / \rho` in large divisions.

    Parameters
    ----------
    counts : ndarray, shape (division,)
        Chips of each; below 1 is taken for 1.
    correlation : float
        From 0 to 1; below 0 is taken for 0.

    Returns
    -------
    ndarray of float64, shape (division,)
        At least 1.

    Examples
    --------
    >>> debiasing(np.array([4.0, 1e9]), 0.25).round(3)
    array([2.286, 4.   ])
    """
    alike = max(correlation, 0.0)
    return 1 / (alike + (1 - alike) / np.maximum(counts, 1))
