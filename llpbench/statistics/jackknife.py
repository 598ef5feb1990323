"""Variances and their degrees of freedom: of divisions by leaving each out, and of seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from llpbench.metrics.arrays import FloatArray, quotient

Variance = tuple[FloatArray, float]
"""A variance of each value, and its degrees of freedom."""


def jackknife_variance(value: FloatArray, without: FloatArray, shares: FloatArray) -> Variance:
    """Variance of a value (...) from the values without each division (division, ...).

    Its degrees of freedom are those of divisions that carry ``shares`` (division,) of the total.
    """
    divisions = len(without)
    squares = np.square(without - value).sum(axis=0)
    return squares * (divisions - 1) / divisions, degrees_of_freedom(shares)


def seed_variance(values: FloatArray) -> Variance:
    """Variance of a mean over independent seeds, from the value of each (seed, ...)."""
    return values.var(axis=0, ddof=1) / len(values), len(values) - 1.0


def degrees_of_freedom(shares: FloatArray) -> float:
    """Degrees of freedom of the jackknife variance of a ratio; NaN if a division is all there is.

    A variance estimate of mean m and variance v behaves as chi square with 2 m² / v degrees of
    freedom (Satterthwaite). With shares w, independent divisions of equal variance and the sum of
    shares 1, what the jackknife adds up are the squares of b (ε - Σ w ε), b = w / (1 - w), whose
    covariances are b b' (δ - w - w' + Σ w²): m is the trace of that matrix, v twice the sum of its
    squares. Equal shares give C - 1.

    Notes
    -----
    Source: Bell and McCaffrey (2002), Survey Methodology 28, 169-181, for the mean.

    Examples
    --------
    >>> round(degrees_of_freedom(np.full(18, 1 / 18)), 6)
    17.0
    >>> round(degrees_of_freedom(np.r_[0.5, np.full(17, 0.5 / 17)]), 1)
    1.1
    """
    if not np.isfinite(shares).all() or (shares >= 1).any():
        return float("nan")
    square, even = np.square(shares / (1 - shares)), np.square(shares).sum()
    total, once, twice = square.sum(), (square * shares).sum(), (square * shares**2).sum()
    own = square * (1 - 2 * shares + even)
    pairs = even**2 * total**2 - 4 * even * total * once + 2 * total * twice + 2 * once**2
    crossed = pairs + np.square(own).sum() - np.square(square * (even - 2 * shares)).sum()
    return float(own.sum() ** 2 / crossed)


def half_width(parts: Sequence[Variance], level: float) -> FloatArray:
    """Half of a t interval whose variance is the sum of independent parts (Satterthwaite)."""
    variance = np.sum([part for part, _freedom in parts], axis=0)
    spread = np.sum([np.square(part) / freedom for part, freedom in parts], axis=0)
    freedom = quotient(np.square(variance), spread)
    width = stdtrit(freedom, (1 + level) / 2) * np.sqrt(variance)
    return np.where(variance == 0, 0.0, width)


def shares_of(weights: FloatArray) -> FloatArray:
    """Part of the whole that each division carries, from its last term, (division, ...)."""
    return quotient(weights, weights.sum(axis=0))


def seed_errors(
    values: Sequence[FloatArray], draws: int, random_state: NDArray[np.int64] | Sequence[int]
) -> FloatArray:
    """Draw what means over few seeds may be off: (draws, ...), 0 with one seed each.

    The error of each mean is its standard error times a value of Student's t: with few seeds even
    their spread is hardly known. ``values`` are those of each seed (seed, ...), of one mean or of
    several that are added up.
    """
    generator = np.random.default_rng(random_state)
    drawn = np.zeros((draws, *values[0].shape[1:]))
    for each in values:
        if len(each) > 1:
            variance, freedom = seed_variance(each)
            luck = generator.standard_t(freedom, draws)
            drawn += np.sqrt(variance) * luck.reshape(draws, *[1] * (each.ndim - 1))
    return drawn
