"""Ridge regression between divisions that knows how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtri

from llpbench.data.divisions import Divisions
from llpbench.predictions.table import make_predictions
from llpbench.protocol import INTERVAL_LEVELS
from llpbench.uncertainty.simplex import project_to_simplex
from llpbench_baselines.exporting.simplex import project_to_simplex_graph
from llpbench_baselines.means_regression import MeansRegression

_ALPHAS = np.logspace(-6, 3, 73)
_EXPONENTS = (0.0, 0.25, 0.5, 0.75, 1.0)
_SMALLEST = 1e-12


class BayesianBagRidge(MeansRegression):
    r"""Bayesian linear regression between divisions, with intervals for the shares of chips.

    With the mean features :math:`\bar\phi_d` of the :math:`a_d` chips (km²) of division d, for
    each class on its own,

    .. math:: p_d \sim N(w^T \bar\phi_d + b, \sigma^2 a_d^{-\gamma}), \qquad
              w \sim N(0, \sigma^2 / \alpha), \qquad b \text{ flat}

    where :math:`\alpha` of each class and :math:`\gamma` of all maximise the evidence. A chip is a
    division of one: its share has the variance :math:`\sigma^2` about a mean that is itself
    uncertain. :math:`\gamma` says how far chips of a division err together. A file of it
    (:meth:`export`) gives shares without intervals.

    Parameters
    ----------
    area_exponent : float, optional
        :math:`\gamma`; None to choose it.
    **features
        See :class:`~llpbench_baselines.division_regression.DivisionRegression`.

    Attributes
    ----------
    alpha_, noise_ : ndarray of float64, shape (category,)
        Penalty, and standard deviation :math:`\sigma` of a chip.
    exponent_ : float
        :math:`\gamma`, chosen or given.
    posterior_ : ndarray of float64, shape (category, direction)
        By how much less uncertain a coefficient is in each direction, in units of
        :math:`\sigma^2`.

    References
    ----------
    MacKay, Bayesian interpolation, Neural Computation 4(3), 1992; Bishop, Pattern Recognition and
    Machine Learning, 2006, sections 3.3 and 3.5.
    """

    source = "evidence: MacKay, Neural Computation 1992; bags: Flaxman et al., KDD 2015"
    fitted: ClassVar[tuple[str, ...]] = (
        *("alpha", "noise", "exponent", "certainty"),
        *("origin", "spread", "directions", "posterior"),
    )

    def __init__(self, *, area_exponent: float | None = None, **features: Any) -> None:
        super().__init__(**features)
        self.area_exponent = area_exponent

    def fit_divisions(
        self, features: NDArray[np.float64], divisions: Divisions
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Maximise the evidence over penalties and exponents."""
        means = divisions.means(features)
        tried = _EXPONENTS if self.area_exponent is None else (self.area_exponent,)
        problems = [
            _Problem.of(means, divisions.proportions, divisions.areas**exponent)
            for exponent in tried
        ]
        evidence = [problem.evidence().max(axis=0).sum() for problem in problems]
        problem = problems[int(np.argmax(evidence))]
        self.exponent_ = tried[int(np.argmax(evidence))]
        self.alpha_ = _ALPHAS[problem.evidence().argmax(axis=0)]
        self.noise_ = np.sqrt(problem.variance(self.alpha_))
        self.origin_, self.certainty_ = self.centre_ + problem.origin * self.spread_, problem.total
        self.directions_ = problem.directions.T
        self.posterior_ = 1 / self.alpha_ - 1 / (problem.strengths[:, np.newaxis] + self.alpha_)
        coefficients = problem.solve(self.alpha_)
        return coefficients, problem.middle - problem.origin @ coefficients

    def link(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Find the nearest shares."""
        return project_to_simplex(scores)

    def link_graph(self, scores: Any) -> Any:
        """The same."""
        return project_to_simplex_graph(scores)

    def predict(self, ds: xr.Dataset) -> xr.Dataset:
        """Predict the shares of each chip, and between what they are likely to be.

        Intervals are at the levels of :data:`llpbench.protocol.INTERVAL_LEVELS`.
        """
        features = self.extractor_.compute(ds)
        scores = features @ self.coefficients_ + self.intercept_
        away = (features - self.origin_) / self.spread_
        known = np.square(away @ self.directions_) @ self.posterior_
        unknown = np.square(away).sum(axis=1, keepdims=True) / self.alpha_
        variance = 1 + 1 / self.certainty_ + np.maximum(unknown - known, 0)
        levels = np.array(INTERVAL_LEVELS)
        margins = (
            ndtri((1 + levels) / 2)[:, np.newaxis, np.newaxis] * self.noise_ * np.sqrt(variance)
        )
        return make_predictions(
            ds["chip"].to_numpy(),
            self.categories_,
            self.link(scores),
            levels=levels,
            low=np.clip(scores - margins, 0, 1),
            high=np.clip(scores + margins, 0, 1),
        )


@dataclass(frozen=True)
class _Problem:
    """Divisions as a linear model with weights, in the directions in which they differ.

    Parameters
    ----------
    origin : ndarray, shape (feature,)
        Weighted mean of the features; ``middle``, shape (category,), of the proportions.
    directions : ndarray, shape (direction, feature)
        Orthonormal; ``strengths``, shape (direction,), how much the divisions differ in each.
    targets : ndarray, shape (direction, category)
        Proportions along the directions; ``rest``, shape (category,), their squares outside.
    weights : ndarray, shape (division,)
        What each division counts; ``total``, their sum.
    """

    origin: NDArray[np.float64]
    middle: NDArray[np.float64]
    directions: NDArray[np.float64]
    strengths: NDArray[np.float64]
    targets: NDArray[np.float64]
    rest: NDArray[np.float64]
    weights: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        means: NDArray[np.float64],
        proportions: NDArray[np.float64],
        weights: NDArray[np.float64],
    ) -> _Problem:
        origin, middle = (np.average(v, axis=0, weights=weights) for v in (means, proportions))
        root = np.sqrt(weights)[:, np.newaxis]
        left, singular, right = np.linalg.svd(root * (means - origin), full_matrices=False)
        seen = singular > singular[0] * 1e-9
        response = root * (proportions - middle)
        targets = left[:, seen].T @ response
        rest = np.maximum(np.square(response).sum(axis=0) - np.square(targets).sum(axis=0), 0)
        strengths = np.square(singular[seen])
        return cls(origin, middle, right[seen], strengths, targets, rest, weights)

    @property
    def total(self) -> float:
        return float(self.weights.sum())

    def variance(self, alpha: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of a chip, the most likely at each penalty; alpha broadcasts against categories."""
        left = alpha[..., np.newaxis] / (alpha[..., np.newaxis] + self.strengths)
        explained = np.einsum("...kj,jk->...k", left, np.square(self.targets))
        return np.maximum((explained + self.rest) / (len(self.weights) - 1), _SMALLEST)

    def evidence(self) -> NDArray[np.float64]:
        """Logarithm, up to a constant, shape (penalty, category); coefficients integrated out."""
        alpha = np.repeat(_ALPHAS[:, np.newaxis], len(self.middle), axis=1)
        freedom = len(self.weights) - 1
        volume = np.log1p(self.strengths / _ALPHAS[:, np.newaxis]).sum(axis=1, keepdims=True)
        scale = np.log(self.weights).sum() - np.log(self.total)
        return 0.5 * (scale - volume - freedom * np.log(self.variance(alpha)))

    def solve(self, alpha: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean coefficients, shape (feature, category)."""
        shrunk = np.sqrt(self.strengths)[:, np.newaxis] / (self.strengths[:, np.newaxis] + alpha)
        return self.directions.T @ (shrunk * self.targets)
