"""Predictions that add up to the proportions of divisions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.sparse import csr_array

from llpbench.data.divisions import Divisions
from llpbench_baselines.raking import apply_factors, log_factors, rake_cells


def rake_pixels(probabilities: np.ndarray, *known: Any) -> np.ndarray:
    return apply_factors(probabilities, log_factors(probabilities, *known))


def rake_shares(shares: np.ndarray, *known: Any) -> np.ndarray:
    """Shares are the probabilities of a single pixel."""
    return rake_pixels(shares[:, np.newaxis], *known)[:, 0]


def _problem(seed: int, *, chips: int = 12, divisions: int = 4, categories: int = 3) -> tuple:
    """Chips in one or two divisions each, and proportions that some shares do have."""
    random = np.random.default_rng(seed)
    weights = np.zeros((divisions, chips))
    weights[np.arange(chips) % divisions, np.arange(chips)] = random.uniform(0.5, 1, chips)
    shared = random.choice(chips, 3, replace=False)
    weights[random.integers(divisions, size=3), shared] += random.uniform(0.1, 0.4, 3)
    truth = random.dirichlet(np.full(categories, 2.0), chips)
    predicted = random.dirichlet(np.full(categories, 0.7), chips)
    mean = weights / weights.sum(axis=1, keepdims=True)
    return predicted, csr_array(mean), mean @ truth


@given(st.integers(0, 10**6))
def test_shares_add_up_and_stay_on_the_simplex(seed: int) -> None:
    predicted, weights, proportions = _problem(seed)
    raked = rake_shares(predicted, weights, proportions)
    np.testing.assert_allclose(weights @ raked, proportions, atol=1e-6)
    np.testing.assert_allclose(raked.sum(axis=1), 1)
    assert (raked >= 0).all()


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_pixels_add_up_and_stay_on_the_simplex(seed: int) -> None:
    _predicted, weights, proportions = _problem(seed)
    random = np.random.default_rng(seed)
    pixels = random.dirichlet(np.full(3, 0.2), (12, 16)).astype(np.float32)
    raked = rake_pixels(pixels, weights, proportions)
    np.testing.assert_allclose(weights @ raked.mean(axis=1), proportions, atol=1e-6)
    np.testing.assert_allclose(raked.sum(axis=2), 1, rtol=1e-5)


def test_without_common_chips_it_is_iterative_proportional_fitting() -> None:
    """Compared with the plain alternation: columns to the division's sums, rows to 1."""
    random = np.random.default_rng(3)
    predicted = random.dirichlet([1.0, 1.0, 1.0], 8)
    proportions = np.array([0.2, 0.3, 0.5])
    table = predicted.copy()
    for _ in range(2000):
        table *= proportions / table.mean(axis=0)
        table /= table.sum(axis=1, keepdims=True)
    raked = rake_shares(predicted, csr_array(np.full((1, 8), 1 / 8)), proportions[np.newaxis])
    np.testing.assert_allclose(raked, table, atol=1e-7)


def test_the_scale_of_weights_does_not_matter() -> None:
    random = np.random.default_rng(3)
    predicted, area = random.dirichlet([1.0, 1.0, 1.0], 8), random.uniform(0.2, 1, 8)
    proportions = np.array([0.2, 0.3, 0.5])
    scaled = rake_shares(predicted, csr_array(7 * area[np.newaxis]), proportions[np.newaxis])
    again = rake_shares(predicted, csr_array(area[np.newaxis]), proportions[np.newaxis])
    np.testing.assert_allclose(scaled, again, atol=1e-9)


def test_raked_shares_are_the_nearest_that_add_up() -> None:
    """Compared with a general constrained optimiser, on two divisions with a common chip."""
    predicted = _problem(5)[0][:3]
    weights = np.array([[0.7, 0.3, 0.0], [0.0, 0.4, 0.6]])
    proportions = weights @ np.random.default_rng(8).dirichlet(np.ones(3), 3)
    found = minimize(
        lambda x: (x * np.log(x / predicted.ravel())).sum(),
        predicted.ravel(),
        bounds=[(1e-9, 1)] * 9,
        constraints=[
            {"type": "eq", "fun": lambda x: x.reshape(3, 3).sum(axis=1) - 1},
            {
                "type": "eq",
                "fun": lambda x: (weights @ x.reshape(3, 3) - proportions)[:, :2].ravel(),
            },
        ],
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    assert found.success
    raked = rake_shares(predicted, csr_array(weights), proportions)
    np.testing.assert_allclose(raked.ravel(), found.x, atol=1e-5)


def test_the_order_of_chips_and_divisions_does_not_matter() -> None:
    predicted, weights, proportions = _problem(1)
    raked = rake_shares(predicted, weights, proportions)
    order, turned = np.random.default_rng(0).permutation(12), [2, 0, 3, 1]
    again = rake_shares(predicted[order], weights[turned][:, order], proportions[turned])
    np.testing.assert_allclose(again, raked[order], atol=1e-7)


def test_what_is_not_known_demands_nothing() -> None:
    predicted, weights, proportions = _problem(2)
    unknown = proportions.copy()
    unknown[1] = np.nan
    without = rake_shares(predicted, weights[[0, 2, 3]], proportions[[0, 2, 3]])
    np.testing.assert_allclose(rake_shares(predicted, weights, unknown), without)
    outside = np.full_like(proportions, np.nan)
    np.testing.assert_allclose(rake_shares(predicted, weights, outside), predicted)
    empty = csr_array(np.vstack([weights.toarray(), np.zeros(12)]))
    with_empty = rake_shares(predicted, empty, np.vstack([proportions, [1, 0, 0]]))
    np.testing.assert_allclose(with_empty, rake_shares(predicted, weights, proportions))


def test_classes_that_are_absent_vanish() -> None:
    predicted = np.array([[0.5, 0.5], [0.9, 0.1]])
    raked = rake_shares(predicted, csr_array([[0.5, 0.5]]), np.array([[1.0, 0.0]]))
    np.testing.assert_allclose(raked, [[1, 0], [1, 0]], atol=1e-6)
    certain = rake_shares(
        np.array([[1.0, 0.0], [1.0, 0.0]]), csr_array([[0.5, 0.5]]), np.array([[0.5, 0.5]])
    )
    np.testing.assert_allclose(certain, 0.5, atol=1e-6)


def test_divisions_that_contradict_one_another_each_give_way() -> None:
    """One chip, in both: by symmetry it is half of each."""
    raked = rake_shares(
        np.array([[0.5, 0.5]]), csr_array([[1.0], [1.0]]), np.array([[0.9, 0.1], [0.1, 0.9]])
    )
    assert raked[0] == pytest.approx([0.5, 0.5])


def test_cells_add_up_to_a_hundredth_of_a_chip() -> None:
    """By every fourth of many alike cells, which stand for all."""
    predicted, weights, proportions = _problem(5)
    cells = np.random.default_rng(6).dirichlet(np.full(3, 4.0), (12, 576)) * predicted[:, None]
    cells /= cells.sum(axis=-1, keepdims=True)
    raked = rake_cells(cells.astype(np.float16), Divisions(weights, proportions))
    assert raked.dtype == np.float16
    means = weights @ raked.mean(axis=1, dtype=np.float64)
    np.testing.assert_allclose(means, proportions, atol=0.02)
