"""Bounds for every method: what a network learns from labels that it would not have."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.labels import scored_labels
from llpbench.errors import MethodError
from llpbench_baselines.borrowed_network import BorrowedNetwork
from llpbench_baselines.objectives import Objective
from llpbench_baselines.objectives.chips import Broadcast, LabelledPixels


class ChipSupervised(BorrowedNetwork):
    """A network trained on each chip's own shares: a bound, outside any ranking.

    By default that of ``llpnet``, so that the two differ in their labels alone. Training ends when
    the loss of validation divisions has stopped falling.

    Parameters
    ----------
    **training
        See :class:`~llpbench_baselines.borrowed_network.BorrowedNetwork`.
    """

    supervision = "chip"
    objectives: ClassVar[Mapping[str, type[Objective]]] = MappingProxyType({"broadcast": Broadcast})
    is_reference = True
    source = "the network of llpnet with labels of chips"

    def targets(self, ds: xr.Dataset) -> NDArray[Any]:
        """Take the shares counted on each chip's label."""
        shares: NDArray[np.float32] = ds["chip_proportions"].to_numpy()
        return shares


class PixelSupervised(ChipSupervised):
    """A network trained on the class of each pixel: a bound, outside any ranking.

    Parameters
    ----------
    **training
        See :class:`ChipSupervised`.
    """

    supervision = "pixel"
    source = "the network of llpnet with labels of pixels"
    objectives = MappingProxyType({"broadcast": LabelledPixels})

    def build(self, categories: int) -> Any:
        """Make the network of the other method, which must see pixels."""
        model = super().build(categories)
        if len(model.output_shape) != 4:
            raise MethodError(f"{self.network!r} has no pixels: give a method that has")
        return model

    def targets(self, ds: xr.Dataset) -> NDArray[Any]:
        """Take the labels of the score window."""
        labels: NDArray[np.uint8] = scored_labels(ds).to_numpy()
        return labels

    def trained_output(self, output: Any) -> Any:
        """Compare the pixels that are predicted with labels."""
        return self.pixels(output)
