"""Methods and post-processors that write down all they are handed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

from llpbench.methods.estimate import Estimate
from llpbench.methods.method import IterativeMethod, Method
from llpbench.methods.postprocessing import PostProcessor, Transform
from llpbench.predictions.table import make_predictions


@dataclass(frozen=True)
class Handed:
    """A dataset that somebody was handed.

    ``names`` are those of variables and coordinates; ``attributes`` also those of variables, and
    what encodings say.
    """

    by: str
    what: str
    names: frozenset[str]
    attributes: frozenset[str]
    chips: tuple[str, ...]


@dataclass
class Notes:
    """All datasets and estimates handed over, in their order."""

    handed: list[Handed] = field(default_factory=list)
    estimates: dict[str, Estimate] = field(default_factory=dict)

    def take(self, by: str, what: str, ds: xr.Dataset) -> None:
        attributes = {*ds.attrs, *ds.encoding}
        for variable in ds.variables.values():
            attributes |= {*variable.attrs, *variable.encoding}
        names = frozenset(map(str, ds.variables))
        chips = tuple(ds["chip"].to_numpy().tolist()) if "chip" in ds.coords else ()
        self.handed.append(Handed(by, what, names, frozenset(map(str, attributes)), chips))


NOTES = Notes()


def brightness(ds: xr.Dataset) -> NDArray[np.float64]:
    """Mean of each image, from 0 to 1: what a spy gives for the share of the first class."""
    means: NDArray[np.float64] = ds["image"].mean(("y", "x", "band")).to_numpy() / 255
    return means


class Spy(Method):
    """Predict by brightness, and write down what is handed over."""

    source = "made for a test"

    def __init__(self, *, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, train: xr.Dataset, val: xr.Dataset, **_: Any) -> Spy:
        NOTES.take(type(self).__name__, "train", train)
        NOTES.take(type(self).__name__, "val", val)
        self.categories_ = train["category_name"].to_numpy()
        return self

    def predict(self, ds: xr.Dataset) -> xr.Dataset:
        NOTES.take(type(self).__name__, "predict", ds)
        first, count = brightness(ds)[:, np.newaxis], len(self.categories_)
        rest = np.broadcast_to((1 - first) / (count - 1), (len(first), count - 1))
        return make_predictions(
            ds["chip"].to_numpy(), self.categories_, np.concatenate([first, rest], axis=1)
        )

    def get_weights(self) -> dict[str, NDArray[Any]]:
        return {"categories": self.categories_}

    def set_weights(self, weights: Any) -> Spy:
        self.categories_ = weights["categories"]
        return self


class SpyOnPixels(Spy):
    """Predict probabilities of 2 x 2 pixels."""

    has_pixels = True

    def predict(self, ds: xr.Dataset) -> xr.Dataset:
        return Method.predict(self, ds)

    def predict_proba(
        self, ds: xr.Dataset
    ) -> Iterator[tuple[NDArray[np.str_], NDArray[np.float32]]]:
        for start in range(0, ds.sizes["chip"], 5):
            part = ds.isel(chip=slice(start, start + 5))
            shares = Spy.predict(self, part)["proportions"].to_numpy()
            yield part["chip"].to_numpy(), np.tile(shares[:, np.newaxis, np.newaxis], (1, 2, 2, 1))


class SpyOnEpochs(Spy, IterativeMethod):
    """Trained in epochs."""

    def fit(self, train: xr.Dataset, val: xr.Dataset, *, journal: Any = None, **_: Any) -> Any:
        assert journal is not None
        return Spy.fit(self, train, val)


class SpyOnChips(Spy):
    """Of chip supervision."""

    supervision = "chip"


class SpyOnLabels(Spy):
    """Of pixel supervision."""

    supervision = "pixel"


class SpyOnDivisions(Spy):
    """Of the disaggregation track."""

    track = "disaggregation"


class Watch(PostProcessor):
    """Changes nothing, each chip on its own."""

    def fit(self, train: Estimate, val: Estimate, ds: xr.Dataset) -> Watch:
        NOTES.take(type(self).__name__, "post", ds)
        NOTES.estimates |= {"train": train, "val": val}
        return self

    def transform(self, estimate: Estimate) -> Estimate:
        return estimate

    def prepare(self, estimate: Estimate, ds: xr.Dataset) -> Transform:
        NOTES.take(type(self).__name__, "prepare", ds)
        return super().prepare(estimate, ds)


class WatchAll(Watch):
    """The same, in the disaggregation track."""

    track = "disaggregation"


METHODS = {
    "spy": Spy,
    "spy-pixels": SpyOnPixels,
    "spy-epochs": SpyOnEpochs,
    "spy-chips": SpyOnChips,
    "spy-labels": SpyOnLabels,
    "spy-divisions": SpyOnDivisions,
}
_POST = {"watch": Watch, "watch-all": WatchAll}


def install(patch: pytest.MonkeyPatch) -> None:
    """Offer them by entry points, as if they shipped with the others."""
    module = "llpbench_baselines.spy"
    patch.setitem(sys.modules, module, sys.modules[__name__])
    installed = metadata.entry_points
    kinds = {"llpbench.baselines": METHODS, "llpbench.post": _POST}

    def entry_points(**chosen: str) -> metadata.EntryPoints:
        ours = [
            metadata.EntryPoint(name, f"{module}:{kind.__name__}", group)
            for group, named in kinds.items()
            for name, kind in named.items()
        ]
        return metadata.EntryPoints(
            [*installed(**chosen), *metadata.EntryPoints(ours).select(**chosen)]
        )

    patch.setattr(metadata, "entry_points", entry_points)
