"""Variances and their degrees of freedom: of divisions by leaving each out, and of seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy

from llpbench.metrics.arrays import FloatArray, quotient

Variance = tuple[FloatArray, FloatArray | float]
"""A variance of each value, and its degrees of freedom."""


def jackknife_variance(value: FloatArray, without: FloatArray, shares: FloatArray) -> Variance:
    """Variance of a value (...) from the values without each division (division, ...).

    Its degrees of freedom are those of divisions that carry ``shares`` (division,) of the total.
    """
    divisions = len(without)
    squares = np.square(without - value).sum(axis=0)
    return squares * (divisions - 1) / divisions, degrees_of_freedom(shares)


def seed_variance(values: FloatArray) -> Variance:
    """Variance of a mean over independent seeds, from the value of each (seed, ...).

    One alone says nothing of it, and counts as if there were none.
    """
    if len(values) == 1:
        return np.zeros(values.shape[1:]), np.inf
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


def added(parts: Sequence[Variance]) -> tuple[FloatArray, FloatArray]:
    """Sum of independent variances, and its degrees of freedom; NaN where all are 0.

    Notes
    -----
    Source: Satterthwaite (1946), Biometrics Bulletin 2, 110-114; of the difference of two means
    Welch (1947), Biometrika 34, 28-35.

    Examples
    --------
    >>> variance, freedom = added([(np.array(1.0), 2), (np.array(3.0), 18)])
    >>> float(variance), float(freedom)  # 16 / (1 / 2 + 9 / 18)
    (4.0, 16.0)
    """
    variance = np.sum([part for part, _freedom in parts], axis=0)
    spread = np.sum([np.square(part) / freedom for part, freedom in parts], axis=0)
    return variance, quotient(np.square(variance), spread)


def half_width(parts: Sequence[Variance], level: float) -> FloatArray:
    """Half of a t interval whose variance is the sum of independent parts."""
    variance, freedom = added(parts)
    width = scipy.special.stdtrit(freedom, (1 + level) / 2) * np.sqrt(variance)
    return np.where(variance == 0, 0.0, width)


def shares_of(weights: FloatArray) -> FloatArray:
    """Part of the whole that each division carries, from its last term, (division, ...)."""
    return quotient(weights, weights.sum(axis=0))


def seed_errors(
    value: FloatArray,
    divisions: Sequence[Variance],
    seeds: Sequence[Variance],
    draws: int,
    random_state: Sequence[int],
) -> FloatArray:
    """Draw what few seeds may put a value (...) off: (draws, ...), turned round with its sign.

    Standard errors from the variances of ``seeds`` times Student's t. Its degrees of freedom are
    those of the variance of the value, of ``divisions`` and seeds together, as in the interval of a
    score: few seeds hardly know how far they spread, which matters as far as their spread does.
    """
    variance, own = added(seeds)
    if (variance == 0).all():
        return np.zeros((draws, *value.shape))
    known = [(np.nan_to_num(part), freedom) for part, freedom in divisions]
    together = added([*known, (variance, np.nan_to_num(own, nan=1))])
    freedom = np.nan_to_num(together[1], nan=1)
    drawn = np.random.default_rng(random_state).standard_t(freedom, (draws, *value.shape))
    luck: FloatArray = np.where(value < 0, -1, 1) * np.sqrt(variance) * drawn
    return luck
