"""Errors of chips estimated from residuals of divisions, against simulations and definitions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from scipy.integrate import quad
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist

from llpbench.data.divisions import Divisions
from llpbench.errors import LLPBenchError
from llpbench.uncertainty.chip_error import estimate_chip_error
from llpbench.uncertainty.error_model import ErrorModel
from llpbench.uncertainty.fading import covariances, map_range, own_variances, shared_variances
from llpbench.uncertainty.fitting import fit_error_model
from llpbench.uncertainty.recalibration import calibration_matrix, left_out_residuals

SIDE = 26


def model(scale: float = 0.2, mean: float = 0.5) -> ErrorModel:
    """Of two classes, one of which has a mean share."""
    one = np.ones(1)
    return ErrorModel(
        matrix=np.eye(2),
        mean=np.array([mean, 1 - mean]),
        weights=one,
        shared=0.5 * one,
        ranges=3 * one,
        scales=np.full((1, 2), scale),
        noise=0.1,
        divisions=50,
    )


def lattice() -> NDArray[np.float64]:
    """Places of chips on a square, in km."""
    return np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), axis=-1).reshape(-1, 2) + 0.0


def blocks(places: NDArray[np.float64], generator: np.random.Generator) -> csr_array:
    """Divisions of 4 to 60 chips: each chip belongs to the nearest of random centres."""
    centres = generator.uniform(0, SIDE, (40, 2))
    owner = cdist(places, centres).argmin(axis=1)
    _, owner = np.unique(owner, return_inverse=True)
    return csr_array((np.ones(len(places)), (owner, np.arange(len(places)))))


def field(
    places: NDArray[np.float64], length: float, generator: np.random.Generator
) -> NDArray[np.float64]:
    """A normal field with exponential correlation, which is its definition in the model."""
    correlation = np.exp(-cdist(places, places) / length) + 1e-9 * np.eye(len(places))
    return np.linalg.cholesky(correlation) @ generator.standard_normal(len(places))


@pytest.mark.parametrize("length", [2.0, 5.0])
def test_range_of_a_map_is_that_of_the_field_it_was_drawn_from(length: float) -> None:
    places, generator = lattice(), np.random.default_rng(3)
    fields = np.stack([field(places, length, generator) for _ in range(6)], axis=1)
    assert map_range(fields, places) == pytest.approx(length, rel=0.3)


def test_a_map_of_one_value_has_no_range() -> None:
    with pytest.raises(LLPBenchError, match="all chips have the same predicted shares"):
        map_range(np.full((50, 2), 0.5), lattice()[:50])


def test_variances_of_means_are_the_double_sums_over_chips() -> None:
    generator = np.random.default_rng(1)
    places, spread = generator.uniform(0, 9, (30, 2)), generator.uniform(0.1, 1, (30, 2))
    weights = csr_array(generator.dirichlet(np.ones(30), 4) * (generator.random((4, 30)) > 0.5))
    alike = np.exp(-cdist(places, places) / 3)
    for category in range(2):
        terms = weights.toarray() * spread[:, category]
        together = [row @ alike @ row for row in terms]
        own = [row @ row for row in terms]
        found = shared_variances(weights, spread, places, 3.0)[:, category]
        assert found == pytest.approx(together)
        assert own_variances(weights, spread)[:, category] == pytest.approx(own)
        assert np.diag(covariances(weights, spread[:, category], alike)) == pytest.approx(together)
        assert np.diag(covariances(weights, spread[:, category])) == pytest.approx(own)


def test_left_out_residuals_are_those_of_matrices_without_the_division() -> None:
    generator = np.random.default_rng(2)
    areas = blocks(lattice(), generator)
    shares = generator.dirichlet(np.ones(3), SIDE**2)
    divisions = Divisions(areas, generator.dirichlet(np.ones(3), areas.shape[0]))
    found = left_out_residuals(shares, divisions, 100.0)
    others = np.arange(1, len(divisions))
    matrix = calibration_matrix(
        divisions.means(shares)[others],
        divisions.proportions[others],
        divisions.importance()[others],
        100.0,
    )
    inside = divisions.overlaps[[0]].indices
    corrected = shares[inside] @ matrix
    assert (corrected >= 0).all()  # so that these are the shares
    assert (corrected != shares[inside]).any()
    assert found[0] == pytest.approx(divisions.proportions[0] - corrected.mean(axis=0))
    unchanged = left_out_residuals(shares, divisions, np.inf)
    assert unchanged == pytest.approx(divisions.proportions - divisions.means(shares))


@given(st.floats(0.02, 0.98), st.floats(0.03, 0.8), st.floats(0.05, 0.95))
def test_expected_errors_are_integrals_over_the_distribution(
    share: float, scale: float, mean: float
) -> None:
    """Both sides of the prediction apart, where the integrand is smooth: scipy's quadrature."""
    one = model(scale, mean)
    shares = np.array([[share, 1 - share]])
    centre, certainty = one.centres(shares)[0, 0], 1 / scale - 1
    beta = stats.beta(certainty * centre, certainty * (1 - centre))
    below = quad(beta.cdf, 0, share, limit=200)[0]
    above = quad(beta.sf, share, 1, limit=200)[0]
    assert one.absolute_errors(shares)[0, 0] == pytest.approx(below + above, abs=1e-6)


def test_intervals_hold_as_many_draws_as_they_say() -> None:
    one, generator = model(0.15), np.random.default_rng(4)
    shares = np.repeat(np.array([[0.1, 0.9], [0.4, 0.6]]), 20_000, axis=0)
    centres = one.centres(shares)[:, 0]
    certainty = 1 / 0.15 - 1
    truth = generator.beta(certainty * centres, certainty * (1 - centres))
    low, high = one.intervals(shares, [0.5, 0.9])
    inside = (truth >= low[:, :, 0]) & (truth <= high[:, :, 0])
    assert inside.mean(axis=1) == pytest.approx([0.5, 0.9], abs=0.02)
    assert low.dtype == np.float32
    assert (low <= high).all()


def test_a_class_that_is_hardly_there_may_be_absent_and_one_that_fills_a_chip_may_fill_it() -> None:
    low, high = model(0.1, 0.01).intervals(np.array([[0.0, 1.0]]), [0.9])
    assert low[0, 0, 0] == 0
    assert high[0, 0, 1] == 1


def simulate(seed: int) -> tuple[float, float, float, float]:
    """Truth of the model's own kind; true and estimated error with interval bounds."""
    generator = np.random.default_rng(seed)
    places = lattice()
    areas = blocks(places, generator)
    likely = stats.norm.cdf(field(places, 4.0, generator))
    predicted = np.stack([likely, 1 - likely], axis=1)
    errors = np.sqrt(0.6) * field(places, 4.0, generator)
    errors += np.sqrt(0.4) * generator.standard_normal(len(places))
    first = stats.beta.ppf(stats.norm.cdf(errors), 6 * likely + 1e-9, 6 * (1 - likely) + 1e-9)
    truth = np.stack([first, 1 - first], axis=1)
    divisions = Divisions(areas, np.zeros((areas.shape[0], 2)))
    divisions = Divisions(areas, divisions.means(truth))
    fitted = fit_error_model(predicted, places, divisions)
    error = estimate_chip_error(fitted, predicted, ["a", "b"])
    return float(np.abs(truth - predicted).mean()), error.value, error.low, error.high


@pytest.mark.parametrize("count", [3, pytest.param(60, marks=pytest.mark.full)])
def test_error_of_chips_is_found_from_divisions(count: int) -> None:
    true, estimated, low, high = np.array([simulate(seed) for seed in range(count)]).T
    assert np.exp(np.log(estimated / true).mean()) == pytest.approx(1, abs=0.15)
    assert ((low < true) & (true < high)).mean() >= 0.85


def test_errors_of_areas_are_the_sum_of_all_covariances_and_the_bias() -> None:
    """All of the region: the mean of its chips; a matrix that moves a tenth adds its square."""
    places, one = lattice()[:40], model(0.1)
    shares = np.random.default_rng(5).dirichlet(np.ones(2), 40)
    weights = csr_array(np.full((1, 40), 1 / 40))
    means, variances = one.area_means(weights, shares, places)
    centres = one.centres(shares)[:, 0]
    spread = np.sqrt(0.1 * centres * (1 - centres))
    alike = 0.5 * np.eye(40) + 0.5 * np.exp(-cdist(places, places) / 3)
    assert means[0] == pytest.approx(shares.mean(axis=0))
    assert variances[0, 0] == pytest.approx(spread @ alike @ spread / 1600)
    matrix = np.array([[0.9, 0.1], [0.0, 1.0]])
    biased = replace(one, matrix=matrix, scales=np.full((1, 2), 1e-9))
    moved = biased.area_means(weights, shares, places)
    assert moved[0] == pytest.approx(means)
    assert moved[1][0] == pytest.approx((0.1 * means[0, 0]) ** 2 * np.ones(2), rel=1e-4)


def test_a_model_survives_being_arrays() -> None:
    one = model()
    again = ErrorModel.from_arrays(one.to_arrays())
    shares = np.array([[0.3, 0.7]])
    assert (again.intervals(shares, [0.8])[0] == one.intervals(shares, [0.8])[0]).all()
    assert (again.noise, again.divisions) == (0.1, 50)


def test_few_divisions_make_no_model() -> None:
    divisions = Divisions(csr_array(np.eye(9)), np.full((9, 2), 0.5))
    with pytest.raises(LLPBenchError, match="at least 10 divisions"):
        fit_error_model(np.full((9, 2), 0.5), lattice()[:9], divisions)
