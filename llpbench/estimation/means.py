"""Mean class shares of polygons, with their variances: what every estimator here returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from llpbench.brief import Brief
from llpbench.uncertainty.error_model import ErrorModel

FloatArray = NDArray[np.float64]

LEVEL = 0.95
"""Of all intervals."""


@dataclass(frozen=True, repr=False)
class Means(Brief):
    """Estimated mean shares.

    Parameters
    ----------
    value : ndarray, shape (polygon, category)
        Mostly from 0 to 1; of samples, also below or above. Rows sum to 1, but for small areas.
    variance : ndarray, shape (polygon, category)
        NaN where it is not known.
    degrees : ndarray, shape (polygon,)
        Of freedom of the variance; infinity where it counts as known.
    effective : ndarray, shape (polygon, category)
        How many labelled chips, without a map, would tell as much; NaN without any.
    """

    value: FloatArray
    variance: FloatArray
    degrees: FloatArray
    effective: FloatArray

    def interval(self) -> tuple[FloatArray, FloatArray]:
        """Bounds of 95 % intervals, by Student's t; NaN where there is no variance.

        They are cut at 0 and at 1, but never inside the estimate.

        Returns
        -------
        low, high : ndarray, shape (polygon, category)
            Shares.
        """
        from scipy.stats import t

        half = t.ppf((1 + LEVEL) / 2, self.degrees)[:, np.newaxis] * np.sqrt(self.variance)
        low = np.maximum(self.value - half, np.minimum(self.value, 0))
        return low, np.minimum(self.value + half, np.maximum(self.value, 1))


def predicted_means(
    weights: csr_array,
    shares: FloatArray,
    places: FloatArray | None = None,
    errors: ErrorModel | None = None,
) -> Means:
    """Mean shares from predictions alone.

    Parameters
    ----------
    weights : csr_array, shape (polygon, chip)
        Parts of each polygon's predicted area that lie in each chip; rows sum to 1.
    shares : ndarray, shape (chip, category)
        As predicted.
    places : ndarray, shape (chip, 2), optional
        East and north in km, for the error model.
    errors : ErrorModel, optional
        Learned from held-out divisions. Without one there are no intervals: nothing in predictions
        says how wrong they are.

    Examples
    --------
    >>> predicted_means(csr_array([[0.5, 0.5]]), np.eye(2)).value
    array([[0.5, 0.5]])
    """
    value = np.asarray(weights @ shares)
    unknown = variance = np.full_like(value, np.nan)
    if errors is not None and places is not None:
        value, variance = errors.area_means(weights, shares, places)
    return Means(value, variance, np.full(len(value), np.inf), unknown)
