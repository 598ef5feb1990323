"""How large errors of chips are, and how they add up over areas: what residuals taught."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import scipy
from numpy.typing import NDArray

from llpbench.brief import Brief
from llpbench.uncertainty.fading import own_variances, shared_variances
from llpbench.uncertainty.simplex import project_to_simplex

_SMALLEST = 0.005
"""Bounds that are nearer than this to no share, or to all of it, reach it: chips without a class
are common, and no distribution of positive shares has them."""


@dataclass(frozen=True, eq=False, repr=False)
class ErrorModel(Brief):
    r"""What the true shares of chips are likely to be where a method predicted some.

    Predicted shares f, corrected by the matrix M and drawn towards the mean proportions
    :math:`\bar p` as far as they are noise, are the means of beta distributions:

    .. math:: y_k \sim \mathrm{Beta}(\kappa_k \mu_k, \kappa_k (1 - \mu_k)), \qquad
              \mu_k = (1 - \phi_k) (f M)_k + \phi_k \bar p_k, \qquad \phi_k = 1 / (\kappa_k + 1)

    so that :math:`\phi_k` is the variance of errors as a part of :math:`\mu_k (1 - \mu_k)`, the
    largest that shares of that mean can have. Errors of two chips at the distance h correlate by
    :math:`a e^{-h/L}`. Several pairs of a and L explain the residuals of divisions about as well:
    ``weights`` says how well each.

    Parameters
    ----------
    matrix : ndarray, shape (category, category)
        M; rows sum to 1.
    mean : ndarray, shape (category,)
        Mean proportions of divisions.
    weights, shared, ranges : ndarray, shape (n,)
        How likely each of the n pairs is (they sum to 1), its a, from 0 to 1, and its L in km.
    scales : ndarray, shape (n, category)
        The scale of errors under each pair.
    noise : float
        Standard deviation of the logarithm of the scale of errors, for so many divisions.
    divisions : int
        How many it was learned from.
    """

    matrix: NDArray[np.float64]
    mean: NDArray[np.float64]
    weights: NDArray[np.float64]
    shared: NDArray[np.float64]
    ranges: NDArray[np.float64]
    scales: NDArray[np.float64]
    noise: float
    divisions: int

    @cached_property
    def scale(self) -> NDArray[np.float64]:
        """Scale of errors, shape (category,): the geometric mean of the likely ones."""
        return np.asarray(np.exp(self.weights @ np.log(self.scales)))

    def centres(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Means of the distributions, shape (chip, category), as are the predicted shares."""
        return drawn(project_to_simplex(shares @ self.matrix), self.scale, self.mean)

    def intervals(
        self, shares: NDArray[np.float64], levels: Sequence[float]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Between what the true shares of chips are likely to be; each class on its own.

        An interval may lie beside the prediction, where divisions show that to be biased.

        Parameters
        ----------
        shares : ndarray of float64, shape (chip, category)
            Predicted.
        levels : sequence of float
            How likely, between 0 and 1.

        Returns
        -------
        low, high : ndarray of float32, shape (level, chip, category)
            From 0 to 1; outside are equal parts of the distribution on both sides.
        """
        first, second = self._shapes(self.centres(shares))
        tails = (1 - np.asarray(levels)[:, np.newaxis, np.newaxis]) / 2
        low, high = (scipy.special.betaincinv(first, second, tail) for tail in (tails, 1 - tails))
        low, high = np.where(low < _SMALLEST, 0, low), np.where(high > 1 - _SMALLEST, 1, high)
        return low.astype(np.float32), high.astype(np.float32)

    def absolute_errors(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        r"""Expected absolute error of each chip and class.

        For a beta distribution with distribution function F, and G that with one more in its first
        parameter, :math:`E|y - f| = f (2F(f) - 1) + \mu (1 - 2G(f))`.

        Parameters
        ----------
        shares : ndarray of float64, shape (chip, category)
            Predicted.

        Returns
        -------
        ndarray of float64, shape (chip, category)
            From 0 to 1.
        """
        centres = self.centres(shares)
        first, second = self._shapes(centres)
        betainc = scipy.special.betainc
        below, moment = betainc(first, second, shares), betainc(first + 1, second, shares)
        return np.asarray(shares * (2 * below - 1) + centres * (1 - 2 * moment))

    def area_means(
        self,
        areas: scipy.sparse.csr_array,
        shares: NDArray[np.float64],
        places: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean shares of areas as predicted, and their mean squared errors.

        These are the variance of the truth about the mean that held-out divisions would correct it
        to, and the square of that correction. Means are not corrected, as divisions that were
        trained on are less biased than those held out.

        Parameters
        ----------
        areas : csr_array, shape (area, chip)
            Weights of the chips of each; rows sum to 1.
        shares : ndarray of float64, shape (chip, category)
            Predicted.
        places : ndarray of float64, shape (chip, 2)
            East and north in km.

        Returns
        -------
        means, errors : ndarray of float64, shape (area, category)
            Shares from 0 to 1, whose rows sum to 1, and mean squares of such.
        """
        centres = self.centres(shares)
        spread = np.sqrt(self.scale * centres * (1 - centres))
        typical = self.summarised()
        part, length = float(typical.shared[0]), float(typical.ranges[0])
        own = own_variances(areas, spread)
        together = shared_variances(areas, spread, places, length)
        means = np.asarray(areas @ shares)
        bias = means @ self.matrix - means
        return means, np.square(bias) + (1 - part) * own + part * together

    def area_intervals(
        self,
        areas: scipy.sparse.csr_array,
        shares: NDArray[np.float64],
        places: NDArray[np.float64],
        level: float,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Between what the mean shares of areas are likely to be, by the normal distribution.

        Parameters
        ----------
        areas, shares, places
            As of :meth:`area_means`.
        level : float
            How likely, between 0 and 1.

        Returns
        -------
        low, high : ndarray of float64, shape (area, category)
            From 0 to 1.
        """
        means, errors = self.area_means(areas, shares, places)
        half = scipy.special.ndtri((1 + level) / 2) * np.sqrt(errors)
        return np.clip(means - half, 0, 1), np.clip(means + half, 0, 1)

    def summarised(self) -> ErrorModel:
        """Make the most of few numbers: one pair of a and L, with the same scale of errors."""
        part, length = self.weights @ self.shared, np.exp(self.weights @ np.log(self.ranges))
        return replace(
            self,
            weights=np.ones(1),
            shared=np.array([part]),
            ranges=np.array([length]),
            scales=self.scale[np.newaxis],
        )

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Everything by name."""
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Become what :meth:`to_arrays` described."""
        named: dict[str, Any] = {field.name: arrays[field.name] for field in fields(cls)}
        return cls(
            **{**named, "noise": float(named["noise"]), "divisions": int(named["divisions"])}
        )

    def _shapes(
        self, centres: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Both parameters of the beta distributions, positive."""
        certainty = 1 / self.scale - 1
        return (
            np.maximum(certainty * centres, 1e-6),
            np.maximum(certainty * (1 - centres), 1e-6),
        )


def drawn(
    corrected: NDArray[np.float64], scale: NDArray[np.float64], mean: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Shares (chip, category) drawn towards their mean as far as they are noise."""
    return np.asarray((1 - scale) * corrected + scale * mean)
