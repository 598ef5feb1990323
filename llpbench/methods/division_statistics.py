"""What division regressions need of chips, summed while they pass by."""

from __future__ import annotations

from typing import Self

import numpy as np
import scipy
from numpy.typing import NDArray

from llpbench.data.divisions import Divisions


class DivisionStatistics:
    r"""Sums over divisions of the features of chips, and the moments of these over all chips.

    However chips are cut into blocks, and in whatever order these come, sums are the same but for
    rounding. Moments of blocks are put together as by Chan, Golub and LeVeque (Updating formulae
    and a pairwise algorithm for computing sample variances, 1979): with the means
    :math:`m_a, m_b` of :math:`n_a` and :math:`n_b` chips and :math:`\delta = m_b - m_a`,

    .. math:: m = m_a + \delta \frac{n_b}{n_a + n_b}, \qquad
              M = M_a + M_b + \delta^2 \frac{n_a n_b}{n_a + n_b}

    Parameters
    ----------
    divisions, features : int
        How many there are.

    Attributes
    ----------
    areas : ndarray of float64, shape (division,)
        Area in km² that each division shares with the chips so far.
    sums : ndarray of float64, shape (division, feature)
        Features of chips times these areas.
    count : int
        Chips so far, with those outside all divisions.
    mean, squares : ndarray of float64, shape (feature,)
        Mean over chips, and sum of squared differences from it.

    Examples
    --------
    Two chips, the second of which lies in two divisions:

    >>> seen = DivisionStatistics(2, 1)
    >>> from scipy.sparse import csr_array
    >>> seen = seen.add(np.array([[1.0]]), csr_array([[1.0], [0.0]]))
    >>> seen.add(np.array([[3.0]]), csr_array([[0.25], [0.75]])).means.ravel().tolist()
    [1.4, 3.0]
    >>> seen.mean, seen.deviation
    (array([2.]), array([1.]))
    """

    def __init__(self, divisions: int, features: int) -> None:
        self.areas = np.zeros(divisions)
        self.sums = np.zeros((divisions, features))
        self.count = 0
        self.mean, self.squares = np.zeros(features), np.zeros(features)

    @classmethod
    def of(cls, features: NDArray[np.float64], overlaps: scipy.sparse.csr_array) -> Self:
        """Sums over some chips alone; parameters are those of :meth:`add`."""
        seen = cls(overlaps.shape[0], features.shape[1])
        seen.areas, seen.sums = np.asarray(overlaps.sum(axis=1)), overlaps @ features
        seen.count, seen.mean = len(features), features.mean(axis=0)
        seen.squares = np.square(features - seen.mean).sum(axis=0)
        return seen

    def add(self, features: NDArray[np.float64], overlaps: scipy.sparse.csr_array) -> Self:
        """Add chips.

        Parameters
        ----------
        features : ndarray, shape (chip, feature)
            Not standardised.
        overlaps : csr_array, shape (division, chip)
            Areas in km² that divisions share with these chips.
        """
        every = np.arange(len(self.areas))
        return self.merge(DivisionStatistics.of(features, overlaps), every)

    def merge(self, other: DivisionStatistics, divisions: NDArray[np.intp]) -> Self:
        """Add the sums of other chips.

        Parameters
        ----------
        other : DivisionStatistics
            Of some divisions.
        divisions : ndarray of int, shape (n,)
            The numbers of these here, each once.
        """
        self.areas[divisions] += other.areas
        self.sums[divisions] += other.sums
        difference, total = other.mean - self.mean, self.count + other.count
        self.squares += other.squares
        self.squares += np.square(difference) * (self.count * other.count / total)
        self.mean += difference * (other.count / total)
        self.count = total
        return self

    @property
    def means(self) -> NDArray[np.float64]:
        """Mean features of each division, shape (division, feature); 0 without chips."""
        return self.sums / np.where(self.areas > 0, self.areas, 1)[:, np.newaxis]

    @property
    def deviation(self) -> NDArray[np.float64]:
        """Standard deviation of each feature over all chips."""
        return np.sqrt(self.squares / self.count)

    def divisions(self, proportions: NDArray[np.float64]) -> Divisions:
        """The divisions as if each were one chip of its area, whose features are its means.

        Parameters
        ----------
        proportions : ndarray, shape (division, category)
            From 0 to 1; NaN where they are unknown.
        """
        return Divisions(scipy.sparse.diags_array(self.areas).tocsr(), proportions)
