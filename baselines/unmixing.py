"""Mixtures taken apart: the shares of known parts that make up what is seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

_SUM_WEIGHT = 1e4
_RANK = 1e-12


def unmix(products: NDArray[np.floating], gram: NDArray[np.floating]) -> NDArray[np.float64]:
    r"""Least-squares shares that are not negative and sum to 1, for each row.

    With parts :math:`\mu_k` and an inner product, the shares :math:`f` that minimise
    :math:`\lVert \phi - \sum_k f_k \mu_k \rVert^2` depend on :math:`\langle \phi, \mu_k \rangle`
    and :math:`\langle \mu_j, \mu_k \rangle` alone. The sum is one more equation with a
    large weight (Heinz and Chang, Fully constrained least squares linear spectral mixture
    analysis, IEEE TGRS 39(3), 2001).

    Parameters
    ----------
    products : ndarray, shape (n, part)
        Inner products of what is seen with each part.
    gram : ndarray, shape (part, part)
        Inner products of the parts.

    Returns
    -------
    ndarray of float64, shape (n, part)
        From 0 to 1; rows sum to 1.

    Examples
    --------
    >>> parts = np.array([[1.0, 0.0], [0.0, 2.0]])
    >>> seen = np.array([[0.25, 1.5], [3.0, 0.0]])
    >>> unmix(seen @ parts.T, parts @ parts.T).round(3)
    array([[0.25, 0.75],
           [1.  , 0.  ]])
    """
    squares, directions = np.linalg.eigh(gram)
    kept = squares > _RANK * squares[-1]
    lengths = np.sqrt(squares[kept])
    weight = _SUM_WEIGHT * lengths[-1]
    equations = np.vstack(
        [lengths[:, np.newaxis] * directions[:, kept].T, np.full(len(gram), weight)]
    )
    seen = products @ directions[:, kept] / lengths
    shares = np.array([nnls(equations, np.append(row, weight))[0] for row in seen])
    return shares.reshape(products.shape) / shares.sum(axis=1, keepdims=True)
