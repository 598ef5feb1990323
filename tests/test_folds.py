"""Folds of divisions: whole, compact, and blind to what they hold out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from regions import make_region, write_region

import llpbench
from llpbench.data.divisions import Divisions
from llpbench.data.folds import apart, fold_divisions, take_fold
from llpbench.data.overlaps import overlap_areas
from llpbench.data.splits import take_splits
from llpbench.errors import LLPBenchError, UnknownNameError
from llpbench.methods import gate
from llpbench.methods.registry import make_method

QUICK: dict[str, dict[str, Any]] = {
    "train-mean": {},
    "bag-ridge+calibrate": {"words": 8, "sample": 500},
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """Divisions of 4 x 3 chips, five side by side and two high; columns 20 and 21 are outside."""
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(20, 6, 5, 2, outside=2), path)
    return llpbench.open_dataset(path).llp.group()


def test_folds_are_cut_across_the_longer_side(opened: xr.Dataset) -> None:
    """Five columns of two divisions each make five folds, whatever the split."""
    fold = fold_divisions(opened, 5)
    assert fold.tolist() == [0, 1, 2, 3, 4] * 2
    shuffled = opened.isel(chip=np.random.default_rng(0).permutation(opened.sizes["chip"]))
    np.testing.assert_array_equal(fold_divisions(shuffled, 5), fold)


def test_a_division_without_known_shares_is_in_no_fold(opened: xr.Dataset) -> None:
    shares = opened["division_proportions"].copy(deep=True)
    shares[3] = np.nan
    unknown = opened.assign(division_proportions=shares)
    fold = fold_divisions(unknown, 3)
    assert fold[3] == -1
    assert np.delete(fold, 3).min() == 0
    made = take_fold(unknown, 0, 3)
    nowhere = made["split"] == ""
    assert set(made["own_division"].to_numpy()[nowhere]) == {""}
    overlap = overlap_areas(opened).toarray()
    np.testing.assert_array_equal(  # wholly in division 3 or outside all; others have a neighbour
        nowhere, np.delete(overlap, 3, axis=1).sum(axis=1) == 0
    )


def test_each_fold_is_tested_once_beside_one_to_choose_by(opened: xr.Dataset) -> None:
    tested = []
    for number in range(5):
        made = take_fold(opened, number, 5)
        sizes = {name: made.llp.split(name).sizes["division"] for name in ("train", "val", "test")}
        assert sizes == {"train": 6, "val": 2, "test": 2}
        tested += made.llp.split("test")["chip"].to_numpy().tolist()
        val = made.llp.split("val")["division"].to_numpy()
        later = take_fold(opened, (number + 1) % 5, 5).llp.split("test")
        np.testing.assert_array_equal(val, later["division"].to_numpy())
    inside = overlap_areas(opened).sum(axis=1) > 0
    assert sorted(tested) == sorted(opened["chip"].to_numpy()[inside])


def _held_out(ds: xr.Dataset, number: int, change: Any) -> xr.Dataset:
    """Change the shares of the divisions of a fold, and every target they are mixed into."""
    held_out = fold_divisions(ds, 5) == number
    shares, target = (ds[name].copy(deep=True) for name in ("division_proportions", "target"))
    shares[held_out] = change(shares[held_out].to_numpy())
    touched = overlap_areas(ds)[:, np.flatnonzero(held_out)].sum(axis=1) > 0
    target[touched] = np.nan
    return ds.assign(division_proportions=shares, target=target)


def _weights(name: str, made: xr.Dataset) -> dict[str, np.ndarray]:
    method = make_method(name, **QUICK[name])
    gate.fit(method, made.llp.split("train"), made.llp.split("val"))
    return method.get_weights()


@pytest.mark.parametrize("name", QUICK)
def test_no_share_of_a_fold_reaches_the_method_that_predicts_it(
    name: str, opened: xr.Dataset
) -> None:
    """Every division of a fold shares chips with a neighbour that is trained on."""
    clean, poisoned = opened, _held_out(opened, 2, lambda shares: shares[:, ::-1])
    train = take_fold(clean, 2, 5).llp.split("train")
    areas = overlap_areas(clean)[:, np.flatnonzero(fold_divisions(clean, 5) == 2)].sum(axis=1)
    border = clean["chip"].to_numpy()[areas > 0]
    assert np.isin(train["chip"].to_numpy(), border).any(), "a border chip is trained on"
    expected = _weights(name, take_fold(clean, 2, 5))
    for key, weights in _weights(name, take_fold(poisoned, 2, 5)).items():
        np.testing.assert_array_equal(weights, expected[key])
    others = _weights(name, take_fold(poisoned, 0, 5))
    clean_others = _weights(name, take_fold(clean, 0, 5))
    assert any((others[key] != clean_others[key]).any() for key in others), "who may see it does"


def test_divisions_are_judged_without_chips_of_other_folds(opened: xr.Dataset) -> None:
    """A quarter of a chip of each row reaches into the eastern neighbour, of another fold."""
    scored = apart(opened, 5)
    fold = fold_divisions(opened, 5)
    owner = scored.indexes["division"].get_indexer(scored["own_division"].to_numpy())
    areas = overlap_areas(scored).tocoo()
    np.testing.assert_array_equal(fold[owner][areas.row], fold[areas.col])
    lost = Divisions.of(opened).areas - Divisions.of(scored).areas
    one = overlap_areas(opened).max()
    east = np.arange(10) % 5 > 0
    np.testing.assert_allclose(lost, np.where(east, 3 * 0.25 * one, 0), rtol=1e-3, atol=1e-6)


def test_train_and_val_alone_keep_test_divisions_out(opened: xr.Dataset) -> None:
    part = take_splits(opened, ["train", "val"], "renormalise")
    test = opened.llp.split("test")
    assert not set(part["division"].to_numpy()) & set(test["division"].to_numpy())
    assert set(part["split"].to_numpy()) == {"train", "val"}
    with pytest.raises(UnknownNameError, match="there is no split 'trian'"):
        take_splits(opened, ["trian"], "renormalise")


def test_too_few_folds_or_divisions_are_refused(opened: xr.Dataset) -> None:
    with pytest.raises(LLPBenchError, match=r"at least 3 folds are needed .* found 2"):
        fold_divisions(opened, 2)
    with pytest.raises(LLPBenchError, match=r"11 folds need as many divisions .* 'grid' has 10"):
        fold_divisions(opened, 11)
