"""Raking against iterative proportional fitting and closed forms, with many chips and far steps."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array

from llpbench.data.divisions import Divisions
from llpbench_baselines.raking import apply_factors, log_factors, rake_cells

FloatArray = NDArray[np.float64]


def _fitted(cells: FloatArray, divisions: NDArray[np.intp], known: FloatArray) -> FloatArray:
    """Plain alternation where no chip is shared: means of divisions, then sums of cells."""
    raked = np.maximum(cells, 1e-9)
    for _ in range(3000):
        for number, proportions in enumerate(known):
            own = divisions == number
            raked[own] *= proportions / raked[own].mean(axis=(0, 1))
        raked /= raked.sum(axis=-1, keepdims=True)
    return raked


@pytest.fixture
def many() -> tuple[FloatArray, NDArray[np.intp], FloatArray]:
    """300 chips of 4 cells in 3 divisions, and proportions that are far from them."""
    random = np.random.default_rng(0)
    cells = random.dirichlet([2.0, 1.0, 0.5], (300, 4))
    known = np.array([[0.2, 0.3, 0.5], [0.6, 0.2, 0.2], [0.1, 0.8, 0.1]])
    return cells, random.permutation(np.repeat(np.arange(3), 100)), known


def _weights(divisions: NDArray[np.intp]) -> csr_array:
    return csr_array((divisions == np.arange(divisions.max() + 1)[:, np.newaxis]) / 100)


def test_many_chips_are_fitted_as_few(
    many: tuple[FloatArray, NDArray[np.intp], FloatArray],
) -> None:
    cells, divisions, known = many
    raked = apply_factors(cells, log_factors(cells, _weights(divisions), known))
    np.testing.assert_allclose(raked, _fitted(cells, divisions, known), atol=1e-7)


def test_cells_are_raked_in_half_precision_to_a_hundredth_of_a_chip(
    many: tuple[FloatArray, NDArray[np.intp], FloatArray],
) -> None:
    """Every fourth stands for the three beside it, which are as it is."""
    cells, divisions, known = many
    repeated = cells.repeat(4, axis=1)
    raked = rake_cells(repeated, Divisions(_weights(divisions), known)).astype(np.float64)
    assert raked.shape == (300, 16, 3)
    np.testing.assert_array_equal(raked, raked[:, ::4].repeat(4, axis=1))
    np.testing.assert_allclose(raked.sum(axis=-1), 1, atol=2e-3)
    chips = np.stack([raked[divisions == number].mean(axis=1).sum(axis=0) for number in range(3)])
    np.testing.assert_allclose(chips, 100 * known, atol=0.01 + 100 * 2**-12)
    np.testing.assert_allclose(raked[:, ::4], _fitted(cells, divisions, known), atol=2e-3)


def test_a_cell_is_raked_by_its_own_probabilities() -> None:
    """Cells that do not stand for others change nothing but themselves."""
    random = np.random.default_rng(1)
    cells = random.dirichlet([1.0, 1.0], (6, 8))
    others = cells.copy()
    others[:, 1::4] = [0.5, 0.5]
    known = Divisions(csr_array(np.full((1, 6), 1 / 6)), np.array([[0.3, 0.7]]))
    raked, again = rake_cells(cells, known), rake_cells(others, known)
    for offset in (0, 2, 3):
        np.testing.assert_array_equal(raked[:, offset::4], again[:, offset::4])
    assert (raked[:, 1::4] != again[:, 1::4]).any()


def test_looser_demands_are_missed_by_no_more_than_asked() -> None:
    random = np.random.default_rng(2)
    cells = random.dirichlet([1.0, 1.0, 1.0], (50, 3))
    weights, known = csr_array(np.full((1, 50), 1 / 50)), np.array([[0.1, 0.1, 0.8]])
    missed = {}
    for accuracy in (1.0, 0.1, 1e-3, 1e-8):
        raked = apply_factors(cells, log_factors(cells, weights, known, accuracy=accuracy))
        missed[accuracy] = np.abs(raked.mean(axis=1).sum(axis=0) - 50 * known[0]).max()
        assert missed[accuracy] < accuracy + 1e-7  # what the multipliers are allowed
    assert missed[1.0] > missed[1e-8]
    usual = apply_factors(cells, log_factors(cells, weights, known))
    assert np.abs(usual.mean(axis=1).sum(axis=0) - 50 * known[0]).max() < 1e-7


def test_what_is_missed_by_no_more_than_asked_stays_as_it_is() -> None:
    """One chip that misses by a quarter of a chip; cells that miss by 0.008 of one."""
    half, whole = np.array([[[0.5, 0.5]]]), csr_array([[1.0]])
    factors = log_factors(half, whole, np.array([[0.25, 0.75]]), accuracy=0.25)
    np.testing.assert_array_equal(factors, [[0, 0]])
    cells = half.repeat(8, axis=1)
    raked = rake_cells(cells, Divisions(whole, np.array([[0.508, 0.492]])))
    np.testing.assert_array_equal(raked, cells)


def test_a_division_gives_way_by_its_slack_for_each_unit_of_its_multiplier() -> None:
    """Of one chip in one division the factors are the multipliers; they push by what is left."""
    cells, known = np.array([[[1.0, 0.0]]]), np.array([[0.25, 0.75]])
    factors = log_factors(cells, csr_array([[1.0]]), known, accuracy=1e-12)
    missed = apply_factors(cells, factors)[0] - known
    assert np.abs(missed).max() > 5e-8
    np.testing.assert_allclose(missed, -1e-8 * factors, rtol=1e-3)


def test_proportions_are_shares_of_their_sum() -> None:
    """Rounded ones need not sum to 1."""
    cells = np.array([[[0.2, 0.3, 0.5]]])
    rounded = np.array([[0.5, 0.25, 0.24]])
    raked = apply_factors(cells, log_factors(cells, csr_array([[1.0]]), rounded))
    np.testing.assert_allclose(raked[0], rounded / 0.99, atol=1e-6)


def test_numbers_of_single_precision_are_taken_for_what_they_are(
    many: tuple[FloatArray, NDArray[np.intp], FloatArray],
) -> None:
    cells, divisions, known = many
    area = np.random.default_rng(4).uniform(0.2, 1, 300)
    weights = csr_array(_weights(divisions).multiply(area)).astype(np.float32)
    short = known.astype(np.float32)
    np.testing.assert_array_equal(
        log_factors(cells, weights, short),
        log_factors(cells, weights.astype(np.float64), short.astype(np.float64)),
    )


@pytest.mark.parametrize("certain", [0.0, 1e-6, 1e-12])
def test_a_class_that_is_held_for_impossible_can_still_come(certain: float) -> None:
    """One chip in one division: its shares are the proportions, however far that is."""
    cells = np.array([[[1 - certain, certain]]])
    factors = log_factors(cells, csr_array([[1.0]]), np.array([[0.25, 0.75]]))
    np.testing.assert_allclose(apply_factors(cells, factors), [[[0.25, 0.75]]], atol=1e-6)
    # the ratio of the factors is the ratio of odds, of a class taken for 1e-9 at least
    odds = 3 * (1 - certain) / max(certain, 1e-9)
    assert np.diff(factors[0])[0] == pytest.approx(np.log(odds), abs=1e-3)


def test_the_largest_overlap_counts_as_a_chip() -> None:
    """A division of chips that lie in it by halves: the scale of its row does not matter."""
    random = np.random.default_rng(3)
    cells = random.dirichlet([1.0, 1.0, 1.0], (8, 1))
    known = np.array([[0.2, 0.3, 0.5]])
    shares = random.uniform(0.1, 1, (1, 8))
    for scale in (1e-3, 1.0, 1e3):
        raked = apply_factors(cells, log_factors(cells, csr_array(scale * shares), known))
        means = shares @ raked[:, 0] / shares.sum()
        np.testing.assert_allclose(means, known, atol=1e-7)


def test_nobody_knows_anything() -> None:
    cells = np.full((3, 2, 4), 0.25)
    unknown = np.full((2, 4), np.nan)
    factors = log_factors(cells, csr_array(np.ones((2, 3))), unknown)
    np.testing.assert_array_equal(factors, np.zeros((3, 4)))
    without_chips = log_factors(cells, csr_array((1, 3)), np.full((1, 4), 0.25))
    np.testing.assert_array_equal(without_chips, np.zeros((3, 4)))
