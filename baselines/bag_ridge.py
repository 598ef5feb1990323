"""Ridge regression between divisions, applied within them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

from llpbench.errors import MethodError
from llpbench.method import Method, Progress
from llpbench.predictions import make_predictions
from llpbench_baselines.patch_words import count_words, learn_words
from llpbench_baselines.simplex import project_to_simplex


class BagRidge(Method):
    r"""Fit division means of patch words to division proportions, then apply that to chips.

    With the word shares :math:`\phi_i` of chip i and their overlap-weighted means
    :math:`\bar\phi_d` over the chips of division d, of area :math:`a_d`,

    .. math:: W = \arg\min \sum_d a_d \lVert W^T \bar\phi_d - p_d \rVert^2
              + \alpha \lVert W \rVert^2

    and a chip's answer is the projection of :math:`W^T \phi_i` on the simplex. No chip is ever
    told to look like its division. :math:`\alpha` is chosen by leaving out one division at a time
    (in closed form).

    Parameters
    ----------
    words : int
        Number of patch words.
    patch_size : int
        Side of a patch in pixels; divides 96.
    sample : int
        Patches that the words are learned from.
    random_state : int
        Seed of the choice of patches and of their clustering.

    Attributes
    ----------
    centres_ : ndarray of float32, shape (words, 6)
    scale_ : ndarray of float32, shape (6,)
    coefficients_ : ndarray of float64, shape (words, category)
    intercept_ : ndarray of float64, shape (category,)
    alpha_ : float

    References
    ----------
    Regression between groups for distributions: Flaxman, Wang and Smola, Who supported Obama in
    2012?, KDD 2015; Szabó et al., Learning theory for distribution regression, JMLR 2016.
    """

    parameters = 256 * 6 + 6 + 256 * 5 + 5
    source = "distribution regression: Flaxman et al., KDD 2015; Szabó et al., JMLR 2016"

    def __init__(
        self,
        *,
        words: int = 256,
        patch_size: int = 4,
        sample: int = 100_000,
        random_state: int = 0,
    ) -> None:
        self.words = words
        self.patch_size = patch_size
        self.sample = sample
        self.random_state = random_state

    def fit(self, train: xr.Dataset, val: xr.Dataset, *, progress: Progress | None = None) -> Self:
        """Learn words from the training images, and the regression from the division means."""
        if 96 % self.patch_size:
            raise MethodError(f"patch_size must divide 96, found {self.patch_size}")
        self.categories_ = train["category_name"].to_numpy()
        self.centres_, self.scale_ = learn_words(
            train,
            words=self.words,
            size=self.patch_size,
            sample=self.sample,
            random_state=self.random_state,
        )
        features = count_words(
            train, self.centres_, self.scale_, size=self.patch_size, progress=progress
        )
        shares = train["division_proportions"].to_numpy().astype(np.float64)
        overlaps = train.llp.overlaps().groupby("division")["area_km2"].sum()
        area = overlaps.reindex(train["division"].to_numpy(), fill_value=0).to_numpy()
        known = np.isfinite(shares).all(axis=1) & (area > 0)
        means = (train.llp.bags() @ features)[known]
        ridge = RidgeCV(alphas=np.logspace(-4, 3, 29)).fit(
            means, shares[known], sample_weight=area[known] / area[known].mean()
        )
        self.alpha_ = float(ridge.alpha_)
        self.coefficients_, self.intercept_ = ridge.coef_.T, ridge.intercept_
        return self

    def predict(self, ds: xr.Dataset) -> xr.Dataset:
        """Apply the regression to each chip's own words."""
        features = count_words(ds, self.centres_, self.scale_, size=self.patch_size)
        shares = project_to_simplex(features @ self.coefficients_ + self.intercept_)
        return make_predictions(ds["chip"].to_numpy(), self.categories_, shares)

    def multiply_adds(self) -> int:
        """Distances to all words, then one product with the coefficients."""
        patches = (96 // self.patch_size) ** 2
        return int(patches * self.centres_.size + self.coefficients_.size)

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """Words, coefficients, intercept and category names."""
        return {
            "centres": self.centres_,
            "scale": self.scale_,
            "coefficients": self.coefficients_,
            "intercept": self.intercept_,
            "categories": self.categories_,
        }

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Take words and coefficients over."""
        self.centres_, self.scale_ = weights["centres"], weights["scale"]
        self.coefficients_, self.intercept_ = weights["coefficients"], weights["intercept"]
        self.categories_ = weights["categories"]
        return self
