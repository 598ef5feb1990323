"""The floor of every table: each chip gets the mean of the training targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.methods.method import Progress
from llpbench.predictions.table import make_predictions
from llpbench_baselines.backend import tf
from llpbench_baselines.chip_input import ChipInput
from llpbench_baselines.exporting.exportable import Exportable
from llpbench_baselines.exporting.numbers import Numbers
from llpbench_baselines.publication import PAPER


class TrainMean(Exportable):
    """Predict the mean target of the training chips, whatever the image shows.

    Parameters
    ----------
    random_state : int
        Not used: the method is deterministic.

    Attributes
    ----------
    mean_ : ndarray of float64, shape (category,)
        Shares that every chip is given, from 0 to 1; their sum is 1.
    """

    is_reference = True
    is_deterministic = True
    marks_integers = True
    parameters = 5
    source = "the usual null model, table 2 of arXiv 2306.12461"
    paper = PAPER

    def __init__(self, *, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, train: xr.Dataset, val: xr.Dataset, *, progress: Progress | None = None) -> Self:
        """Average the targets of the training chips that have one."""
        self.categories_ = train["category_name"].to_numpy()
        self.input_ = ChipInput.any_of(train)
        self.array = self.input_.array
        self.mean_ = np.nanmean(train["target"].to_numpy().astype(np.float64), axis=0)
        return self

    def predict(self, ds: xr.Dataset) -> xr.Dataset:
        """Repeat the mean for each chip."""
        shares = np.broadcast_to(self.mean_, (ds.sizes["chip"], len(self.mean_)))
        return make_predictions(ds["chip"].to_numpy(), self.categories_, shares)

    def graph(self, images: Any, numbers: Numbers) -> tuple[Any, None]:
        """The mean, whatever the image."""
        return tf.constant(self.mean_[np.newaxis], tf.float32), None

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """The mean, its categories, and what chips are of."""
        weights = {"mean": self.mean_, "categories": self.categories_}
        return {**weights, **self.input_.to_weights()}

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Take a mean over."""
        self.mean_, self.categories_ = weights["mean"], weights["categories"]
        self.input_ = ChipInput.of_weights(weights)
        self.array = self.input_.array
        return self
