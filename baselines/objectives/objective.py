"""What an objective is: what a network is trained towards, and its settings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

from numpy.typing import NDArray

from llpbench.errors import UnknownNameError, unknown
from llpbench.methods.estimator import Estimator
from llpbench.methods.settings import check_settings
from llpbench_baselines.losses import SHARE_LOSSES, Loss
from llpbench_baselines.split_data import SplitData

Network: TypeAlias = Callable[[NDArray[Any]], Any]
"""A network as it is now: images (n, 96, 96, band) to its output."""


@dataclass(eq=False, kw_only=True)
class Objective(Estimator, ABC):
    """What a network is trained towards.

    Subclasses are data classes, whose fields are their settings in scikit-learn's manner; one
    that is called ``loss`` names a loss.

    Attributes
    ----------
    by : {"chip", "division"}
        What a batch is made of: single chips, or bags of ``bag_size`` chips of a division each.
    ranges : mapping of str to (float, float)
        Smallest and largest values of settings.
    losses : mapping of str to callable
        Those that ``loss`` may name.

    Raises
    ------
    MethodError
        If a setting is outside its range.
    UnknownNameError
        If there is no such loss.
    """

    by: ClassVar[Literal["chip", "division"]] = "chip"
    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {}
    losses: ClassVar[Mapping[str, Loss]] = SHARE_LOSSES

    def __post_init__(self) -> None:
        """Refuse settings that mean nothing."""
        self.check()

    def check(self) -> None:
        """Refuse settings that mean nothing, also those that were set later."""
        settings = self.get_params()
        check_settings(type(self), settings, self.ranges)
        if settings.get("loss", next(iter(self.losses))) not in self.losses:
            raise UnknownNameError(unknown("loss", settings["loss"], self.losses))

    def at(self, epoch: int, epochs: int) -> Objective:
        """The objective of an epoch, from 1 on: this one, unless another comes before it."""
        return self

    @abstractmethod
    def targets(self, data: SplitData, network: Network) -> tuple[NDArray[Any], ...]:
        """Compute the targets of an epoch that begins.

        Parameters
        ----------
        data : SplitData
            Of the training chips.

        Returns
        -------
        tuple of ndarray, shape (chip or division, ...)
            Of all chips or divisions; :meth:`compute_loss` is given those of a batch.
        """

    @abstractmethod
    def compute_loss(self, data: SplitData, output: Any, *targets: Any) -> Any:
        """Compute how far a network is from the targets.

        Parameters
        ----------
        data : SplitData
            Of the training chips.
        output : tensor, shape (n, ...)
            Of n chips: those of a bag come one after the other.
        *targets : tensor, shape (chip or division, ...)
            Of the batch.

        Returns
        -------
        tensor, shape ()
            The mean loss.
        """

    def penalise(self, model: Any, images: Any, seed: Any) -> Any:
        """Compute what is asked of a network beside targets, by default nothing.

        Parameters
        ----------
        model : keras.Model
            As it is in training.
        images : tensor, shape (n, 96, 96, band)
            Of the chips of a batch, as they are stored.
        seed : tensor of int, shape (2,)
            Of what is drawn; another one each step.

        Returns
        -------
        tensor, shape ()
            What is added to the loss.
        """
        return 0.0
