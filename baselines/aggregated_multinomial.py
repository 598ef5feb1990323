"""Multinomial regression of chips, fitted to the means over divisions of what it predicts."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn.model_selection import KFold

from llpbench.data.divisions import Divisions
from llpbench.methods.method import Progress
from llpbench_baselines.backend import tf
from llpbench_baselines.division_regression import DivisionRegression

_ALPHAS = np.logspace(1, -3, 9)
"""From strong to weak, so that each fit can start from the one before."""
_FOLDS = 3
_SMALLEST = 1e-12


class AggregatedMultinomial(DivisionRegression):
    r"""Softmax of a chip's features, whose means over divisions are to be their proportions.

    .. math:: f_i = \mathrm{softmax}(W^T \phi_i + b), \qquad
              \min_{W, b} -\sum_d a_d \sum_k p_{dk} \log \bar f_{dk}
              + \frac{\alpha}{2} \lVert W \rVert^2

    with the overlap-weighted means :math:`\bar f_d` over the chips of division d. It is found by
    L-BFGS with the analytic gradient, :math:`\alpha` by three folds of divisions. Features of all
    training chips are held meanwhile, 8 bytes each: 2 kB a chip at 256 words.

    Parameters
    ----------
    **features
        See :class:`~llpbench_baselines.division_regression.DivisionRegression`.

    Attributes
    ----------
    alpha_ : float
        Chosen in :meth:`fit`; not kept when the method is saved.

    References
    ----------
    Ardehaly and Culotta, Co-training for demographic classification using deep learning from
    label proportions, arXiv 1709.04108 (the loss, for networks).
    """

    parameters: int | None = 256 * 6 + 6 + 256 * 5 + 5
    source = "the loss of Ardehaly and Culotta, arXiv 1709.04108, on a linear model"

    def fit(self, train: xr.Dataset, val: xr.Dataset, *, progress: Progress | None = None) -> Self:
        """Learn features from the training images, then what they say of divisions."""
        self.categories_ = train["category_name"].to_numpy()
        divisions = Divisions.of(train).known(at_least=2)
        self.learn_features(train)
        features = self.describe(train, progress)
        return self.fit_scaled(features, features.mean(axis=0), features.std(axis=0), divisions)

    def fit_divisions(
        self, features: NDArray[np.float64], divisions: Divisions
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Choose the penalty by folds of divisions, then fit all of them."""
        weights = divisions.importance()
        losses = np.zeros(len(_ALPHAS))
        count = len(weights)
        folds = KFold(min(_FOLDS, count), shuffle=True, random_state=self.random_state)
        for fitted, held in folds.split(np.arange(count)):
            problem, left_out = (
                _Problem(features, divisions[part], weights[part]) for part in (fitted, held)
            )
            start = problem.start()
            for number, alpha in enumerate(_ALPHAS):
                start = problem.solve(alpha, start)
                losses[number] += left_out.loss(start)
        self.alpha_ = float(_ALPHAS[losses.argmin()])
        problem = _Problem(features, divisions, weights)
        solution = problem.solve(self.alpha_, problem.start())
        return solution[:-1], solution[-1]

    def link(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Normalise exponentials."""
        return np.asarray(softmax(scores, axis=1))

    def link_graph(self, scores: Any) -> Any:
        """The same."""
        return tf.nn.softmax(scores)


class _Problem:
    """The loss of divisions as a function of coefficients, the last row of them the intercept."""

    def __init__(
        self, features: NDArray[np.float64], divisions: Divisions, weights: NDArray[np.float64]
    ) -> None:
        self.features = features[divisions.chips]
        self.averages = divisions.weights[:, divisions.chips]
        self.proportions, self.weights = divisions.proportions, weights

    def start(self) -> NDArray[np.float64]:
        """Coefficients that predict the mean everywhere."""
        mean = np.average(self.proportions, axis=0, weights=self.weights)
        intercept = np.log(np.maximum(mean, 1e-6))
        return np.vstack([np.zeros((self.features.shape[1], len(mean))), intercept])

    def solve(self, alpha: float, start: NDArray[np.float64]) -> NDArray[np.float64]:
        """Minimise the penalised loss."""
        result = minimize(
            self._penalised,
            start.ravel(),
            (alpha, start.shape),
            method="L-BFGS-B",
            jac=True,
            options={"maxiter": 200, "ftol": 1e-7, "gtol": 1e-6},
        )
        return np.asarray(result.x).reshape(start.shape)

    def loss(self, coefficients: NDArray[np.float64]) -> float:
        """Sum of the weighted cross-entropies."""
        means = self.averages @ self._predict(coefficients)
        return float(-(self._demands() * np.log(np.maximum(means, _SMALLEST))).sum())

    def _penalised(
        self, flat: NDArray[np.float64], alpha: float, shape: tuple[int, int]
    ) -> tuple[float, NDArray[np.float64]]:
        coefficients = flat.reshape(shape)
        shares = self._predict(coefficients)
        means = np.maximum(self.averages @ shares, _SMALLEST)
        loss = -(self._demands() * np.log(means)).sum()
        by_share = -(self.averages.T @ (self._demands() / means))
        by_score = shares * (by_share - (shares * by_share).sum(axis=1, keepdims=True))
        gradient = np.vstack([self.features.T @ by_score, by_score.sum(axis=0)])
        gradient[:-1] += alpha * coefficients[:-1]
        return loss + alpha / 2 * np.square(coefficients[:-1]).sum(), gradient.ravel()

    def _predict(self, coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(softmax(self.features @ coefficients[:-1] + coefficients[-1], axis=1))

    def _demands(self) -> NDArray[np.float64]:
        return self.proportions * self.weights[:, np.newaxis]
