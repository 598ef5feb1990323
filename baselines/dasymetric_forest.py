"""A random forest between divisions, applied within them: dasymetric mapping as WorldPop does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor

from llpbench.methods.division_statistics import DivisionStatistics
from llpbench.methods.one_pass import OnePassMethod
from llpbench.predictions.table import make_predictions
from llpbench_baselines.chip_features import ChipFeatures
from llpbench_baselines.patch_words import PatchWords

_KEPT = ("roots", "children", "split", "threshold", "value", "categories")


class DasymetricForest(OnePassMethod):
    r"""Fit a random forest to divisions, and take what it says of chips for their shares.

    Trees are grown on bootstrap samples of divisions, from mean features :math:`\bar\phi_d` to
    proportions :math:`p_d`, weighted by area; a chip's shares are

    .. math:: f_i = \frac{1}{T} \sum_t v_t(\ell_t(\phi_i))

    with the mean proportions :math:`v_t(\ell)` of the divisions in the leaf of tree t that its
    features fall into. Means of proportions are proportions: nothing is to be projected, and
    nothing goes beyond what some division holds, so that chips purer than all divisions cannot
    be told. After Stevens et al., who regress the logarithm of population density on means of
    covariates by census unit, and predict grid cells; their weights then share out the unit's
    count, which is ``dasymetric-forest+rake`` here.

    Parameters
    ----------
    trees : int
        Number of trees.
    leaf : int
        Divisions in a leaf, at least.
    words : int
        Number of patch words whose shares describe chips, see
        :class:`~llpbench_baselines.patch_words.PatchWords`.
    random_state : int
        Seed of words and trees.

    Attributes
    ----------
    roots_ : ndarray of int32, shape (tree,)
        First nodes of the trees.
    children_ : ndarray of int32, shape (node, 2)
        Nodes left and right of each; a leaf's are itself.
    split_ : ndarray of int32, shape (node,)
        The feature that a node asks about, 0 in a leaf.
    threshold_ : ndarray of float64, shape (node,)
        Up to which one goes left.
    value_ : ndarray of float64, shape (node, category)
        Mean proportions; rows sum to 1.

    References
    ----------
    Stevens, Gaughan, Linard and Tatem, Disaggregating census data for population mapping using
    random forests with remotely-sensed and ancillary data, PLoS ONE 10(2), e0107042, 2015;
    Breiman, Random forests, Machine Learning 45(1), 2001.
    """

    is_deterministic = True
    marks_integers = True
    source = "after Stevens et al., PLoS ONE 2015"

    def __init__(
        self, *, trees: int = 500, leaf: int = 2, words: int = 256, random_state: int = 0
    ) -> None:
        self.trees = trees
        self.leaf = leaf
        self.words = words
        self.random_state = random_state

    def learn_features(self, train: xr.Dataset) -> None:
        """Learn patch words from the training images."""
        self.features_ = self._features().learn(train, self.random_state)
        self.array = self.features_.input.array

    def describe(self, ds: xr.Dataset) -> NDArray[np.float64]:
        """Find the shares of words in chips, (chip, word)."""
        return self.features_.compute(ds)

    def fit_statistics(self, seen: DivisionStatistics, train: xr.Dataset) -> Self:
        """Grow trees on the means of divisions."""
        self.categories_ = train["category_name"].to_numpy()
        proportions = train["division_proportions"].to_numpy().astype(np.float64)
        divisions = seen.divisions(proportions).known(at_least=2)
        forest = RandomForestRegressor(
            self.trees,
            min_samples_leaf=self.leaf,
            max_features=1 / 3,
            random_state=self.random_state,
        )
        means = divisions.means(seen.means)
        forest.fit(means, divisions.proportions, sample_weight=divisions.importance())
        return self.take_trees([tree.tree_ for tree in forest.estimators_])

    def take_trees(self, trees: list[Any]) -> Self:
        """Keep the trees of scikit-learn as arrays, one after the other."""
        sizes = np.array([tree.node_count for tree in trees])
        self.roots_ = (np.cumsum(sizes) - sizes).astype(np.int32)
        children = [
            np.stack([tree.children_left, tree.children_right], axis=1) + root
            for tree, root in zip(trees, self.roots_, strict=True)
        ]
        own = np.arange(sizes.sum())[:, np.newaxis]
        inner = np.concatenate([tree.children_left >= 0 for tree in trees])
        both = np.concatenate(children)
        self.children_ = np.where(inner[:, np.newaxis], both, own).astype(np.int32)
        split = np.concatenate([tree.feature for tree in trees])
        self.split_ = np.where(inner, split, 0).astype(np.int32)
        self.threshold_ = np.concatenate([tree.threshold for tree in trees])
        self.value_ = np.concatenate([tree.value[:, :, 0] for tree in trees])
        return self

    def drop(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Let chips fall through the trees, and average what the leaves hold, (chip, category).

        Features are compared in single precision, as scikit-learn does.
        """
        numbers = features.astype(np.float32)
        shares = np.zeros((len(numbers), self.value_.shape[1]))
        chips = np.arange(len(numbers))
        for root in self.roots_:
            nodes = np.full(len(numbers), root)
            while True:
                right = numbers[chips, self.split_[nodes]] > self.threshold_[nodes]
                below = self.children_[nodes, right.astype(np.intp)]
                if (below == nodes).all():
                    break
                nodes = below
            shares += self.value_[nodes]
        return shares / len(self.roots_)

    def predict(self, ds: xr.Dataset) -> xr.Dataset:
        """Predict the shares of each chip from its own features."""
        shares = self.drop(self.describe(ds))
        return make_predictions(ds["chip"].to_numpy(), self.categories_, shares)

    def multiply_adds(self) -> int:
        """Count those of the words: trees compare."""
        return int(self.features_.multiply_adds())

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """Words, trees and category names."""
        return {
            **self.features_.get_weights(),
            **{name: getattr(self, f"{name}_") for name in _KEPT},
        }

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Take over all that was learned."""
        self.features_ = self._features().set_weights(weights)
        self.array = self.features_.input.array
        for name in _KEPT:
            setattr(self, f"{name}_", weights[name])
        return self

    def _features(self) -> ChipFeatures:
        return ChipFeatures([PatchWords(count=self.words)])
