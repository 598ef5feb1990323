r"""Predictions made to add up to the known class proportions of divisions.

Of all shares :math:`f` whose overlap-weighted means over each division d are its proportions
:math:`p_d`, those nearest to the predicted ones :math:`s` in the sense of Kullback and Leibler
(averaged over the pixels of a chip, summed over chips) are

.. math:: f_{uk} \propto s_{uk} \exp\left(\sum_d w_{di} \lambda_{dk}\right)

for the pixels u of chip i, which overlaps division d by :math:`w_{di}`: a chip between divisions
obeys each of them as far as it lies there. Iterative proportional fitting finds :math:`\lambda` a
division at a time (Deming and Stephan, 1940; Csiszár, I-divergence geometry, Annals of
Probability 1975). It is where a convex function with sparse second derivatives is least, so
Newton's method finds all divisions together, in a few steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import bsr_array, csr_array, eye_array, kron
from scipy.sparse.linalg import spsolve

from llpbench.data.divisions import Divisions
from llpbench_baselines.backend import tf

_BLOCK = 128
_FLOOR = 1e-9
"""Shares below are taken for this much, so that no class is impossible anywhere."""
_SLACK = 1e-8
"""Chips by which a division may miss its demand for each unit of its multiplier, so that some
finite multipliers do best even where divisions contradict one another. Those may lie further away
than the steps reach: on single chips raking then ends where it began."""
_ACCURACY = 1e-8
_STEPS = 100
_LONGEST = 10.0
"""Largest change of a multiplier in a step."""


def rake_cells(cells: NDArray[np.floating], divisions: Divisions) -> NDArray[np.float16]:
    """Make the class probabilities of cells add up to the proportions of divisions, about.

    Every fourth cell is enough to find the factors of all, to a hundredth of a chip.

    Parameters
    ----------
    cells : ndarray, shape (chip, cell, category)
        Probabilities from 0 to 1; each cell's sum to 1.
    divisions : Divisions
        With these chips.

    Returns
    -------
    ndarray of float16, shape (chip, cell, category)
        From 0 to 1; each cell's sum to 1, but for half precision.
    """
    some = cells[:, ::4].astype(np.float64)  # once, not at every step
    factors = log_factors(some, divisions.weights, divisions.proportions, accuracy=0.01)
    raked = np.empty(cells.shape, dtype=np.float16)
    for block in _blocks(len(cells)):
        # TensorFlow rounds: numpy takes ten times as long where probabilities are almost 0
        raked[block] = tf.cast(apply_factors(cells[block], factors[block]), tf.float16)
    return raked


def log_factors(
    probabilities: NDArray[np.floating],
    weights: csr_array,
    proportions: NDArray[np.floating],
    *,
    accuracy: float = _ACCURACY,
) -> NDArray[np.float64]:
    """Compute the factors of the probabilities of each chip.

    Parameters
    ----------
    probabilities : ndarray, shape (chip, pixel, category)
        Predicted, from 0 to 1; each pixel's sum to 1. Shares of chips are those of one pixel.
    weights : csr_array, shape (division, chip)
        Such as ``ds.llp.bags()``; the scale of a row does not matter.
    proportions : ndarray, shape (division, category)
        Known, from 0 to 1; divisions with a row of NaN, or without chips, demand nothing.
    accuracy : float
        Chips by which a division may miss its demand. A looser one takes fewer steps, and keeps
        factors moderate where divisions contradict one another.

    Returns
    -------
    ndarray of float64, shape (chip, category)
        Natural logarithms of the factors; 0 for chips outside all divisions.

    Examples
    --------
    >>> predicted = np.array([[[0.5, 0.5]], [[0.2, 0.8]]])
    >>> factors = log_factors(predicted, csr_array([[0.5, 0.5]]), np.array([[0.5, 0.5]]))
    >>> apply_factors(predicted, factors)[:, 0].round(3)
    array([[0.667, 0.333],
           [0.333, 0.667]])
    """
    known = np.isfinite(proportions).all(axis=1) & (weights.sum(axis=1) > 0)
    if not known.any():
        return np.zeros((len(probabilities), probabilities.shape[-1]))
    rows = csr_array(weights[np.flatnonzero(known)], dtype=np.float64)
    rows = csr_array(rows.multiply(1 / rows.max(axis=1).toarray().reshape(-1, 1)))
    demanded = np.maximum(np.asarray(proportions[known], dtype=np.float64), _FLOOR)
    demanded *= (rows.sum(axis=1) / demanded.sum(axis=1))[:, np.newaxis]
    multipliers = np.zeros(demanded.shape)
    if probabilities.shape[1] > 1:  # those of the shares are quickly found, and near
        shares = probabilities.mean(axis=1, keepdims=True, dtype=np.float64)
        multipliers = _solve(_Dual(shares, rows, demanded), multipliers, accuracy)
    multipliers = _solve(_Dual(probabilities, rows, demanded), multipliers, accuracy)
    return np.asarray(rows.T @ multipliers)


def apply_factors(
    probabilities: NDArray[np.floating], factors: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Multiply the probabilities of each chip, and make them sum to 1 again.

    Parameters
    ----------
    probabilities : ndarray, shape (chip, pixel, category)
        From 0 to 1; each pixel's sum to 1.
    factors : ndarray, shape (chip, category)
        Natural logarithms, from :func:`log_factors`.

    Returns
    -------
    ndarray of float64, shape (chip, pixel, category)
        From 0 to 1; each pixel's sum to 1.
    """
    product = np.maximum(probabilities, _FLOOR, dtype=np.float64)
    product *= np.exp(factors - factors.max(axis=1, keepdims=True))[:, np.newaxis]
    product /= (product @ np.ones(product.shape[-1]))[..., np.newaxis]
    return product


def _log_sums(probabilities: NDArray[np.floating], factors: NDArray[np.float64]) -> float:
    """Logarithms of what probabilities times factors sum to: means of chips, added up."""
    highest = factors.max(axis=1, keepdims=True)
    scale = np.exp(factors - highest)[..., np.newaxis]
    sums = np.maximum(probabilities, _FLOOR, dtype=np.float64) @ scale
    return float(np.log(sums).mean(axis=1).sum() + highest.sum())


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + _BLOCK) for start in range(0, count, _BLOCK))


class _Dual:
    """The convex function of the multipliers (division, category) that is least at the solution.

    Its gradient is by how many chips the predictions of each division exceed the demand.
    """

    def __init__(
        self,
        probabilities: NDArray[np.floating],
        weights: csr_array,
        demanded: NDArray[np.float64],
    ) -> None:
        self.probabilities, self.weights, self.demanded = probabilities, weights, demanded
        self._spread_out = kron(weights, eye_array(demanded.shape[1]), format="csr")

    def value(self, multipliers: NDArray[np.float64]) -> float:
        factors = self.weights.T @ multipliers
        total = sum(
            _log_sums(self.probabilities[block], factors[block]) for block in _blocks(len(factors))
        )
        slack = 0.5 * _SLACK * np.square(multipliers).sum()
        return float(total + slack - (multipliers * self.demanded).sum())

    def derivatives(self, multipliers: NDArray[np.float64]) -> tuple[NDArray[np.float64], Any]:
        """First derivatives, and the sparse matrix of the second ones."""
        factors = self.weights.T @ multipliers
        shares, products = [], []
        for block in _blocks(len(factors)):
            raked = apply_factors(self.probabilities[block], factors[block])
            shares.append(np.full(raked.shape[1], 1 / raked.shape[1]) @ raked)
            products.append(np.matmul(raked.transpose(0, 2, 1), raked) / raked.shape[1])
        mean = np.concatenate(shares)
        count, categories = mean.shape
        covariances = mean[:, :, np.newaxis] * np.eye(categories) - np.concatenate(products)
        chips = bsr_array((covariances, np.arange(count), np.arange(count + 1)))
        curvature = self._spread_out @ chips.tocsr() @ self._spread_out.T
        excess = self.weights @ mean - self.demanded
        return excess + _SLACK * multipliers, curvature + _SLACK * eye_array(excess.size)


def _solve(dual: _Dual, multipliers: NDArray[np.float64], accuracy: float) -> NDArray[np.float64]:
    """Newton's method, each step shortened until it goes down."""
    value = dual.value(multipliers)
    for _ in range(_STEPS):
        gradient, curvature = dual.derivatives(multipliers)
        if np.abs(gradient).max() <= accuracy:
            break
        step = spsolve(curvature.tocsc(), -gradient.ravel()).reshape(gradient.shape)
        step *= min(1.0, _LONGEST / np.abs(step).max())
        slope = (gradient * step).sum()
        length = 1.0
        while (trial := dual.value(multipliers + length * step)) > value + 0.25 * length * slope:
            length /= 2
            if length < 1e-4:
                return multipliers
        multipliers, value = multipliers + length * step, trial
    return multipliers
