"""What the Keras methods share that are trained on images: settings, targets, training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.batches.images import MEMORY
from llpbench.errors import MethodError, UnknownNameError, examples, unknown
from llpbench.methods.journal import Journal
from llpbench.methods.method import IterativeMethod, Progress
from llpbench.methods.settings import check_settings
from llpbench_baselines.backend import set_seed
from llpbench_baselines.keras_network import KerasNetwork
from llpbench_baselines.network_training import NetworkTraining
from llpbench_baselines.objectives import OBJECTIVES, Objective
from llpbench_baselines.split_data import SplitData
from llpbench_baselines.training import train_network


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
        Chips in a step; of bags as many as it holds, at least one.
    random_state : int
        Seed of the first weights, of dropout and of the order of chips.
    objective : str or Objective
        What the network is trained towards, see :mod:`llpbench_baselines.objectives`: a name for
        its usual settings, or an object such as ``Interpolated(interpolation=0.3)``.
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
    objectives: ClassVar[Mapping[str, type[Objective]]] = OBJECTIVES

    def __init__(
        self,
        *,
        epochs: int = 32,
        learning_rate: float = 1e-4,
        batch_size: int = 32,
        random_state: int = 0,
        objective: str | Objective = "broadcast",
        memory: int = MEMORY,
        patience: int | None = None,
        deterministic: bool = False,
    ) -> None:
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.random_state = random_state
        self.objective = objective
        self.memory = memory
        self.patience = patience
        self.deterministic = deterministic

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of the method, the name of its objective, and the settings of that."""
        name, objective = self._objective()
        settings = {**super().settings, "objective": name, **objective.get_params()}
        return dict(sorted(settings.items()))

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], *, strict: bool = True) -> Self:
        """Build the method, those settings that its objective has going to the objective.

        Parameters
        ----------
        settings : mapping
            By name; those of the objective also as ``objective__name``.
        strict : bool
            Whether settings of other objectives are refused, not ignored as they once were.

        Raises
        ------
        UnknownNameError
            If there is no such setting.
        MethodError
            If only other objectives have it.
        """
        given = {name.removeprefix("objective__"): value for name, value in settings.items()}
        chosen = given.get("objective", cls().objective)
        if not isinstance(chosen, str | Objective):
            raise MethodError(f"objective must be a text, found {examples([chosen])}")
        name, objective = cls(objective=chosen)._objective()
        own, has = set(cls._get_param_names()), objective.get_params()
        others = _owners(cls.objectives if strict else OBJECTIVES)
        for key in given.keys() - own - has.keys():
            if key not in others:
                raise UnknownNameError(unknown("setting", key, sorted(own | others.keys())))
            if strict:
                raise MethodError(
                    f"{key} is no setting of the objective {name!r} but of "
                    f"{', '.join(others[key])}: choose one of these, or leave {key} out"
                )
        check_settings(
            cls, {key: given[key] for key in own - {"objective"} if key in given}, cls.ranges
        )
        objective.set_params(**{key: given[key] for key in has if key in given}).check()
        return cls(**{key: given[key] for key in own if key in given} | {"objective": objective})

    def targets(self, ds: xr.Dataset) -> NDArray[Any]:
        """Targets of chips, (n, ...); NaN where a chip has none."""
        targets: NDArray[Any] = ds["target"].to_numpy()
        return targets

    def trained_output(self, output: Any) -> Any:
        """What the objective sees of the network's output, by default all of it."""
        return output

    def read_out_choice(self) -> dict[str, Any]:
        """``validate`` and ``read_out`` of the training, where a read-out is chosen."""
        return {}

    def fit(
        self,
        train: xr.Dataset,
        val: xr.Dataset,
        *,
        progress: Progress | None = None,
        journal: Journal | None = None,
    ) -> Self:
        """Train on the chips that have a target; chips outside every division have none."""
        _name, objective = self._objective()
        objective.check()
        self.input_ = self.find_input(train)
        chips = self._training_chips(train)
        set_seed(self.random_state, deterministic=self.deterministic)
        self._build(train["category_name"].to_numpy())
        self._adapt_scale(chips.images)
        self.initialise(chips.images.sample(self.random_state))
        curriculum = NetworkTraining(
            self.model_,
            self.trained_output,
            objective,
            chips,
            SplitData.for_validation(val, self.memory, self.input_.array),
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            seed=self.random_state,
            **self.read_out_choice(),
        )
        self.history_ = train_network(
            curriculum, patience=self.patience, journal=journal, progress=progress
        )
        return self

    def _training_chips(self, ds: xr.Dataset) -> SplitData:
        targets = self.targets(ds)
        present = np.isfinite(targets).reshape(len(targets), -1).all(axis=1)
        if not present.any():
            raise MethodError("there is nothing to train on: no chip has a target")
        return SplitData.of(
            ds,
            np.flatnonzero(present),
            targets=targets,
            memory=self.memory,
            array=self.input_.array,
        )

    def _objective(self) -> tuple[str, Objective]:
        """The name of the objective, and the objective."""
        chosen = self.objective
        if isinstance(chosen, str):
            if chosen not in self.objectives:
                raise UnknownNameError(unknown("objective", chosen, self.objectives))
            return chosen, self.objectives[chosen]()
        names = {kind: name for name, kind in self.objectives.items()}
        if type(chosen) not in names:
            raise UnknownNameError(unknown("objective", type(chosen).__name__, self.objectives))
        return names[type(chosen)], chosen


def _owners(objectives: Mapping[str, type[Objective]]) -> dict[str, list[str]]:
    """The names of the objectives that have a setting, for all settings."""
    owners: dict[str, list[str]] = {}
    for name, kind in objectives.items():
        for setting in kind._get_param_names():
            owners.setdefault(setting, []).append(name)
    return owners
