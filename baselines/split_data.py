"""What networks are trained and validated on: images of chips, and their divisions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.batches import Images
from llpbench.data.batches.images import MEMORY
from llpbench.data.divisions import Divisions
from llpbench.data.imagery import IMAGE
from llpbench_baselines.losses import chip_shares


@dataclass(frozen=True, eq=False)
class SplitData:
    """Chips of a split behind the label firewall.

    Parameters
    ----------
    images : Images
        Of n chips.
    divisions : Divisions
        With these chips.
    class_weights : ndarray of float64, shape (category,)
        Of the paper's loss.
    targets : ndarray, shape (n, ...)
        Of each chip: shares (category) of float32, or labels (96, 96) of uint8.
    """

    images: Images
    divisions: Divisions
    class_weights: NDArray[np.float64]
    targets: NDArray[Any]

    @classmethod
    def of(
        cls,
        ds: xr.Dataset,
        chips: NDArray[np.intp],
        *,
        targets: NDArray[Any] | None = None,
        memory: int = MEMORY,
        array: str = IMAGE,
    ) -> Self:
        """Take some chips of a split.

        Parameters
        ----------
        ds : Dataset
            Grouped.
        chips : ndarray of int
            Positions.
        targets : ndarray, shape (chip, ...), optional
            Of all chips of the split; by default their ``target``.
        memory : int
            Bytes of images that may be kept.
        array : {"image", "embedding"}
            What is seen of them.
        """
        targets = ds["target"].to_numpy() if targets is None else targets
        is_all = np.array_equal(chips, np.arange(ds.sizes["chip"]))
        return cls(
            Images(ds if is_all else ds.isel(chip=chips), memory, array),
            Divisions.of(ds).at(chips),
            np.array([group.weight for group in ds.llp.label_set.groups]),
            targets[chips],
        )

    def at(self, chips: NDArray[np.intp], divisions: Divisions) -> Self:
        """Take some chips, by their positions, and divisions of all chips."""
        images, targets = self.images.at(chips), self.targets[chips]
        return replace(self, images=images, divisions=divisions.at(chips), targets=targets)

    @classmethod
    def for_validation(cls, ds: xr.Dataset, memory: int = MEMORY, array: str = IMAGE) -> Self:
        """Take the chips of known divisions: others say nothing about a network."""
        chips = Divisions.of(ds).known(at_least=1).chips
        return cls.of(ds, chips, memory=memory, array=array)

    @property
    def loss_weights(self) -> NDArray[np.float32]:
        """Class weights in the precision of networks."""
        return self.class_weights.astype(np.float32)

    def score_network(self, network: Callable[[NDArray[Any]], Any]) -> dict[str, float]:
        """Compare a network with the known proportions of divisions.

        Parameters
        ----------
        network : callable
            Images (n, 96, 96, band) to its output.

        Returns
        -------
        dict
            As for :meth:`score`.
        """
        return self.score(
            np.concatenate([chip_shares(network(part)) for part in self.images.in_order()])
        )

    def score(self, shares: NDArray[np.floating]) -> dict[str, float]:
        """Compare means over divisions with their known proportions, never labels of chips.

        Parameters
        ----------
        shares : ndarray, shape (chip, category)
            Predicted.

        Returns
        -------
        dict
            ``val_loss``, the paper's weighted squared error, and ``val_mae``, the mean absolute
            error (:meth:`Divisions.mae`): both of divisions, averaged by area.
        """
        known = self.divisions.known()
        errors = known.means(shares.astype(np.float64)) - known.proportions
        return {
            "val_loss": float(np.average((errors**2) @ self.class_weights, weights=known.areas)),
            "val_mae": known.mae(shares),
        }
