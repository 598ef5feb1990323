"""Drawing chips of divisions, so that the mean of those drawn estimates that of all."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.errors import LLPBenchError


class Bags:
    """Divisions with known proportions and the chips that lie in them.

    Parameters
    ----------
    rows : csr_array, shape (division, chip)
        Weights of the chips of each division, each row summing to 1 or empty.
    proportions : ndarray of float32, shape (division, category)
        NaN where they are unknown.
    size : int
        Chips to draw of a division.

    Raises
    ------
    LLPBenchError
        If the size is not positive.

    Attributes
    ----------
    visits : ndarray of int
        Divisions with chips and proportions, each as often as its chips fill bags (Kish's
        effective number of chips, divided by the size and rounded up), so that large divisions
        count for more and every chip comes about once.
    """

    def __init__(self, rows: Any, proportions: NDArray[np.float32], size: int) -> None:
        if size < 1:
            raise LLPBenchError(f"a bag has at least one chip, found {size}")
        self.rows, self.proportions, self.size = rows, proportions, size
        squares = np.asarray(rows.multiply(rows).sum(axis=1))
        usable = np.flatnonzero((squares > 0) & np.isfinite(proportions).all(axis=1))
        times = np.ceil(1 / (squares[usable] * size) - 1e-6).astype(np.intp)
        self.visits: NDArray[np.intp] = np.repeat(usable, times)

    @classmethod
    def of(cls, ds: xr.Dataset, size: int) -> Self:
        """Take them from a split.

        Parameters
        ----------
        ds : Dataset
        size : int

        Returns
        -------
        Bags
        """
        return cls(ds.llp.bags(), ds["division_proportions"].to_numpy().astype(np.float32), size)

    def first(self, divisions: NDArray[np.intp]) -> NDArray[np.intp]:
        """Give the first chip of each division.

        Parameters
        ----------
        divisions : ndarray of int, shape (n,)

        Returns
        -------
        ndarray of int, shape (n,)
        """
        starts = self.rows.indptr
        return np.array([self.rows.indices[starts[d] : starts[d + 1]].min() for d in divisions])

    def draw(self, divisions: NDArray[np.intp], generator: np.random.Generator) -> NDArray[np.intp]:
        """Draw chips of each division.

        Parameters
        ----------
        divisions : ndarray of int, shape (n,)
        generator : numpy.random.Generator

        Returns
        -------
        ndarray of int, shape (n, size)
        """
        starts = self.rows.indptr
        slices = [slice(starts[d], starts[d + 1]) for d in divisions]
        return np.stack(
            [
                draw_by_weight(self.rows.indices[row], self.rows.data[row], self.size, generator)
                for row in slices
            ]
        )


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
    weights : ndarray, shape (n,)
        Positive.
    size : int
    generator : numpy.random.Generator

    Returns
    -------
    ndarray, shape (size,)

    Examples
    --------
    >>> weights = np.array([3.0, 1.0])
    >>> sorted(draw_by_weight(np.array([7, 8]), weights, 4, np.random.default_rng(0)).tolist())
    [7, 7, 7, 8]
    """
    order = generator.permutation(len(chips))
    reached = np.cumsum(weights[order])
    marks = (np.arange(size) + generator.random()) * (reached[-1] / size)
    found = np.searchsorted(reached, marks, side="right")
    return chips[order[np.minimum(found, len(chips) - 1)]]
