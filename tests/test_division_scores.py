"""Scores of division means, from the metrics' own definitions; no label is looked at."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from io import BytesIO, StringIO
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from regions import make_region, write_region

import llpbench
from llpbench import metrics
from llpbench.errors import LLPBenchError, PredictionsError, UnknownNameError
from llpbench.plots import draw_division_shares
from llpbench.predictions.table import make_predictions
from llpbench.protocol import LEAST_COVERAGE
from llpbench.scoring import DivisionScores, score_divisions
from llpbench.scoring.division_scores import MEASURES
from llpbench.statistics import division_interval

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")

CUT = 0.25
"""Part of a chip on a border that lies in the eastern division."""


@pytest.fixture(scope="module")
def ds(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """24 x 6 chips in 8 x 2 divisions of 3 x 3 chips, none of them labelled."""
    folder = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(24, 6, 8, 2, cut=CUT, unlabelled=24 * 6), folder)
    return llpbench.open_dataset(folder).llp.group()


@pytest.fixture(scope="module")
def stored(ds: xr.Dataset) -> str:
    return score_divisions(predict(ds), ds).to_json()


def predict(part: xr.Dataset, seed: int = 0, **attributes: Any) -> xr.Dataset:
    shares = np.random.default_rng(seed).dirichlet(np.ones(part.sizes["category"]), len(part.chip))
    names = part["category_name"].to_numpy()
    return make_predictions(part["chip"].to_numpy(), names, shares, seed=seed, **attributes)


def test_values_are_the_metrics_of_area_weighted_means(ds: xr.Dataset) -> None:
    predictions = predict(ds)
    scores = score_divisions(predictions, ds)
    known = ds["division_proportions"].to_numpy().astype(float)
    pairs = ds.llp.overlaps()
    shares = predictions["proportions"].sel(chip=pairs["chip"].to_numpy()).to_numpy()
    weighted = shares * pairs["area_km2"].to_numpy()[:, np.newaxis]
    rows = ds.indexes["division"].get_indexer(pairs["division"])
    sums, areas = np.zeros(known.shape), np.zeros(len(known))
    np.add.at(sums, rows, weighted)
    np.add.at(areas, rows, pairs["area_km2"].to_numpy())
    means = sums / areas[:, np.newaxis]

    assert scores.divisions == ds["division"].to_numpy().tolist()
    np.testing.assert_allclose(scores.predicted[0], means, atol=1e-6)
    line = metrics.calibration_line(known, means)
    expected = {
        "mae": np.abs(means - known).mean(),
        "mae_by_area": np.average(np.abs(means - known).mean(axis=1), weights=areas),
        "rmse": metrics.rmse(known, means),
        "r2": sklearn.metrics.r2_score(known, means, multioutput="variance_weighted"),
        "calibration_slope": line.slope,
        "calibration_intercept": line.intercept,
    }
    found = {name: scores.value(name) for name in expected}
    assert found == pytest.approx(expected, abs=1e-6)
    consistency = metrics.division_consistency(
        known, shares, rows, pairs["area_km2"].to_numpy()
    )  # the protocol's, a sum over classes
    assert consistency == pytest.approx(known.shape[1] * scores.value("mae"), abs=1e-6)
    np.testing.assert_allclose(
        scores.per_class["bias"], (means - known).mean(axis=0), atol=1e-6, rtol=0
    )
    np.testing.assert_allclose(
        scores.per_class["mae"], np.abs(means - known).mean(axis=0), atol=1e-6
    )
    assert np.isnan(scores.value("bias"))
    assert scores.score("bias").value is None


def test_coverage_is_the_part_of_the_outline_that_chips_of_the_part_cover(
    ds: xr.Dataset,
) -> None:
    # Of 3 x 3 chips a division owns, those in the east of an inner one lie to 1/4 in the next;
    # that strip of 3 x CUT belongs to a chip of the division before, which is of another split.
    scores = score_divisions(predict(part := ds.llp.split("val")), part)
    by_name = scores.per_division.set_index("name")["coverage"]
    for number in range(16):
        if number % 3 != 1:
            continue
        width = 3 - CUT if number % 8 == 0 else 3 + (CUT if number % 8 == 7 else 0)
        lost = 0 if number % 8 == 0 else CUT
        assert by_name[f"Division {number}"] == pytest.approx(1 - lost / width, abs=1e-6)
    whole = score_divisions(predict(ds), ds)
    np.testing.assert_allclose(whole.coverage, 1, atol=1e-6)
    assert whole.split == "all"
    assert whole.left_out == {"uncovered": 0, "unknown": 0}


def test_divisions_covered_too_little_or_unknown_are_left_out_and_counted(ds: xr.Dataset) -> None:
    first = str(ds["division"].to_numpy()[1])  # an inner one
    own = np.flatnonzero(ds["own_division"].to_numpy() == first)
    shares = ds["division_proportions"].to_numpy().copy()
    shares[5] = np.nan
    part = ds.assign(division_proportions=ds["division_proportions"].copy(data=shares))
    part = part.isel(chip=np.setdiff1d(np.arange(part.sizes["chip"]), own[:4]))
    scores = score_divisions(predict(part), part)
    assert scores.left_out == {"uncovered": 1, "unknown": 1}
    assert first not in scores.divisions
    assert len(scores.divisions) == 14
    assert scores.coverage.min() >= LEAST_COVERAGE
    assert "1 left out (less than 75% of the area predicted)" in str(scores)
    assert "1 left out (shares unknown)" in str(scores)

    nothing = part.assign(division_proportions=part["division_proportions"] * np.nan)
    with pytest.raises(LLPBenchError, match=r"no division can be scored.* 15 without known"):
        score_divisions(predict(nothing), nothing)


def test_intervals_are_over_divisions_and_seeds(ds: xr.Dataset) -> None:
    seeds = [predict(ds, seed) for seed in range(3)]
    scores = score_divisions(seeds, ds)
    assert scores.predicted.shape == (3, 16, 5)
    singles = [score_divisions(seed, ds).value("mae") for seed in seeds]
    assert scores.value("mae") == pytest.approx(np.mean(singles))
    score = scores.score("mae")
    assert score.low is not None
    assert score.high is not None
    assert score.low < np.mean(singles) < score.high
    table = scores.per_class_interval("bias")
    assert (table["low"] < table["value"]).all()
    assert (table["value"] < table["high"]).all()
    assert "fewer than 40" in scores.note
    assert list(scores.table().index) == scores.metrics[:-1]


def test_two_methods_are_compared_on_the_same_divisions(ds: xr.Dataset) -> None:
    first, second = (score_divisions(predict(ds, seed), ds) for seed in (0, 1))
    compared = first.compare(second)
    assert compared.difference == pytest.approx(first.value("mae") - second.value("mae"))
    assert compared.divisions == 16
    part = ds.llp.split("test")
    with pytest.raises(PredictionsError, match="different divisions"):
        first.compare(score_divisions(predict(part), part))
    with pytest.raises(UnknownNameError, match="over all classes 'bias'"):
        first.compare(second, "bias")
    with pytest.raises(UnknownNameError, match="metric of divisions 'f1_micro'"):
        first.value("f1_micro")


def test_who_is_shown_the_shares_is_named(ds: xr.Dataset) -> None:
    scores = score_divisions(predict(ds, track="disaggregation"), ds)
    assert "is shown the known shares" in scores.note


def test_json_holds_everything_but_outlines(ds: xr.Dataset) -> None:
    scores = score_divisions([predict(ds, seed) for seed in range(2)], ds)
    again = DivisionScores.from_json(scores.to_json())
    assert again.to_json() == scores.to_json()
    assert again.opened is None
    assert again.per_division.geometry.isna().all()
    assert json.loads(scores.to_json())["metrics"]["mae"]["value"] == scores.value("mae")
    rows = list(csv.DictReader(StringIO(scores.to_csv())))
    assert [row["division"] for row in rows] == scores.divisions
    assert list(rows[0])[:4] == ["division", "name", "area_km2", "coverage"]
    assert float(rows[3]["tree known"]) == pytest.approx(scores.known[3, 1], rel=1e-5)
    formula = replace(scores, divisions=["=1+1", *scores.divisions[1:]], opened=None)
    assert formula.to_csv().splitlines()[1].startswith("'=1+1,")
    escaped = replace(scores, attributes={"method": "<b>"})._repr_html_()
    assert "&lt;b&gt;" in escaped
    assert "<b>" not in escaped


@pytest.mark.parametrize(
    "change",
    [
        {"known": [[0.5] * 5]},
        {"known": [[2.0] * 5] * 16},
        {"predicted": []},
        {"coverage": [0.0] * 16},
        {"areas": ["1"] * 16},
        {"left_out": {"other": 1}},
        {"left_out": {"unknown": -1}},
        {"divisions": []},
        {"dataset": None},
        {"format": 2},
    ],
)
def test_other_json_is_refused_in_a_sentence(stored: str, change: dict[str, Any]) -> None:
    content = json.loads(stored)
    with pytest.raises(PredictionsError, match="scores of divisions"):
        DivisionScores.from_json(json.dumps({**content, **change}))


def _of(known: Any, predicted: Any) -> DivisionScores:
    names = [str(number) for number in range(len(known))]
    made = ("made", "test", True, {}, {}, ["a", "b", "c"], names, known, predicted[np.newaxis])
    return DivisionScores(*made, np.ones(len(known)), np.ones(len(known)), {})


def test_intervals_of_few_divisions_stay_within_what_there_is() -> None:
    """Student's t alone reaches beyond: errors below 0, R² above 1."""
    beyond = 0
    for seed in range(8):
        generator = np.random.default_rng(seed)
        scores = _of(*(generator.dirichlet(np.full(3, 0.3), 6) for _ in range(2)))
        measure, sums = MEASURES["r2"], scores.tallies["moments"]
        beyond += division_interval(sums, measure.statistic).high > 1
        table = scores.table()
        assert table.loc["r2", "value"] <= table.loc["r2", "high"] <= 1
        assert (table.loc[["mae", "mae_by_area", "rmse"], "low"] >= 0).all()
        assert scores.per_class_interval("bias")[["low", "high"]].abs().max().max() <= 1
    assert beyond


@pytest.mark.filterwarnings("error")
def test_divisions_of_one_class_that_are_right_have_no_error() -> None:
    known = np.tile([0.0, 1.0, 0.0], (8, 1))
    score = _of(known, known).score("rmse")
    assert (score.value, score.low, score.high) == (0, 0, 0)
    assert set(score.per_class.values()) == {0.0}


@given(st.text(max_size=30) | st.binary(max_size=30).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_scores_or_refused(text: str) -> None:
    with pytest.raises(PredictionsError):
        DivisionScores.from_json(text)


def test_the_picture_shows_a_mark_for_each_division_and_class(ds: xr.Dataset) -> None:
    scores = score_divisions([predict(ds, seed) for seed in range(2)], ds)
    again = DivisionScores.from_json(scores.to_json())
    again.categories[0] = "$x_1$ <b>" * 20
    figure = draw_division_shares(again)
    figure.savefig(BytesIO())
    marks = [axis.collections[0].get_offsets() for axis in figure.axes]
    np.testing.assert_allclose(marks[1][:, 0], scores.predicted.mean(axis=0)[:, 1])
    np.testing.assert_allclose(marks[1][:, 1], scores.known[:, 1])
    assert figure.axes[0].get_title().startswith("$x_1$ <b>")
    assert len(figure.axes[0].get_title()) < 50


def test_no_labels_are_needed_but_outlines_are(ds: xr.Dataset) -> None:
    bare = ds.drop_vars(["label", "chip_proportions"])
    assert score_divisions(predict(ds), bare).value("mae") == pytest.approx(
        score_divisions(predict(ds), ds).value("mae")
    )
    merged = ds.llp.rebag(coarser=2)
    with pytest.raises(LLPBenchError, match="made by rebag have no outlines"):
        score_divisions(predict(merged), merged)
    with pytest.raises(PredictionsError, match="at least one"):
        score_divisions([], ds)
