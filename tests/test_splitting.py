"""Bands and folds: their shares, against brute force, and never one without an item."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from llpbench.data.splitting import bands, folds

SHARES = {"train": 0.63, "test": 0.20, "val": 0.17}
weights_of_items = st.lists(st.sampled_from([1, 1, 1, 2, 5, 1000]), min_size=1, max_size=24)


def _scattered(number: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(0, 100, (number, 2))


# bands


@pytest.mark.parametrize("runs", [1, 2, 3])
def test_bands_have_their_shares_and_follow_one_another(runs: int) -> None:
    positions = _scattered(100 * runs)
    splits = bands(positions, np.full(100 * runs, 2), runs)
    along = np.argsort(positions[:, 0] - positions[:, 1])  # across the diagonal
    found = [(name, len(list(items))) for name, items in groupby(splits[along])]
    assert found == [("train", 63), ("test", 20), ("val", 17)] * runs


def test_items_at_one_place_are_taken_in_their_order() -> None:
    """So that the splits are the same on every machine."""
    places = np.repeat([[2.0, 0.0], [2.0, 0.0], [5.0, 3.0], [0.0, 0.0]], 25, axis=0)
    splits = bands(places, np.ones(100), runs=1)
    order = [*range(75, 100), *range(75)]
    assert splits[order].tolist() == ["train"] * 63 + ["test"] * 20 + ["val"] * 17
    assert splits.dtype.kind == "U"
    numbers = folds(np.repeat([[4.0, 0.0], [0.0, 0.0]], [25, 75], axis=0), np.ones(100), 2)
    assert numbers.tolist() == [1] * 25 + [0] * 50 + [1] * 25
    assert numbers.dtype.kind == "i"
    assert folds(places, np.ones(100), 1).dtype.kind == "i"


@given(weights_of_items, st.integers(1, 4))
def test_no_band_is_without_an_item(weights: list[int], runs: int) -> None:
    number = max(3 * runs, len(weights))
    all_weights = np.resize(weights, number)
    line = np.stack([np.arange(number), np.zeros(number)], axis=1)
    splits = bands(line, all_weights, runs)
    assert [name for name, _ in groupby(splits)] == ["train", "test", "val"] * runs


@given(st.lists(st.integers(1, 9), min_size=60, max_size=80))
def test_a_band_begins_at_the_item_nearest_to_its_share(weights: list[int]) -> None:
    line = np.stack([np.arange(len(weights)), np.zeros(len(weights))], axis=1)
    splits = bands(line, np.array(weights), runs=1)
    before = np.concatenate([[0], np.cumsum(weights)])
    sizes = [len(list(items)) for _, items in groupby(splits)]
    for first, share in zip(np.cumsum(sizes), (0.63, 0.83), strict=False):
        distances = np.abs(before - share * before[-1])
        assert distances[first] == pytest.approx(distances.min(), abs=1e-9)


# folds


@given(weights_of_items, st.integers(0, 10), st.data())
def test_no_fold_is_without_an_item(weights: list[int], seed: int, data: st.DataObject) -> None:
    """However heavy one of them is."""
    number = data.draw(st.integers(1, len(weights)))
    found = folds(_scattered(len(weights), seed), np.array(weights), number)
    assert set(found.tolist()) == set(range(number))


@pytest.mark.parametrize("weights", [[1000, 1, 1, 1], [1, 1, 1, 1000], [1, 1000, 1, 1]])
@pytest.mark.parametrize("number", [2, 3, 4])
def test_a_heavy_item_leaves_others_to_every_fold(weights: list[int], number: int) -> None:
    line = np.stack([np.arange(4.0), np.zeros(4)], axis=1)
    found = folds(line, np.array(weights), number)
    assert set(found.tolist()) == set(range(number))
    assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(("items", "number"), [(12, 2), (12, 3), (12, 4), (15, 5), (14, 7)])
def test_folds_of_a_line_are_pieces_of_one_length(axis: int, items: int, number: int) -> None:
    line = np.zeros((items, 2))
    line[:, axis] = np.random.default_rng(1).permutation(items)
    found = folds(line, np.ones(items), number)
    expected = np.repeat(np.arange(number), items // number)
    np.testing.assert_array_equal(found[np.argsort(line[:, axis])], expected)


def test_folds_are_cut_across_the_longer_extent() -> None:
    """Of 8 x 3 and of 3 x 8 positions, far from the origin; then each half, now the other way."""
    x, y = (values.ravel() for values in np.meshgrid(np.arange(8.0), np.arange(6.0) / 1.01))
    expected = 2 * (x >= 4) + (y >= 2.5)
    for positions in ([x + 900, y], [y, x + 900], [x - 900, y + 5000]):
        found = folds(np.stack(positions, axis=1), np.ones(48), 4)
        np.testing.assert_array_equal(found, expected)


@given(st.lists(st.integers(1, 9), min_size=20, max_size=40), st.sampled_from([2, 3, 4]))
def test_the_first_cut_is_nearest_to_its_share_of_the_weight(
    weights: list[int], number: int
) -> None:
    line = np.stack([np.arange(len(weights)), np.zeros(len(weights))], axis=1)
    found = folds(line, np.array(weights), number)
    first = number // 2
    before = np.concatenate([[0], np.cumsum(weights)])
    distances = np.abs(before - before[-1] * first / number)
    cut = int((found < first).sum())
    assert (found[:cut] < first).all()
    assert distances[cut] == pytest.approx(distances.min(), abs=1e-9)
