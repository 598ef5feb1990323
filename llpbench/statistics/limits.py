"""Ways to read confidence limits off bootstrap draws.

Each takes a statistic (from sums (rows, terms) to values (rows, q)), the observed sums (divisions,
terms), how often each division is in each draw (draws, divisions), the draws' totals (draws, terms)
and the probability outside the interval on either side; each gives low and high limits (q,).
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from llpbench.metrics._arrays import FloatArray, quotient
from llpbench.statistics.sums import Statistic

Limits = tuple[FloatArray, FloatArray]


def percentile(
    statistic: Statistic, observed: FloatArray, counts: FloatArray, totals: FloatArray, tail: float
) -> Limits:
    """Quantiles of the draws' values."""
    values = statistic(totals)
    tails = np.full((2, values.shape[1]), [[tail], [1 - tail]])
    low, high = _quantiles(values, tails)
    return low, high


def bca(
    statistic: Statistic, observed: FloatArray, counts: FloatArray, totals: FloatArray, tail: float
) -> Limits:
    """Bias-corrected and accelerated percentiles, the acceleration by leaving divisions out."""
    values, total = statistic(totals), observed.sum(axis=0, keepdims=True)
    estimate = statistic(total)
    below = (values < estimate).mean(axis=0) + (values == estimate).mean(axis=0) / 2
    bias = ndtri(np.clip(below, 1 / len(values), 1 - 1 / len(values)))
    left_out = statistic(total - observed)
    deviation = left_out.mean(axis=0) - left_out
    spread = 6 * np.square(deviation).sum(axis=0) ** 1.5
    acceleration = np.nan_to_num(quotient((deviation**3).sum(axis=0), spread))
    shifted = bias + ndtri([[tail], [1 - tail]])
    low, high = _quantiles(values, ndtr(bias + shifted / (1 - acceleration * shifted)))
    return low, high


def bootstrap_t(
    statistic: Statistic, observed: FloatArray, counts: FloatArray, totals: FloatArray, tail: float
) -> Limits:
    """Quantiles of the draws' t values, times the standard error of the estimate."""
    total = observed.sum(axis=0, keepdims=True)
    estimate = statistic(total)
    error = _standard_errors(statistic, observed, np.ones((1, len(observed))), total)
    errors = _standard_errors(statistic, observed, counts, totals)
    errors[errors < 1e-6 * error] = np.nan  # one division only was taken: no standard error
    t_values = quotient(statistic(totals) - estimate, errors)
    tails = np.full((2, t_values.shape[1]), [[1 - tail], [tail]])
    low, high = estimate - _quantiles(t_values, tails) * error
    exact = error[0] <= 1e-10 * np.abs(estimate[0])  # all divisions agree but for rounding
    return np.where(exact, estimate[0], low), np.where(exact, estimate[0], high)


def _standard_errors(
    statistic: Statistic, observed: FloatArray, counts: FloatArray, totals: FloatArray
) -> FloatArray:
    """Linearised standard error of each draw's values: (draws, values).

    A division's influence is the gradient of the statistic times its sums; the gradient is taken
    by central differences.
    """
    steps = 1e-5 * np.abs(observed).sum(axis=0)
    moving = np.flatnonzero(steps)
    gradient = np.stack(
        [
            (statistic(totals + move) - statistic(totals - move)) / (2 * steps[term])
            for term, move in zip(moving, np.diag(steps)[moving], strict=True)
        ]
    )
    divisions = len(observed)
    draws, values = gradient.shape[1:]
    errors = np.empty((draws, values))
    for number in range(values):
        influence = gradient[:, :, number].T @ observed[:, moving].T
        influence -= (counts * influence).sum(axis=1, keepdims=True) / divisions
        variance = (counts * np.square(influence)).sum(axis=1) * divisions / (divisions - 1)
        errors[:, number] = np.sqrt(variance)
    return errors


def _quantiles(values: FloatArray, tails: FloatArray) -> FloatArray:
    """Quantiles of each column at its own tails (tails, columns), draws without a value aside."""
    result = np.full(tails.shape, np.nan)
    for column, one in enumerate(values.T):
        defined = one[~np.isnan(one)]
        if len(defined):
            result[:, column] = np.quantile(defined, tails[:, column])
    return result
