"""Mean features of pure classes from the divisions, and each chip a mixture of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

from llpbench.data.divisions import Divisions
from llpbench_baselines.exporting.hull import Hull
from llpbench_baselines.exporting.numbers import Numbers
from llpbench_baselines.means_regression import MeansRegression
from llpbench_baselines.unmixing import unmix

_RIDGE = 1e-3


class MeanMap(MeansRegression):
    r"""Take the mean features of divisions for mixtures of those of classes, and chips as well.

    .. math:: \mu = \mathrm{argmin} \sum_d a_d \lVert \bar\phi_d - \sum_k p_{dk} \mu_k \rVert^2,
              \qquad f_i = \mathrm{argmin}_{f \ge 0,\, \sum f = 1}
              \lVert \phi_i - \sum_k f_k \mu_k \rVert^2_{\Sigma^{-1}}

    where :math:`\Sigma` is the covariance, shrunk (Ledoit and Wolf, 2004), of what the mixtures
    leave unexplained in the divisions.

    Parameters
    ----------
    **features
        See :class:`~llpbench_baselines.division_regression.DivisionRegression`.

    References
    ----------
    Quadrianto, Smola, Caetano and Le, Estimating labels from label proportions, JMLR 10, 2009
    (means of classes); Patrini et al., (Almost) no label no cry, NIPS 2014.
    """

    parameters = 256 * 6 + 6 + 256 * 5 + 5 + 25
    source = "mean map: Quadrianto et al., JMLR 2009, with constrained unmixing"
    fitted = ("gram",)

    def fit_divisions(
        self, features: NDArray[np.float64], divisions: Divisions
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Solve for the classes, and weigh features by what they leave unexplained."""
        means, weights = divisions.means(features), divisions.importance()
        parts = class_means(means, divisions.proportions, weights)
        residual = means - divisions.proportions @ parts
        residual *= np.sqrt(weights)[:, np.newaxis]
        covariance = ledoit_wolf(residual, assume_centered=True)[0]
        coefficients = np.linalg.solve(covariance, parts.T)
        self.gram_ = parts @ coefficients
        return coefficients, np.zeros(len(parts))

    def link(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Find the shares of the classes in each chip."""
        return unmix(scores, self.gram_)

    def graph(self, images: Any, numbers: Numbers) -> tuple[Any, None]:
        """Place one chip among the classes, then find its shares of them."""
        hull = Hull.of(self.gram_)
        coefficients = self.coefficients_ @ hull.directions
        intercept = self.intercept_ @ hull.directions - hull.origin
        return hull.mix(self.extractor_.graph(images, coefficients, intercept)), None


def class_means(
    means: NDArray[np.float64], proportions: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean features of classes from those of divisions, by least squares.

    Parameters
    ----------
    means : ndarray, shape (division, feature)
        Mean features.
    proportions : ndarray, shape (division, category)
        Known, from 0 to 1; rows sum to 1.
    weights : ndarray, shape (division,)
        What each division counts.

    Returns
    -------
    ndarray of float64, shape (category, feature)
        A class that hardly any division has is drawn to the mean of all.
    """
    centre = np.average(means, axis=0, weights=weights)
    weighted = proportions * weights[:, np.newaxis]
    normal = weighted.T @ proportions + _RIDGE * np.eye(proportions.shape[1])
    return centre + np.linalg.solve(normal, weighted.T @ (means - centre))
