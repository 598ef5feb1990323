"""From residuals of divisions to errors of chips: areal data are deconvolved.

The error of a division's mean is an average of errors of its chips. How large those are follows
from it if it is known how far they are shared: errors that chips make each on its own average
out, those of whole neighbourhoods stay. Residuals of small and large divisions, and of neighbours,
tell the two apart (deconvolution of areal data: Goovaerts, Mathematical Geosciences 40, 2008,
101-128; here by likelihood instead of by variograms).
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from llpbench.data.divisions import Divisions
from llpbench.uncertainty.error_model import ErrorModel, drawn
from llpbench.uncertainty.fading import (
    MOST_CHIPS,
    covariances,
    map_range,
    own_variances,
    shared_variances,
)
from llpbench.uncertainty.recalibration import (
    PENALTIES,
    calibration_matrix,
    left_out_residuals,
)
from llpbench.uncertainty.simplex import project_to_simplex

FEWEST = 10
"""Divisions with which a model is fitted at least."""

_SHARED = np.linspace(0.025, 0.975, 20)
_RANGES = np.array([0.5, 1.0, 2.0])
"""Tried, in units of the range of the map."""

_PRIOR = np.array([0.25, 0.5, 0.25])[:, np.newaxis] * (_SHARED**2 * (1 - _SHARED))
"""Of ranges and shared parts: most likely two thirds of the variance are shared, over the range
of the map. Errors of methods on two synthetic and three semi-real regions, whose chips have labels,
are about like this."""

_ROUNDS = 3
_LARGEST = 0.9


def fit_error_model(
    shares: NDArray[np.float64], places: NDArray[np.float64], divisions: Divisions
) -> ErrorModel:
    """Learn from predictions of held-out divisions how large errors of chips are.

    Labels of chips are not looked at: there are none here.

    Parameters
    ----------
    shares : ndarray of float64, shape (chip, category)
        Predicted by methods that did not see the divisions.
    places : ndarray of float64, shape (chip, 2)
        East and north in km.
    divisions : Divisions
        With these chips; those without chips or known proportions count nothing.

    Raises
    ------
    LLPBenchError
        If there are fewer than 10 divisions with chips and known proportions, or all chips have
        the same predicted shares.
    """
    divisions = divisions.known(at_least=FEWEST)
    penalty, residuals = _recalibrate(shares, divisions)
    means = divisions.means(shares)
    matrix = calibration_matrix(means, divisions.proportions, divisions.importance(), penalty)
    corrected = project_to_simplex(shares @ matrix)
    mean = divisions.mean_proportions
    ranges = map_range(shares, places) * _RANGES
    scale = np.full(len(mean), 0.1)
    for _round in range(_ROUNDS):  # the spread of chips follows from the scale, and it from them
        centres = drawn(corrected, scale, mean)
        spread = np.sqrt(centres * (1 - centres))
        sizes, scales = _scales(residuals, divisions, spread, places, ranges)
        likely = _weigh(residuals, divisions, spread, places, ranges, sizes)
        scale = np.exp(np.einsum("ra,rak->k", likely, np.log(scales)))
    grid = np.meshgrid(ranges, _SHARED, indexing="ij")
    return ErrorModel(
        matrix=matrix,
        mean=mean,
        weights=likely.ravel(),
        shared=grid[1].ravel(),
        ranges=grid[0].ravel(),
        scales=scales.reshape(-1, len(mean)),
        noise=_noise(sizes, likely),
        divisions=len(divisions),
    )


def _recalibrate(
    shares: NDArray[np.float64], divisions: Divisions
) -> tuple[float, NDArray[np.float64]]:
    """The penalty with the smallest residuals of left-out divisions, and these residuals."""
    tried = {penalty: left_out_residuals(shares, divisions, penalty) for penalty in PENALTIES}
    weights = divisions.importance()
    best = min(tried, key=lambda penalty: float(weights @ np.square(tried[penalty]).sum(axis=1)))
    return best, tried[best]


def _scales(
    residuals: NDArray[np.float64],
    divisions: Divisions,
    spread: NDArray[np.float64],
    places: NDArray[np.float64],
    ranges: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Residuals in units of what they would be at a scale of 1, and the scales that follow.

    Shapes (range, shared, division, category) and (range, shared, category). The scale is that at
    which residuals have the mean absolute value of normal ones, which outliers move less than
    their squares.
    """
    own = own_variances(divisions.weights, spread)
    together = [shared_variances(divisions.weights, spread, places, length) for length in ranges]
    part = _SHARED[:, np.newaxis, np.newaxis]
    variances = np.stack([(1 - part) * own + part * shared for shared in together])
    sizes = residuals / np.sqrt(np.maximum(variances, 1e-12))
    scales = np.square(np.abs(sizes).mean(axis=2)) * np.pi / 2
    return sizes, np.clip(scales, 1e-6, _LARGEST)


def _weigh(
    residuals: NDArray[np.float64],
    divisions: Divisions,
    spread: NDArray[np.float64],
    places: NDArray[np.float64],
    ranges: NDArray[np.float64],
    sizes: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How likely each range and shared part is, shape (range, shared); they sum to 1.

    The likelihood of normal residuals, each class with a scale of its own. Classes are not
    independent, and residuals have heavier tails: the likelihood counts as much as independent
    normal ones would (composite likelihood with its curvature adjusted: Varin, Reid & Firth,
    Statistica Sinica 21, 2011, 5-42).
    """
    some = _subset(divisions)
    part, chips = divisions[some], divisions[some].chips
    within, fewer = part.at(chips).weights, spread[chips]
    distances = scipy.spatial.distance.cdist(places[chips], places[chips]).astype(np.float32)
    logs = np.zeros((len(ranges), len(_SHARED)))
    for number, length in enumerate(ranges):
        alike = np.exp(-distances / length)
        for category in range(residuals.shape[1]):
            own = covariances(within, fewer[:, category])
            together = covariances(within, fewer[:, category], alike)
            logs[number] += _log_likelihood(residuals[some, category], own, together)
    best = np.unravel_index(logs.argmax(), logs.shape)
    likely = logs * _information(residuals[some], sizes[best][some])
    likely = _PRIOR * np.exp(likely - likely.max())
    return np.asarray(likely / likely.sum())


def _log_likelihood(
    residuals: NDArray[np.float64], own: NDArray[np.float64], together: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Of each shared part, the scale at its best; shape (shared,)."""
    linalg = scipy.linalg
    lower = linalg.cholesky(own + 1e-10 * np.eye(len(own)), lower=True)
    left = linalg.solve_triangular(lower, together, lower=True)
    values, vectors = linalg.eigh(linalg.solve_triangular(lower, left.T, lower=True))
    turned = np.square(vectors.T @ linalg.solve_triangular(lower, residuals, lower=True))
    variances = 1 + _SHARED[:, np.newaxis] * (np.maximum(values, 0) - 1)
    count = len(residuals)
    scale = np.maximum((turned / variances).mean(axis=1), 1e-300)
    return np.asarray(-count / 2 * np.log(scale) - np.log(variances).sum(axis=1) / 2)


def _information(residuals: NDArray[np.float64], sizes: NDArray[np.float64]) -> float:
    """What part of the information of independent normal residuals these have, from 0 to 1."""
    varied = residuals[:, residuals.std(axis=0) > 0]
    correlations = np.atleast_2d(np.corrcoef(varied.T))
    independent = len(correlations) ** 2 / np.square(correlations).sum()
    fourth = (sizes**4).mean(axis=0) / np.maximum(np.square(sizes).mean(axis=0), 1e-12) ** 2
    return float(independent / residuals.shape[1] * 2 / (max(3.0, fourth.mean()) - 1))


def _subset(divisions: Divisions) -> NDArray[np.intp]:
    """Divisions, drawn evenly along their order, of few enough chips for all their distances."""
    every = np.arange(len(divisions))
    total = len(divisions.chips)
    if total <= MOST_CHIPS:
        return every
    count = max(FEWEST, int(len(divisions) * MOST_CHIPS / total))
    return np.unique(np.linspace(0, len(divisions) - 1, count).astype(np.intp))


def _noise(sizes: NDArray[np.float64], likely: NDArray[np.float64]) -> float:
    """Standard deviation of the logarithm of the mean absolute residual of divisions."""
    best = np.unravel_index(likely.argmax(), likely.shape)
    of_divisions = np.abs(sizes[best]).mean(axis=1)
    return float(of_divisions.std(ddof=1) / of_divisions.mean() / np.sqrt(len(of_divisions)))
