"""Class shares of groups from the shares of groups and classes in divisions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

_SUM_WEIGHT = 1e3
_RIDGE = 1e-9


def regress_classes(
    groups: NDArray[np.float64], classes: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    r"""Class shares of groups that explain those of divisions: constrained least squares.

    The quadratic programme :math:`\min_b \sum_d w_d \lVert p_d - x_d^T b \rVert^2` with
    :math:`b \ge 0` and rows that sum to 1 is solved as non-negative least squares, the sums being
    equations of a large weight (Lawson and Hanson, Solving Least Squares Problems, 1974, chapters
    22 and 23). What the divisions leave open is that which is nearest to the mean of all.

    Parameters
    ----------
    groups : ndarray, shape (division, group)
        Shares of groups, from 0 to 1; rows sum to 1.
    classes : ndarray, shape (division, category)
        Shares of classes, from 0 to 1; rows sum to 1.
    weights : ndarray, shape (division,)
        What each division counts; positive.

    Returns
    -------
    ndarray of float64, shape (group, category)
        From 0 to 1; rows sum to 1.

    Examples
    --------
    >>> groups = np.array([[0.5, 0.5], [0.25, 0.75], [1.0, 0.0]])
    >>> regress_classes(groups, groups @ [[0.9, 0.1], [0.0, 1.0]], np.ones(3)).round(4)
    array([[0.9, 0.1],
           [0. , 1. ]])
    """
    count, kinds = groups.shape[1], classes.shape[1]
    scale = np.sqrt(weights / weights.sum())[:, np.newaxis]
    ridge = np.sqrt(_RIDGE)
    left = np.vstack([scale * groups, ridge * np.eye(count)])
    mean = np.average(classes, axis=0, weights=weights)
    right = np.vstack([scale * classes, ridge * np.tile(mean, (count, 1))])
    rotation, triangle = np.linalg.qr(left)
    sums = _SUM_WEIGHT * np.kron(np.eye(count), np.ones(kinds))
    equations = np.vstack([np.kron(triangle, np.eye(kinds)), sums])
    values = np.append((rotation.T @ right).ravel(), np.full(count, _SUM_WEIGHT))
    shares = nnls(equations, values)[0].reshape(count, kinds)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
