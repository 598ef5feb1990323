"""What an objective is: what a network is told in each epoch, and how far it is from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, TypeAlias

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.sparse import csr_array

from llpbench.data.batches.images import Images
from llpbench.errors import MethodError
from llpbench_baselines.losses import Loss

Network: TypeAlias = Callable[[NDArray[np.uint8]], Any]
"""A network as it is now: images (n, 96, 96, 3) to its output."""


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of the chips that a network is trained on.

    Parameters
    ----------
    images : Images
        Of n chips.
    targets : ndarray, shape (n, ...)
        Of each chip: shares (category) of float32, or labels (96, 96) of uint8.
    proportions : ndarray of float32, shape (division, category)
    bags : csr_array, shape (division, n)
        Turns shares of chips into means over divisions.
    overlaps : csr_array, shape (n, division)
        Shares of each chip's known area that lie in the divisions.
    loss : callable
        Of outputs and targets, one number each.
    class_weights : ndarray of float32, shape (category,)
    """

    images: Images
    targets: NDArray[Any]
    proportions: NDArray[np.float32]
    bags: csr_array
    overlaps: csr_array
    loss: Loss
    class_weights: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        ds: xr.Dataset,
        *,
        targets: NDArray[Any],
        loss: Loss,
        class_weights: NDArray[np.float32],
        memory: int,
    ) -> Self:
        """Take it from a split behind the label firewall.

        Parameters
        ----------
        ds : Dataset
            Of n chips.
        targets, loss, class_weights
            See above.
        memory : int
            Bytes of images that may be kept.

        Returns
        -------
        Known
        """
        proportions = ds["division_proportions"].to_numpy().astype(np.float32)
        areas = ds.llp.overlaps().groupby("division")["area_km2"].sum()
        weights = areas.reindex(ds["division"].to_numpy(), fill_value=0.0).to_numpy()
        weights = np.where(np.isfinite(proportions).all(axis=1), weights, 0.0)
        bags = ds.llp.bags()
        overlaps = (bags.T * weights).tocsr()
        total = np.asarray(overlaps.sum(axis=1))
        overlaps = overlaps.multiply(1 / np.where(total > 0, total, 1)[:, np.newaxis]).tocsr()
        images = Images(ds, memory)
        return cls(images, targets, proportions, bags, overlaps, loss, class_weights)

    @property
    def counts(self) -> NDArray[np.float64]:
        """Chips of each division, those at its border as far as they count (Kish); or 0."""
        squares = np.asarray(self.bags.multiply(self.bags).sum(axis=1))
        return np.divide(1, squares, out=np.zeros_like(squares), where=squares > 0)

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean proportions, divisions weighted by their chips."""
        usable = np.isfinite(self.proportions).all(axis=1) & (self.counts > 0)
        proportions = self.proportions[usable].astype(np.float64)
        return np.average(proportions, axis=0, weights=self.counts[usable])


@dataclass(frozen=True, eq=False)
class Objective(ABC):
    """What a network is trained towards.

    Subclasses are data classes: their further fields are parameters of the methods.

    Attributes
    ----------
    by : {"chip", "division"}
        What a batch is made of: single chips, or bags of ``bag_size`` chips of a division each.
    ranges : mapping of str to (float, float)
        Smallest and largest values of the parameters.

    Raises
    ------
    MethodError
        If a parameter is outside its range.
    """

    known: Known

    by: ClassVar[Literal["chip", "division"]] = "chip"
    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {}

    def __post_init__(self) -> None:
        """Refuse parameters that mean nothing."""
        for name, (low, high) in self.ranges.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise MethodError(f"{name} must be from {low:g} to {high:g}, found {value}")

    def now(self, epoch: int, epochs: int) -> Objective:
        """Say which objective holds in an epoch.

        Parameters
        ----------
        epoch : int
            From 1 on.
        epochs : int
            In all.

        Returns
        -------
        Objective
            This one, unless another comes before it.
        """
        return self

    @abstractmethod
    def targets(self, network: Network) -> tuple[NDArray[Any], ...]:
        """Give what the network is told in an epoch that begins.

        Parameters
        ----------
        network : callable

        Returns
        -------
        tuple of ndarray, shape (chip or division, ...)
        """

    @abstractmethod
    def loss(self, output: Any, *targets: Any) -> Any:
        """Say how far a network is from what it is told.

        Parameters
        ----------
        output : tensor, shape (n, ...)
            Of n chips: those of a bag come one after the other.
        *targets : tensor, shape (chip or division, ...)
            Of the batch.

        Returns
        -------
        tensor, shape ()
            The mean loss.
        """
