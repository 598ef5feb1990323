"""Closed-form methods: features, regressions between divisions, unmixing, intervals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from regions import make_region, write_region
from scipy.optimize import check_grad, minimize
from scipy.sparse import csr_array, diags_array, eye_array
from sklearn.linear_model import LogisticRegression, Ridge

import llpbench
from llpbench.data.divisions import Divisions
from llpbench.errors import LLPBenchError, UnknownNameError
from llpbench.methods.registry import make_method, method_class
from llpbench_baselines.aggregated_multinomial import AggregatedMultinomial, _Problem
from llpbench_baselines.bag_ridge import BagRidge
from llpbench_baselines.bayesian_bag_ridge import _ALPHAS, BayesianBagRidge
from llpbench_baselines.bayesian_bag_ridge import _Problem as _Evidence
from llpbench_baselines.mean_map import class_means
from llpbench_baselines.patch_fourier import PatchFourier
from llpbench_baselines.unmixing import unmix
from llpbench_baselines.window_moments import SIZES, WindowMoments

CLOSED = ("bag-ridge", "aggregated-multinomial", "mean-map", "bayesian-bag-ridge")


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """Divisions of whole chips that know the true mean shares of them; one colour a class."""
    region = make_region(24, 12, 8, 6, cut=0.0)
    block = region.read(list(region.chips.index))
    shares = np.stack([np.bincount(label.ravel(), minlength=12) for label in block.label]) / 1e4
    column, row = np.arange(24 * 12) % 24, np.arange(24 * 12) // 24
    owner = column // 3 + 8 * (row // 2)
    means = np.stack([shares[owner == number].mean(axis=0) for number in range(48)])
    path = tmp_path_factory.mktemp("stores") / "exact"
    write_region(replace(region, division_proportions=means), path)
    return llpbench.open_dataset(path).llp.group()


def _fitted(ds: xr.Dataset, name: str, **parameters: Any) -> Any:
    train, val = (ds.llp.split(part).llp.restrict("division") for part in ("train", "val"))
    return make_method(name, **parameters).fit(train, val)


def _divisions(seed: int, chips: int = 60, count: int = 12, features: int = 5) -> tuple:
    """Features of chips of one km², and the divisions that they are dealt out to."""
    random = np.random.default_rng(seed)
    member = np.sort(random.permutation(chips) % count)
    overlaps = csr_array((np.ones(chips), (member, np.arange(chips))), shape=(count, chips))
    x = random.normal(size=(chips, features))
    return x, Divisions(overlaps, np.zeros((count, 0)))


@pytest.mark.parametrize("name", CLOSED)
def test_shares_that_the_features_determine_are_recovered(name: str, exact: xr.Dataset) -> None:
    """Division means determine every chip, but for the few divisions and the penalty."""
    method = _fitted(exact, name, words=24, sample=20_000, patch_size=2)
    test = exact.llp.split("test")
    truth = test.llp.truth().to_numpy()
    predictions = method.predict(test[["image"]])["proportions"].to_numpy()
    null = np.abs(truth - truth.mean(axis=0)).mean()
    limit = 0.65 if name == "mean-map" else 0.4
    assert np.abs(predictions - truth).mean() < limit * null
    np.testing.assert_allclose(predictions.sum(axis=1), 1, rtol=1e-5)
    assert (predictions >= 0).all()


@pytest.mark.parametrize("name", CLOSED)
def test_what_is_saved_predicts_the_same(name: str, exact: xr.Dataset, tmp_path: Path) -> None:
    features = {"words": 8, "sample": 2000, "cosines": 8, "features": "words, fourier,moments"}
    method = _fitted(exact, name, **features)
    method.save(tmp_path / "saved")
    again = method_class(name).load(tmp_path / "saved")
    test = exact.llp.split("test")[["image"]]
    xr.testing.assert_identical(again.predict(test), method.predict(test))
    assert again.footprint() == method.footprint()


@pytest.mark.parametrize("name", CLOSED)
def test_the_order_of_chips_does_not_matter(name: str, exact: xr.Dataset) -> None:
    """With as many patches as there are, up to rounding; words start from patches drawn."""
    order = np.random.default_rng(0).permutation(exact.sizes["chip"])
    method, turned = (
        _fitted(ds, name, features="moments") for ds in (exact, exact.isel(chip=order))
    )
    test = exact.llp.split("test")[["image"]]
    np.testing.assert_allclose(
        turned.predict(test)["proportions"], method.predict(test)["proportions"], atol=2e-3
    )


@pytest.mark.parametrize("name", [*CLOSED])
def test_blocks_of_chips_do_not_matter(name: str, exact: xr.Dataset) -> None:
    method = _fitted(exact, name, words=8, sample=2000, cosines=8, features="words,fourier")
    test = exact.llp.split("test")[["image"]]
    whole = method.predict(test)["proportions"].to_numpy()
    single = [method.predict(test.isel(chip=[n]))["proportions"].to_numpy()[0] for n in (0, 7)]
    np.testing.assert_allclose(single, whole[[0, 7]], atol=1e-5)


def test_declared_parameters_are_those_counted(exact: xr.Dataset) -> None:
    for name in CLOSED[:3]:
        found = _fitted(exact, name).footprint()["parameters"]
        assert found == method_class(name).parameters


def test_unknown_features_are_refused(exact: xr.Dataset) -> None:
    with pytest.raises(UnknownNameError, match="'word'; did you mean 'words'"):
        _fitted(exact, "bag-ridge", features="word,moments")
    with pytest.raises(LLPBenchError, match=r"at least 2 divisions with known.* found"):
        _fitted(exact.isel(division=[0]), "bag-ridge")


def test_bag_ridge_is_a_weighted_ridge_of_means() -> None:
    """Compared with scikit-learn's ridge at the penalty that was chosen."""
    x, divisions = _divisions(0)
    proportions = np.random.default_rng(1).dirichlet(np.ones(3), len(divisions))
    method = BagRidge(area_exponent=0.5)
    coefficients, intercept = method.fit_divisions(x, replace(divisions, proportions=proportions))
    sizes = np.diff(divisions.overlaps.indptr)
    weights = sizes**0.5 / (sizes**0.5).mean()
    means = np.add.reduceat(x[divisions.overlaps.indices], divisions.overlaps.indptr[:-1])
    ridge = Ridge(alpha=method.alpha_).fit(
        means / sizes[:, np.newaxis], proportions, sample_weight=weights
    )
    np.testing.assert_allclose(coefficients, ridge.coef_.T, atol=1e-8)
    np.testing.assert_allclose(intercept, ridge.intercept_, atol=1e-8)


def test_aggregated_multinomial_is_logistic_regression_where_bags_are_chips() -> None:
    """Compared with scikit-learn: the sum of losses + alpha/2 |W|^2 is that of C = 1/alpha."""
    random = np.random.default_rng(2)
    x, labels = random.normal(size=(90, 4)), random.integers(0, 3, 90)
    labels[x[:, 0] > 0.5] = 1
    problem = _Problem(x, Divisions(csr_array(eye_array(90)), np.eye(3)[labels]), np.ones(90))
    found = problem.solve(0.5, problem.start())
    other = LogisticRegression(C=2.0, tol=1e-8, max_iter=5000).fit(x, labels)
    np.testing.assert_allclose(found[:-1], other.coef_.T, atol=3e-3)
    shift = found[-1] - other.intercept_  # a common shift changes nothing
    np.testing.assert_allclose(shift, shift.mean(), atol=3e-3)


def test_the_gradient_of_the_aggregated_loss_is_right() -> None:
    """Compared with finite differences."""
    x, divisions = _divisions(3)
    random = np.random.default_rng(4)
    proportions = random.dirichlet(np.ones(3), len(divisions))
    problem = _Problem(x, replace(divisions, proportions=proportions), divisions.areas)
    shape = (x.shape[1] + 1, 3)
    error = check_grad(
        lambda flat: problem._penalised(flat, 0.3, shape)[0],
        lambda flat: problem._penalised(flat, 0.3, shape)[1],
        random.normal(size=18),
    )
    assert error < 1e-3


def test_the_aggregated_loss_finds_the_truth_that_means_come_from() -> None:
    """Proportions made by a softmax of the features have no other explanation."""
    x, divisions = _divisions(5, chips=600, count=150, features=2)
    truth = np.array([[1.0, -1.0, 0.0], [0.0, 1.5, -1.5], [0.2, 0.0, -0.2]])
    method = AggregatedMultinomial()
    shares = method.link(x @ truth[:2] + truth[2])
    coefficients, intercept = method.fit_divisions(
        x, replace(divisions, proportions=divisions.means(shares))
    )
    found = method.link(x @ coefficients + intercept)
    assert np.abs(found - shares).max() < 0.02


def test_class_means_are_solved_for() -> None:
    random = np.random.default_rng(6)
    proportions, classes = random.dirichlet(np.ones(3), 400), random.normal(size=(3, 5))
    found = class_means(proportions @ classes, proportions, np.ones(400))
    np.testing.assert_allclose(found, classes, atol=1e-3)


@given(st.integers(0, 10**6))
def test_unmixing_is_constrained_least_squares(seed: int) -> None:
    """Compared with a general constrained optimiser."""
    random = np.random.default_rng(seed)
    parts, seen = random.normal(size=(3, 4)), random.normal(size=(2, 4))
    shares = unmix(seen @ parts.T, parts @ parts.T)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert (shares >= 0).all()
    for row, mixed in zip(seen, shares, strict=True):
        found = minimize(
            lambda f, row=row: ((row - f @ parts) ** 2).sum(),
            np.full(3, 1 / 3),
            bounds=[(0, 1)] * 3,
            constraints={"type": "eq", "fun": lambda f: f.sum() - 1},
            method="SLSQP",
        )
        assert ((row - mixed @ parts) ** 2).sum() <= found.fun + 1e-5


def _evidence(x: np.ndarray, y: np.ndarray, weights: np.ndarray, alpha: float) -> float:
    """Density of all contrasts of y, written out: y ~ N(b, s^2 (1/w + x x'/alpha)), s^2 fitted."""
    count = len(y)
    covariance = np.diag(1 / weights) + x @ x.T / alpha
    contrasts = np.linalg.svd(np.ones((1, count)))[2][1:]  # orthonormal, orthogonal to ones
    inner = contrasts @ covariance @ contrasts.T
    left = contrasts @ y
    variance = left @ np.linalg.solve(inner, left) / (count - 1)
    return float(-0.5 * (np.linalg.slogdet(inner)[1] + (count - 1) * np.log(variance)))


def test_the_evidence_is_the_density_of_what_was_seen() -> None:
    """Up to a constant that neither penalty nor weights enter."""
    x, divisions = _divisions(7)
    means, sizes = divisions.means(x), divisions.areas
    y = np.random.default_rng(8).normal(size=(len(sizes), 2)) + means[:, :2]
    found, expected = [], []
    for weights in (sizes, sizes**0.25):
        problem = _Evidence.of(means, y, weights)
        for number in (10, 40, 60):
            found.append(problem.evidence()[number, 1])
            expected.append(_evidence(means, y[:, 1], weights, _ALPHAS[number]))
    np.testing.assert_allclose(np.diff(found), np.diff(expected), atol=1e-6)


def test_intervals_hold_what_they_say(exact: xr.Dataset) -> None:
    """Chips that obey the model: linear in the features, with independent normal noise."""
    random = np.random.default_rng(9)
    method = BayesianBagRidge(area_exponent=1.0)
    x, divisions = _divisions(10, chips=2400, count=120, features=6)
    x /= np.sqrt(6)
    method.extractor_ = _Rows()  # type: ignore[assignment]
    method.centre_, method.spread_ = np.zeros(6), np.ones(6)
    method.categories_ = np.array(["a", "b"])
    score = x @ random.normal(size=6) * 0.1
    first = 0.5 + score + random.normal(scale=0.05, size=2400)
    shares = np.stack([first, 1 - first], axis=1)
    fitted = method.fit_divisions(x, replace(divisions, proportions=divisions.means(shares)))
    method.coefficients_, method.intercept_ = fitted
    np.testing.assert_allclose(method.noise_, 0.05, rtol=0.25)
    fresh = random.normal(size=(2000, 6)) / np.sqrt(6)
    coefficients = np.linalg.lstsq(x, score, rcond=None)[0]
    truth = 0.5 + fresh @ coefficients + random.normal(scale=0.05, size=2000)
    rows = xr.Dataset(
        {"image": (("chip", "feature"), fresh)}, {"chip": np.arange(2000).astype(str)}
    )
    found = method.predict(rows)
    for level in (0.5, 0.8, 0.9, 0.95):
        low, high = (found[bound].sel(level=level)[:, 0] for bound in ("low", "high"))
        assert ((low <= truth) & (truth <= high)).mean().item() == pytest.approx(level, abs=0.08)


class _Rows:
    """Images that are features already."""

    def compute(self, ds: xr.Dataset) -> np.ndarray:
        return ds["image"].to_numpy()


def test_the_exponent_says_whether_divisions_err_as_wholes() -> None:
    """Errors of whole divisions are as large in large ones, those of chips average out."""
    random = np.random.default_rng(11)
    sizes = random.integers(2, 200, 300).astype(float)
    x = random.normal(size=(300, 3))
    overlaps = csr_array(diags_array(sizes))
    signal = 0.5 + 0.05 * x[:, :1] @ np.array([[1.0, -1.0]])
    for exponent, scale in ((0.0, np.full(300, 0.05)), (1.0, 0.3 / np.sqrt(sizes))):
        noise = random.normal(size=(300, 1)) * scale[:, np.newaxis] * np.array([[1, -1]])
        method = BayesianBagRidge()
        method.centre_, method.spread_ = np.zeros(3), np.ones(3)
        method.fit_divisions(x, Divisions(overlaps, signal + noise))
        assert method.exponent_ == exponent


def test_fourier_features_approximate_a_gaussian_kernel() -> None:
    """2/D sum of products of cosines has the kernel as its mean over directions and phases."""
    random = np.random.default_rng(12)
    images = random.integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)
    features = PatchFourier(count=20_000, components=3).learn(images, random)
    patches = features._patches(images)[0, [5, 100]] @ features.arrays["projection"]
    waves = np.cos(patches @ features.arrays["directions"] + features.arrays["phases"])
    widths = 1 / features.arrays["directions"].std()
    kernel = np.exp(-0.5 * np.square(patches[0] - patches[1]).sum() / widths**2)
    assert 2 * (waves[0] * waves[1]).mean() == pytest.approx(kernel, abs=0.03)


def test_moments_are_those_of_windows() -> None:
    """Compared with the windows of one size cut out one by one."""
    random = np.random.default_rng(13)
    images = random.integers(0, 256, (4, 96, 96, 3), dtype=np.uint8)
    features = WindowMoments().learn(images, random)
    size = SIZES[2]
    windows = [
        images[1, top : top + size, left : left + size].reshape(-1, 3).astype(float)
        for top in range(0, 96, size)
        for left in range(0, 96, size)
    ]
    described = np.stack([np.r_[w.mean(axis=0), np.log1p(w.std(axis=0))] for w in windows])
    described = (described - features.arrays["mean"][2]) / features.arrays["scale"][2]
    second = described.T @ described / len(described)
    expected = np.r_[described.mean(axis=0), second[np.triu_indices(6)]]
    np.testing.assert_allclose(features(images)[1, 2 * 27 : 3 * 27], expected, atol=1e-3)
