"""Targets of chips freed of what their division's other chips add to them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.data.batches.images import SIDE
from llpbench.data.hardness import intraclass_correlation
from llpbench_baselines.backend import load_backend
from llpbench_baselines.losses import squared_shares
from llpbench_baselines.objectives.objective import Network, Objective


@dataclass(frozen=True, eq=False)
class EasyLLP(Objective):
    r"""Squared errors against debiased targets.

    A division's proportions say little about one of its n chips. Were its chips drawn at random
    from all, the mean of :math:`n (p_c - \bar p) + \bar p` over the divisions that a chip could
    be in would be the chip's own shares. With squared errors the loss is, but for a constant,
    that of the published estimator, which weighs the losses of all classes by these targets; some
    are below 0 or above 1.

    References
    ----------
    Busa-Fekete et al., Easy learning from label proportions, NeurIPS 2023, arXiv 2302.03115,
    equation 3.
    """

    @cached_property
    def correlation(self) -> float:
        """How alike chips of a division are beyond chance."""
        return 0.0

    def targets(self, network: Network) -> tuple[NDArray[Any], ...]:
        """Debiased targets of chips; of one between divisions, their mix."""
        known, mean = self.known, self.known.mean
        factors = debiasing(known.counts, self.correlation)[:, np.newaxis]
        excess = np.nan_to_num(factors * (known.proportions - mean))
        return ((mean + known.overlaps @ excess).astype(np.float32),)

    def loss(self, output: Any, *targets: Any) -> Any:
        """Mean over chips."""
        tensorflow, _keras = load_backend()
        squared = squared_shares(self.known.class_weights)
        return tensorflow.reduce_mean(squared(output, *targets))


@dataclass(frozen=True, eq=False)
class CorrelatedEasyLLP(EasyLLP):
    """``easyllp`` for divisions whose chips are alike, as those of a landscape are.

    How alike is read off the mean colours of the chips, for want of their shares.
    """

    @cached_property
    def correlation(self) -> float:
        """Intraclass correlation of the chips' mean colours, averaged over bands."""
        sums = [part.sum(axis=(1, 2), dtype=np.uint32) for part in self.known.images.in_order()]
        colours = np.concatenate(sums) / (256 * SIDE**2)
        owner = self.known.overlaps.argmax(axis=1)
        return float(np.nanmean(intraclass_correlation(colours, owner)))


def debiasing(counts: NDArray[np.float64], correlation: float) -> NDArray[np.float64]:
    r"""Say by what a division's difference from the mean is to be multiplied.

    If chips of a division correlate by :math:`\rho`, regressing the division's mean on one
    of its n chips has the slope :math:`\rho + (1 - \rho) / n`; this is the inverse. It is n
    for chips drawn at random and :math:`1 / \rho` in large divisions.

    Parameters
    ----------
    counts : ndarray, shape (division,)
        Chips of each; not below 1 where it matters.
    correlation : float
        From 0 to 1; what is below 0 is taken for 0.

    Returns
    -------
    ndarray of float64, shape (division,)

    Examples
    --------
    >>> debiasing(np.array([4.0, 1e9]), 0.25).round(3)
    array([2.286, 4.   ])
    """
    alike = max(correlation, 0.0)
    return 1 / (alike + (1 - alike) / np.maximum(counts, 1))
