"""What the Keras methods share that are trained in epochs: targets, objectives, training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, ClassVar, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.batches.bags import Bags
from llpbench.data.batches.images import MEMORY
from llpbench.data.batches.shuffling import Shuffle
from llpbench.errors import MethodError, UnknownNameError, unknown
from llpbench.methods.journal import Journal
from llpbench.methods.method import IterativeMethod, Progress
from llpbench_baselines.backend import load_backend
from llpbench_baselines.keras_network import KerasNetwork
from llpbench_baselines.losses import SHARE_LOSSES, Loss
from llpbench_baselines.objectives import OBJECTIVES, Known, Objective
from llpbench_baselines.training import train_model
from llpbench_baselines.validation import Validation


class KerasMethod(KerasNetwork, IterativeMethod):
    """A network from images to class probabilities, trained on chip targets or on bags.

    Subclasses pass on what their constructors do not name.

    Parameters
    ----------
    epochs : int
        Passes over the training chips.
    learning_rate : float
        Of Adam.
    batch_size : int
        Chips in a step.
    random_state : int
        Seed of the first weights, of dropout and of the order of chips.
    objective : str
        What the network is trained towards, see :mod:`llpbench_baselines.objectives`.
    loss : {"squared", "cross-entropy", "divergence", "super-resolution"}
        Of the shares of chips or bags, see :mod:`llpbench_baselines.losses`; for the objectives
        ``broadcast``, ``dllp`` and ``minibag``, and for those that begin as ``dllp``.
    bag_size : int
        Chips in a bag; a step has as many bags as ``batch_size`` holds, at least one.
    interpolation : float
        Of ``interpolated``: 0 is ``dllp``, 1 is ``broadcast``.
    noise : float
        Of ``minibag``: variance within divisions as a part of the largest possible one.
    spread : float
        Of ``lsrn``: standard deviation of bags' shares around those of their division.
    warm_start : float
        Of ``rot`` and ``sinkhorn-em``: part of the epochs that are ``dllp``.
    temperature, relaxation : float
        Of ``rot``: how soft labels are; how strictly they make up the proportions.
    memory : int
        Bytes of images that may be kept of a split; a larger one is streamed.
    patience : int, optional
        Stop after so many epochs without a lower validation loss.
    deterministic : bool
        Whether the same seed gives the same bits on one machine, at some cost of speed. Once
        asked for, it holds for the whole process.

    Attributes
    ----------
    history_ : list of dict
        Training loss, validation loss and validation MAE by epoch.
    """

    design = "The number of epochs is what time allowed."
    losses: ClassVar[Mapping[str, Callable[[NDArray[np.float32]], Loss]]] = SHARE_LOSSES
    objectives: ClassVar[Mapping[str, type[Objective]]] = OBJECTIVES

    def __init__(
        self,
        *,
        epochs: int = 32,
        learning_rate: float = 1e-4,
        batch_size: int = 32,
        random_state: int = 0,
        objective: str = "broadcast",
        loss: str = "squared",
        bag_size: int = 16,
        interpolation: float = 0.1,
        noise: float = 0.5,
        spread: float = 0.1,
        warm_start: float = 0.5,
        temperature: float = 1.0,
        relaxation: float = 10.0,
        memory: int = MEMORY,
        patience: int | None = None,
        deterministic: bool = False,
    ) -> None:
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.random_state = random_state
        self.objective = objective
        self.loss = loss
        self.bag_size = bag_size
        self.interpolation = interpolation
        self.noise = noise
        self.spread = spread
        self.warm_start = warm_start
        self.temperature = temperature
        self.relaxation = relaxation
        self.memory = memory
        self.patience = patience
        self.deterministic = deterministic

    def targets(self, ds: xr.Dataset) -> NDArray[Any]:
        """Say what the network is to be trained on.

        Parameters
        ----------
        ds : Dataset
            A split behind the label firewall of this method's supervision.

        Returns
        -------
        ndarray, shape (n, ...)
            By default ``target``; NaN where a chip has none.
        """
        targets: NDArray[Any] = ds["target"].to_numpy()
        return targets

    def make_loss(self, class_weights: NDArray[np.float32]) -> Loss:
        """Say how far the network's output is from the targets.

        Parameters
        ----------
        class_weights : ndarray of float32, shape (category,)

        Returns
        -------
        callable
            By default the paper's, see :func:`~llpbench_baselines.losses.squared_shares`.

        Raises
        ------
        UnknownNameError
            If this method has no such loss.
        """
        if self.loss not in self.losses:
            raise UnknownNameError(unknown("loss", self.loss, self.losses))
        return self.losses[self.loss](class_weights)

    def fit(
        self,
        train: xr.Dataset,
        val: xr.Dataset,
        *,
        progress: Progress | None = None,
        journal: Journal | None = None,
    ) -> Self:
        """Train on the chips that have a target; chips outside every division have none."""
        tensorflow, keras = load_backend()
        if self.patience is not None and self.patience < 1:
            raise MethodError(f"patience is a number of epochs from 1 on, found {self.patience}")
        if self.deterministic:
            tensorflow.config.experimental.enable_op_determinism()
        known = self._known(train)
        objective = self._objective(known)
        keras.utils.set_random_seed(self.random_state)
        self._build(train["category_name"].to_numpy())
        self.initialise(known.images.sample(self.random_state))
        self.history_ = train_model(
            self.model_,
            objective,
            lambda unit: self._shuffle(known, unit),
            Validation.of(val, self.memory),
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            patience=self.patience,
            journal=journal,
            progress=progress,
        )
        return self

    def _known(self, ds: xr.Dataset) -> Known:
        """What is known of the chips that have a target."""
        targets = self.targets(ds)
        present = np.isfinite(targets).reshape(len(targets), -1).all(axis=1)
        if not present.any():
            raise MethodError("there is nothing to train on: no chip has a target")
        weights = [group.weight for group in ds.llp.label_set.groups]
        class_weights = np.array(weights, dtype=np.float32)
        return Known.of(
            ds.isel(chip=present),
            targets=targets[present],
            loss=self.make_loss(class_weights),
            class_weights=class_weights,
            memory=self.memory,
        )

    def _objective(self, known: Known) -> Objective:
        """The objective of that name, with those of this method's parameters that it has."""
        if self.objective not in self.objectives:
            raise UnknownNameError(unknown("objective", self.objective, self.objectives))
        kind = self.objectives[self.objective]
        names = [field.name for field in fields(kind) if field.name != "known"]
        return kind(known, **{name: getattr(self, name) for name in names})

    def _shuffle(self, known: Known, unit: str) -> Shuffle:
        """Batches of chips or of divisions."""
        if unit == "chip":
            return Shuffle(known.images, self.batch_size, seed=self.random_state)
        bags = Bags(known.bags, known.proportions, self.bag_size)
        count = max(1, self.batch_size // self.bag_size)
        return Shuffle(known.images, count, bags=bags, seed=self.random_state)
