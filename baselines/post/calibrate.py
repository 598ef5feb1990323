"""Shares corrected by what validation divisions show that they get wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.divisions import Divisions
from llpbench.methods.estimate import Estimate
from llpbench.methods.postprocessing import PostProcessor
from llpbench_baselines.simplex import project_to_simplex

_PENALTIES = np.append(np.logspace(-3, 3, 25), np.inf)


class Calibrate(PostProcessor):
    r"""Multiply the shares of chips by a matrix, fitted to the means of validation divisions.

    With predicted means :math:`\bar f_d` and known proportions :math:`p_d` of divisions of area
    :math:`a_d` (1 on average),

    .. math:: M = \mathrm{argmin} \sum_d a_d \lVert M^T \bar f_d - p_d \rVert^2
              + \rho \lVert M - I \rVert^2

    and :math:`\rho`, which may be infinite, is chosen by leaving out one division at a time. As
    all shares sum to 1, the rows of M do. Probabilities of pixels stay as they are.
    """

    def fit(self, train: Estimate, val: Estimate, ds: xr.Dataset) -> Self:
        """Choose the penalty, and the matrix."""
        divisions = Divisions.of(ds).known(at_least=2)
        means, weights = divisions.means(val.shares), divisions.importance()
        losses = [
            _left_out_loss(means, divisions.proportions, weights, penalty) for penalty in _PENALTIES
        ]
        best = _PENALTIES[int(np.argmin(losses))]
        self.matrix_ = calibration_matrix(means, divisions.proportions, weights, best)
        return self

    def transform(self, estimate: Estimate) -> Estimate:
        """Multiply, and find the nearest shares."""
        shares = project_to_simplex(estimate.shares @ self.matrix_)
        return replace(estimate, shares=shares, are_means=False)

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """The matrix."""
        return {"matrix": self.matrix_}

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Take the matrix over."""
        self.matrix_ = weights["matrix"]
        return self


def calibration_matrix(
    means: NDArray[np.float64],
    proportions: NDArray[np.float64],
    weights: NDArray[np.float64],
    penalty: float,
) -> NDArray[np.float64]:
    """Ridge regression of known on predicted proportions, drawn towards no change.

    Parameters
    ----------
    means : ndarray, shape (division, category)
        Predicted; rows sum to 1.
    proportions : ndarray, shape (division, category)
        Known; rows sum to 1.
    weights : ndarray, shape (division,)
        What each division counts, not negative.
    penalty : float
        From 0 (least squares) to infinity (no change).

    Returns
    -------
    ndarray of float64, shape (category, category)
        Rows sum to 1, if the penalty is not 0.

    Examples
    --------
    >>> means = np.array([[0.6, 0.4], [0.4, 0.6]])
    >>> calibration_matrix(means, np.eye(2), np.ones(2), 1e-6).round(2)
    array([[ 3., -2.],
           [-2.,  3.]])
    """
    identity = np.eye(means.shape[1])
    if np.isinf(penalty):
        return identity
    weighted = means * weights[:, np.newaxis]
    normal = weighted.T @ means + penalty * identity
    return identity + np.linalg.solve(normal, weighted.T @ (proportions - means))


def _left_out_loss(
    means: NDArray[np.float64],
    proportions: NDArray[np.float64],
    weights: NDArray[np.float64],
    penalty: float,
) -> float:
    """Weighted squared error of each division under the matrix of all others."""
    loss = 0.0
    for left_out in range(len(means)):
        others = np.arange(len(means)) != left_out
        matrix = calibration_matrix(means[others], proportions[others], weights[others], penalty)
        error = means[left_out] @ matrix - proportions[left_out]
        loss += float(weights[left_out] * np.square(error).sum())
    return loss
