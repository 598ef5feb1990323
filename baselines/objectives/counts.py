"""How likely a number of cells is, each of which is of a class with a probability of its own."""

from __future__ import annotations

from typing import Any

from llpbench_baselines.backend import tf

_FURTHEST = 20.0
"""Largest tilt, a factor of 5e8 on odds: enough for classes that are nowhere or everywhere."""
_HALVINGS = 30


def count_log_likelihood(cells: Any, shares: Any) -> Any:
    r"""Approximate the Poisson-binomial likelihood of counts by saddlepoints.

    Of N cells with probabilities :math:`s_u` of a class, :math:`K(t) = \sum_u \log(1 - s_u + s_u
    e^t)` is the cumulant generating function of their number. For any t, :math:`P(n) = e^{K(t) -
    n t} P_t(n)` with :math:`P_t` the distribution where each cell's odds are :math:`e^t` times as
    large. At the t with :math:`K'(t) = n` its mean is n, and there it is nearly Gaussian:
    :math:`P_t(n) \approx (2 \pi K''(t) + 1)^{-1/2}`, with a relative error of the order of
    :math:`1 / K''(t)`. The 1 makes it right also where the number is certain, at 0 and N.

    Parameters
    ----------
    cells : tensor, shape (bag, cell, category)
        Probabilities.
    shares : tensor, shape (bag, category)
        Parts of the cells that are of each class, from 0 to 1.

    Returns
    -------
    tensor, shape (bag, category)
        Logarithms of probabilities. Gradients reach cells: n is matched where they are.

    References
    ----------
    Daniels, Saddlepoint approximations in statistics, Annals of Mathematical Statistics 25(4),
    1954; for sums of unequal Bernoulli variables: Eisinga et al., Statistica Neerlandica
    67(2), 2013.
    """
    odds = tf.math.log(cells + 1e-7) - tf.math.log(1 - cells + 1e-7)
    numbers = shares * tf.cast(tf.shape(cells)[1], cells.dtype)
    tilt = tf.stop_gradient(_find_tilt(odds, numbers))
    tilted = tf.sigmoid(odds + tilt[:, tf.newaxis])
    variance = tf.reduce_sum(tilted * (1 - tilted), axis=1)
    generated = tf.math.softplus(odds + tilt[:, tf.newaxis]) - tf.math.softplus(odds)
    return (
        tf.reduce_sum(generated, axis=1)
        - numbers * tilt
        - tf.math.log(2 * 3.1415927 * variance + 1) / 2
    )


def _find_tilt(odds: Any, numbers: Any) -> Any:
    """The tilt (bag, category) at which the expected numbers are these, by bisection."""
    low = tf.fill(tf.shape(numbers), -_FURTHEST)
    step = _FURTHEST
    for _ in range(_HALVINGS):
        expected = tf.reduce_sum(tf.sigmoid(odds + (low + step)[:, tf.newaxis]), axis=1)
        low = tf.where(expected < numbers, low + step, low)
        step /= 2
    return low
