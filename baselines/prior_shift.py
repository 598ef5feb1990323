"""Classifiers meet other class shares than they were trained on: EM for the shares of a chip."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llpbench.errors import MethodError

_BLOCK = 64
_SMALLEST = 1e-12


def emq(
    probabilities: NDArray[np.floating],
    prior: ArrayLike,
    *,
    alpha: float = 0.0,
    temperature: float = 1.0,
    iterations: int = 100,
    tolerance: float = 1e-5,
) -> NDArray[np.float32]:
    r"""Adapt the class probabilities of each chip's pixels to the chip's own class shares.

    With the probabilities :math:`s_u` of the :math:`Q` pixels of a chip and the class shares
    :math:`\pi_0` that they were learned at, repeat

    .. math:: q_{uk} \propto s_{uk} (\pi_k / \pi_{0k})^{1 / \tau}, \qquad
              \pi = \frac{\sum_u q_u + \alpha \pi_0}{Q + \alpha}

    until :math:`\pi` stays. For :math:`\alpha = 0` and :math:`\tau = 1` this is expectation
    maximisation of the likelihood of :math:`\pi`. Neighbouring pixels do not err independently,
    which makes that overconfident: a temperature :math:`\tau > 1` takes part of the correction,
    and :math:`\alpha` pixels of prior mass draw the shares towards :math:`\pi_0`.

    Parameters
    ----------
    probabilities : ndarray, shape (chip, pixel, category)
        From 0 to 1; each pixel's sum to 1.
    prior : array, shape (category,)
        Class shares that the probabilities were learned at, such as their mean over all training
        pixels; from 0 to 1, sum 1.
    alpha : float
        Prior mass in pixels, not negative.
    temperature : float
        At least 1; infinite leaves everything as it is.
    iterations : int
        At most so many.
    tolerance : float
        Change of the shares at which a block of chips is done.

    Returns
    -------
    ndarray of float32, shape (chip, pixel, category)
        Their mean over the pixels of a chip is the estimate of its shares.

    Raises
    ------
    MethodError
        If ``alpha`` or ``temperature`` is out of its range.

    References
    ----------
    Saerens, Latinne and Decaestecker, Adjusting the outputs of a classifier to new a priori
    probabilities, Neural Computation 14(1), 2002, equations 2.4 and 2.9.

    Examples
    --------
    Two pixels in three look like the first class; that they are judged alone is corrected:

    >>> seen = np.array([[[0.8, 0.2], [0.8, 0.2], [0.2, 0.8]]])
    >>> emq(seen, [0.5, 0.5]).mean(axis=1).round(3)
    array([[0.778, 0.222]], dtype=float32)
    """
    if alpha < 0 or not temperature >= 1:
        raise MethodError(
            "alpha must not be negative and the temperature at least 1, "
            f"found {alpha} and {temperature}"
        )
    start = np.maximum(np.asarray(prior, dtype=np.float64), _SMALLEST)
    adapted = np.empty(probabilities.shape, dtype=np.float32)
    for first in range(0, len(probabilities), _BLOCK):
        block = slice(first, first + _BLOCK)
        seen = np.asarray(probabilities[block], dtype=np.float32)
        adapted[block] = _adapt(seen, start, alpha, 1 / temperature, iterations, tolerance)
    return adapted


def _adapt(
    seen: NDArray[np.float32],
    prior: NDArray[np.float64],
    alpha: float,
    power: float,
    iterations: int,
    tolerance: float,
) -> NDArray[np.float32]:
    """Find the shares of a block of chips, then the probabilities that go with them."""
    pixels = seen.shape[1]
    shares = seen.mean(axis=1, dtype=np.float64)
    for _ in range(iterations):
        expected = reweigh(seen, (np.maximum(shares, _SMALLEST) / prior) ** power)
        before = shares
        total = expected.sum(axis=1, dtype=np.float64)
        shares = (total + alpha * prior) / (pixels + alpha)
        if np.abs(shares - before).max(initial=0) < tolerance:
            break
    return reweigh(seen, (np.maximum(shares, _SMALLEST) / prior) ** power)


def reweigh(
    probabilities: NDArray[np.float32], factors: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Multiply the class probabilities of each chip's pixels, and make them sum to 1 again.

    Parameters
    ----------
    probabilities : ndarray of float32, shape (chip, pixel, category)
        From 0 to 1; each pixel's sum to 1.
    factors : ndarray, shape (chip, category)
        Positive.

    Returns
    -------
    ndarray of float32, shape (chip, pixel, category)
        From 0 to 1; each pixel's sum to 1.
    """
    scaled = factors / factors.max(axis=1, keepdims=True)
    product = probabilities * scaled[:, np.newaxis].astype(np.float32)
    total = product @ np.ones((product.shape[-1], 1), dtype=np.float32)
    product /= np.maximum(total, np.float32(1e-30))
    return product
