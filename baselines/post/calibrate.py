"""Shares corrected by what validation divisions show that they get wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import xarray as xr
from numpy.typing import NDArray

from llpbench.data.divisions import Divisions
from llpbench.methods.estimate import Estimate
from llpbench.methods.method import Method
from llpbench.methods.postprocessing import PostProcessor
from llpbench.uncertainty.recalibration import calibration_matrix, choose_penalty
from llpbench.uncertainty.simplex import project_to_simplex
from llpbench_baselines.backend import tf
from llpbench_baselines.exporting.following import Following
from llpbench_baselines.exporting.simplex import project_to_simplex_graph


class Calibrate(PostProcessor):
    """Multiply the shares of chips by a matrix, fitted to the means of validation divisions.

    The matrix is that of :func:`~llpbench.uncertainty.recalibration.calibration_matrix`, with
    divisions weighted by their area; the penalty, which may be infinite, is chosen by leaving out
    one division at a time. As all shares sum to 1, the rows of the matrix do. Probabilities of
    pixels stay as they are.
    """

    chooses = True

    def fit(self, train: Estimate, val: Estimate, ds: xr.Dataset) -> Self:
        """Choose the penalty, and the matrix."""
        divisions = Divisions.of(ds).known(at_least=2)
        means, weights = divisions.means(val.shares), divisions.importance()
        penalty = choose_penalty(means, divisions.proportions, weights)
        self.matrix_ = calibration_matrix(means, divisions.proportions, weights, penalty)
        return self

    def transform(self, estimate: Estimate) -> Estimate:
        """Multiply, and find the nearest shares."""
        shares = project_to_simplex(estimate.shares @ self.matrix_)
        return replace(estimate, shares=shares, follow=False)

    def exported(self, method: Method) -> Method:
        """The method, its shares multiplied."""
        matrix = self.matrix_.astype("float32")
        return Following(method, lambda shares: project_to_simplex_graph(tf.matmul(shares, matrix)))

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """The matrix."""
        return {"matrix": self.matrix_}

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Take the matrix over."""
        self.matrix_ = weights["matrix"]
        return self
