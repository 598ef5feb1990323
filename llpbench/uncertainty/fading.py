"""Over what distance errors are alike, and what that makes of the errors of means."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from llpbench.errors import LLPBenchError

MOST_CHIPS = 5000
"""Chips between which all distances are taken at once; of more, some are drawn."""

_BINS = 12
_FARTHEST = 0.25
"""Up to what part of the region's diagonal chips are compared."""


def map_range(shares: NDArray[np.float64], places: NDArray[np.float64]) -> float:
    r"""Find over what distance a map of shares changes: its range in km.

    The correlation of chips, all classes together, in bins of distance h is fitted by
    :math:`\beta e^{-h/L}`: the exponential model of geostatistics (Cressie, Statistics for Spatial
    Data, 1993, section 2.3).

    Parameters
    ----------
    shares : ndarray of float64, shape (chip, category)
        Predicted.
    places : ndarray of float64, shape (chip, 2)
        East and north in km.

    Returns
    -------
    float
        L, between the least distance of two chips and the farthest compared.

    Raises
    ------
    LLPBenchError
        If the shares of all chips are the same.
    """
    some = np.linspace(0, len(shares) - 1, min(len(shares), MOST_CHIPS)).astype(np.intp)
    away = shares[some] - shares[some].mean(axis=0)
    variance = np.square(away).sum(axis=1).mean()
    if variance < 1e-12:
        raise LLPBenchError(
            "all chips have the same predicted shares, so nothing tells over what distance errors "
            "are alike; use a method that looks at the images"
        )
    distances = scipy.spatial.distance.pdist(places[some])
    products = (away @ away.T)[np.triu_indices(len(some), 1)] / variance
    nearest, farthest = distances.min(), _FARTHEST * distances.max()
    edges = np.geomspace(nearest * 0.99, max(farthest, 4 * nearest), _BINS + 1)
    counts, sums, means = (
        np.histogram(distances, edges, weights=w)[0] for w in (None, products, distances)
    )
    seen = counts > 0
    correlation, apart = sums[seen] / counts[seen], means[seen] / counts[seen]
    start = (1.0, float(np.sqrt(edges[0] * edges[-1])))
    bounds = ((0.0, edges[0]), (1.0, edges[-1]))
    (_level, length), _covariance = scipy.optimize.curve_fit(
        lambda h, level, length: level * np.exp(-h / length),
        apart, correlation, start, bounds=bounds, sigma=1 / np.sqrt(counts[seen]),
    )  # fmt: skip
    return float(length)


def own_variances(
    weights: scipy.sparse.csr_array, spread: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Variances of means over chips that err each on its own.

    Parameters
    ----------
    weights : csr_array, shape (area, chip)
        Of the chips of each area; rows sum to 1.
    spread : ndarray of float64, shape (chip, category)
        Standard deviations of chips.

    Returns
    -------
    ndarray of float64, shape (area, category)
        In the square of the unit of the spread.
    """
    return np.asarray(weights.multiply(weights) @ np.square(spread))


def shared_variances(
    weights: scipy.sparse.csr_array,
    spread: NDArray[np.float64],
    places: NDArray[np.float64],
    length: float,
) -> NDArray[np.float64]:
    """Variances of means over chips whose errors correlate by ``exp(-distance / length)``.

    Parameters
    ----------
    weights : csr_array, shape (area, chip)
        Of the chips of each area; rows sum to 1.
    spread : ndarray of float64, shape (chip, category)
        Standard deviations of chips.
    places : ndarray of float64, shape (chip, 2)
        East and north in km.
    length : float
        Range in km.

    Returns
    -------
    ndarray of float64, shape (area, category)
        In the square of the unit of the spread.
    """
    variances = np.empty((weights.shape[0], spread.shape[1]))
    for area in range(weights.shape[0]):
        row = slice(weights.indptr[area], weights.indptr[area + 1])
        chips, parts = _thinned(weights.indices[row], weights.data[row])
        terms = parts[:, np.newaxis] * spread[chips]
        alike = np.exp(-scipy.spatial.distance.cdist(places[chips], places[chips]) / length)
        variances[area] = np.einsum("ck,ck->k", terms, alike @ terms)
    return variances


def covariances(
    weights: scipy.sparse.csr_array,
    spread: NDArray[np.float64],
    alike: NDArray[np.floating] | None = None,
) -> NDArray[np.float64]:
    """Covariances of means over areas, of one category.

    Parameters
    ----------
    weights : csr_array, shape (area, chip)
        Of the chips of each area.
    spread : ndarray of float64, shape (chip,)
        Standard deviations of chips.
    alike : ndarray, shape (chip, chip), optional
        Correlations of their errors; by default each errs on its own.

    Returns
    -------
    ndarray of float64, shape (area, area)
        In the square of the unit of the spread.
    """
    scaled = weights.multiply(spread[np.newaxis]).tocsr()
    if alike is None:
        return np.asarray((scaled @ scaled.T).toarray())
    return np.asarray(scaled @ (scaled @ alike).T)


def _thinned(
    chips: NDArray[np.integer], weights: NDArray[np.float64]
) -> tuple[NDArray[np.integer], NDArray[np.float64]]:
    """Some of very many chips, evenly along their order, with weights of the same sum."""
    if len(chips) <= MOST_CHIPS:
        return chips, weights
    some = np.linspace(0, len(chips) - 1, MOST_CHIPS).astype(np.intp)
    return chips[some], weights[some] * (weights.sum() / weights[some].sum())
