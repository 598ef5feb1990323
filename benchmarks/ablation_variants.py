"""The method `llpnet` with something left out or done differently, to see what each part brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.imagery import CELL, CELLS
from llpbench.data.labels import scored_labels
from llpbench.methods.method import Method
from llpbench.methods.registry import make_method
from llpbench_baselines.backend import keras
from llpbench_baselines.cell_arrays import apply, predict_cells
from llpbench_baselines.cell_training import CellTraining
from llpbench_baselines.context_network import ContextNetwork
from llpbench_baselines.llpnet import LLPNet
from llpbench_baselines.split_data import SplitData
from llpbench_baselines.training import Lesson

Weights = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Training:
    """How one network is trained, and those of its parameters that are not the default ones."""

    kind: type[LLPNet]
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def fit(self, region: xr.Dataset, seed: int) -> list[Weights]:
        """Train behind the label firewall.

        Gives the weights after 0, 1, 2... rounds; the last are those the training ends with.
        """
        firewall = self.kind.supervision
        train, val = (region.llp.split(part).llp.restrict(firewall) for part in ("train", "val"))
        method = self.kind(random_state=seed, **self.parameters)
        stages = Stages(method)
        method.fit(train, val, progress=stages)
        return [*list(stages.weights.values())[:-1], method.get_weights()]


@dataclass(frozen=True)
class Variant:
    """A training, and what is made of the network that comes out of it.

    Parameters
    ----------
    rounds : int
        After how many rounds the network is taken; -1 for the last.
    sharpness : float, optional
        Of the read-out; by default chosen on validation divisions.
    post : str
        Post-processors, such as ``"+rake"``; they may have no weights.
    """

    title: str
    training: Training
    rounds: int = -1
    sharpness: float | None = None
    post: str = ""

    def method(self, stages: list[Weights], validation: SplitData) -> Method:
        """Make the fitted method of the weights from :meth:`Training.fit`."""
        network = self.training.kind(**self.training.parameters)
        network.set_weights(stages[self.rounds])
        if self.sharpness is None:
            network.choose_sharpness(validation)
        else:
            network._sharpness.assign(self.sharpness)
        if not self.post:
            return network
        return make_method(f"llpnet{self.post}").set_weights(network.get_weights())


class Stages:
    """A progress bar that saves the weights as each epoch ends, instead of showing anything."""

    def __init__(self, method: LLPNet) -> None:
        self.method = method
        self.weights: dict[str, Weights] = {}

    def __call__(self, **_options: Any) -> Stages:
        """Show nothing."""
        return self

    def update(self, _steps: int) -> None:
        """Show nothing."""

    def set_postfix_str(self, text: str, refresh: bool) -> None:
        """Save the weights that an epoch ends with, which are averages of those of its steps."""
        if refresh:
            self.weights[text.partition(",")[0]] = self.method.get_weights()

    def close(self) -> None:
        """Show nothing."""


class WindowsNetwork(ContextNetwork):
    """Sees means and deviations of windows, and no kinds of texture."""

    def surround(self, moments: NDArray[np.float16], seed: int) -> NDArray[np.float16]:
        """See nothing around cells."""
        return moments

    def model(self) -> Any:
        """Make the network."""
        images = keras.layers.Input(self.seen.shape, dtype=self.seen.dtype)
        moments = self.moments_scale(self.moments(images))
        return keras.Model(images, keras.layers.Softmax()(apply(self.context, moments)))


class WithoutKinds(LLPNet):
    """The second stage sees means and deviations of windows, and no kinds of texture."""

    parameters = 1350 + 1760 + 165
    non_trainable = 2 * 24 + 1

    def build(self, categories: int) -> Any:
        """Make the layers and the network."""
        self._layers = WindowsNetwork(categories)
        return self._layers.model()


class LocalTraining(CellTraining):
    """The first stage alone, and what it learns is kept."""

    warmup = 0

    def validate(self) -> dict[str, float]:
        """Score the network, which is the local one."""
        return self._validate()


class LocalCells(WithoutKinds):
    """The first stage alone: a cell's own six numbers, trained on divisions."""

    parameters = 224 + 1056 + 165
    curriculum = LocalTraining

    def build(self, categories: int) -> Any:
        """Make the network of the first stage."""
        self._layers = ContextNetwork(categories)
        return self._layers.local_model()


class DirectTraining(CellTraining):
    """Windows are seen from the start: the network is trained on divisions directly."""

    warmup = 0

    def learn_locally(self) -> Lesson:
        """Train the second stage on divisions."""
        layers, features = self.network.context, self.features
        return self.match_divisions(layers, features, self.settings["local_steps"], self.local_rate)

    def before(self, number: int) -> NDArray[np.float16]:
        """Probabilities of the second stage, also before the first round."""
        return predict_cells(self.network.context, self.features)

    def validate(self) -> dict[str, float]:
        """Score the network, which is trained from the start."""
        return self._validate()


class WithoutLocalStage(WithoutKinds):
    """Trained on divisions directly."""

    curriculum = DirectTraining


class DivisionTraining(CellTraining):
    """The second stage, too, is trained on divisions, not on raked cells."""

    def refine(self, number: int) -> Lesson:
        """Train the second stage on divisions, once."""
        layers, features = self.network.context, self.features
        return self.match_divisions(layers, features, self.settings["local_steps"], self.local_rate)


class WithoutCells(LLPNet):
    """The second stage is trained on divisions."""

    curriculum = DivisionTraining


class BoundTraining(CellTraining):
    """Both stages trained on the true shares of cells."""

    def learn_locally(self) -> Lesson:
        """Train the first stage on labels."""
        layers, steps = self.network.local_layers, self.settings["local_steps"]
        return self.match_cells(layers, self.alone, self._truth(), steps, self.local_rate)

    def refine(self, number: int) -> Lesson:
        """Train the second stage on labels."""
        layers, steps = self.network.context, self.settings["first_steps"]
        return self.match_cells(layers, self.features, self._truth(), steps, 6e-3)

    def _truth(self) -> NDArray[np.float16]:
        return cell_shares(self.train.targets, len(self.train.class_weights))


class PixelBound(LLPNet):
    """Both stages trained on the true shares of cells: a bound, outside any ranking."""

    supervision = "pixel"
    is_reference = True
    curriculum = BoundTraining

    def targets(self, train: xr.Dataset) -> NDArray[Any]:
        """Read the labels."""
        labels: NDArray[np.uint8] = scored_labels(train).to_numpy()
        return labels


def cell_shares(labels: NDArray[np.uint8], categories: int) -> NDArray[np.float16]:
    """Share of each category in the cells of chips.

    Parameters
    ----------
    labels : ndarray of uint8, shape (chip, 96, 96)
        Category numbers; other numbers count for none.
    categories : int
        Number of class groups.

    Returns
    -------
    ndarray of float16, shape (chip, 24, 24, category)
        From 0 to 1.
    """
    cells = labels.reshape(len(labels), CELLS, CELL, CELLS, CELL)
    shares = [(cells == number).mean(axis=(2, 4)) for number in range(categories)]
    return np.stack(shares, axis=-1).astype(np.float16)


FULL = "full"
_FULL = Training(LLPNet)
_DIRECT = Training(WithoutLocalStage)

VARIANTS = {
    "local": Variant("cells of 40 m alone", Training(LocalCells, {"rounds": 0})),
    "direct": Variant("windows, on divisions", _DIRECT, rounds=0),
    "direct-em": Variant("windows, on divisions, then 4 rounds", _DIRECT),
    "no-cells": Variant(
        "cells, then all features on divisions", Training(WithoutCells, {"rounds": 1})
    ),
    "no-kinds": Variant("without kinds of texture", Training(WithoutKinds)),
    "no-smoothing": Variant("without smoothing", Training(LLPNet, {"coupling": 0.0})),
    "rounds-1": Variant("1 round", _FULL, rounds=1),
    "rounds-2": Variant("2 rounds", _FULL, rounds=2),
    "mean": Variant("read-out: mean probabilities", _FULL, sharpness=1.0),
    "counted": Variant("read-out: counted cells", _FULL, sharpness=64.0),
    FULL: Variant("llpnet", _FULL),
    "rake": Variant("llpnet+rake (disaggregation)", _FULL, post="+rake"),
    "pixels": Variant(
        "the same network, labels of pixels (bound)",
        Training(PixelBound, {"rounds": 1, "first_steps": 12_000}),
    ),
}
