"""Shares corrected by what known divisions show that they get wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llpbench.data.divisions import Divisions
from llpbench.uncertainty.simplex import project_to_simplex

PENALTIES = np.append(np.logspace(-3, 3, 25), np.inf)
"""Those tried; the last changes nothing."""


def choose_penalty(
    means: NDArray[np.float64], proportions: NDArray[np.float64], weights: NDArray[np.float64]
) -> float:
    """Choose the penalty of :func:`calibration_matrix` by leaving out one division at a time.

    Parameters as there; at least two divisions.
    """
    losses = [_left_out_loss(means, proportions, weights, penalty) for penalty in PENALTIES]
    return float(PENALTIES[int(np.argmin(losses))])


def calibration_matrix(
    means: NDArray[np.float64],
    proportions: NDArray[np.float64],
    weights: NDArray[np.float64],
    penalty: float,
) -> NDArray[np.float64]:
    r"""Ridge regression of known on predicted proportions, drawn towards no change.

    With predicted means :math:`\bar f_d` and known proportions :math:`p_d` of divisions of weight
    :math:`a_d`,

    .. math:: M = \mathrm{argmin} \sum_d a_d \lVert M^T \bar f_d - p_d \rVert^2
              + \rho \lVert M - I \rVert^2

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


def left_out_residuals(
    shares: NDArray[np.float64], divisions: Divisions, penalty: float
) -> NDArray[np.float64]:
    """Known proportions of each division minus its mean as corrected by all other divisions.

    Parameters
    ----------
    shares : ndarray of float64, shape (chip, category)
        Predicted; chips in the order of the divisions'.
    divisions : Divisions
        All known.
    penalty : float
        As chosen by :func:`choose_penalty`.

    Returns
    -------
    ndarray of float64, shape (division, category)
        From -1 to 1; rows sum to 0.
    """
    means, known, weights = divisions.means(shares), divisions.proportions, divisions.importance()
    if np.isinf(penalty):
        return known - means
    residuals = np.empty_like(known)
    starts, chips = divisions.weights.indptr, divisions.weights.indices
    for number in range(len(known)):
        others = np.arange(len(known)) != number
        matrix = calibration_matrix(means[others], known[others], weights[others], penalty)
        row = slice(starts[number], starts[number + 1])
        corrected = project_to_simplex(shares[chips[row]] @ matrix)
        residuals[number] = known[number] - divisions.weights.data[row] @ corrected
    return residuals


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
