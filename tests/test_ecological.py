"""Ecological inference: constrained regression, deterministic bounds, and the method of both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog, lsq_linear, minimize
from small_region import CATEGORIES, small_region

import llpbench
from llpbench.errors import LLPBenchError, MethodError, MetricError
from llpbench.methods import gate
from llpbench.methods.registry import make_method, method_class
from llpbench.metrics import duncan_davis
from llpbench_baselines.ecological_regression import regress_classes

seeds = st.integers(0, 10**6)


def _tables(seed: int, divisions: int = 3, groups: int = 4, classes: int = 3) -> np.ndarray:
    """Areas of groups by classes in some divisions, each summing to 1; many cells are empty."""
    random = np.random.default_rng(seed)
    tables = random.dirichlet(np.full(groups * classes, 0.3), divisions)
    return tables.reshape(divisions, groups, classes)


@given(seeds)
def test_constant_class_shares_are_recovered(seed: int) -> None:
    """Where Goodman's identity holds with more divisions than groups, it has one solution."""
    random = np.random.default_rng(seed)
    truth = random.dirichlet(np.full(3, 0.5), 4)
    groups = random.dirichlet(np.ones(4), 30)
    found = regress_classes(groups, groups @ truth, random.uniform(0.1, 10, 30))
    np.testing.assert_allclose(found, truth, atol=1e-4)


@given(seeds)
def test_the_regression_is_a_quadratic_programme(seed: int) -> None:
    """Compared with a general constrained optimiser, where much noise makes constraints bind."""
    random = np.random.default_rng(seed)
    groups, classes = random.dirichlet(np.ones(3), 12), random.dirichlet(np.ones(3), 12)
    weights = random.uniform(0.1, 10, 12)

    def loss(flat: np.ndarray) -> float:
        errors = classes - groups @ flat.reshape(3, 3)
        return float((weights[:, np.newaxis] * errors**2).sum())

    found = regress_classes(groups, classes, weights)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)
    other = minimize(
        loss,
        np.full(9, 1 / 3),
        bounds=[(0, 1)] * 9,
        constraints={"type": "eq", "fun": lambda flat: flat.reshape(3, 3).sum(axis=1) - 1},
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert loss(found) <= other.fun + 1e-5


def test_two_classes_are_a_regression_with_bounds() -> None:
    """Compared with scipy's bounded least squares: the second class is the rest of the first."""
    random = np.random.default_rng(0)
    groups, first = random.dirichlet(np.ones(5), 40), random.beta(0.4, 0.4, 40)
    weights = random.uniform(0.1, 10, 40)
    root = np.sqrt(weights)
    other = lsq_linear(root[:, np.newaxis] * groups, root * first, bounds=(0, 1), tol=1e-14).x
    found = regress_classes(groups, np.stack([first, 1 - first], axis=1), weights)
    np.testing.assert_allclose(found[:, 0], other, atol=1e-5)
    assert ((other < 1e-6) | (other > 1 - 1e-6)).any(), "no bound was reached"


def test_what_the_divisions_leave_open_is_the_mean_of_all() -> None:
    """A group that no division has; and two that always go together, which have one answer."""
    groups = np.array([[0.6, 0.4, 0.0], [0.2, 0.8, 0.0]])
    classes = np.array([[0.3, 0.7], [0.5, 0.5]])
    found = regress_classes(groups, classes, np.array([3.0, 1.0]))
    np.testing.assert_allclose(found[2], [0.35, 0.65], atol=1e-6)
    halves = np.column_stack([groups[:, :1] / 2, groups[:, :1] / 2, groups[:, 1:2]])
    split = regress_classes(halves, classes, np.array([3.0, 1.0]))
    np.testing.assert_allclose(split[0], split[1], atol=1e-4)


@given(seeds)
def test_the_true_table_lies_within_its_bounds(seed: int) -> None:
    tables, areas = _tables(seed), np.random.default_rng(seed).uniform(0.1, 10, 3)
    groups, classes = tables.sum(axis=2), tables.sum(axis=1)
    true = tables / np.maximum(groups, 1e-300)[:, :, np.newaxis]
    all_areas = np.tensordot(areas, tables, axes=1)
    pooled = all_areas / np.maximum(all_areas.sum(axis=1, keepdims=True), 1e-300)
    for shares, (low, high) in (
        (true, duncan_davis(groups, classes)),
        (pooled, duncan_davis(groups, classes, areas=areas)),
    ):
        assert low.shape == high.shape == shares.shape
        there = np.broadcast_to(shares.sum(axis=-1, keepdims=True) > 0.5, shares.shape)
        slack = 1e-7
        assert (low - slack <= shares)[there].all()
        assert (shares <= high + slack)[there].all()
        assert (low >= 0).all()
        assert (high <= 1 + 1e-12).all()


def test_bounds_are_those_of_linear_programming() -> None:
    """The least and most of each cell over all tables with these margins, of three divisions."""
    tables, areas = _tables(5), np.array([1.0, 5.0, 0.5])
    groups, classes = tables.sum(axis=2), tables.sum(axis=1)
    single = duncan_davis(groups, classes)
    pooled = duncan_davis(groups, classes, areas=areas.astype(object))  # as a column of a table
    margins = np.vstack([np.kron(np.eye(4), np.ones(3)), np.kron(np.ones(4), np.eye(3))])
    every = np.kron(np.eye(3), margins)
    right = np.concatenate([np.append(g, k) for g, k in zip(groups, classes, strict=True)])

    def extremes(objective: np.ndarray) -> list[float]:
        return [
            sign * linprog(sign * objective.ravel(), A_eq=every, b_eq=right).fun for sign in (1, -1)
        ]

    for g, k in np.ndindex(4, 3):
        objective = np.zeros((3, 4, 3))
        objective[:, g, k] = areas / (areas @ groups[:, g])
        np.testing.assert_allclose([b[g, k] for b in pooled], extremes(objective), atol=1e-8)
        objective[:, g, k] = [0, 1 / groups[1, g], 0]
        np.testing.assert_allclose([b[1, g, k] for b in single], extremes(objective), atol=1e-8)


def test_rounded_shares_are_taken_for_shares() -> None:
    """What rounding left out would else be a gap between bounds that must meet."""
    low, high = duncan_davis([[0.99995, 0.0]], [[0.3, 0.69995]])
    np.testing.assert_allclose(low[0, 0], high[0, 0], rtol=1e-12)
    np.testing.assert_allclose(low[0, 0], np.array([0.3, 0.69995]) / 0.99995, rtol=1e-12)


def test_bounds_of_a_pure_division_are_its_shares() -> None:
    """King's homogeneous precinct: with one group there is nothing to find out."""
    low, high = duncan_davis([[1.0, 0.0]], [[0.3, 0.7]])
    np.testing.assert_allclose(low, [[[0.3, 0.7], [0, 0]]])
    np.testing.assert_allclose(high, [[[0.3, 0.7], [1, 1]]])
    low, high = duncan_davis([[1.0, 0.0]], [[0.3, 0.7]], areas=[2.0])
    np.testing.assert_allclose(low, [[0.3, 0.7], [0, 0]])
    np.testing.assert_allclose(high, [[0.3, 0.7], [1, 1]])


HALVES = [[0.5, 0.5], [0.5, 0.5]]


@pytest.mark.parametrize(
    ("arrays", "areas", "words"),
    [
        ((HALVES, HALVES[:1]), None, "the same divisions, found 2 and 1 rows"),
        (([[0.5, 0.5], [0.5, 0.4]], HALVES), None, "groups must be .* row 1 sums to 0.9:"),
        ((HALVES, [[50, 50], [50, 50]]), None, "classes must be .* row 0 sums to 100"),
        ((HALVES, [[1.5, -0.5], [0.5, 0.5]]), None, "not be negative, found -0.5"),
        (([0.5, 0.5], HALVES), None, "groups must be an array"),
        ((HALVES, [[np.nan, 1], [0.5, 0.5]]), None, "classes must be finite"),
        ((HALVES, HALVES), [1.0], "areas must be 2 positive .* found 1: 1.0"),
        ((HALVES, HALVES), [1.0, 0.0], r"areas must be 2 positive .* found 2: 1.0, 0.0"),
        ((HALVES, HALVES), [1.0, np.inf], "areas must be 2 positive .* found 2: 1.0, inf"),
    ],
)
def test_wrong_shares_are_refused(arrays: tuple, areas: list[float] | None, words: str) -> None:
    with pytest.raises(MetricError, match=words):
        duncan_davis(*arrays, areas=areas)


def _fitted(ds: xr.Dataset, **settings: int) -> llpbench.Method:
    method = make_method("goodman", **settings)
    gate.fit(method, ds, ds)
    return method


@pytest.fixture(scope="module")
def region() -> xr.Dataset:
    return small_region(64)


def test_looks_that_are_classes_are_told_apart() -> None:
    """A colour a class; a tenth of the patches is from two fields, and has no right answer."""
    region = small_region(240)
    method = _fitted(region)
    assert len(method.class_shares_) == 60 // 4
    test = small_region(40, seed=1)
    predictions = method.predict(test[["image"]])
    truth = test["label"].isel(y=slice(2, 98), x=slice(2, 98)).to_numpy()[:, ::4, ::4]
    assert (predictions["segmentation"].to_numpy() == truth).mean() > 0.85
    shares = test["chip_proportions"].to_numpy()
    null = np.abs(shares - region["target"].to_numpy().mean(axis=0)).mean()
    assert np.abs(predictions["proportions"].to_numpy() - shares).mean() < 0.1 * null


def test_bounds_hold_what_groups_are_made_of(region: xr.Dataset) -> None:
    """Counted on labels, up to the 2 pixels that lie outside the score window on each side."""
    method = _fitted(region)
    images = region["image"].isel(y=slice(2, 98), x=slice(2, 98)).to_numpy()
    nearest = method.words_.nearest(images).reshape(-1, 24, 24).repeat(4, 1).repeat(4, 2)
    label = region["label"].isel(y=slice(2, 98), x=slice(2, 98)).to_numpy()
    counts = np.zeros((len(method.class_shares_), CATEGORIES))
    np.add.at(counts, (nearest, label), 1)
    made_of = counts / counts.sum(axis=1, keepdims=True)
    low, high = method.bounds_
    assert (low - 0.02 <= made_of).all()
    assert (made_of <= high + 0.02).all()
    assert (high - low).mean() < 0.9, "the bounds say nothing"


def test_what_is_saved_predicts_the_same(region: xr.Dataset, tmp_path: Path) -> None:
    method = _fitted(region, groups=3)
    method.save(tmp_path / "saved")
    again = method_class("goodman").load(tmp_path / "saved")
    xr.testing.assert_identical(again.predict(region), method.predict(region))
    assert again.footprint() == method.footprint()
    assert method.footprint()["parameters"] == 3 * 6 + 6 + 3 * CATEGORIES


def test_few_divisions_are_one_group_and_its_mean() -> None:
    few = small_region(12)
    method = _fitted(few)
    mean = few["division_proportions"].to_numpy().mean(axis=0)
    np.testing.assert_allclose(method.class_shares_, mean[np.newaxis], atol=1e-5)
    with pytest.raises(LLPBenchError, match="at least 2 divisions with known"):
        _fitted(few.isel(division=[0], overlap=slice(0, 4)))
    with pytest.raises(MethodError, match="groups must be from 1"):
        make_method("goodman", groups=0)
