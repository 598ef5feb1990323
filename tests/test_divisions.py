"""Divisions and their chips: weights, known ones, effective counts, means and draws."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from small_region import small_region

from llpbench.data.divisions import Divisions
from llpbench.errors import LLPBenchError

AREAS = np.array([[1.0, 0.5, 0.0, 0.0], [0.0, 0.5, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0], [0, 0, 0, 0]])
"""Three divisions of four chips, the second chip in two of them, and one without chips."""

SHARES = np.array([[0.2, 0.8], [0.6, 0.4], [np.nan, np.nan], [0.5, 0.5]])


@pytest.fixture
def divisions() -> Divisions:
    return Divisions(csr_array(AREAS), SHARES)


def test_only_divisions_with_chips_and_proportions_are_known(divisions: Divisions) -> None:
    known = divisions.known(at_least=2)
    np.testing.assert_array_equal(known.proportions, SHARES[:2])
    np.testing.assert_array_equal(known.overlaps.toarray(), AREAS[:2])
    np.testing.assert_array_equal(known.chips, [0, 1, 2])
    with pytest.raises(LLPBenchError, match=r"at least 3 divisions with known .* found 2"):
        divisions.known(at_least=3)


def test_means_are_weighted_by_area(divisions: Divisions) -> None:
    values = np.array([[1.0], [4.0], [7.0], [2.0]])
    np.testing.assert_allclose(divisions.means(values)[:, 0], [2, 6, 2, 0])


def test_a_chip_between_divisions_has_parts_of_the_known_ones(divisions: Divisions) -> None:
    expected = [[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(divisions.chip_weights.toarray(), expected)


def test_chips_count_as_far_as_they_lie_inside(divisions: Divisions) -> None:
    """Kish: (1 + 1/2)^2 / (1^2 + (1/2)^2) = 1.8; the mean of proportions follows from it."""
    np.testing.assert_allclose(divisions.counts, [1.8, 1.8, 1, 0])
    np.testing.assert_allclose(divisions.mean_proportions, [0.4, 0.6])


@given(st.floats(0, 1))
def test_importance_averages_one(exponent: float) -> None:
    found = Divisions(csr_array(AREAS[:3]), SHARES[:3]).importance(exponent)
    assert found.mean() == pytest.approx(1)
    assert found[0] / found[2] == pytest.approx(1.5**exponent)


def test_divisions_are_visited_as_often_as_their_chips_fill_bags() -> None:
    """Seven, four and one whole chips in bags of three; the unknown one is left out."""
    sizes = [7, 4, 1, 5]
    own = np.repeat(np.arange(4), sizes)
    overlaps = csr_array((np.ones(17), (own, np.arange(17))))
    shares = np.full((4, 2), 0.5)
    shares[3] = np.nan
    divisions = Divisions(overlaps, shares)
    visits = divisions.visits(3)
    assert Counter(visits.tolist()) == {0: 3, 1: 2, 2: 1}
    np.testing.assert_array_equal(divisions.first_chips(visits), [0, 0, 0, 7, 7, 11])
    drawn = divisions.draw(visits, 3, np.random.default_rng(0))
    np.testing.assert_array_equal(own[drawn], np.repeat(visits, 3).reshape(-1, 3))


def test_a_split_knows_its_own_divisions_whatever_the_order_of_chips() -> None:
    region = small_region(12)
    order = np.random.default_rng(0).permutation(12)
    turned = Divisions.of(region.isel(chip=order)).overlaps.toarray()[:, np.argsort(order)]
    np.testing.assert_array_equal(turned, np.kron(np.eye(3), np.ones((1, 4))))
    part = Divisions.of(region.isel(chip=slice(4, 8)))
    np.testing.assert_array_equal(part.areas, [0, 4, 0])
    assert (region.llp.bags() != Divisions.of(region).weights).nnz == 0
