"""Every measure from the tallies of made chips: against scikit-learn, scipy, pandas and loops."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import linregress, wasserstein_distance
from sklearn.metrics import f1_score, jaccard_score, mean_pinball_loss, r2_score

from llpbench.metrics.diagnostics import gap_terms
from llpbench.scoring.measures import BY_NAME, DIVISION_MEASURES, MEASURES, Measure, available
from llpbench.scoring.scored_chips import ScoredChips
from llpbench.scoring.tallies import confusions, division_tallies, tally

CHIPS, CLASSES = 40, 3
LEVELS = (0.5, 0.8, 0.9, 0.95)
FloatArray = NDArray[np.float64]


@pytest.fixture(scope="module")
def chips() -> ScoredChips:
    """Chips of 5 divisions of unequal size; a class is missing in some, and in one division."""
    random = np.random.default_rng(0)
    truth, predicted = random.dirichlet([1.0, 0.6, 0.4], (2, CHIPS))
    division = np.array(list("abcde"))[np.minimum(random.integers(0, 8, CHIPS), 4)]
    confusion = random.integers(1, 30, (CHIPS, CLASSES, CLASSES))
    confusion[::3, 2], confusion[::3, :, 2] = 0, 0
    confusion[division == "b", 2], confusion[division == "b", :, 2] = 0, 0
    predicted_pixels = confusion.sum(axis=1)
    return ScoredChips(
        chip=np.array([f"chip{number}" for number in range(CHIPS)]),
        truth=truth,
        predicted=predicted,
        division=division,
        null=truth.mean(axis=0) + np.array([0.02, -0.01, -0.01]),
        hard=predicted_pixels / predicted_pixels.sum(axis=1, keepdims=True),
        confusion=confusion,
        intervals={level: _bounds(random, predicted, level) for level in (0.5, 0.6, *LEVELS[1:])},
    )


def _gaps() -> FloatArray:
    """Of the same divisions; what is known of the second is not."""
    means, known = np.random.default_rng(1).dirichlet(np.ones(CLASSES), (2, 5))
    known[1] = np.nan
    return gap_terms(means, known)


GAPS = _gaps()


def all_tallies(chips: ScoredChips, *, ordered: bool = True) -> dict[str, FloatArray]:
    """Those of chips, and that of the means of divisions."""
    return {**tally(chips, ordered=ordered), "gaps": GAPS}


def _bounds(
    random: np.random.Generator, predicted: FloatArray, level: float
) -> tuple[FloatArray, FloatArray]:
    away = 0.4 * level * random.random((2, *predicted.shape))
    return np.maximum(predicted - away[0], 0), np.minimum(predicted + away[1], 1)


def covered(level: float, chips: ScoredChips) -> Any:
    """Which shares lie in their intervals, as pandas sees it."""
    bounds = [bound.ravel() for bound in chips.intervals[level]]
    intervals = pd.arrays.IntervalArray.from_arrays(*bounds, closed="both")
    pairs = zip(chips.truth.ravel(), intervals, strict=True)
    return np.array([share in interval for share, interval in pairs]).reshape(chips.truth.shape)


def interval_scores(chips: ScoredChips) -> Any:
    """By class, as two pinball losses of scikit-learn."""
    low, high = chips.intervals[0.9]
    losses = [
        mean_pinball_loss(chips.truth, bound, alpha=alpha, multioutput="raw_values")
        for bound, alpha in ((low, 0.05), (high, 0.95))
    ]
    return 20 * (losses[0] + losses[1])


def pixels(chips: ScoredChips) -> tuple[NDArray[Any], NDArray[Any]]:
    """True and predicted class of every pixel."""
    assert chips.confusion is not None
    cells = np.indices((CLASSES, CLASSES)).reshape(2, -1)
    true, predicted = np.repeat(cells, chips.confusion.sum(axis=0).ravel(), axis=1)
    return true, predicted


def iou_per_image(chips: ScoredChips) -> float:
    means = []
    for matrix in chips.confusion:  # type: ignore[union-attr]
        hits, union = np.diag(matrix), matrix.sum(axis=0) + matrix.sum(axis=1) - np.diag(matrix)
        means.append(np.mean([h / u for h, u in zip(hits, union, strict=True) if u]))
    return float(np.mean(means))


def rows(metric: Callable[[FloatArray, FloatArray], float], chips: ScoredChips) -> float:
    pairs = zip(chips.truth, chips.predicted, strict=True)
    return float(np.mean([metric(*pair) for pair in pairs]))


def within(values: FloatArray, chips: ScoredChips) -> FloatArray:
    """Values less the means of their divisions."""
    frame = pd.DataFrame(values)
    return (frame - frame.groupby(chips.division).transform("mean")).to_numpy()


def within_r2(chips: ScoredChips, axis: int | None) -> Any:
    truth, predicted = within(chips.truth, chips), within(chips.predicted, chips)
    return 1 - ((truth - predicted) ** 2).sum(axis=axis) / (truth**2).sum(axis=axis)


def lines(chips: ScoredChips, name: str) -> list[float]:
    return [
        getattr(linregress(chips.predicted[:, number], chips.truth[:, number]), name)
        for number in range(CLASSES)
    ]


def errors(chips: ScoredChips, axis: int | None = None) -> Any:
    return np.abs(chips.truth - chips.predicted).mean(axis=axis)


def errors_by_division(chips: ScoredChips) -> FloatArray:
    frame = pd.DataFrame(np.abs(chips.truth - chips.predicted))
    return frame.groupby(chips.division).mean().mean(axis=0).to_numpy()


EXPECTED: dict[str, Callable[[ScoredChips], float]] = {
    "mae": errors,
    "mae_hard": lambda c: np.abs(c.truth - c.hard).mean(),
    "f1_micro": lambda c: f1_score(*pixels(c), average="micro"),
    "f1_macro": lambda c: f1_score(*pixels(c), average="macro"),
    "iou_pooled": lambda c: jaccard_score(*pixels(c), average="macro"),
    "iou_per_image": iou_per_image,
    "skill": lambda c: 1 - errors(c) / np.abs(c.truth - c.null).mean(),
    "overlap": lambda c: np.minimum(c.truth, c.predicted).sum(axis=1).mean(),
    "rmse": lambda c: np.sqrt(((c.truth - c.predicted) ** 2).mean()),
    "r2": lambda c: r2_score(c.truth, c.predicted, multioutput="variance_weighted"),
    "soft_iou": lambda c: rows(lambda p, q: np.minimum(p, q).sum() / np.maximum(p, q).sum(), c),
    "jensen_shannon": lambda c: rows(lambda p, q: jensenshannon(p, q, base=2) ** 2, c),
    "hellinger": lambda c: rows(lambda p, q: np.sqrt(1 - np.sqrt(p * q).sum()), c),
    "earth_mover": lambda c: rows(
        lambda p, q: wasserstein_distance(range(CLASSES), range(CLASSES), p, q) / (CLASSES - 1), c
    ),
    "mae_by_division": lambda c: errors_by_division(c).mean(),
    "division_consistency": lambda _: GAPS[[0, 2, 3, 4], :-1].sum(axis=1).mean(),
    "within_division_r2": lambda c: within_r2(c, None),
    "calibration_slope": lambda c: linregress(c.predicted.ravel(), c.truth.ravel()).slope,
    "calibration_intercept": lambda c: linregress(c.predicted.ravel(), c.truth.ravel()).intercept,
    "coverage_50": lambda c: covered(0.5, c).mean(),
    "coverage_80": lambda c: covered(0.8, c).mean(),
    "coverage_90": lambda c: covered(0.9, c).mean(),
    "coverage_95": lambda c: covered(0.95, c).mean(),
    "width_90": lambda c: np.subtract(*c.intervals[0.9][::-1]).mean(),
    "interval_score_90": lambda c: interval_scores(c).mean(),
}
BY_CLASS: dict[str, Callable[[ScoredChips], Any]] = {
    "mae": lambda c: errors(c, 0),
    "mae_hard": lambda c: np.abs(c.truth - c.hard).mean(axis=0),
    "f1_micro": lambda c: f1_score(*pixels(c), average=None),
    "f1_macro": lambda c: f1_score(*pixels(c), average=None),
    "iou_pooled": lambda c: jaccard_score(*pixels(c), average=None),
    "rmse": lambda c: np.sqrt(((c.truth - c.predicted) ** 2).mean(axis=0)),
    "r2": lambda c: r2_score(c.truth, c.predicted, multioutput="raw_values"),
    "mae_by_division": errors_by_division,
    "division_consistency": lambda _: GAPS[[0, 2, 3, 4], :-1].mean(axis=0),
    "within_division_r2": lambda c: within_r2(c, 0),
    "calibration_slope": lambda c: lines(c, "slope"),
    "calibration_intercept": lambda c: lines(c, "intercept"),
    "coverage_50": lambda c: covered(0.5, c).mean(axis=0),
    "coverage_80": lambda c: covered(0.8, c).mean(axis=0),
    "coverage_90": lambda c: covered(0.9, c).mean(axis=0),
    "coverage_95": lambda c: covered(0.95, c).mean(axis=0),
    "width_90": lambda c: np.subtract(*c.intervals[0.9][::-1]).mean(axis=0),
    "interval_score_90": interval_scores,
}
WITH_PIXELS = {"mae_hard", "f1_micro", "f1_macro", "iou_pooled", "iou_per_image"}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_value_is_what_others_compute_of_the_same_chips(name: str, chips: ScoredChips) -> None:
    measure = BY_NAME[name]
    sums = measure.sums(all_tallies(chips))
    expected = EXPECTED[name](chips)
    assert measure.statistic(sums.sum(axis=0)) == pytest.approx(expected, abs=1e-12)
    # of many draws at once
    draws = np.stack([sums.sum(axis=0), sums[2:].sum(axis=0), 2 * sums[2:].sum(axis=0)])
    alone = [measure.statistic(draw) for draw in draws]
    np.testing.assert_allclose(measure.statistic(draws), alone, atol=1e-12)
    assert alone[1] != pytest.approx(alone[0], abs=1e-9)
    # of many methods at once
    tallies = {name: np.stack([values] * 2) for name, values in all_tallies(chips).items()}
    np.testing.assert_array_equal(measure.sums(tallies), [sums] * 2)


@pytest.mark.parametrize("name", EXPECTED)
def test_values_of_classes_are_what_others_compute(name: str, chips: ScoredChips) -> None:
    measure = BY_NAME[name]
    if name not in BY_CLASS:
        assert measure.per_class is None
        return
    assert measure.per_class is not None
    sums = measure.sums(all_tallies(chips)).sum(axis=0)
    np.testing.assert_allclose(measure.per_class(sums), BY_CLASS[name](chips), atol=1e-12)
    many = measure.per_class(np.stack([sums] * 2))
    np.testing.assert_allclose(many, [BY_CLASS[name](chips)] * 2, atol=1e-12)


def test_tallies_of_divisions_are_those_of_their_chips_alone(chips: ScoredChips) -> None:
    whole = tally(chips, ordered=True)
    for number, division in enumerate("abcde"):
        own = chips.division == division
        arrays = ("chip", "truth", "predicted", "division", "hard", "confusion")
        alone = replace(
            chips,
            intervals={
                level: (low[own], high[own]) for level, (low, high) in chips.intervals.items()
            },
            **{name: getattr(chips, name)[own] for name in arrays},
        )
        for name, sums in tally(alone, ordered=True).items():
            np.testing.assert_allclose(whole[name][number], sums[0])
            assert sums[0, -1] == own.sum()


def test_what_cannot_be_worked_out_is_not_there(chips: ScoredChips) -> None:
    everything = all_tallies(chips)
    assert available(everything) == list(EXPECTED) == [measure.name for measure in MEASURES]
    without = {
        "skill": all_tallies(replace(chips, null=None)),
        "earth_mover": all_tallies(chips, ordered=False),
    }
    for name, tallies in without.items():
        assert set(EXPECTED) - set(available(tallies)) == {name}
    for missing in ({"hard": None}, {"confusion": None}, {"hard": None, "confusion": None}):
        tallies = all_tallies(replace(chips, **missing))
        assert set(EXPECTED) - set(available(tallies)) == WITH_PIXELS
    assert {m.name for m in MEASURES if m.needs_segmentation} == WITH_PIXELS
    only = all_tallies(replace(chips, intervals={0.8: chips.intervals[0.8]}))
    bare = all_tallies(replace(chips, intervals={}))
    assert set(available(only)) - set(available(bare)) == {"coverage_80"}
    with_intervals = {f"coverage_{100 * level:g}" for level in LEVELS}
    with_intervals |= {"width_90", "interval_score_90"}
    assert set(EXPECTED) - set(available(bare)) == with_intervals
    assert "interval_60" not in everything  # a level that no measure is about


def test_confusions_of_one_class_are_numbers() -> None:
    np.testing.assert_array_equal(confusions(np.array([[5.0, 1.0], [7.0, 1.0]])), [[[5]], [[7]]])


def test_confusions_are_added_up_in_double_precision(chips: ScoredChips) -> None:
    assert {sums.dtype for sums in all_tallies(chips).values()} == {np.dtype(np.float64)}


def test_measures_are_named_and_ordered_as_the_protocol_says() -> None:
    """In files of scores, in tables for people, and with the values that are good."""
    higher = WITH_PIXELS - {"mae_hard"} | {"skill", "overlap", "r2", "soft_iou"}
    better = dict.fromkeys(EXPECTED, "lower") | dict.fromkeys(higher, "higher")
    better |= {"within_division_r2": "higher"}
    better |= {"calibration_slope": "one", "calibration_intercept": "zero"}
    better |= {f"coverage_{100 * level:g}": "level" for level in LEVELS}
    assert {measure.name: measure.better for measure in MEASURES} == better
    assert {measure.name: measure for measure in MEASURES} == BY_NAME
    titles = (
        "MAE; MAE, hard; F1, micro; F1, macro; IoU, pooled; IoU, per image; skill over the train "
        "mean; overlap; RMSE; R²; soft IoU; Jensen-Shannon divergence; Hellinger distance; earth "
        "mover's distance; MAE, mean of divisions; division consistency; R² within divisions; "
        "calibration slope; calibration intercept; coverage of 50 % intervals; coverage of 80 % "
        "intervals; coverage of 90 % intervals; coverage of 95 % intervals; width of 90 % "
        "intervals; interval score at 90 %"
    )
    assert "; ".join(measure.title for measure in MEASURES) == titles


@pytest.mark.parametrize("measure", DIVISION_MEASURES, ids=lambda measure: measure.name)
def test_measures_of_divisions_are_those_of_their_means(measure: Measure) -> None:
    """Seven divisions of unequal weight, against pandas, scikit-learn and scipy."""
    random = np.random.default_rng(1)
    known, predicted = random.dirichlet([1.0, 0.6, 0.4], (2, 7))
    weight = random.uniform(1, 9, 7)
    errors = pd.DataFrame(np.abs(predicted - known))
    line = linregress(predicted.ravel(), known.ravel())
    expected = {
        "mae": errors.mean().mean(),
        "mae_by_area": errors.mean(axis=1).mul(weight).sum() / weight.sum(),
        "rmse": float(np.sqrt(errors.pow(2).mean().mean())),
        "r2": r2_score(known, predicted, multioutput="variance_weighted"),
        "calibration_slope": line.slope,
        "calibration_intercept": line.intercept,
        "bias": np.nan,
    }
    lines = [linregress(predicted[:, k], known[:, k]) for k in range(CLASSES)]
    by_class: dict[str, Any] = {
        "mae": errors.mean(),
        "mae_by_area": errors.mul(weight, axis=0).sum() / weight.sum(),
        "rmse": np.sqrt(errors.pow(2).mean()),
        "r2": r2_score(known, predicted, multioutput="raw_values"),
        "calibration_slope": [line.slope for line in lines],
        "calibration_intercept": [line.intercept for line in lines],
        "bias": predicted.mean(axis=0) - known.mean(axis=0),
    }
    sums = measure.sums(division_tallies(known, predicted, weight)).sum(axis=0)
    assert measure.statistic(sums) == pytest.approx(expected[measure.name], nan_ok=True)
    assert measure.statistic(np.tile(sums, (2, 3, 1))).shape == (2, 3)
    assert measure.per_class is not None
    np.testing.assert_allclose(measure.per_class(sums), by_class[measure.name])


def test_measures_of_divisions_have_names_of_their_own() -> None:
    shown = {(one.name, one.title, one.better) for one in DIVISION_MEASURES}
    assert ("mae_by_area", "MAE, by area", "lower") in shown
    assert ("bias", "bias", "zero") in shown
    assert len({one.name for one in DIVISION_MEASURES}) == len(DIVISION_MEASURES) == 7
