"""Confidence limits from bootstrap draws."""

from __future__ import annotations

import numpy as np

from llpbench.metrics.arrays import FloatArray, quotient
from llpbench.statistics.sums import Statistic


def bootstrap_t(
    statistic: Statistic, observed: FloatArray, counts: FloatArray, totals: FloatArray, tail: float
) -> tuple[FloatArray, FloatArray]:
    """Quantiles of the draws' t values, times the standard error of the estimate.

    Parameters
    ----------
    statistic : callable
        From sums (rows, terms) to values (rows, q).
    observed : ndarray, shape (divisions, terms)
        Sums of each division.
    counts, totals : ndarray, shapes (draws, divisions) and (draws, terms)
        How often each division is in each draw; what the draws add up to.
    tail : float
        Probability outside the interval on either side.

    Returns
    -------
    low, high : ndarray, shape (q,)
        NaN for a value that no draw has.
    """
    total = observed.sum(axis=0, keepdims=True)
    estimate = statistic(total)
    error = _standard_errors(statistic, observed, np.ones((1, len(observed))), total)
    errors = _standard_errors(statistic, observed, counts, totals)
    errors[errors < 1e-6 * error] = np.nan  # one division only was taken: no standard error
    t_values = quotient(statistic(totals) - estimate, errors)
    low, high = estimate - _quantiles(t_values, [1 - tail, tail]) * error
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


def _quantiles(values: FloatArray, levels: list[float]) -> FloatArray:
    """Quantiles (levels, columns) of each column, draws without a value aside."""
    result = np.full((len(levels), values.shape[1]), np.nan)
    for column, draws in enumerate(values.T):
        defined = draws[~np.isnan(draws)]
        if len(defined):
            result[:, column] = np.quantile(defined, levels)
    return result
