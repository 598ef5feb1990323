"""The method `llpnet` with something left out or done differently, to see what each part brings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.labels import scored_labels
from llpbench.methods.method import Method, Progress
from llpbench.methods.registry import make_method
from llpbench_baselines.backend import load_backend
from llpbench_baselines.cell_training import Cells, match_cells, match_divisions
from llpbench_baselines.context_network import CELL, CELLS, LOCAL, ContextNetwork, apply
from llpbench_baselines.llpnet import KnownDivisions, LLPNet, predict_cells
from llpbench_baselines.validation import Validation

Weights = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Training:
    """How one network is trained.

    Parameters
    ----------
    kind : type of LLPNet
    parameters : dict
        Those that are not the default ones.
    """

    kind: type[LLPNet]
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def fit(self, region: xr.Dataset, seed: int) -> list[Weights]:
        """Train behind the label firewall.

        Parameters
        ----------
        region : Dataset
            Grouped.
        seed : int

        Returns
        -------
        list of mapping
            Weights after 0, 1, 2... rounds; the last are those the training ends with.
        """
        firewall = self.kind.supervision
        train, val = (region.llp.split(part).llp.restrict(firewall) for part in ("train", "val"))
        method = self.kind(random_state=seed, **self.parameters)
        stages = Stages(method)
        method.fit(train, val, progress=stages)
        return [*stages.weights, method.get_weights()]


@dataclass(frozen=True)
class Variant:
    """A training, and what is made of the network that comes out of it.

    Parameters
    ----------
    title : str
    training : Training
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

    def method(self, stages: list[Weights], validation: Validation) -> Method:
        """Make the fitted method.

        Parameters
        ----------
        stages : list of mapping
            From :meth:`Training.fit`.
        validation : Validation

        Returns
        -------
        Method
        """
        network = self.training.kind(**self.training.parameters)
        network.set_weights(stages[self.rounds])
        if self.sharpness is None:
            network._choose_sharpness(validation)
        else:
            network._sharpness.assign(self.sharpness)
        if not self.post:
            return network
        return make_method(f"llpnet{self.post}").set_weights(network.get_weights())


class Stages:
    """Stands where a progress bar would, and notes the weights as each round begins."""

    def __init__(self, method: LLPNet) -> None:
        self.method = method
        self.weights: list[Weights] = []

    def __call__(self, steps: Iterable[int], *, desc: str, **_options: Any) -> Iterable[int]:
        """Note the weights, if cells are about to be matched."""
        if desc == "matching cells":
            self.weights.append(self.method.get_weights())
        return steps


class WindowsNetwork(ContextNetwork):
    """Sees means and deviations of windows, and no kinds of texture."""

    def model(self) -> Any:
        """Make the network."""
        _tensorflow, keras = load_backend()
        images = keras.layers.Input((96, 96, 3), dtype="uint8")
        moments = self.moments_scale(self.moments(images))
        return keras.Model(images, keras.layers.Softmax()(apply(self.context, moments)))


class WithoutKinds(LLPNet):
    """The second stage sees means and deviations of windows, and no kinds of texture."""

    parameters = 1600 + 2080 + 165
    non_trainable = 2 * 24 + 1

    def build(self, categories: int) -> Any:
        """Make the layers and the network."""
        self._layers = WindowsNetwork(categories)
        return self._layers.model()

    def _surroundings(self, moments: NDArray[np.float16]) -> NDArray[np.float16]:
        return moments[..., :0]


class LocalCells(WithoutKinds):
    """The first stage alone: a cell's own six numbers, trained on divisions."""

    parameters = 336 + 980 + 105

    def build(self, categories: int) -> Any:
        """Make the network of the first stage."""
        _tensorflow, keras = load_backend()
        layers = self._layers = ContextNetwork(categories)
        images = keras.layers.Input((96, 96, 3), dtype="uint8")
        alone = layers.moments_scale(layers.moments(images))[..., :LOCAL]
        logits = apply([*layers.local, *layers.local_head], alone)
        return keras.Model(images, keras.layers.Softmax()(logits))


class WithoutLocalStage(WithoutKinds):
    """Windows are seen from the start: the network is trained on divisions directly."""

    def _learn_locally(
        self,
        moments: NDArray[np.float16],
        divisions: KnownDivisions,
        generator: np.random.Generator,
        progress: Progress | None,
    ) -> NDArray[np.float16]:
        _match(self, moments, divisions, generator, progress)
        return predict_cells(self._layers.context, moments)


class WithoutCells(LLPNet):
    """The second stage, too, is trained on divisions, not on raked cells."""

    def _refine(
        self,
        features: NDArray[np.float16],
        probabilities: NDArray[np.float16],
        divisions: KnownDivisions,
        generator: np.random.Generator,
        progress: Progress | None,
    ) -> None:
        _match(self, features, divisions, generator, progress)


class PixelBound(LLPNet):
    """Both stages trained on the true shares of cells: a bound, outside any ranking."""

    supervision: ClassVar[str] = "pixel"
    is_reference: ClassVar[bool] = True

    def _choose(self, train: xr.Dataset, generator: np.random.Generator) -> xr.Dataset:
        chosen = super()._choose(train, generator)
        labels = scored_labels(chosen).to_numpy()
        self._truth = cell_shares(labels, len(self.categories_))
        return chosen

    def _learn_locally(
        self,
        moments: NDArray[np.float16],
        divisions: KnownDivisions,
        generator: np.random.Generator,
        progress: Progress | None,
    ) -> NDArray[np.float16]:
        match_cells(
            [*self._layers.local, *self._layers.local_head],
            Cells(np.ascontiguousarray(moments[..., :LOCAL]), generator),
            self._truth,
            steps=self.local_steps,
            learning_rate=3e-3,
            progress=progress,
        )
        return self._truth

    def _refine(
        self,
        features: NDArray[np.float16],
        probabilities: NDArray[np.float16],
        divisions: KnownDivisions,
        generator: np.random.Generator,
        progress: Progress | None,
    ) -> None:
        match_cells(
            self._layers.context,
            Cells(features, generator),
            probabilities,
            steps=self.first_steps + (self.rounds - 1) * self.later_steps,
            learning_rate=3e-3,
            progress=progress,
        )


def cell_shares(labels: NDArray[np.uint8], categories: int) -> NDArray[np.float16]:
    """Share of each category in the cells of chips.

    Parameters
    ----------
    labels : ndarray of uint8, shape (chip, 96, 96)
        Category numbers; other numbers count for none.
    categories : int

    Returns
    -------
    ndarray of float16, shape (chip, 24, 24, category)
        From 0 to 1.
    """
    cells = labels.reshape(len(labels), CELLS, CELL, CELLS, CELL)
    shares = [(cells == number).mean(axis=(2, 4)) for number in range(categories)]
    return np.stack(shares, axis=-1).astype(np.float16)


def _match(
    method: LLPNet,
    features: NDArray[np.float16],
    divisions: KnownDivisions,
    generator: np.random.Generator,
    progress: Progress | None,
) -> None:
    """Train the second stage on divisions, as the first one is."""
    match_divisions(
        method._layers.context,
        Cells(features, generator),
        divisions.rows,
        divisions.proportions,
        divisions.areas,
        steps=method.local_steps,
        learning_rate=3e-3,
        progress=progress,
    )


FULL = "full"
_FULL = Training(LLPNet)
_DIRECT = Training(WithoutLocalStage)

VARIANTS = {
    "local": Variant("cells of 40 m alone", Training(LocalCells, {"rounds": 0})),
    "direct": Variant("windows, on divisions", _DIRECT, rounds=0),
    "direct-em": Variant("windows, on divisions, then 4 rounds", _DIRECT),
    "no-cells": Variant("cells, then all features on divisions", Training(WithoutCells)),
    "no-kinds": Variant("without kinds of texture", Training(WithoutKinds)),
    "no-smoothing": Variant("without smoothing", Training(LLPNet, {"coupling": 0.0})),
    "rounds-1": Variant("1 round", _FULL, rounds=1),
    "rounds-2": Variant("2 rounds", _FULL, rounds=2),
    "mean": Variant("read-out: mean probabilities", _FULL, sharpness=1.0),
    "counted": Variant("read-out: counted cells", _FULL, sharpness=64.0),
    FULL: Variant("llpnet", _FULL),
    "rake": Variant("llpnet+rake (disaggregation)", _FULL, post="+rake"),
    "pixels": Variant("the same network, labels of pixels (bound)", Training(PixelBound)),
}
