"""What kind of error it is: inconsistency with divisions, and bias along the predicted share."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from llpbench.errors import MetricError
from llpbench.metrics.arrays import (
    FloatArray,
    as_groups,
    as_shares,
    check_per,
    group_means,
    quotient,
)


def division_consistency(
    truth: ArrayLike,
    predicted: ArrayLike,
    division: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    per: Literal["division", "category"] | None = None,
) -> float | FloatArray:
    r"""How far the mean prediction of a division is from its known proportions.

    .. math:: \frac{1}{C} \sum_c \sum_k |\bar f_{ck} - p_{ck}|, \quad
              \bar f_c = \frac{\sum_{i \in c} w_{ci} \hat p_i}{\sum_{i \in c} w_{ci}}

    Parameters
    ----------
    truth : array_like, shape (C, K)
        Known proportions of C divisions, 0 to 1.
    predicted : array_like, shape (n, K)
        Predicted shares. A chip of several divisions is repeated, once an overlap.
    division : array_like of int, shape (n,)
        Row of ``truth`` that each row of ``predicted`` lies in.
    weight : array_like, shape (n,), optional
        Overlap areas (km²), by default all equal.
    per : {"division", "category"}, optional
        One value a division, NaN where it has no chip; or the part of each category, averaged over
        divisions, which sum to the whole.

    Returns
    -------
    float or ndarray
        In [0, 2], 0 when every division's mean is its known mix. Divisions count equally; those
        without chips not at all.

    Notes
    -----
    Source: the bag-level error of learning from label proportions (Yu et al. 2014,
    arXiv 1402.5902), with the 1-norm.

    Examples
    --------
    >>> division_consistency([[0.5, 0.5]], [[0.25, 0.75], [0.5, 0.5]], [0, 0])
    0.25
    """
    check_per(per, ("division", "category"))
    known, shares = as_shares(truth, "truth"), as_shares(predicted, "predicted")
    if known.shape[1] != shares.shape[1]:
        raise MetricError(
            "known and predicted proportions must have the same categories, "
            f"found {known.shape[1]} and {shares.shape[1]}"
        )
    numbers = as_groups(division, len(shares))
    if numbers.dtype.kind not in "iu" or numbers.min() < 0 or numbers.max() >= len(known):
        raise MetricError(f"division must hold row numbers of truth, 0 to {len(known) - 1}")
    terms = gap_terms(
        group_means(shares, numbers, _weights(weight, len(shares)), len(known)), known
    )
    if per == "division":
        return np.where(terms[:, -1] > 0, terms[:, :-1].sum(axis=1), np.nan)
    if not terms[:, -1].any():
        raise MetricError("no division has a chip of positive weight")
    value = consistency_of_gaps(terms.sum(axis=0), per)
    return float(value) if per is None else value


def gap_terms(means: FloatArray, known: FloatArray) -> FloatArray:
    """What each division adds to the consistency: (C, K + 1).

    Absolute differences of its mean prediction (C, K) from its known proportions, and last 1;
    nothing but zeros where either is unknown (NaN).
    """
    gaps = np.abs(means - known)
    both_known = np.isfinite(gaps).all(axis=1, keepdims=True)
    return np.concatenate([np.where(both_known, gaps, 0), both_known], axis=1)


def consistency_of_gaps(sums: FloatArray, per: Literal["category"] | None = None) -> FloatArray:
    """Consistency from sums (..., K + 1) of :func:`gap_terms`."""
    parts = quotient(sums[..., :-1], sums[..., -1:])
    return parts if per else np.asarray(parts.sum(axis=-1))


def means_by_tenth(truth: ArrayLike, predicted: ArrayLike) -> FloatArray:
    """Mean prediction and mean truth (n,) in tenths of the chips by predicted share: (bins, 3).

    Mean prediction, mean truth and number of chips, at most 10 rows by prediction: equal
    predictions stay together, and those at the upper bound of a tenth belong to it.

    Examples
    --------
    >>> means_by_tenth([0.0, 1.0, 1.0], [0.2, 0.2, 0.8])
    array([[0.2, 0.5, 2. ],
           [0.8, 1. , 1. ]])
    """
    shares = np.asarray(predicted)
    edges = np.unique(np.quantile(shares, np.linspace(0, 1, 11)[1:-1]))
    _, tenth = np.unique(np.searchsorted(edges, shares), return_inverse=True)
    count = np.bincount(tenth)
    sums = [np.bincount(tenth, values) for values in (shares, truth)]
    return np.column_stack([*(total / count for total in sums), count])


def _weights(weight: ArrayLike | None, chips: int) -> FloatArray:
    weights = np.asarray(np.ones(chips) if weight is None else weight, dtype=np.float64)
    if weights.shape != (chips,) or not np.isfinite(weights).all() or weights.min() < 0:
        raise MetricError(f"weight must hold {chips} finite numbers that are not negative")
    return weights
