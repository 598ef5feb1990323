"""Fay-Herriot estimates against the R package sae, a direct likelihood, and simulations."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from llpbench.errors import MetricError
from llpbench.estimation.fay_herriot import fay_herriot

# Spending on fresh milk in 43 areas of the US (Arora and Lahiri, Statistica Sinica 1997, 7,
# 1053-1063; dataset `milk` of the R package sae): direct estimates, their standard errors, and how
# many areas each of the four major areas has.
MILK = np.array(
    [1.099, 1.075, 1.105, 0.628, 0.753, 0.981, 1.257, 1.095, 1.405, 1.356, 0.615, 1.46, 1.338,
     0.854, 1.176, 1.111, 1.257, 1.43, 1.278, 1.292, 1.002, 1.183, 1.044, 1.267, 1.193, 0.791,
     0.795, 0.759, 0.796, 0.565, 0.886, 0.952, 0.807, 0.582, 0.684, 0.787, 0.44, 0.759, 0.77,
     0.8, 0.756, 0.865, 0.64]
)  # fmt: skip
ERROR = np.array(
    [0.163, 0.08, 0.083, 0.109, 0.119, 0.141, 0.202, 0.127, 0.168, 0.178, 0.1, 0.201, 0.148,
     0.143, 0.149, 0.145, 0.135, 0.172, 0.137, 0.163, 0.125, 0.247, 0.14, 0.171, 0.106, 0.121,
     0.121, 0.259, 0.106, 0.089, 0.225, 0.205, 0.119, 0.067, 0.106, 0.126, 0.092, 0.132, 0.1,
     0.113, 0.083, 0.121, 0.129]
)  # fmt: skip
MAJOR = np.repeat(np.arange(4), [7, 7, 11, 18])

# What eblupFH and mseFH of sae give with method "REML" and "ML".
COEFFICIENTS = {
    "reml": [0.9681890, 0.1327801, 0.2269462, -0.2413011],
    "ml": [0.9677986, 0.1278756, 0.2266909, -0.2425804],
}
FIRST = {
    "reml": [1.0219703, 1.0476018, 1.0679513, 0.7608170, 0.8461574, 0.9743727, 1.0584523],
    "ml": [1.0161733, 1.0436968, 1.0628168, 0.7753489, 0.8554903, 0.9735857, 1.0474786],
}  # fmt: skip
LAST = {
    "reml": [0.7548996, 0.7701918, 0.7481164, 0.8040773, 0.6810870],
    "ml": [0.7524506, 0.7662423, 0.7465360, 0.7971405, 0.6840976],
}
FIRST_MSE = {
    "reml": [0.013460220, 0.005372876, 0.005701990, 0.008541740, 0.009579594, 0.011670632],
    "ml": [0.013579953, 0.005512868, 0.005850584, 0.008735454, 0.009774528, 0.011840745],
}
LAST_MSE = {
    "reml": [0.007209937, 0.008470277, 0.005484860, 0.009205133, 0.009903626],
    "ml": [0.007347143, 0.008612538, 0.005597690, 0.009344874, 0.010037140],
}


def _milk() -> NDArray[np.float64]:
    covariates = np.eye(4)[MAJOR]
    covariates[:, 0] = 1
    return covariates


@pytest.mark.parametrize("fit", ["reml", "ml"])
def test_estimates_and_errors_are_those_of_sae(fit: str) -> None:
    """To four digits: sae stops its Fisher scoring at a relative change of 1e-4."""
    fitted = fay_herriot(MILK, ERROR**2, _milk(), fit)  # type: ignore[arg-type]
    np.testing.assert_allclose(fitted.coefficients, COEFFICIENTS[fit], atol=2e-5)
    np.testing.assert_allclose(fitted.value[:7], FIRST[fit], atol=5e-5)
    np.testing.assert_allclose(fitted.value[-5:], LAST[fit], atol=5e-5)
    np.testing.assert_allclose(fitted.mse[:6], FIRST_MSE[fit], rtol=1e-3)
    np.testing.assert_allclose(fitted.mse[-5:], LAST_MSE[fit], rtol=1e-3)


def test_the_likelihood_is_that_of_a_normal_distribution() -> None:
    """Maximised over coefficients and variance together, by another program."""

    def minus_log(parameters: NDArray[np.float64]) -> float:
        *beta, root = parameters
        covariance = np.diag(root**2 + ERROR**2)
        return -float(multivariate_normal(_milk() @ beta, covariance).logpdf(MILK))

    found = minimize(minus_log, [1, 0, 0, 0, 0.2], method="Nelder-Mead", options={"maxiter": 5000})
    fitted = fay_herriot(MILK, ERROR**2, _milk(), "ml")
    np.testing.assert_allclose(fitted.coefficients, found.x[:4], atol=1e-3)
    assert fitted.variance == pytest.approx(found.x[4] ** 2, rel=1e-2)


def test_areas_that_do_not_differ_lie_on_the_line() -> None:
    x = np.stack([np.ones(12), np.arange(12)], axis=1)
    fitted = fay_herriot(x @ [1, 2], np.full(12, 0.5), x)
    assert fitted.variance == 0
    np.testing.assert_allclose(fitted.value, x @ [1, 2])


def test_an_area_without_a_sample_is_predicted_by_the_line() -> None:
    direct = np.where(np.arange(43) == 3, np.nan, MILK)
    with_gap = fay_herriot(direct, ERROR**2, _milk())
    without = fay_herriot(np.delete(MILK, 3), np.delete(ERROR, 3) ** 2, np.delete(_milk(), 3, 0))
    np.testing.assert_allclose(np.delete(with_gap.value, 3), without.value)
    assert with_gap.value[3] == pytest.approx(without.coefficients[0])
    assert with_gap.mse[3] > with_gap.variance


@pytest.mark.parametrize(
    ("direct", "variances", "covariates", "words"),
    [
        ([1, 2, 3], [1, 1, 1], [[1, 0], [1, 1], [1, 2]], "at least 4 areas, found 3"),
        ([1, 2, 3, 4], [1, 1, 0, 1], np.ones((4, 1)), "above 0"),
        ([1, 2, 3, 4], [1, 1, 1, 1], np.ones((3, 1)), r"found \(3, 1\)"),
        ([1, 2, 3, 4, 5], [1] * 5, np.ones((5, 2)), "no two say the same"),
    ],
)
def test_what_cannot_be_fitted_is_refused(
    direct: list[float], variances: list[float], covariates: object, words: str
) -> None:
    with pytest.raises(MetricError, match=words):
        fay_herriot(direct, variances, covariates)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("draws", "most"),
    [pytest.param(120, 0.5, id="few"), pytest.param(10_000, 0.1, id="all", marks=pytest.mark.full)],
)
@pytest.mark.parametrize("fit", ["reml", "ml"])
def test_mean_squared_errors_are_those_of_simulations(draws: int, most: float, fit: str) -> None:
    """Areas drawn from the model, with the covariates and sampling errors of the milk data.

    The estimated errors of each area, on average over draws, against those found.
    """
    generator = np.random.default_rng(7)
    x, beta, variance = _milk(), np.array([0.97, 0.13, 0.23, -0.24]), 0.0186
    squares, estimated = np.zeros(43), np.zeros(43)
    for _ in range(draws):
        truth = x @ beta + generator.normal(0, variance**0.5, 43)
        fitted = fay_herriot(truth + generator.normal(0, ERROR), ERROR**2, x, fit)  # type: ignore[arg-type]
        squares += (fitted.value - truth) ** 2 / draws
        estimated += fitted.mse / draws
    assert estimated.mean() == pytest.approx(squares.mean(), rel=0.1)
    np.testing.assert_allclose(estimated, squares, rtol=most)
