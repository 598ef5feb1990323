"""Scores: every value from the metrics' own definitions, and what must not change them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics
import xarray as xr
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from regions import make_region, write_region

import llpbench
from llpbench import metrics
from llpbench.cli import cli
from llpbench.data.geometry import EQUAL_AREA
from llpbench.errors import LLPBenchError, PredictionsError, UnknownNameError
from llpbench.predictions.table import make_predictions
from llpbench.scoring.measures import BY_NAME
from llpbench.scoring.scores import Scores
from llpbench.statistics import division_interval, spatial_blocks

pytestmark = pytest.mark.usefixtures("no_pictures")

UNLABELLED = 12
"""The first chips of the grid, some of them in the test split, have no label."""


def open_grid(folder: Path, **options: Any) -> xr.Dataset:
    """162 chips in 18 divisions, 6 of them in each split."""
    write_region(make_region(18, 9, 6, 3, **options), folder)
    return llpbench.open_dataset(folder)


@pytest.fixture(scope="module")
def ds(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    return open_grid(tmp_path_factory.mktemp("stores") / "grid", unlabelled=UNLABELLED)


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    return open_grid(tmp_path_factory.mktemp("stores") / "people", labels="humanpop")


def predict(ds: xr.Dataset, seed: int = 0, side: int | None = 24) -> xr.Dataset:
    """Random predictions of the test split."""
    part = ds.llp.split("test")
    names = ds.llp.group()["category_name"].to_numpy()
    random, count = np.random.default_rng(seed), part.sizes["chip"]
    shares = random.dirichlet(np.ones(len(names)), count)
    grid = None
    if side is not None:
        grid = random.integers(0, len(names), (count, side, side), dtype=np.uint8)
    return make_predictions(part["chip"].to_numpy(), names, shares, grid, seed=seed)


class Arrays:
    """What is scored, taken from the dataset without the scorer."""

    def __init__(self, ds: xr.Dataset, predictions: xr.Dataset) -> None:
        grouped = ds.llp.group()
        self.part = grouped.llp.split("test")
        truth = self.part.llp.truth().to_numpy()
        self.scored = np.isfinite(truth[:, 0])
        self.truth = truth[self.scored]
        self.predicted = predictions["proportions"].to_numpy().astype(float)[self.scored]
        segmentation = predictions["segmentation"].to_numpy()[self.scored]
        self.labels = self.part["label"].to_numpy()[self.scored, 2:98, 2:98]
        self.classes = self.part.sizes["category"]
        self.enlarged = segmentation.repeat(4, axis=1).repeat(4, axis=2)
        self.hard = metrics.proportions_from_segmentation(segmentation, self.classes)
        self.confusions = metrics.confusion_matrix(
            self.labels, segmentation, self.classes, per="chip"
        )
        self.confusion = self.confusions.sum(axis=0)
        self.division = self.part["own_division"].to_numpy()[self.scored]
        targets = grouped.llp.split("train")["target"].to_numpy().astype(float)
        self.null = np.broadcast_to(targets.mean(axis=0), self.truth.shape)

    def mae_by_division(self) -> float:
        """Each division's own MAE, then their mean."""
        errors = np.abs(self.truth - self.predicted).mean(axis=1)
        return float(pd.Series(errors).groupby(self.division).mean().mean())

    def consistency(self, predictions: xr.Dataset) -> float:
        """A chip of several divisions is repeated, once an overlap, whether labelled or not."""
        pairs = self.part.llp.overlaps()
        owning = sorted(set(self.division))
        pairs = pairs[pairs["division"].isin(owning)]
        known = self.part["division_proportions"].sel(division=owning).to_numpy()
        shares = predictions["proportions"].sel(chip=pairs["chip"].to_numpy()).to_numpy()
        return metrics.division_consistency(
            known, shares, np.searchsorted(owning, pairs["division"]), pairs["area_km2"]
        )


EXPECTED: dict[str, Callable[[Arrays], Any]] = {
    "mae": lambda a: metrics.mae(a.truth, a.predicted),
    "mae_hard": lambda a: metrics.mae(a.truth, a.hard),
    "f1_micro": lambda a: metrics.f1(a.confusion, "micro"),
    "f1_macro": lambda a: metrics.f1(a.confusion, "macro"),
    "iou_pooled": lambda a: metrics.iou_pooled(a.confusion),
    "iou_per_image": lambda a: metrics.iou_per_image(a.confusions),
    "skill": lambda a: 1 - metrics.mae(a.truth, a.predicted) / metrics.mae(a.truth, a.null),
    "overlap": lambda a: metrics.overlap(a.truth, a.predicted),
    # the mean over classes of mean squares, then the root
    "rmse": lambda a: metrics.rmse(a.truth, a.predicted),
    "r2": lambda a: metrics.r2(a.truth, a.predicted),
    "soft_iou": lambda a: metrics.soft_iou(a.truth, a.predicted),
    "jensen_shannon": lambda a: metrics.jensen_shannon(a.truth, a.predicted),
    "hellinger": lambda a: metrics.hellinger(a.truth, a.predicted),
    "earth_mover": lambda a: metrics.earth_mover(a.truth, a.predicted),
    "mae_by_division": lambda a: a.mae_by_division(),
    "within_division_r2": lambda a: metrics.within_division_r2(a.truth, a.predicted, a.division),
    "calibration_slope": lambda a: metrics.calibration_line(a.truth, a.predicted).slope,
    "calibration_intercept": lambda a: metrics.calibration_line(a.truth, a.predicted).intercept,
}
PER_CLASS: dict[str, Callable[[Arrays], Any]] = {
    "mae": lambda a: metrics.mae(a.truth, a.predicted, per="category"),
    "mae_hard": lambda a: metrics.mae(a.truth, a.hard, per="category"),
    "rmse": lambda a: metrics.rmse(a.truth, a.predicted, per="category"),
    "r2": lambda a: metrics.r2(a.truth, a.predicted, per="category"),
    "f1_micro": lambda a: metrics.f1(a.confusion, None),
    "iou_pooled": lambda a: metrics.iou_pooled(a.confusion, None),
    "calibration_slope": lambda a: (
        metrics.calibration_line(a.truth, a.predicted, per="category").slope
    ),
    "within_division_r2": lambda a: metrics.within_division_r2(
        a.truth, a.predicted, a.division, per="category"
    ),
}


@pytest.mark.parametrize("which", ["ds", "population"])
def test_every_value_is_the_metric_of_the_same_arrays(
    which: str, request: pytest.FixtureRequest
) -> None:
    dataset = request.getfixturevalue(which)
    predictions = predict(dataset)
    scores, arrays = llpbench.evaluate(predictions, dataset), Arrays(dataset, predictions)
    expected = {name: float(of(arrays)) for name, of in EXPECTED.items()}
    expected["division_consistency"] = arrays.consistency(predictions)
    if which == "ds":
        del expected["earth_mover"]  # land cover has no order
    else:
        of_intervals = {n for n, m in BY_NAME.items() if m.tally.startswith("interval_")}
        assert set(expected) == set(BY_NAME) - of_intervals
    assert {name: scores.value(name) for name in scores.metrics} == pytest.approx(expected)
    for name, of in PER_CLASS.items():
        np.testing.assert_allclose(scores.per_class[name], of(arrays), err_msg=name)


def test_segmentations_score_as_in_scikit_learn(ds: xr.Dataset) -> None:
    predictions = predict(ds)
    scores, arrays = llpbench.evaluate(predictions, ds), Arrays(ds, predictions)
    truth, predicted = arrays.labels.ravel(), arrays.enlarged.ravel()
    labels = range(arrays.classes)
    np.testing.assert_array_equal(
        scores.confusion, sklearn.metrics.confusion_matrix(truth, predicted, labels=labels)
    )
    for average in ("micro", "macro"):
        expected = sklearn.metrics.f1_score(truth, predicted, labels=labels, average=average)
        assert scores.value(f"f1_{average}") == pytest.approx(expected)


def test_divisions_score_as_their_own_chips(ds: xr.Dataset) -> None:
    predictions = predict(ds)
    table, arrays = llpbench.evaluate(predictions, ds).per_division, Arrays(ds, predictions)
    assert sorted(table.index) == sorted(set(arrays.division))
    for division, row in table.iterrows():
        mine = arrays.division == division
        confusion = arrays.confusions[mine].sum(axis=0)
        assert row["chips"] == mine.sum()
        assert row["mae"] == pytest.approx(metrics.mae(arrays.truth[mine], arrays.predicted[mine]))
        assert row["mae_hard"] == pytest.approx(metrics.mae(arrays.truth[mine], arrays.hard[mine]))
        assert row["f1_micro"] == pytest.approx(np.trace(confusion) / confusion.sum())
        assert row["name"] == f"Division {int(division[:2])}"
    assert table.crs == "EPSG:4326"
    assert table.geometry.is_valid.all()


def test_chips_without_a_label_are_left_out_and_counted(ds: xr.Dataset) -> None:
    predictions = predict(ds)
    scores, arrays = llpbench.evaluate(predictions, ds), Arrays(ds, predictions)
    assert 0 < scores.unscored_chips == (~arrays.scored).sum()
    assert scores.chips == arrays.scored.sum()
    wild = predictions["proportions"].where(xr.DataArray(arrays.scored, dims="chip"), 0.2)
    again = llpbench.evaluate(predictions.assign(proportions=wild), ds)
    assert again.value("mae") == scores.value("mae")
    assert again.digests["predictions"] != scores.digests["predictions"]


def test_a_split_without_any_label_is_refused(tmp_path: Path) -> None:
    dark = open_grid(tmp_path / "dark", unlabelled=162)
    with pytest.raises(LLPBenchError, match="no chip of this split has a label"):
        llpbench.evaluate(predict(dark), dark)


@pytest.mark.parametrize("chunk", [1, 7, 10_000])
def test_chunks_change_nothing(ds: xr.Dataset, chunk: int) -> None:
    predictions = predict(ds)
    expected = llpbench.evaluate(predictions, ds.compute())
    found = llpbench.evaluate(predictions, ds.chunk(chip=chunk))
    assert found.to_json() == expected.to_json()


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_chips_changes_nothing(ds: xr.Dataset, seed: int) -> None:
    predictions, random = predict(ds), np.random.default_rng(seed)
    expected = llpbench.evaluate(predictions, ds)
    shuffled = predictions.isel(chip=random.permutation(predictions.sizes["chip"]))
    dataset = ds.isel(chip=random.permutation(ds.sizes["chip"]))
    for found in (llpbench.evaluate(shuffled, ds), llpbench.evaluate(predictions, dataset)):
        for name in expected.metrics:
            wanted = expected.value(name)
            assert found.value(name) == pytest.approx(wanted, rel=1e-12, abs=1e-12), name
        assert found.divisions == expected.divisions


def test_json_gives_back_values_and_intervals(ds: xr.Dataset) -> None:
    scores = llpbench.evaluate([predict(ds, 1), predict(ds, 2)], ds)
    text = scores.to_json()
    read = Scores.from_json(text)
    assert read.to_json() == text
    pd.testing.assert_frame_equal(read.table(), scores.table())
    pd.testing.assert_frame_equal(read.per_class, scores.per_class)
    pd.testing.assert_frame_equal(read.per_class_interval("mae"), scores.per_class_interval("mae"))
    assert read.compare(scores).difference == 0
    content = json.loads(text)
    interval = scores.interval("mae")
    assert content["metrics"]["mae"]["low"] == interval.low < interval.high
    assert content["metrics"]["mae"]["high"] == interval.high
    assert set(content["metrics"]["mae"]["per_class"]) == set(scores.categories)
    assert set(content["digests"]) == {"dataset", "predictions", "scorer"}
    assert len(content["digests"]["predictions"]) == 2


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "1"}', '{"format": 1}', '{"format": 2}', "nonsense"]
)
def test_what_is_no_json_of_scores_is_refused(text: str) -> None:
    with pytest.raises(PredictionsError, match="no JSON of scores"):
        Scores.from_json(text)


def test_json_of_a_newer_format_is_refused(ds: xr.Dataset) -> None:
    content = json.loads(llpbench.evaluate(predict(ds), ds).to_json())
    with pytest.raises(PredictionsError, match="upgrade llpbench"):
        Scores.from_json(json.dumps(content | {"format": 3}))


def test_each_tally_is_kept_once(population: xr.Dataset) -> None:
    """No column of a scores file but the number of chips is there twice."""
    scores = llpbench.evaluate(predict(population), population)
    columns = [
        tally[0, :, column]
        for tally in json_tallies(scores).values()
        for column in range(tally.shape[-1] - 1)
    ]
    assert len({column.tobytes() for column in columns}) == len(columns)


def json_tallies(scores: Scores) -> dict[str, np.ndarray]:
    return {
        name: np.array(tally) for name, tally in json.loads(scores.to_json())["tallies"].items()
    }


def test_files_of_format_1_still_open(population: xr.Dataset) -> None:
    """Written by the code that kept sums for every metric, of the same predictions.

    Its limits are of another interval; that of today is compared with the jackknife elsewhere.
    """
    text = (Path(__file__).parent / "data" / "scores-format-1.json").read_text()
    expected = json.loads(text)
    read, made = Scores.from_json(text), llpbench.evaluate(predict(population), population)
    assert expected["format"] == 1
    for scores in (read, made):
        content = json.loads(scores.to_json())
        assert content["format"] == 2
        for what in ("dataset", "predictions"):
            assert content["digests"][what] == expected["digests"][what]
        assert list(content["metrics"]) == list(expected["metrics"])
        for name, score in expected["metrics"].items():
            assert content["metrics"][name]["value"] == pytest.approx(score["value"], abs=1e-9)
            classes = score.get("per_class", {})
            assert content["metrics"][name]["per_class"] == pytest.approx(classes, abs=1e-9)
    assert read.note == made.note


def test_divisions_without_known_proportions_are_not_counted(ds: xr.Dataset) -> None:
    """Two of six are unknown, and some chips are of no division: the mean is over four."""
    divisions = sorted(set(ds.llp.split("test")["own_division"].to_numpy()))
    unknown = xr.DataArray(np.isin(ds["division"], divisions[:2]), dims="division")
    own = ds["own_division"].to_numpy().copy()
    own[np.flatnonzero((ds["split"] == "test").to_numpy())[-3:]] = ""
    strange = ds.assign(division_proportions=ds["division_proportions"].where(~unknown))
    strange = strange.assign_coords(own_division=("chip", own))
    predictions = predict(ds)
    scores = llpbench.evaluate(predictions, strange)
    arrays = Arrays(ds, predictions)
    arrays.division = np.array(divisions[2:])
    assert scores.divisions == ["", *divisions]
    assert scores.value("division_consistency") == pytest.approx(arrays.consistency(predictions))
    known = scores.per_class["division_consistency"]
    assert known.sum() == pytest.approx(arrays.consistency(predictions))


@pytest.mark.parametrize("metric", ["mae", "f1_micro", "r2", "skill"])
def test_comparing_both_ways_differs_in_sign_alone(ds: xr.Dataset, metric: str) -> None:
    first, second = (llpbench.evaluate(predict(ds, seed), ds) for seed in (1, 2))
    there, back = first.compare(second, metric), second.compare(first, metric)
    assert there.difference == pytest.approx(first.value(metric) - second.value(metric))
    assert back.difference == pytest.approx(-there.difference)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    assert back.p_value == there.p_value
    assert there.low <= there.difference <= there.high


def test_only_scores_of_the_same_data_are_compared(ds: xr.Dataset, population: xr.Dataset) -> None:
    scores = llpbench.evaluate(predict(ds), ds)
    with pytest.raises(PredictionsError, match="dataset is the same"):
        scores.compare(llpbench.evaluate(predict(population), population))
    part = ds.llp.split("val")
    names = ds.llp.group()["category_name"].to_numpy()
    shares = np.full((part.sizes["chip"], len(names)), 1 / len(names))
    validation = make_predictions(part["chip"].to_numpy(), names, shares)
    with pytest.raises(PredictionsError, match="different splits"):
        scores.compare(llpbench.evaluate(validation, ds, "val"))


def test_seeds_are_averaged_and_widen_the_interval(ds: xr.Dataset) -> None:
    seeds = [predict(ds, seed) for seed in range(3)]
    alone = [llpbench.evaluate(seed, ds) for seed in seeds]
    together = llpbench.evaluate(seeds, ds)
    for metric in ("mae", "f1_micro", "r2"):
        expected = np.mean([one.value(metric) for one in alone])
        assert together.value(metric) == pytest.approx(expected)
    np.testing.assert_allclose(
        together.per_class["mae"], np.mean([one.per_class["mae"] for one in alone], axis=0)
    )
    # the same mean with and without a spread between seeds
    sums = together.tallies["errors"]
    equal = np.broadcast_to(sums.mean(axis=0), sums.shape)
    spread = sums * np.array([0.5, 1, 1.5])[:, np.newaxis, np.newaxis]
    spread[..., -1] = sums[..., -1]
    statistic = BY_NAME["mae"].statistic
    narrow, wide = (division_interval(one, statistic) for one in (equal, spread))
    assert wide.high - wide.low > narrow.high - narrow.low


def test_seeds_must_all_have_a_segmentation_or_none(ds: xr.Dataset) -> None:
    with pytest.raises(PredictionsError, match="either all seeds have a segmentation"):
        llpbench.evaluate([predict(ds), predict(ds, side=None)], ds)


def test_without_a_segmentation_there_are_no_scores_of_one(ds: xr.Dataset) -> None:
    with_one, without = (llpbench.evaluate(predict(ds, side=side), ds) for side in (24, None))
    missing = set(with_one.metrics) - set(without.metrics)
    assert missing == {name for name, measure in BY_NAME.items() if measure.needs_segmentation}
    assert without.confusion is None
    with pytest.raises(UnknownNameError, match="'mae_hard'"):
        without.value("mae_hard")


def test_few_divisions_are_said(ds: xr.Dataset) -> None:
    scores = llpbench.evaluate(predict(ds), ds)
    said = "only 6 test divisions, fewer than 40"
    assert said in scores.note
    assert said in scores.interval("mae").note
    assert said in scores.compare(scores).note
    assert said in json.loads(scores.to_json())["note"]


def test_the_note_names_the_split(ds: xr.Dataset) -> None:
    part, names = ds.llp.split("val"), ds.llp.group()["category_name"].to_numpy()
    shares = np.full((part.sizes["chip"], len(names)), 1 / len(names))
    predictions = make_predictions(part["chip"].to_numpy(), names, shares)
    scores = llpbench.evaluate(predictions, ds, "val")
    said = f"only {len(scores.divisions)} val divisions, fewer than 40"
    for note in (scores.note, scores.interval("mae").note, scores.compare(scores).note):
        assert note.startswith(said)


def test_a_missing_interval_is_left_out(tmp_path: Path) -> None:
    """One test division: no interval, and no ``nan`` where people read scores."""
    write_region(make_region(3, 3, 3, 1), tmp_path / "few")
    few = llpbench.open_dataset(tmp_path / "few")
    llpbench.write_predictions(predict(few, side=None), tmp_path / "p.csv")
    scores = llpbench.evaluate(tmp_path / "p.csv", few)
    assert str(scores).endswith(f"1 division): MAE {scores.value('mae'):.4f}")
    assert scores.note == "only 1 test division: too few for an interval"
    assert json.loads(scores.to_json())["metrics"]["mae"]["low"] is None
    file, dataset = str(tmp_path / "p.csv"), str(tmp_path / "few")
    for command in (
        ["evaluate", file, "--dataset", dataset],
        ["run", "train-mean", "--dataset", dataset, "--out", str(tmp_path / "runs")],
    ):
        result = CliRunner().invoke(cli, command, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        assert "only 1 test division: too few" in result.output
        assert "nan" not in result.output


def test_forty_divisions_need_no_note(tmp_path: Path) -> None:
    # 121 divisions, each third in the test split
    write_region(make_region(11, 11, 11, 11), tmp_path / "many")
    many = llpbench.open_dataset(tmp_path / "many")
    scores = llpbench.evaluate(predict(many), many)
    assert len(scores.divisions) == 40
    assert scores.note == ""


def test_without_a_train_split_there_is_no_skill(ds: xr.Dataset) -> None:
    predictions = predict(ds)
    test = ds.llp.split("test")
    scores = llpbench.evaluate(predictions, test)
    assert "skill" not in scores.metrics
    assert scores.value("mae") == llpbench.evaluate(predictions, ds).value("mae")


def test_intervals_by_class_are_those_of_each_class_alone(ds: xr.Dataset) -> None:
    scores = llpbench.evaluate(predict(ds), ds)
    table, sums = scores.per_class_interval("mae"), scores.tallies["errors"]
    for number, name in enumerate(scores.categories):
        alone = division_interval(sums[..., [number, -1]], least=0, most=1)
        assert tuple(table.loc[name]) == pytest.approx((alone.value, alone.low, alone.high))
    with pytest.raises(UnknownNameError, match="metric by class 'overlap'"):
        scores.per_class_interval("overlap")


def test_files_score_as_what_they_hold(ds: xr.Dataset, tmp_path: Path) -> None:
    predictions = predict(ds, side=None)
    expected = llpbench.evaluate(predictions, ds).to_json()
    for ending in ("csv", "parquet", "zarr"):
        llpbench.write_predictions(predictions, tmp_path / f"p.{ending}")
        found = json.loads(llpbench.evaluate(tmp_path / f"p.{ending}", ds).to_json())
        assert found["metrics"] == json.loads(expected)["metrics"]
        assert found["digests"] == json.loads(expected)["digests"]


def test_scores_say_what_they_are_of(ds: xr.Dataset) -> None:
    scores = llpbench.evaluate(predict(ds).assign_attrs(method="a <method>"), ds)
    assert str(scores).startswith("a <method> on grid, test split (")
    html = scores._repr_html_()
    assert "a &lt;method&gt;" in html
    assert f"{scores.value('mae'):.4f}" in html


def test_scores_and_datasets_are_shown_in_one_line(ds: xr.Dataset) -> None:
    scores = llpbench.evaluate(predict(ds).assign_attrs(method="mine"), ds)
    assert repr(scores) == (
        f"<Scores of mine on grid, test split: MAE {scores.value('mae'):.4f}, "
        f"{scores.chips} chips, 6 divisions, {len(scores.metrics)} metrics>"
    )
    assert repr(ds.llp) == "<ds.llp of grid: 162 chips, 18 divisions>"
    assert repr(xr.Dataset().llp) == "<ds.llp of a dataset: 0 chips, 0 divisions>"


def test_nothing_to_score_is_refused(ds: xr.Dataset) -> None:
    with pytest.raises(PredictionsError, match="at least one"):
        llpbench.evaluate([], ds)
    with pytest.raises(LLPBenchError, match="no chips in split 'test'"):
        llpbench.evaluate(predict(ds), ds.llp.split("train"))


def test_blocks_of_neighbours_can_be_left_out(ds: xr.Dataset) -> None:
    """Compared with blocks made by hand from the centroids of the division's rectangles."""
    scores = llpbench.evaluate(predict(ds), ds)
    outlines = ds.llp.divisions().loc[scores.divisions].geometry
    centres = outlines.to_crs(EQUAL_AREA).centroid
    blocks = spatial_blocks(np.column_stack([centres.x, centres.y]) / 1000, 2)
    expected = division_interval(
        scores.tallies["errors"], BY_NAME["mae"].statistic, blocks=blocks, least=0, most=1
    )
    found = scores.interval("mae", divisions_per_block=2)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), nan_ok=True)
    assert found.divisions == len(np.unique(blocks)) < len(scores.divisions)
    with pytest.raises(LLPBenchError, match="need the dataset"):
        llpbench.Scores.from_json(scores.to_json()).interval("mae", divisions_per_block=2)
