"""Shares from real numbers: the nearest point of the probability simplex."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def project_to_simplex(values: ArrayLike) -> NDArray[np.float64]:
    """Euclidean projection of each row on the simplex of non-negative shares that sum to 1.

    Sorting finds the largest number of positive shares whose common shift makes them sum to 1
    (Duchi et al., Efficient projections onto the l1-ball, ICML 2008, figure 1).

    Parameters
    ----------
    values : array, shape (n, category)
        Any finite numbers.

    Returns
    -------
    ndarray of float64, shape (n, category)
        From 0 to 1; rows sum to 1.

    Examples
    --------
    >>> project_to_simplex([[0.5, 0.75, -1.0]])
    array([[0.375, 0.625, 0.   ]])
    """
    rows = np.asarray(values, dtype=np.float64)
    descending = -np.sort(-rows, axis=1)
    shift = (np.cumsum(descending, axis=1) - 1) / np.arange(1, rows.shape[1] + 1)
    positive = (descending > shift).sum(axis=1, keepdims=True)
    return np.maximum(rows - np.take_along_axis(shift, positive - 1, axis=1), 0)
