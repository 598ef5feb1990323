"""A sample of labelled chips, and how it was drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from llpbench.brief import Brief
from llpbench.errors import MetricError, examples

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Sample(Brief):
    """Labelled chips, or points in chips, with the design by which they were chosen.

    Parameters
    ----------
    chip : ndarray of int, shape (n,)
        Position of each among the chips that could have been drawn.
    shares : ndarray, shape (n, category)
        From 0 to 1: of the chip, or 1 for the class of the point.
    weight : ndarray, shape (n,)
        How many chips each stands for: one by the probability to be drawn.
    stratum, unit : ndarray of int, shape (n,)
        The stratum of each, and the unit that was drawn: the chip itself, or its division.
    units : ndarray, shape (stratum,)
        Units that could have been drawn of each stratum; infinity where one may come twice, or only
        a part of it was labelled.

    Examples
    --------
    >>> sample = Sample.simple([0, 3], np.eye(2), 10)
    >>> sample.weight, sample.degrees
    (array([5., 5.]), 1)
    """

    chip: NDArray[np.intp]
    shares: FloatArray
    weight: FloatArray
    stratum: NDArray[np.intp]
    unit: NDArray[np.intp]
    units: FloatArray

    @classmethod
    def simple(
        cls, chip: ArrayLike, shares: ArrayLike, chips: int, *, points: bool = False
    ) -> Self:
        """Draws at random, all chips alike.

        Parameters
        ----------
        chip, shares : array
            See the class.
        chips : int
            That could have been drawn.
        points : bool
            Whether points were drawn, of which a chip may hold several.
        """
        chip = np.asarray(chip, np.intp)
        count = len(chip)
        units = np.array([np.inf if points else chips], np.float64)
        weight = np.full(count, chips / count)
        return cls(chip, _shares(shares), weight, np.zeros_like(chip), np.arange(count), units)

    @classmethod
    def stratified(
        cls, chip: ArrayLike, shares: ArrayLike, stratum: ArrayLike, chips: ArrayLike
    ) -> Self:
        """Draws at random within strata.

        Parameters
        ----------
        chip, shares : array
            See the class.
        stratum : array of int, shape (n,)
            Of each; from 0.
        chips : array of int, shape (stratum,)
            That each stratum has.

        Raises
        ------
        MetricError
            If a stratum has fewer than two labelled chips, and more than these.
        """
        chip, stratum = np.asarray(chip, np.intp), np.asarray(stratum, np.intp)
        units = np.asarray(chips, np.float64)
        drawn = np.bincount(stratum, minlength=len(units))
        if (few := np.flatnonzero((drawn < 2) & (drawn < units))).size:
            raise MetricError(
                f"strata {examples(few.tolist())} have fewer than two labelled chips, which tell "
                "nothing of how chips differ; label more, or put strata together"
            )
        weight = (units / np.maximum(drawn, 1))[stratum]
        return cls(chip, _shares(shares), weight, stratum, np.arange(len(chip)), units)

    @classmethod
    def by_division(cls, chip: ArrayLike, shares: ArrayLike, division: ArrayLike) -> Self:
        """Draws of whole divisions at random, of which all chips are labelled, or some at random.

        Parameters
        ----------
        chip, shares : array
            See the class.
        division : array, shape (all chips,)
            The id of the division of every chip that could have been drawn.

        Raises
        ------
        MetricError
            If the labelled chips are of one division only.
        """
        chip = np.asarray(chip, np.intp)
        codes, ids = pd.factorize(np.asarray(division))
        sizes = np.bincount(codes, minlength=len(ids))
        _drawn, unit, labelled = np.unique(codes[chip], return_inverse=True, return_counts=True)
        if len(labelled) < 2:
            raise MetricError(
                "a sample by division needs labelled chips of at least two divisions, found "
                f"{len(labelled)}"
            )
        within = sizes[codes[chip]] / labelled[unit]
        units = np.array([len(ids) if (within == 1).all() else np.inf], np.float64)
        weight = len(ids) / len(labelled) * within
        return cls(chip, _shares(shares), weight, np.zeros_like(chip), unit, units)

    @cached_property
    def degrees(self) -> int:
        """Of freedom: drawn units less strata that are not labelled whole."""
        drawn = self._units_drawn
        open_strata = drawn < self.units
        return int(drawn[open_strata].sum() - open_strata.sum())

    @cached_property
    def _units_drawn(self) -> NDArray[np.int64]:
        pairs = np.unique(np.stack([self.stratum, self.unit]), axis=1)
        return np.bincount(pairs[0], minlength=len(self.units))

    def covariance(self, left: FloatArray, right: FloatArray) -> FloatArray:
        r"""Estimate the covariance of two estimated totals under the design.

        :math:`\sum_h (1 - f_h) \frac{n_h}{n_h - 1} \sum_j (a_j - \bar a_h) (b_j - \bar b_h)` over
        the :math:`n_h` units drawn of each stratum, with :math:`a_j` the sum of a unit's values
        times their weights: for chips, Cochran, Sampling Techniques, 3rd edition 1977, section 5.4;
        for units of which a part was labelled, with :math:`f_h = 0`, which is on the safe side
        (Särndal, Swensson and Wretman, Model Assisted Survey Sampling, 1992, chapter 4).

        Parameters
        ----------
        left, right : ndarray, shape (n, ...)
            Values of the labelled chips whose weighted sums are the estimates.

        Returns
        -------
        ndarray, shape (...)
            A variance, where both are the same.
        """
        shape = left.shape[1:]
        flat = [values.reshape(len(values), -1) for values in (left, right)]
        strata = np.zeros(self.unit.max() + 1, np.intp)
        strata[self.unit] = self.stratum
        a, b = (self._centred(values, strata) for values in flat)
        drawn = self._units_drawn
        factor = np.maximum(1 - drawn / self.units, 0) * drawn / np.maximum(drawn - 1, 1)
        total: FloatArray = np.einsum("u,uk,uk->k", factor[strata], a, b)
        return total.reshape(shape)

    def variance_unstratified(self, values: FloatArray) -> FloatArray:
        """Estimate the variance that a total would have, had as many chips been drawn at random.

        Strata are those of a map, so that what they gain is owed to it (Cochran 1977, section
        5A.11). Without strata it is that of the design.

        Parameters
        ----------
        values : ndarray, shape (n, category)
            See :meth:`covariance`.

        Returns
        -------
        ndarray, shape (category,)
            In the square of their unit.
        """
        if len(self.units) == 1:
            return self.covariance(values, values)
        chips, weight = self.weight.sum(), self.weight[:, np.newaxis]
        mean = (weight * values).sum(axis=0) / chips
        spread: FloatArray = (weight * (values - mean) ** 2).sum(axis=0) / (chips - 1)
        return chips**2 * (1 / len(values) - 1 / chips) * spread

    def _centred(self, values: FloatArray, strata: NDArray[np.intp]) -> FloatArray:
        sums = np.zeros((len(strata), values.shape[1]))
        np.add.at(sums, self.unit, values * self.weight[:, np.newaxis])
        means = np.zeros((len(self.units), values.shape[1]))
        np.add.at(means, strata, sums)
        centred: FloatArray = (
            sums - (means / np.maximum(self._units_drawn, 1)[:, np.newaxis])[strata]
        )
        return centred


def _shares(shares: ArrayLike) -> FloatArray:
    return np.asarray(shares, np.float64)
