"""What a method is that needs each chip once."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from llpbench.crew import Crew
from llpbench.data.divisions import Divisions
from llpbench.methods.division_statistics import DivisionStatistics
from llpbench.methods.method import Method, Progress
from llpbench.methods.parts import cut
from llpbench.protocol import prediction_inputs

if TYPE_CHECKING:
    import xarray as xr
    from scipy.sparse import csr_array


class OnePassMethod(Method):
    """A method whose fit needs nothing of chips but features, summed over divisions.

    What describes chips is learned from images alone. From then on each chip may be described,
    added to :class:`~llpbench.methods.division_statistics.DivisionStatistics` and let go, in any
    order: the method that is fitted to these is that which :meth:`fit` makes, but for rounding.
    """

    is_one_pass = True

    @abstractmethod
    def learn_features(self, train: xr.Dataset) -> None:
        """Learn from the images of training chips what describes a chip."""

    @abstractmethod
    def describe(self, ds: xr.Dataset) -> NDArray[np.float64]:
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

    def fit(
        self,
        train: xr.Dataset,
        val: xr.Dataset,
        *,
        progress: Progress | None = None,
        crew: Crew | None = None,
    ) -> Self:
        """Learn features from the training images, then what they say of divisions.

        Chips are described by parts, whose sums are added in their order: memory holds the
        features of one part, and bits are the same whoever makes the sums.

        Parameters
        ----------
        train, val, progress
            As for :meth:`Method.fit`.
        crew : Crew, optional
            Who makes the sums; by default this process.
        """
        divisions = Divisions.of(train)
        divisions.known(at_least=2)  # refuses before chips are described
        self.learn_features(train)
        chips = prediction_inputs(train, self.track, inputs=self.inputs)
        parts = cut(chips.sizes["chip"])
        work = partial(sum_part, self, chips, divisions.overlaps.T.tocsr())
        sums: Any = (crew or Crew()).share_out(work, parts)
        if progress is not None:
            sums = progress(sums, total=len(parts), desc="describing chips")
        seen: DivisionStatistics | None = None
        for numbers, part in sums:
            seen = seen or DivisionStatistics(len(divisions), len(part.mean))
            seen.merge(part, numbers)
        assert seen is not None  # known divisions have chips
        return self.fit_statistics(seen, train)


def sum_part(
    method: OnePassMethod, chips: xr.Dataset, overlaps: csr_array, part: slice
) -> tuple[NDArray[np.intp], DivisionStatistics]:
    """Sum the features of some chips over the divisions that they lie in.

    Parameters
    ----------
    method : OnePassMethod
        Which has learned what describes chips.
    chips : Dataset
        What it sees of them.
    overlaps : csr_array, shape (chip, division)
        Areas in km² that chips share with divisions.
    part : slice
        Of the chips.

    Returns
    -------
    divisions : ndarray of int, shape (n,)
        Numbers of the divisions that chips of the part lie in.
    sums : DivisionStatistics
        Of these.
    """
    areas = overlaps[part]
    divisions = np.unique(areas.indices).astype(np.intp)
    features = method.describe(chips.isel(chip=part))
    return divisions, DivisionStatistics.of(features, areas[:, divisions].T.tocsr())
