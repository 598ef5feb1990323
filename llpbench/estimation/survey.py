"""Estimates from labelled chips with a map's help: survey sampling, and prediction-powered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from llpbench.errors import MetricError, UnknownNameError, unknown
from llpbench.estimation.means import Means
from llpbench.estimation.sample import Sample

FloatArray = NDArray[np.float64]
Estimator = Literal["tuned", "difference", "regression", "labels"]

FEWEST = 5
"""Drawn units in a polygon, and labelled chips that the map is wrong on, for an interval."""

_LEAST = 0.01
"""Of one less a leverage."""

_SAME = 1e-6
"""Shares that are not further apart are the same, as those of float32 are."""


def survey_means(
    sample: Sample,
    shares: FloatArray,
    weights: csr_array,
    sizes: FloatArray,
    estimator: Estimator = "tuned",
) -> Means:
    r"""Estimate mean shares of polygons from a sample, design-based.

    With :math:`m_i` what a working model says of each chip, the total of a class is
    :math:`\sum_U w_i m_i + \sum_s d_i w_i (y_i - m_i)`, over all chips and over the labelled ones,
    :math:`w_i` the area that a chip shares with a polygon and :math:`d_i` the chips it stands for
    (the generalised regression estimator: Särndal, Swensson and Wretman, Model Assisted Survey
    Sampling, 1992, chapter 6, and chapter 10 for domains). It is unbiased, or nearly, however
    wrong the model; the better the model, the narrower its interval. Estimates of the classes add
    up to a polygon's area, and those of polygons to the area of their union. The working models:

    ``labels``
        The mean of the labels: the map does not help (Horvitz and Thompson's estimator where all
        chips have the same area, else Hájek's).
    ``difference``
        The prediction (the difference estimator; prediction-powered inference,
        Angelopoulos et al., Science 2023, 382, 669-674).
    ``tuned``
        The prediction times one number for all classes, and an intercept: the number with the least
        sum of variances (PPI++, arXiv 2311.01453; for maps, arXiv 2407.13659).
    ``regression``
        A least-squares line on the predicted shares of all classes.

    The variance is that of the residuals under the design, each divided by one less the leverage
    of its chip, for slopes that were fitted to the same labels (Valliant, Survey Methodology 2002,
    28(1)). The effective sample is the number of labelled chips times the variance of the mean of
    those in the polygon, without strata, by the variance of the estimator.

    Parameters
    ----------
    sample : Sample
        Labelled chips.
    shares : ndarray, shape (chip, category)
        Predicted, of all chips that could have been drawn.
    weights : csr_array, shape (polygon, chip)
        Parts of each polygon's predicted area that lie in each chip; rows sum to 1.
    sizes : ndarray, shape (chip,)
        Areas of the chips, in any unit.
    estimator : {"tuned", "difference", "regression", "labels"}
        The working model.

    Returns
    -------
    Means
        No variance where fewer than 5 units of a polygon were drawn, or the model is wrong on fewer
        than 5 of their chips: then nothing shows how wrong it is elsewhere.

    Raises
    ------
    UnknownNameError
        If there is no such estimator.
    MetricError
        If there are fewer than 5 labelled chips for a model that is fitted to them.

    Examples
    --------
    A map that is right but for a tenth too much of the first class:

    >>> generator = np.random.default_rng(0)
    >>> truth = 0.8 * generator.dirichlet(np.ones(2), 400) + 0.1
    >>> shares, everywhere = truth + [0.1, -0.1], csr_array(np.full((1, 400), 1 / 400))
    >>> drawn = generator.choice(400, 20, replace=False)
    >>> sample = Sample.simple(drawn, truth[drawn], 400)
    >>> means = survey_means(sample, shares, everywhere, np.ones(400))
    >>> np.abs(means.value - truth.mean(axis=0)).max() < 1e-9
    np.True_
    """
    model = fit_model(sample, shares, sizes, estimator)
    value, variance = _estimate(sample, model, weights)
    known = _is_known(sample, model, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        alone = _variance_alone(sample, weights)
        alone[alone <= 0] = np.nan  # labels that are all the same do not show how they differ
        effective = len(sample.chip) * alone / variance
    variance, effective = (np.where(known, values, np.nan) for values in (variance, effective))
    degrees = np.clip(_units_inside(sample, weights) - 1, 1, max(sample.degrees, 1))
    return Means(value, variance, degrees.astype(np.float64), effective)


@dataclass(frozen=True)
class WorkingModel:
    """What the map is taken to say of each chip.

    Parameters
    ----------
    shares : ndarray, shape (chip, category)
        Rows sum to 1.
    leverage : ndarray, shape (n,)
        Of each labelled chip on its own fitted value by the slopes, from 0 to 1.
    """

    shares: FloatArray
    leverage: FloatArray


def fit_model(
    sample: Sample, shares: FloatArray, sizes: FloatArray, estimator: Estimator
) -> WorkingModel:
    """Fit the working model of an estimator, see :func:`survey_means` for both."""
    if estimator not in get_args(Estimator):
        raise UnknownNameError(unknown("estimator", estimator, get_args(Estimator)))
    none = np.zeros(len(sample.chip))
    if estimator == "difference":
        return WorkingModel(shares, none)
    weight = (sample.weight * sizes[sample.chip])[:, np.newaxis]
    mean_label, mean_predicted = (
        (weight * values).sum(axis=0) / weight.sum()
        for values in (sample.shares, shares[sample.chip])
    )
    if estimator == "labels":
        return WorkingModel(np.broadcast_to(mean_label, shares.shape), none)
    if len(none) < FEWEST:
        raise MetricError(
            f"the estimator {estimator!r} learns from labels how far the map is right: at least "
            f"{FEWEST} labelled chips are needed, found {len(none)}; label more, or use "
            "'difference'"
        )
    x, y = shares[sample.chip] - mean_predicted, sample.shares - mean_label
    if np.abs(x).max() < _SAME:  # no slope follows from how numbers are rounded
        x = np.zeros_like(x)
    if estimator == "tuned":
        area = sizes[sample.chip][:, np.newaxis]
        spread = sample.covariance(area * x, area * x).sum()
        together = sample.covariance(area * x, area * y).sum()
        slope = np.eye(x.shape[1]) * (together / spread if spread > 0 else 0.0)
        squares = (weight * x**2).sum(axis=1)
        leverage = squares / max(squares.sum(), np.finfo(float).tiny)
    else:
        root = np.sqrt(weight)
        inverse = np.linalg.pinv(root * x, rcond=_SAME)
        slope, leverage = inverse @ (root * y), np.einsum("ij,ji->i", root * x, inverse)
    return WorkingModel(mean_label + (shares - mean_predicted) @ slope, leverage)


def _estimate(
    sample: Sample, model: WorkingModel, weights: csr_array
) -> tuple[FloatArray, FloatArray]:
    """Mean shares and their variances, shape (polygon, category)."""
    residual = sample.shares - model.shares[sample.chip]
    area = weights[:, sample.chip].toarray()
    value = weights @ model.shares + (area * sample.weight) @ residual
    residual = residual / np.maximum(1 - model.leverage, _LEAST)[:, np.newaxis]
    terms = (row[:, np.newaxis] * residual for row in area)
    return np.asarray(value), np.stack([sample.covariance(term, term) for term in terms])


def _variance_alone(sample: Sample, weights: csr_array) -> FloatArray:
    """Of the means of labels in each polygon (Hájek's estimator), shape (polygon, category)."""
    area = weights[:, sample.chip].toarray()
    total = (area * sample.weight).sum(axis=1, keepdims=True)
    area = np.divide(area, total, out=np.zeros_like(area), where=total > 0)
    means = (area * sample.weight) @ sample.shares
    terms = (a[:, np.newaxis] * (sample.shares - m) for a, m in zip(area, means, strict=True))
    return np.stack([sample.variance_unstratified(term) for term in terms])


def _units_inside(sample: Sample, weights: csr_array) -> NDArray[np.int64]:
    """How many drawn units lie in each polygon."""
    rows = weights[:, sample.chip].toarray() > 0
    return np.array([len(np.unique(sample.unit[row])) for row in rows])


def _is_known(sample: Sample, model: WorkingModel, weights: csr_array) -> NDArray[np.bool_]:
    """Where a sample shows how wrong a model is, shape (polygon, category)."""
    inside = weights[:, sample.chip].toarray() > 0
    wrong = np.abs(sample.shares - model.shares[sample.chip]) > 1e-9
    enough = _units_inside(sample, weights) >= FEWEST
    known: NDArray[np.bool_] = (inside.astype(float) @ wrong >= FEWEST) & enough[:, np.newaxis]
    return known
