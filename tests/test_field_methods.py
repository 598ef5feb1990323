"""Methods of the field: labels by counts, a forest as arrays, and that they learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from sklearn.ensemble import RandomForestRegressor
from small_region import small_region

from llpbench.methods.registry import make_method, method_class
from llpbench.protocol import prediction_inputs
from llpbench_baselines.counted_labels import label_by_counts
from llpbench_baselines.dasymetric_forest import DasymetricForest

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")

QUICK: dict[str, dict[str, Any]] = {
    "llp-dc": {"rounds": 1, "local_steps": 60, "first_steps": 30},
    "dasymetric-forest": {"words": 8, "trees": 20},
}


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_labels_by_counts_cost_least(seed: int) -> None:
    """Compared with scipy's assignment, each class as often a column as it is to be given."""
    random = np.random.default_rng(seed)
    kinds = int(random.integers(2, 6))
    counts = random.multinomial(40, random.dirichlet(np.full(kinds, 0.5)))
    probabilities = random.dirichlet(np.full(kinds, 0.4), 40)
    labels = label_by_counts(probabilities, counts / 40)
    np.testing.assert_array_equal(np.bincount(labels, minlength=kinds), counts)
    costs = -np.log(np.maximum(probabilities, 1e-6))
    rows, columns = linear_sum_assignment(costs.repeat(counts, axis=1))
    least = costs.repeat(counts, axis=1)[rows, columns].sum()
    np.testing.assert_allclose(costs[np.arange(40), labels].sum(), least)


def test_counts_are_proportions_rounded_by_largest_remainders() -> None:
    """Of 10 cells, .25, .25 and .5 are 2.5, 2.5 and 5: the first of equals gets the rest."""
    labels = label_by_counts(np.full((10, 3), 1 / 3), np.array([0.25, 0.25, 0.5]))
    assert np.bincount(labels).tolist() == [3, 2, 5]


def test_trees_as_arrays_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    features, shares = random.normal(size=(60, 7)), random.dirichlet(np.ones(3), 60)
    forest = RandomForestRegressor(20, random_state=0).fit(features, shares)
    method = DasymetricForest().take_trees([tree.tree_ for tree in forest.estimators_])
    others = random.normal(size=(200, 7))
    np.testing.assert_allclose(method.drop(others), forest.predict(others), rtol=1e-12)


@pytest.mark.parametrize("name", QUICK)
def test_a_method_learns_and_is_kept(name: str, tmp_path: Path) -> None:
    """Better than the mean on other chips of the same colours, before and after it is saved."""
    train, val = (small_region(n, s).llp.restrict("division") for n, s in ((48, 0), (8, 2)))
    test = small_region(8, seed=3)
    method = make_method(name, **QUICK[name]).fit(train, val)
    inputs = prediction_inputs(test, "inductive")
    found = method.predict(inputs)["proportions"].to_numpy()
    shares = test["chip_proportions"].to_numpy()
    null = np.abs(shares - train["target"].to_numpy().mean(axis=0)).mean()
    assert np.abs(found - shares).mean() < 0.75 * null
    method.save(tmp_path / "saved")
    again = method_class(name).load(tmp_path / "saved").predict(inputs)["proportions"].to_numpy()
    np.testing.assert_array_equal(again, found)
