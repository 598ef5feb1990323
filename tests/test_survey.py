"""Design-based estimators: all samples there are, other formulas, simulations with known truth."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_array

from llpbench.errors import LLPBenchError
from llpbench.estimation.means import predicted_means
from llpbench.estimation.sample import Sample
from llpbench.estimation.sampling import draw_sample
from llpbench.estimation.small_areas import small_area_means
from llpbench.estimation.survey import survey_means
from llpbench.uncertainty.error_model import ErrorModel

FloatArray = NDArray[np.float64]
ESTIMATORS = ("tuned", "difference", "regression", "labels")


def population(chips: int, seed: int = 0, error: float = 0.3) -> tuple[FloatArray, FloatArray]:
    """True and predicted shares of three classes: neighbours are alike, the map is off."""
    generator = np.random.default_rng(seed)
    trend = np.stack([np.ones(chips), np.linspace(0, 2, chips), np.full(chips, 0.5)], axis=1)
    truth = generator.gamma(2 * trend + 0.2)
    truth /= truth.sum(axis=1, keepdims=True)
    predicted = truth + error * generator.dirichlet(np.ones(3), chips)
    return truth, predicted / predicted.sum(axis=1, keepdims=True)


def everywhere(chips: int) -> csr_array:
    return csr_array(np.full((1, chips), 1 / chips))


def simple(truth: FloatArray) -> Iterator[Sample]:
    for chip in combinations(range(len(truth)), 5):
        yield Sample.simple(chip, truth[list(chip)], len(truth))


def stratified(truth: FloatArray) -> Iterator[Sample]:
    sizes = [5, len(truth) - 5]
    strata = (combinations(range(5), 2), combinations(range(5, len(truth)), 3))
    for first, second in product(*strata):
        chip = [*first, *second]
        yield Sample.stratified(chip, truth[chip], np.array(chip) >= 5, sizes)


def by_division(truth: FloatArray) -> Iterator[Sample]:
    division = np.repeat(np.arange(7), [1, 2, 1, 3, 1, 1, 2])[: len(truth)]
    for drawn in combinations(np.unique(division), 5):
        chip = np.flatnonzero(np.isin(division, drawn))
        yield Sample.by_division(chip, truth[chip], division)


@pytest.mark.parametrize("design", [simple, stratified, by_division])
def test_on_average_over_all_samples_value_and_variance_are_right(design: Any) -> None:
    """The difference estimator and the estimator of its variance are unbiased (Cochran 1977)."""
    truth, predicted = population(11)
    found = [
        survey_means(s, predicted, everywhere(11), np.ones(11), "difference") for s in design(truth)
    ]
    values = np.stack([means.value for means in found])
    np.testing.assert_allclose(values.mean(axis=0)[0], truth.mean(axis=0))
    estimated = np.mean([means.variance for means in found], axis=0)
    np.testing.assert_allclose(estimated, values.var(axis=0))


def test_a_stratified_sample_tells_what_a_simple_one_would() -> None:
    """The variance without strata, on average over samples, is S² (1 - n / N) / n by definition."""
    truth, _predicted = population(300)
    strata = (np.arange(300) > 100).astype(int)
    generator = np.random.default_rng(2)
    found = []
    for _ in range(200):
        parts = [
            generator.choice(np.flatnonzero(strata == h), n, False) for h, n in enumerate((30, 12))
        ]
        chip = np.concatenate(parts)
        sample = Sample.stratified(chip, truth[chip], strata[chip], [101, 199])
        found.append(sample.variance_unstratified(truth[chip] / 300))
    expected = truth.var(axis=0, ddof=1) * (1 - 42 / 300) / 42
    np.testing.assert_allclose(np.mean(found, axis=0), expected, rtol=0.05)


@given(
    seed=st.integers(0, 1000),
    estimator=st.sampled_from(ESTIMATORS),
    design=st.sampled_from(["simple", "points", "stratified", "division"]),
)
def test_classes_and_polygons_add_up(seed: int, estimator: Any, design: str) -> None:
    truth, predicted = population(40, seed)
    generator = np.random.default_rng(seed)
    sizes = generator.uniform(0.2, 1, 40)
    inside = generator.random(40)
    overlaps = np.stack([sizes * inside, sizes * (1 - inside), sizes])
    areas = overlaps.sum(axis=1)
    chip = generator.choice(40, 15, replace=design == "points")
    sample = {
        "simple": lambda: Sample.simple(chip, truth[chip], 40),
        "points": lambda: Sample.simple(chip, truth[chip], 40, points=True),
        "stratified": lambda: Sample.stratified(chip, truth[chip], np.arange(15) % 2, [22, 18]),
        "division": lambda: Sample.by_division(chip, truth[chip], np.arange(40) // 4),
    }[design]()
    weights = csr_array(overlaps / areas[:, np.newaxis])
    means = survey_means(sample, predicted, weights, sizes, estimator)
    np.testing.assert_allclose(means.value.sum(axis=1), 1)
    np.testing.assert_allclose(areas[:2] @ means.value[:2], areas[2] * means.value[2])
    low, high = means.interval()
    known = np.isfinite(low)
    assert (low <= means.value)[known].all()
    assert (means.value <= high)[known].all()


def test_labels_alone_are_the_mean_of_a_textbook() -> None:
    """Cochran 1977, theorem 2.2 and equation 2.20; the t of 29 degrees of freedom from tables."""
    truth, predicted = population(100)
    chip = np.arange(0, 90, 3)
    means = survey_means(
        Sample.simple(chip, truth[chip], 100), predicted, everywhere(100), np.ones(100), "labels"
    )
    np.testing.assert_allclose(means.value[0], truth[chip].mean(axis=0))
    variance = 0.7 * truth[chip].var(axis=0, ddof=1) / 30
    np.testing.assert_allclose(means.variance[0], variance)
    half = means.interval()[1][0] - means.value[0]
    np.testing.assert_allclose(half, 2.04523 * np.sqrt(variance), rtol=1e-5)
    np.testing.assert_allclose(means.effective[0], 30)


def test_the_tuned_number_is_that_of_ppi() -> None:
    """The least sum of variances, by search; the estimate is then PPI++'s, with all chips known."""
    truth, predicted = population(200, error=1.0)
    chip = np.random.default_rng(1).choice(200, 40, replace=False)
    y, p = truth[chip], predicted[chip]

    def spread(number: float) -> float:
        return float((y - number * p).var(axis=0, ddof=1).sum())

    number = minimize_scalar(spread).x
    expected = y.mean(axis=0) + number * (predicted.mean(axis=0) - p.mean(axis=0))
    sample = Sample.simple(chip, y, 200)
    means = survey_means(sample, predicted, everywhere(200), np.ones(200), "tuned")
    np.testing.assert_allclose(means.value[0], expected, rtol=1e-6)
    np.testing.assert_allclose(
        means.variance[0], 0.8 * (y - number * p).var(0, ddof=1) / 40, rtol=0.2
    )


def test_a_regression_is_that_of_least_squares() -> None:
    truth, predicted = population(200)
    chip = np.arange(0, 200, 5)
    x = np.column_stack([np.ones(200), predicted[:, :2]])
    line = np.linalg.lstsq(x[chip], truth[chip])[0]
    sample = Sample.simple(chip, truth[chip], 200)
    means = survey_means(sample, predicted, everywhere(200), np.ones(200), "regression")
    np.testing.assert_allclose(means.value[0], (x @ line).mean(axis=0))


def test_part_of_a_division_is_counted_as_drawn_anew() -> None:
    """Two labelled chips of each of 20 divisions: intervals are on the safe side, not far."""
    truth, predicted = population(400)
    division = np.arange(400) // 10
    generator = np.random.default_rng(3)
    values, variances = [], []
    for _ in range(400):
        drawn = generator.choice(40, 20, replace=False)
        chip = np.concatenate([10 * d + generator.choice(10, 2, replace=False) for d in drawn])
        sample = Sample.by_division(chip, truth[chip], division)
        means = survey_means(sample, predicted, everywhere(400), np.ones(400), "labels")
        values.append(means.value[0])
        variances.append(means.variance[0])
    ratio = np.mean(variances, axis=0) / np.var(values, axis=0)
    assert ((ratio > 0.95) & (ratio < 2)).all()


def test_what_was_not_seen_has_no_interval() -> None:
    """A class that no labelled chip has, and a polygon of four labelled chips."""
    truth, predicted = population(60)
    truth[:, 2], predicted[:30, 2] = 0, 0
    truth, predicted = (v / v.sum(axis=1, keepdims=True) for v in (truth, predicted))
    chip = np.arange(0, 30, 2)
    weights = csr_array(np.stack([np.full(60, 1 / 60), np.repeat([0.125, 0], [8, 52])]))
    sample = Sample.simple(chip, truth[chip], 60)
    means = survey_means(sample, predicted, weights, np.ones(60), "difference")
    assert np.isfinite(means.variance[0]).tolist() == [True, True, False]
    assert np.isnan(means.variance[1]).all()
    assert np.isnan(means.effective[1]).all()


def test_intervals_are_cut_at_what_can_be_but_estimates_are_not() -> None:
    truth = np.zeros((50, 2))
    truth[:, 1] = 1
    truth[::9, 0], truth[::9, 1] = 0.01, 0.99
    sample = Sample.simple(np.arange(40), truth[:40], 50)
    wrong = np.tile([0.02, 0.98], (50, 1))
    wrong[40:] = [0, 1]
    means = survey_means(sample, wrong, everywhere(50), np.ones(50), "difference")
    assert means.value[0, 0] < 0
    low, high = means.interval()
    assert low[0, 0] == means.value[0, 0]
    assert high[0, 1] == means.value[0, 1]


def test_predictions_alone_have_the_intervals_of_an_error_model() -> None:
    """Chips that are off by a tenth, each on its own: their mean by a quarter of that of 16."""
    one = np.ones(1)
    errors = ErrorModel(
        matrix=np.eye(2),
        mean=np.full(2, 0.5),
        weights=one,
        shared=0 * one,
        ranges=one,
        scales=np.full((1, 2), 0.04),  # of shares of a half, a variance of 0.01
        noise=0.1,
        divisions=20,
    )
    shares, places = np.full((16, 2), 0.5), np.arange(32.0).reshape(16, 2)
    means = predicted_means(everywhere(16), shares, places, errors)
    low, high = means.interval()
    np.testing.assert_allclose(high - low, 2 * 1.959964 * 0.1 / 4, rtol=1e-6)
    assert np.isnan(predicted_means(everywhere(16), shares).interval()[0]).all()


def test_what_is_no_sample_is_refused() -> None:
    shares = np.eye(3)
    with pytest.raises(LLPBenchError, match="fewer than two labelled chips"):
        Sample.stratified([0, 1, 2], shares, [0, 0, 1], [5, 5])
    with pytest.raises(LLPBenchError, match="at least two divisions, found 1"):
        Sample.by_division([0, 1, 2], shares, np.array(["a", "a", "a", "b"]))
    with pytest.raises(LLPBenchError, match="there is no estimator 'greg'"):
        survey_means(
            Sample.simple([0, 1, 2], shares, 9), np.eye(3), everywhere(3), np.ones(3), "greg"
        )  # type: ignore[arg-type]


def test_small_areas_are_nearer_than_their_own_labels() -> None:
    """Forty divisions that differ by themselves, with four labels of ten chips each."""
    generator = np.random.default_rng(5)
    division = np.repeat(np.arange(40), 10)
    predicted = generator.dirichlet([2, 2, 2], 40)[division]
    own = generator.normal(0, 0.03, (40, 1))[division]
    noise = generator.normal(0, 0.08, (400, 1))
    truth = predicted + (own + noise) * [1, -1, 0]
    weights = csr_array((division[np.newaxis] == np.arange(40)[:, np.newaxis]) / 10)
    chip = np.concatenate([10 * d + np.arange(4) for d in range(38)])  # two without labels
    sample = Sample.simple(chip, truth[chip], 400)
    means = small_area_means(sample, predicted, weights, np.ones(400))
    target = weights @ truth
    direct = truth[chip].reshape(38, 4, 3).mean(axis=1)
    errors = (np.sqrt(((value - target[:38]) ** 2).mean()) for value in (means.value[:38], direct))
    assert next(errors) < 0.8 * next(errors)
    low, high = means.interval()
    known = np.isfinite(low)
    assert known[:, :2].all()
    assert 0.85 < ((low <= target) & (target <= high))[known].mean() <= 1
    assert (means.variance[38:, :2] > means.variance[:38, :2].max(axis=0)).all()
    few = Sample.simple(chip[:8], truth[chip[:8]], 400)
    with pytest.raises(LLPBenchError, match="at least 5 polygons, found 2"):
        small_area_means(few, predicted, weights, np.ones(400))
    single = Sample.simple(chip[::4], truth[chip[::4]], 400)
    with pytest.raises(LLPBenchError, match="a polygon with two labelled chips"):
        small_area_means(single, predicted, weights, np.ones(400))


def _draw(design: str, truth: FloatArray, shares: FloatArray, division: Any, seed: int) -> Sample:
    """100 labelled chips."""
    generator = np.random.default_rng(seed)
    if design == "stratified":
        chip, stratum, _weight = draw_sample(shares, 100, seed)
        known, codes = np.unique(stratum, return_inverse=True)
        sizes = np.bincount(shares.argmax(axis=1), minlength=shares.shape[1])[known]
        return Sample.stratified(chip, truth[chip], codes, sizes)
    if design == "division":
        drawn = generator.choice(np.unique(division), 25, replace=False)
        chips = [generator.permutation(np.flatnonzero(division == d))[:4] for d in drawn]
        chip = np.concatenate(chips)
        return Sample.by_division(chip, truth[chip], division)
    chip = generator.choice(len(truth), 100, replace=False)
    return Sample.simple(chip, truth[chip], len(truth))


def _coverage(
    truth: FloatArray, shares: FloatArray, division: Any, design: str, estimator: Any, draws: int
) -> tuple[float, float]:
    """How many intervals hold the truth, and the effective sample of all classes together."""
    chips, target = len(truth), truth.mean(axis=0)
    held, effective = [], []
    for seed in range(draws):
        sample = _draw(design, truth, shares, division, seed)
        means = survey_means(sample, shares, everywhere(chips), np.ones(chips), estimator)
        low, high = means.interval()
        known = np.isfinite(low[0])
        held += ((low[0] <= target) & (target <= high[0]))[known].tolist()
        alone = np.nansum(means.effective * means.variance)
        effective.append(alone / np.nansum(means.variance))
    return float(np.mean(held)), float(np.median(effective))


@pytest.mark.parametrize("design", ["simple", "stratified", "division"])
def test_intervals_hold_the_truth_of_a_made_map(design: str) -> None:
    """Within what 150 draws of three classes allow: 3 standard errors, as classes go together."""
    truth, shares = population(1500, error=0.25)
    share, effective = _coverage(truth, shares, np.arange(1500) // 15, design, "tuned", 150)
    assert 0.90 < share < 0.99
    assert effective > 300


@pytest.mark.full
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("design", ["simple", "stratified", "division"])
@pytest.mark.parametrize("labels", ["esaworldcover", "humanpop"])
def test_intervals_hold_the_truth_of_the_demos(labels: str, design: str, estimator: str) -> None:
    """93 to 97 times in 100, over 1,000 draws of 100 labelled chips and all classes.

    With an effective sample of at least three times the labels, by the sum of variances of all
    classes, for a map of bag-ridge.
    """
    truth, shares, division = _demo(labels)
    share, effective = _coverage(truth, shares, division, design, estimator, 1000)
    assert 0.93 <= share <= 0.97
    if estimator != "labels":
        assert effective >= 300


@cache
def _demo(labels: str) -> tuple[FloatArray, FloatArray, Any]:
    """Truth, predictions of bag-ridge and divisions of all chips of a demo."""
    import llpbench
    from llpbench.methods import gate
    from llpbench.methods.registry import make_method

    ds = llpbench.open_dataset(f"demo-{labels}").llp.group()
    method = make_method("bag-ridge")
    gate.fit(method, ds, ds)
    shares = gate.predict(method, ds, "all", name="bag-ridge", seed=0, trained_on=ds.llp.info.name)
    predicted = shares["proportions"].to_numpy().astype(np.float64)
    return ds.llp.truth().to_numpy(), predicted, ds["own_division"].to_numpy()
