"""Scores of intervals: against pandas and scikit-learn, by hand, and what defines them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import mean_pinball_loss

from llpbench import metrics
from llpbench.errors import MetricError

FloatArray = NDArray[np.float64]
Triple = tuple[FloatArray, FloatArray, FloatArray]
FORMS: dict[str, Callable[..., object]] = {
    "coverage": metrics.coverage,
    "width": lambda _truth, *bounds, **form: metrics.mean_width(*bounds, **form),
    "score": partial(metrics.interval_score, level=0.8),
}


@st.composite
def triples(draw: st.DrawFn) -> Triple:
    """True shares (n, K) and bounds around or beside them, often equal to them."""
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 4)))
    numbers = hnp.arrays(float, (3, *shape), elements=st.sampled_from([0, 0.1, 0.25, 0.5, 1]))
    truth, one, other = draw(numbers)
    return truth, np.minimum(one, other), np.maximum(one, other)


@settings(max_examples=50)
@given(triples(), st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_agreement_with_other_implementations(triple: Triple, level: float) -> None:
    """The interval score is two pinball losses: those of its bounds as quantiles."""
    truth, low, high = triple
    closed = pd.arrays.IntervalArray.from_arrays(low.ravel(), high.ravel(), closed="both")
    inside = [share in interval for share, interval in zip(truth.ravel(), closed, strict=True)]
    assert metrics.coverage(*triple) == pytest.approx(np.mean(inside))
    assert metrics.mean_width(low, high) == pytest.approx(np.mean(closed.length))
    alpha = 1 - level
    options = {"multioutput": "raw_values"}
    losses = mean_pinball_loss(truth, low, alpha=alpha / 2, **options) + mean_pinball_loss(
        truth, high, alpha=1 - alpha / 2, **options
    )
    found = metrics.interval_score(*triple, level, per="category")
    np.testing.assert_allclose(found, 2 / alpha * losses, atol=1e-12)


def test_values_by_hand() -> None:
    """Bounds belong to the interval; 2 / (1 - 0.75) = 8 times what is missed is added."""
    truth = [[0.5, 0.25], [1.0, 0.0]]
    low, high = [[0.5, 0.375], [0.5, 0.0]], [[0.75, 0.5], [0.875, 0.0]]
    np.testing.assert_array_equal(metrics.coverage(truth, low, high, per="cell"), [[1, 0], [0, 1]])
    np.testing.assert_array_equal(metrics.mean_width(low, high, per="chip"), [0.1875, 0.1875])
    np.testing.assert_array_equal(
        metrics.interval_score(truth, low, high, 0.75, per="cell"),
        [[0.25, 0.125 + 8 * 0.125], [0.375 + 8 * 0.125, 0]],
    )
    assert metrics.coverage([[0.5]], [[0.5]], [[0.5]]) == 1


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_the_quantiles_score_best(level: float) -> None:
    """Of shares that follow a Beta distribution, here by its quantiles: the score is proper."""
    known = stats.beta(2, 3)
    truth = known.ppf((np.arange(2000) + 0.5) / 2000)[:, np.newaxis]
    best = known.interval(level)

    def expected(low: float, high: float) -> float:
        bounds = (np.full_like(truth, bound) for bound in (low, high))
        return float(metrics.interval_score(truth, *bounds, level))

    least = expected(*best)
    for down in (-0.05, 0, 0.05):
        for up in (-0.05, 0, 0.05):
            assert (down, up) == (0, 0) or expected(best[0] + down, best[1] + up) > least


@settings(max_examples=50)
@given(triples())
def test_cells_average_to_every_other_form(triple: Triple) -> None:
    for metric in FORMS.values():
        cells = metric(*triple, per="cell")
        assert np.shape(cells) == triple[0].shape
        np.testing.assert_allclose(metric(*triple, per="chip"), np.mean(cells, axis=1))
        np.testing.assert_allclose(metric(*triple, per="category"), np.mean(cells, axis=0))
        value = metric(*triple)
        assert isinstance(value, float)
        assert value == pytest.approx(np.mean(cells))


@pytest.mark.parametrize("name", FORMS)
def test_what_does_not_fit_is_refused(name: str) -> None:
    metric = FORMS[name]
    one, two = np.full((1, 2), 0.5), np.full((2, 2), 0.5)
    with pytest.raises(MetricError, match="one of chip, category, cell, not 'division'"):
        metric(one, one, one, per="division")
    with pytest.raises(MetricError, match=r"one shape .* found \(1, 2\) and \(2, 2\)"):
        metric(one, one, two)
    bounds = np.array([[0.5, 0.5], [0.5, 0.6]])
    with pytest.raises(MetricError, match="low must not exceed high, but it does in row 1"):
        metric(two, bounds, two)
    with pytest.raises(MetricError, match="low must be finite"):
        metric(two, np.full_like(two, np.nan), two)
    with pytest.raises(MetricError, match="high must be finite"):
        metric(two, two, np.full_like(two, np.inf))
    if name != "width":
        with pytest.raises(MetricError, match=r"one shape .* found \(2, 2\) and \(1, 2\)"):
            metric(two, one, one)
        with pytest.raises(MetricError, match="truth must be finite"):
            metric(np.full_like(one, np.nan), one, one)


@pytest.mark.parametrize("level", [0, 1, 90, np.nan])
def test_levels_are_between_0_and_1(level: float) -> None:
    with pytest.raises(MetricError, match=f"between 0 and 1, not {level}"):
        metrics.interval_score([[0.5]], [[0.5]], [[0.5]], level)
