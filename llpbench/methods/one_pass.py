"""What a method is that needs each chip once."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from llpbench.data.divisions import Divisions
from llpbench.methods.division_statistics import DivisionStatistics
from llpbench.methods.method import Method, Progress

if TYPE_CHECKING:
    import xarray as xr


class OnePassMethod(Method):
    """A method whose fit needs nothing of chips but features, summed over divisions.

    What describes chips is learned from images alone. From then on each chip may be described,
    added to :class:`~llpbench.methods.division_statistics.DivisionStatistics` and let go, in any
    order: the method that is fitted to these is that which :meth:`fit` makes, which does the same
    with all chips at once.
    """

    @abstractmethod
    def learn_features(self, train: xr.Dataset) -> None:
        """Learn from the images of training chips what describes a chip."""

    @abstractmethod
    def describe(self, ds: xr.Dataset, progress: Progress | None = None) -> NDArray[np.float64]:
        """Describe chips, shape (chip, feature), by what was learned."""

    @abstractmethod
    def fit_statistics(self, seen: DivisionStatistics, train: xr.Dataset) -> Self:
        """Fit to all chips that were seen.

        Parameters
        ----------
        seen : DivisionStatistics
            Of the divisions of ``train``.
        train : Dataset
            Behind the label firewall: proportions of divisions and names of categories.
        """

    def fit(self, train: xr.Dataset, val: xr.Dataset, *, progress: Progress | None = None) -> Self:
        """Learn features from the training images, then what they say of divisions."""
        divisions = Divisions.of(train)
        divisions.known(at_least=2)  # refuses before chips are described
        self.learn_features(train)
        features = self.describe(train, progress)
        seen = DivisionStatistics(len(divisions), features.shape[1])
        return self.fit_statistics(seen.add(features, divisions.overlaps), train)
