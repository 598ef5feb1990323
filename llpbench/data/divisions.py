"""Divisions, the chips that lie in them and their class proportions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.brief import Brief
from llpbench.data.overlaps import overlap_areas
from llpbench.errors import LLPBenchError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_KM_A_DEGREE = 111.2
"""Length of a degree of a great circle."""


@dataclass(frozen=True, eq=False, repr=False)
class Divisions(Brief):
    """Divisions (the "bags" of the literature), their chips and their class proportions.

    Parameters
    ----------
    overlaps : csr_array of float64, shape (division, chip)
        Areas in km² that divisions share with chips.
    proportions : ndarray of float64, shape (division, category)
        From 0 to 1; NaN where they are unknown.

    Examples
    --------
    A division of two chips, the second of which it shares with another:

    >>> from scipy.sparse import csr_array
    >>> divisions = Divisions(csr_array([[1.0, 0.25], [0.0, 0.75]]), np.eye(2))
    >>> divisions.areas, divisions.weights.toarray()
    (array([1.25, 0.75]), array([[0.8, 0.2],
           [0. , 1. ]]))
    >>> divisions.means(np.array([0.0, 1.0]))
    array([0.2, 1. ])
    """

    overlaps: csr_array
    proportions: NDArray[np.float64]

    @classmethod
    def of(cls, ds: xr.Dataset) -> Self:
        """Take all divisions of a dataset or a selection of it, in their order."""
        proportions = ds["division_proportions"].to_numpy().astype(np.float64)
        return cls(overlap_areas(ds).T.tocsr(), proportions)

    def __len__(self) -> int:
        """Number of divisions."""
        return len(self.proportions)

    def __getitem__(self, numbers: NDArray[np.intp]) -> Divisions:
        """Some of the divisions, with all chips."""
        return Divisions(self.overlaps[numbers], self.proportions[numbers])

    def at(self, chips: NDArray[np.intp]) -> Divisions:
        """All divisions, with some of the chips."""
        return Divisions(self.overlaps[:, chips], self.proportions)

    def known(self, at_least: int = 0) -> Divisions:
        """Those with chips and known proportions.

        Parameters
        ----------
        at_least : int
            How many are needed.

        Raises
        ------
        LLPBenchError
            If there are fewer.
        """
        numbers = np.flatnonzero(self.is_known)
        if len(numbers) < at_least:
            raise LLPBenchError(
                f"at least {at_least} divisions with known proportions and chips are needed, "
                f"found {len(numbers)}"
            )
        return self[numbers]

    @cached_property
    def is_known(self) -> NDArray[np.bool_]:
        """Whether a division has chips and known proportions."""
        return np.isfinite(self.proportions).all(axis=1) & (self.areas > 0)

    @cached_property
    def areas(self) -> NDArray[np.float64]:
        """Area in km² that each division shares with its chips, about a chip each."""
        return np.asarray(self.overlaps.sum(axis=1))

    @cached_property
    def weights(self) -> csr_array:
        """Weights of the chips of each division, shape (division, chip).

        Overlap areas divided by their sum: rows sum to 1, or hold nothing without chips.
        """
        scale = 1 / np.where(self.areas > 0, self.areas, 1)
        return self.overlaps.multiply(scale[:, np.newaxis]).tocsr()

    @cached_property
    def chip_weights(self) -> csr_array:
        """Parts of each chip's area in known divisions that lie in each, shape (chip, division).

        Rows sum to 1, or hold nothing for chips outside all of them.
        """
        known = (self.overlaps.T * self.is_known.astype(float)).tocsr()
        total = np.asarray(known.sum(axis=1))
        return known.multiply(1 / np.where(total > 0, total, 1)[:, np.newaxis]).tocsr()

    @cached_property
    def owners(self) -> NDArray[np.intp]:
        """The known division that each chip shares most area with, (chip,); -1 outside all."""
        owners = np.asarray(self.chip_weights.argmax(axis=1)).ravel().astype(np.intp)
        owners[np.asarray(self.chip_weights.sum(axis=1)).ravel() == 0] = -1
        return owners

    @cached_property
    def chips(self) -> NDArray[np.intp]:
        """Positions of the chips that lie in any of the divisions, sorted."""
        return np.unique(self.overlaps.indices).astype(np.intp)

    @cached_property
    def counts(self) -> NDArray[np.float64]:
        r"""Effective number of chips of each division, 0 without any.

        Kish's :math:`1 / \sum_i w_i^2` (Survey Sampling, 1965): chips at a border
        count as far as they lie inside.
        """
        squares = np.asarray(self.weights.multiply(self.weights).sum(axis=1))
        return np.divide(1, squares, out=np.zeros_like(squares), where=squares > 0)

    @property
    def mean_proportions(self) -> NDArray[np.float64]:
        """Mean of the known proportions, divisions weighted by their number of chips."""
        return np.average(
            self.proportions[self.is_known], axis=0, weights=self.counts[self.is_known]
        )

    def means(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Overlap-weighted means over the chips of each division.

        Parameters
        ----------
        values : ndarray, shape (chip, ...)
            Such as predicted shares or features.

        Returns
        -------
        ndarray, shape (division, ...)
            In the unit of the values; 0 for divisions without chips.
        """
        return np.asarray(self.weights @ values)

    def mae(self, shares: NDArray[np.floating]) -> float:
        """Mean absolute error of the means of known divisions, averaged by area.

        It is what validation is: of the val split, without any label of a chip. A fragment at the
        border of the chips weighs little in it.

        Parameters
        ----------
        shares : ndarray, shape (chip, category)
            Predicted.
        """
        known = self.known(at_least=1)
        errors = known.means(shares.astype(np.float64)) - known.proportions
        return float(np.average(np.abs(errors).mean(axis=1), weights=known.areas))

    def importance(self, exponent: float = 1.0) -> NDArray[np.float64]:
        """Weight of each division in a regression: its area to some power, 1 on average.

        Parameters
        ----------
        exponent : float
            1 where only the chips of a division err, each on its own; 0 where divisions err as
            wholes.
        """
        weights = self.areas**exponent
        return weights / weights.mean()

    def visits(self, size: int) -> NDArray[np.intp]:
        """Known divisions, each as often as its chips fill bags of a size (rounded up).

        Large divisions thus come more often, and every chip comes about once.

        Parameters
        ----------
        size : int
            Chips in a bag.

        Raises
        ------
        LLPBenchError
            If the size is not positive.
        """
        if size < 1:
            raise LLPBenchError(f"a bag has at least one chip, found {size}")
        known = np.flatnonzero(self.is_known)
        times = np.ceil(self.counts[known] / size - 1e-6).astype(np.intp)
        return np.repeat(known, times)

    def first_chips(self, numbers: NDArray[np.intp]) -> NDArray[np.intp]:
        """The first chip of each of some divisions."""
        starts = self.overlaps.indptr
        return np.array([self.overlaps.indices[starts[d] : starts[d + 1]].min() for d in numbers])

    def draw(
        self, numbers: NDArray[np.intp], size: int, generator: np.random.Generator
    ) -> NDArray[np.intp]:
        """Draw chips of some divisions by their weights, see :func:`draw_by_weight`.

        Parameters
        ----------
        numbers : ndarray of int, shape (n,)
            Divisions.
        size : int
            Chips of each.

        Returns
        -------
        ndarray of int, shape (n, size)
            Positions of chips.
        """
        starts = self.weights.indptr
        rows = [slice(starts[d], starts[d + 1]) for d in numbers]
        chips, weights = self.weights.indices, self.weights.data
        return np.stack([draw_by_weight(chips[r], weights[r], size, generator) for r in rows])


def chip_places(ds: xr.Dataset) -> NDArray[np.float64]:
    """Places of the chips of a dataset on a plane in the middle of it.

    Returns
    -------
    ndarray of float64, shape (chip, 2)
        East and north in km; degrees of longitude are shortened as in the middle of the region.
    """
    longitude, latitude = ds["lon"].to_numpy(), ds["lat"].to_numpy()
    east = longitude * np.cos(np.radians(latitude.mean()))
    return np.stack([east, latitude], axis=1) * _KM_A_DEGREE


def division_centres(ds: xr.Dataset, divisions: Divisions) -> NDArray[np.float64]:
    """Mean places of the chips of each division, shape (division, 2), see :func:`chip_places`."""
    return divisions.means(chip_places(ds))


def draw_by_weight(
    chips: NDArray[Any], weights: NDArray[np.float64], size: int, generator: np.random.Generator
) -> NDArray[np.intp]:
    """Draw chips in exact proportion to their weights: systematic sampling in random order.

    A chip with the share w of the weights is drawn ``size * w`` times, rounded down or up so that
    this is the expectation; no chip twice while there are enough. The plain mean over those
    drawn is therefore an unbiased estimate of the weighted mean over all (Madow, Annals of
    Mathematical Statistics 1949, 20, 333-354).

    Parameters
    ----------
    chips : ndarray, shape (n,)
        Positions or ids.
    weights : ndarray, shape (n,)
        Positive.

    Returns
    -------
    ndarray, shape (size,)
        Those drawn; one that is drawn repeatedly stands in a row.

    Examples
    --------
    >>> weights = np.array([3.0, 1.0])
    >>> sorted(draw_by_weight(np.array([7, 8]), weights, 4, np.random.default_rng(0)).tolist())
    [7, 7, 7, 8]
    """
    order = generator.permutation(len(chips))
    reached = np.cumsum(weights[order])
    marks = (np.arange(size) + generator.random()) * (reached[-1] / size)
    drawn = np.searchsorted(reached, marks, side="right")
    return chips[order[np.minimum(drawn, len(chips) - 1)]]
