"""What the Keras methods share: targets from a dataset, training, prediction, weights."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.batches import iterate_images, load_images
from llpbench.method import Method, Progress
from llpbench_baselines.backend import load_backend
from llpbench_baselines.training import Examples, train_model


class KerasMethod(Method):
    """A network from images to class probabilities of pixels, trained on chip targets.

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

    Attributes
    ----------
    model_ : keras.Model
    history_ : list of dict
        Loss on training and validation targets by epoch.
    """

    def __init__(
        self,
        *,
        epochs: int = 32,
        learning_rate: float = 1e-3,
        batch_size: int = 32,
        random_state: int = 0,
    ) -> None:
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.random_state = random_state

    @abstractmethod
    def build(self, categories: int) -> Any:
        """Make the network.

        Parameters
        ----------
        categories : int
            Number of class groups.

        Returns
        -------
        keras.Model
            Images (n, 96, 96, 3) of uint8 to probabilities (n, row, column, category).
        """

    def fit(self, train: xr.Dataset, val: xr.Dataset, *, progress: Progress | None = None) -> Self:
        """Train on the chips that have a target; chips outside every division have none."""
        _tensorflow, keras = load_backend()
        keras.utils.set_random_seed(self.random_state)
        self.categories_ = train["category_name"].to_numpy()
        self.model_ = self.build(len(self.categories_))
        groups = train.llp.label_set.groups
        self.history_ = train_model(
            self.model_,
            _examples(train),
            _examples(val),
            class_weights=np.array([group.weight for group in groups], dtype=np.float32),
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            random_state=self.random_state,
            progress=progress,
        )
        return self

    def predict_proba(
        self, ds: xr.Dataset
    ) -> Iterator[tuple[NDArray[np.str_], NDArray[np.float32]]]:
        """Class probabilities of pixels, 64 chips at a time."""
        tensorflow, _keras = load_backend()
        model = tensorflow.function(lambda images: self.model_(images, training=False))
        for chips, images in iterate_images(ds):
            for start in range(0, len(chips), 64):
                batch = slice(start, start + 64)
                yield chips[batch], model(tensorflow.constant(images[batch])).numpy()

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """Weights by the path of their layer, and category names."""
        weights = {variable.path: np.asarray(variable) for variable in self.model_.weights}
        return {**weights, "categories": self.categories_}

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Build the network and take weights over, by the path of their layer."""
        self.categories_ = weights["categories"]
        self.model_ = self.build(len(self.categories_))
        for variable in self.model_.weights:
            variable.assign(weights[variable.path])
        return self


def _examples(ds: xr.Dataset) -> Examples:
    """Images and targets of the chips that have a target."""
    known = np.isfinite(ds["target"].to_numpy()).all(axis=1)
    chosen = ds[["image", "target"]].isel(chip=known)
    return Examples(load_images(chosen), chosen["target"].to_numpy())
