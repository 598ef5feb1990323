"""Goodman's ecological regression: what looks alike has the same class shares everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.data.divisions import Divisions
from llpbench.methods.division_statistics import DivisionStatistics
from llpbench.methods.one_pass import OnePassMethod
from llpbench.metrics.bounds import duncan_davis
from llpbench.protocol import WINDOW_SIDE
from llpbench_baselines.backend import tf
from llpbench_baselines.chip_features import ChipFeatures
from llpbench_baselines.ecological_regression import regress_classes
from llpbench_baselines.exporting.exportable import Exportable
from llpbench_baselines.exporting.numbers import Numbers
from llpbench_baselines.patch_words import PatchWords

_DIVISIONS_PER_GROUP = 4
_SIZE = 4


class Goodman(OnePassMethod, Exportable):
    r"""Find what classes the patches of each look have, the same in all divisions.

    The patches of 4 x 4 pixels of the training images, or the cells of embeddings, are put into
    groups by their looks alone (k-means on colour and texture). With the share :math:`x_{dg}` of
    group g in division d, of area :math:`a_d`, Goodman's identity
    :math:`p_{dk} = \sum_g x_{dg} b_{gk}` is solved for the class shares of the groups,

    .. math:: b = \mathrm{argmin}_{b_g \in \Delta}
              \sum_d a_d \left\lVert p_d - \sum_g x_{dg} b_g \right\rVert^2

    and a patch gets those of its group, whatever division it lies in. Where classes within a
    group differ between divisions together with the shares of the groups (aggregation bias), the
    answer is wrong, and no fit says so; ``bounds_`` is what is certain.

    Parameters
    ----------
    groups : int
        Groups, at most: there are no more than one for four divisions. Least squares adds
        about :math:`G / (D - G)` of the noise of D divisions to the error of a new one, a third
        then; with more groups than divisions b has many answers.
    random_state : int
        Seed of the groups.

    Attributes
    ----------
    class_shares_ : ndarray of float64, shape (group, category)
        The shares b, from 0 to 1; rows sum to 1.
    bounds_ : Bounds
        What these can be over all training divisions together, whatever the divisions have in
        common, as far as their chips stand for them; not kept when the method is saved. See
        :func:`~llpbench.metrics.bounds.duncan_davis`.

    References
    ----------
    Goodman, Ecological regressions and behavior of individuals, American Sociological Review
    18(6), 1953; Some alternatives to ecological correlation, American Journal of Sociology 64(6),
    1959.
    """

    has_pixels = True
    is_deterministic = True
    marks_integers = True
    source = "ecological regression: Goodman, American Sociological Review 1953"

    def __init__(self, *, groups: int = 32, random_state: int = 0) -> None:
        self.groups = groups
        self.random_state = random_state

    def learn_features(self, train: xr.Dataset) -> None:
        """Group patches of the training images."""
        divisions = Divisions.of(train).known(at_least=2)
        self.words_ = self._words(max(1, min(self.groups, len(divisions) // _DIVISIONS_PER_GROUP)))
        self.features_ = ChipFeatures([self.words_]).learn(train, self.random_state)
        self.array = self.features_.input.array

    def describe(self, ds: xr.Dataset) -> NDArray[np.float64]:
        """Find the shares of the groups among the patches of chips, (chip, group)."""
        return self.features_.compute(ds)

    def fit_statistics(self, seen: DivisionStatistics, train: xr.Dataset) -> Self:
        """Solve for what each group is made of."""
        self.categories_ = train["category_name"].to_numpy()
        divisions = seen.divisions(train["division_proportions"].to_numpy().astype(np.float64))
        divisions = divisions.known(at_least=2)
        shares = divisions.means(seen.means)
        self.class_shares_ = regress_classes(shares, divisions.proportions, divisions.areas)
        self.bounds_ = duncan_davis(shares, divisions.proportions, areas=divisions.areas)
        return self

    def predict_proba(
        self, ds: xr.Dataset
    ) -> Iterator[tuple[NDArray[np.str_], NDArray[np.float32]]]:
        """Give each patch the class shares of its group, on a grid of 24 x 24."""
        side = WINDOW_SIDE // _SIZE
        table = self.class_shares_.astype(np.float32)
        for chips, images in self.features_.read(ds):
            yield chips, table[self.words_.nearest(images)].reshape(len(chips), side, side, -1)

    def graph(self, images: Any, numbers: Numbers) -> tuple[Any, Any]:
        """Look up class shares, and the first of the largest, for the group of each patch."""
        table = self.class_shares_.astype(np.float32)
        groups = self.words_.nearest_graph(self.features_.scaled(images))
        shares = tf.reduce_mean(tf.gather(table, groups), axis=0, keepdims=True)
        classes = tf.gather(table.argmax(axis=1).astype(np.uint8), groups)
        side = WINDOW_SIDE // _SIZE
        return shares, tf.reshape(classes, (1, side, side))

    def multiply_adds(self) -> int:
        """Count those that find the groups of patches; classes are looked up."""
        return self.words_.multiply_adds()

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """Groups, their class shares, and category names."""
        weights = self.features_.get_weights()
        return {**weights, "class_shares": self.class_shares_, "categories": self.categories_}

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Take over all that was learned."""
        self.class_shares_, self.categories_ = weights["class_shares"], weights["categories"]
        self.words_ = self._words(len(self.class_shares_))
        self.features_ = ChipFeatures([self.words_]).set_weights(weights)
        self.array = self.features_.input.array
        return self

    def _words(self, count: int) -> PatchWords:
        return PatchWords(count=count, size=_SIZE)
