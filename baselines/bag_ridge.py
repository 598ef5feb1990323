"""Ridge regression between divisions, applied within them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

from llpbench.data.divisions import Divisions
from llpbench.uncertainty.simplex import project_to_simplex
from llpbench_baselines.exporting.simplex import project_to_simplex_graph
from llpbench_baselines.means_regression import MeansRegression

_ALPHAS = np.logspace(-6, 3, 37)


class BagRidge(MeansRegression):
    r"""Fit division means of features to division proportions, then apply that to chips.

    With the features :math:`\phi_i` of chip i and their overlap-weighted means
    :math:`\bar\phi_d` over the chips of division d, of area :math:`a_d`,

    .. math:: W = \mathrm{argmin} \sum_d a_d^\gamma \lVert W^T \bar\phi_d - p_d \rVert^2
              + \alpha \lVert W \rVert^2

    and a chip's answer is the projection of :math:`W^T \phi_i` on the simplex. No chip is ever
    drawn to look like its division. :math:`\alpha` is chosen by leaving out one division at a time
    (in closed form).

    Parameters
    ----------
    area_exponent : float
        :math:`\gamma`: 1 where only chips err, each on its own; 0 where divisions err as wholes.
    **features
        See :class:`~llpbench_baselines.division_regression.DivisionRegression`.

    Attributes
    ----------
    alpha_ : float
        Chosen in :meth:`fit`; not kept when the method is saved.

    References
    ----------
    Regression between groups for distributions: Flaxman, Wang and Smola, Who supported Obama in
    2012?, KDD 2015; Szabó et al., Learning theory for distribution regression, JMLR 2016.
    """

    parameters: int | None = 256 * 6 + 6 + 256 * 5 + 5
    source = "distribution regression: Flaxman et al., KDD 2015; Szabó et al., JMLR 2016"

    def __init__(self, *, area_exponent: float = 1.0, **features: Any) -> None:
        super().__init__(**features)
        self.area_exponent = area_exponent

    def fit_divisions(
        self, features: NDArray[np.float64], divisions: Divisions
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Regress the proportions of divisions on the means of their chips."""
        ridge = RidgeCV(alphas=_ALPHAS).fit(
            divisions.means(features),
            divisions.proportions,
            sample_weight=divisions.importance(self.area_exponent),
        )
        self.alpha_ = float(ridge.alpha_)
        return ridge.coef_.T, ridge.intercept_

    def link(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Find the nearest shares."""
        return project_to_simplex(scores)

    def link_graph(self, scores: Any) -> Any:
        """The same."""
        return project_to_simplex_graph(scores)
