"""Between what the true shares of chips are likely to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.divisions import Divisions, chip_places
from llpbench.methods.estimate import Estimate
from llpbench.methods.postprocessing import PostProcessor
from llpbench.protocol import INTERVAL_LEVELS
from llpbench.uncertainty.error_model import ErrorModel
from llpbench.uncertainty.fitting import fit_error_model


class Interval(PostProcessor):
    """Intervals of the shares of chips, learned from divisions alone.

    The method is trained anew without each of five folds of training divisions, and an
    :class:`~llpbench.uncertainty.error_model.ErrorModel` fitted to how far its means are from the
    known proportions of the divisions held out. Shares stay as they are.
    """

    makes_intervals = True
    design = (
        "The form of the error model was found on labels of two synthetic and three semi-real "
        "regions."
    )
    designed_on = ("demo-esaworldcover", "demo-humanpop", "semi-esa", "semi-esa-hazy", "semi-pop")
    model_: ErrorModel | None = None

    def fit(self, train: Estimate, val: Estimate, ds: xr.Dataset) -> Self:
        """Fit the error model to held-out training divisions."""
        model = fit_error_model(val.shares, chip_places(ds), Divisions.of(ds))
        self.model_ = model.summarised()
        return self

    def transform(self, estimate: Estimate) -> Estimate:
        """Add the intervals; none as long as the training was interrupted."""
        if self.model_ is None:
            return estimate
        low, high = self.model_.intervals(estimate.shares, INTERVAL_LEVELS)
        return replace(estimate, levels=np.array(INTERVAL_LEVELS), low=low, high=high)

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """The error model."""
        return {} if self.model_ is None else self.model_.to_arrays()

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Take the error model over."""
        self.model_ = ErrorModel.from_arrays(weights) if weights else None
        return self
