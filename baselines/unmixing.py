"""Mixtures taken apart: the shares of known parts that make up what is seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from llpbench_baselines.simplex import project_to_simplex

_STEPS = 2000
_ACCURACY = 1e-7


def unmix(products: NDArray[np.floating], gram: NDArray[np.floating]) -> NDArray[np.float64]:
    r"""Least-squares shares that are not negative and sum to 1, for each row.

    With parts :math:`\mu_k` and an inner product, :math:`f = \arg\min \lVert \phi - \sum_k f_k
    \mu_k \rVert^2` depends on :math:`\langle \phi, \mu_k \rangle` and :math:`\langle \mu_j, \mu_k
    \rangle` alone. Found by projected gradients with momentum (Beck and Teboulle, A fast iterative
    shrinkage-thresholding algorithm, 2009), all rows at once.

    Parameters
    ----------
    products : ndarray, shape (n, part)
        Inner products of what is seen with each part.
    gram : ndarray, shape (part, part)
        Inner products of the parts.

    Returns
    -------
    ndarray of float64, shape (n, part)

    Examples
    --------
    >>> parts = np.array([[1.0, 0.0], [0.0, 2.0]])
    >>> seen = np.array([[0.25, 1.5], [3.0, 0.0]])
    >>> unmix(seen @ parts.T, parts @ parts.T).round(3)
    array([[0.25, 0.75],
           [1.  , 0.  ]])
    """
    rate = 1 / max(float(np.linalg.eigvalsh(gram)[-1]), 1e-300)
    shares = project_to_simplex(np.zeros(products.shape))
    ahead, momentum = shares, 1.0
    for _ in range(_STEPS):
        before, previous = shares, momentum
        shares = project_to_simplex(ahead - rate * (ahead @ gram - products))
        if np.abs(shares - before).max(initial=0) < _ACCURACY:
            break
        momentum = (1 + np.sqrt(1 + 4 * previous**2)) / 2
        ahead = shares + (previous - 1) / momentum * (shares - before)
    return shares
