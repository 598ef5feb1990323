"""How well a network does on validation divisions: never on the labels of chips."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse import csr_array

from llpbench.data.batches.images import MEMORY, Images
from llpbench_baselines.losses import chip_shares


@dataclass(frozen=True)
class Validation:
    """Images of validation chips and the proportions of the divisions they lie in.

    Parameters
    ----------
    images : Images
    bags : csr_array, shape (division, chip)
        Turns shares of chips into means over divisions.
    proportions : ndarray, shape (division, category)
    areas : ndarray, shape (division,)
        What each division weighs: the area of its chips.
    class_weights : ndarray, shape (category,)
    """

    images: Images
    bags: csr_array
    proportions: NDArray[np.float64]
    areas: NDArray[np.float64]
    class_weights: NDArray[np.float64]

    @classmethod
    def of(cls, ds: xr.Dataset, memory: int = MEMORY) -> Self:
        """Take them from a split.

        Parameters
        ----------
        ds : Dataset
            Grouped; chips outside every division are left out.
        memory : int
            Bytes of images that may be kept.

        Returns
        -------
        Validation
        """
        pairs = ds.llp.overlaps()
        inside = ds.isel(chip=np.isin(ds["chip"].to_numpy(), pairs["chip"].to_numpy()))
        areas = pairs.groupby("division")["area_km2"].sum()
        return cls(
            images=Images(inside, memory),
            bags=inside.llp.bags(),
            proportions=ds["division_proportions"].to_numpy().astype(np.float64),
            areas=areas.reindex(ds["division"].to_numpy(), fill_value=0.0).to_numpy(),
            class_weights=np.array([group.weight for group in ds.llp.label_set.groups]),
        )

    def score_network(self, network: Callable[[NDArray[np.uint8]], Any]) -> dict[str, float]:
        """Compare what a network says with what is known.

        Parameters
        ----------
        network : callable
            Images (n, 96, 96, 3) to its output.

        Returns
        -------
        dict
            As for :meth:`score`.
        """
        return self.score(
            np.concatenate([chip_shares(network(part)) for part in self.images.in_order()])
        )

    def score(self, shares: NDArray[np.floating]) -> dict[str, float]:
        """Compare means over divisions with their known proportions.

        Parameters
        ----------
        shares : ndarray, shape (chip, category)
            Predicted.

        Returns
        -------
        dict
            ``val_loss``, the paper's weighted squared error, and ``val_mae``, the mean absolute
            error: both of divisions, averaged by area.
        """
        errors = self.bags @ shares.astype(np.float64) - self.proportions
        present = self.areas > 0
        errors, areas = errors[present], self.areas[present]
        return {
            "val_loss": float(np.average((errors**2) @ self.class_weights, weights=areas)),
            "val_mae": float(np.average(np.abs(errors).mean(axis=1), weights=areas)),
        }
