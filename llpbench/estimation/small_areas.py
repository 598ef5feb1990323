"""Class shares of divisions with few labels each: direct estimates drawn to a line through all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from llpbench.errors import MetricError
from llpbench.estimation.fay_herriot import fay_herriot
from llpbench.estimation.means import Means
from llpbench.estimation.sample import Sample
from llpbench.estimation.survey import Estimator, fit_model

FloatArray = NDArray[np.float64]

FEWEST = 5
"""Polygons with labels."""


def small_area_means(
    sample: Sample,
    shares: FloatArray,
    weights: csr_array,
    sizes: FloatArray,
    estimator: Estimator = "tuned",
) -> Means:
    r"""Estimate mean shares of polygons too small for a survey of each, class by class.

    The direct estimate of a polygon is the mean of the working model in it, plus the weighted mean
    of its labelled chips' residuals. Its variance is that of residuals within polygons, pooled over
    all of them as single ones have too few, divided by the effective number of its labelled chips,
    :math:`(\sum_i w_i)^2 / \sum_i w_i^2`. Direct estimates and mean predictions make the model of
    Fay and Herriot (:func:`~llpbench.estimation.fay_herriot.fay_herriot`, restricted likelihood);
    polygons without labels lie on its line. Each class has a model of its own, so that shares do
    not quite sum to 1. Intervals are the estimate and 1.96 roots of its mean squared error.

    Parameters
    ----------
    sample, shares, weights, sizes, estimator
        See :func:`~llpbench.estimation.survey.survey_means`.

    Returns
    -------
    Means
        Mean squared errors in the place of variances; NaN where no label differs from the model.

    Raises
    ------
    MetricError
        If fewer than 5 polygons have labels, or none has two.
    """
    model = fit_model(sample, shares, sizes, estimator)
    residual = sample.shares - model.shares[sample.chip]
    weight = weights[:, sample.chip].toarray() * sample.weight
    labelled = weight.sum(axis=1) > 0
    if labelled.sum() < FEWEST:
        raise MetricError(
            f"small-area estimates need labelled chips in at least {FEWEST} polygons, found "
            f"{labelled.sum()}; label more, or leave --small-areas away"
        )
    parts = weight[labelled] / weight[labelled].sum(axis=1, keepdims=True)
    mean = parts @ residual
    effective = 1 / (parts**2).sum(axis=1)
    within = pooled_variance(parts, residual, mean, effective)
    predicted, fitted = np.asarray(weights @ shares), np.asarray(weights @ model.shares)
    value, mse = fitted.copy(), np.full_like(fitted, np.nan)
    for k in np.flatnonzero(within > 0):
        direct, variance = np.full(len(labelled), np.nan), np.full(len(labelled), np.nan)
        direct[labelled] = fitted[labelled, k] + mean[:, k]
        variance[labelled] = within[k] / effective
        line = np.stack([np.ones(len(labelled)), predicted[:, k]], axis=1)
        varies = np.ptp(predicted[labelled, k]) > 0
        found = fay_herriot(direct, variance, line if varies else line[:, :1])
        value[:, k], mse[:, k] = found.value, found.mse
    return Means(value, mse, np.full(len(value), np.inf), np.full_like(value, np.nan))


def pooled_variance(
    parts: FloatArray, residual: FloatArray, mean: FloatArray, effective: FloatArray
) -> FloatArray:
    r"""Variance of chips within polygons, from all polygons together.

    :math:`\sum_d (m_d - 1) s_d^2 / \sum_d (m_d - 1)` with :math:`s_d^2 = \sum_i p_i (r_i -
    \bar r_d)^2 / (1 - \sum_i p_i^2)`, unbiased where chips vary alike, and :math:`m_d` the
    effective number of labelled chips.

    Parameters
    ----------
    parts : ndarray, shape (polygon, n)
        Weights of labelled chips; rows sum to 1.
    residual : ndarray, shape (n, category)
        Of each.
    mean : ndarray, shape (polygon, category)
        Their weighted means.
    effective : ndarray, shape (polygon,)
        One by the sum of the squares of each row.

    Returns
    -------
    ndarray, shape (category,)
        In the square of the unit of the residuals.

    Raises
    ------
    MetricError
        If no polygon has two labelled chips.

    Examples
    --------
    >>> parts = np.array([[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    >>> values = np.array([[1.0], [3.0], [0.0], [4.0]])
    >>> pooled_variance(parts, values, parts @ values, np.array([2.0, 2.0]))
    array([5.])
    """
    several = effective > 1 + 1e-9
    if not several.any():
        raise MetricError(
            "small-area estimates need a polygon with two labelled chips, found none; label more"
        )
    squares = (parts[:, :, np.newaxis] * (residual - mean[:, np.newaxis]) ** 2).sum(axis=1)
    own = squares[several] / (1 - 1 / effective[several])[:, np.newaxis]
    pooled: FloatArray = np.average(own, axis=0, weights=effective[several] - 1)
    return pooled
