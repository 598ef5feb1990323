"""Bounds for every method: what the paper's small network learns from labels it would not have."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.protocol import scored_labels
from llpbench_baselines.downconv import DownConv
from llpbench_baselines.losses import PIXEL_LOSSES


class ChipSupervised(DownConv):
    """``downconv`` trained on each chip's own shares: a bound, outside any ranking.

    Parameters
    ----------
    **parameters
        See :class:`~llpbench_baselines.downconv.DownConv`.
    """

    supervision: ClassVar[str] = "chip"
    is_reference: ClassVar[bool] = True
    source = "the network of Ramos-Pollán and González, arXiv 2306.12461, with labels of chips"

    def targets(self, ds: xr.Dataset) -> NDArray[np.float32]:
        """Take the shares counted on each chip's label."""
        shares: NDArray[np.float32] = ds["chip_proportions"].to_numpy()
        return shares


class PixelSupervised(DownConv):
    """``downconv`` trained on the class of each pixel: a bound, outside any ranking.

    Parameters
    ----------
    loss : {"pixel-cross-entropy"}
        All pixels count alike.
    **parameters
        See :class:`~llpbench_baselines.downconv.DownConv`.
    """

    supervision: ClassVar[str] = "pixel"
    is_reference: ClassVar[bool] = True
    source = "the network of Ramos-Pollán and González, arXiv 2306.12461, with labels of pixels"
    losses = PIXEL_LOSSES

    def __init__(self, *, loss: str = "pixel-cross-entropy", **parameters: Any) -> None:
        super().__init__(loss=loss, **parameters)

    def targets(self, ds: xr.Dataset) -> NDArray[np.uint8]:
        """Take the labels of the score window."""
        labels: NDArray[np.uint8] = scored_labels(ds).to_numpy()
        return labels
