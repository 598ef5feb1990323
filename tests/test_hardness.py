"""The hardness card: against slow derivations and against a run of the null model."""

from __future__ import annotations

import json
import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from regions import make_region, write_region

import llpbench
from llpbench.cli import cli
from llpbench.data.hardness import intraclass_correlation
from llpbench.errors import LLPBenchError, MetricError
from llpbench.predictions.table import make_predictions

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture(scope="module")
def ds(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """162 chips in 18 divisions of 3 x 3; two columns more lie outside all of them."""
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(18, 9, 6, 3, outside=2, unlabelled=12), path)
    return llpbench.open_dataset(path)


def slow_correlation(values: list[float], groups: list[int]) -> float:
    """Textbook one-way analysis of variance, a chip at a time.

    SSB = sum n_c (mean_c - mean)^2, SSW = sum (x - mean_c)^2, B = SSB / (C - 1),
    W = SSW / (N - C), n_0 = (N - sum n_c^2 / N) / (C - 1).
    """
    members: dict[int, list[float]] = {}
    for value, group in zip(values, groups, strict=True):
        members.setdefault(group, []).append(value)
    count, number = len(values), len(members)
    mean = sum(values) / count
    between = within = 0.0
    for found in members.values():
        own = sum(found) / len(found)
        between += len(found) * (own - mean) ** 2
        within += sum((value - own) ** 2 for value in found)
    between, within = between / (number - 1), within / (count - number)
    typical = (count - sum(len(found) ** 2 for found in members.values()) / count) / (number - 1)
    return (between - within) / (between + (typical - 1) * within)


@given(
    sizes=st.lists(st.integers(1, 6), min_size=2, max_size=8).filter(lambda s: max(s) > 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_intraclass_correlation_is_that_of_a_slow_loop(sizes: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(sizes)), sizes)
    shares = random.dirichlet(np.ones(3), len(group))
    order = random.permutation(len(group))
    found = intraclass_correlation(shares[order], group[order])
    expected = [slow_correlation(column.tolist(), group.tolist()) for column in shares.T]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_the_intraclass_correlation_finds_what_was_put_in() -> None:
    # x = sqrt(.3) a_division + sqrt(.7) e_chip with unit variances: correlation .3; its standard
    # error with 2,000 divisions of 5 chips is sqrt(2/2000) (1-.3)(1+4*.3)/sqrt(5*4) = .011
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(2000), 5)
    values = np.sqrt(0.3) * random.standard_normal(2000)[group]
    values += np.sqrt(0.7) * random.standard_normal(len(group))
    assert intraclass_correlation(values[:, np.newaxis], group)[0] == pytest.approx(0.3, abs=0.03)


def test_the_intraclass_correlation_at_its_ends() -> None:
    equal_within = [[0.2], [0.2], [0.8], [0.8]]
    equal_between = [[0.2], [0.8], [0.2], [0.8]]
    groups = ["a", "a", "b", "b"]
    assert intraclass_correlation(equal_within, groups)[0] == 1
    assert intraclass_correlation(equal_between, groups)[0] == -1  # -1 / (n - 1), the least
    assert np.isnan(intraclass_correlation([[0.5]] * 4, groups)[0])  # no variation
    assert np.isnan(intraclass_correlation(equal_within, ["a"] * 4)[0])  # one division
    assert np.isnan(intraclass_correlation(equal_within, list("abcd"))[0])  # one chip in each
    with pytest.raises(MetricError):
        intraclass_correlation(equal_within, ["a", "b"])


def test_sizes_and_borders_are_those_of_the_grid(ds: xr.Dataset) -> None:
    card = ds.llp.hardness()
    assert (card.chips, card.divisions) == (162 + 18, 18)
    assert card.chips_per_division == {"min": 9, "median": 9, "max": 9}
    # west of each of the 5 inner north-south borders one chip in each of the 9 rows is cut
    assert card.border_chips == pytest.approx(5 * 9 / 180)
    # and the divisions on either side of it, numbers c and c + 1, are never of one split
    assert card.mixed_chips == card.border_chips


def test_a_border_within_a_split_mixes_nothing(ds: xr.Dataset) -> None:
    one_split = ds.assign_coords(split=ds["split"].copy(data=np.full(180, "test")))
    card = one_split.llp.hardness()
    assert card.border_chips == pytest.approx(45 / 180)
    assert card.mixed_chips == 0
    assert card.null_scores == {}  # there is nothing to train on


def test_correlations_are_of_labelled_chips_in_divisions(ds: xr.Dataset) -> None:
    grouped = ds.llp.group()
    shares = grouped["chip_proportions"].to_numpy()
    owner = grouped["own_division"].to_numpy()
    kept = np.isfinite(shares[:, 0]) & (owner != "")
    assert kept.sum() == 162 - 12
    for number, (name, found) in enumerate(ds.llp.hardness().intraclass_correlation.items()):
        assert name == grouped["category_name"].to_numpy()[number]
        expected = slow_correlation(shares[kept, number].tolist(), owner[kept].tolist())
        assert found == pytest.approx(expected, abs=1e-5)  # shares are stored in float32


def test_null_scores_are_those_of_predictions_made_so(ds: xr.Dataset, tmp_path: Path) -> None:
    found = ds.llp.hardness().null_scores
    run = llpbench.run_method("train-mean", ds.attrs["store"], out=tmp_path / "run")
    assert found["train mean"].mae == pytest.approx(run.scores.value("mae"), abs=1e-7)
    assert found["train mean"].skill == 0

    grouped = ds.llp.group()
    part = grouped.llp.split("test")
    names = part["category_name"].to_numpy()
    targets = grouped.llp.split("train")["target"].dropna("chip").to_numpy().astype(float)
    median = np.array([statistics.median(column) for column in targets.T.tolist()])
    known = dict(
        zip(part["division"].to_numpy(), part["division_proportions"].to_numpy(), strict=True)
    )
    mean = targets.mean(axis=0)
    own = np.array([known.get(division, mean) for division in part["own_division"].to_numpy()])
    assert "" in part["own_division"].to_numpy()  # some chips lie in no division
    for name, shares in {
        "train median": np.broadcast_to(median / median.sum(), own.shape),
        "own division": own,
    }.items():
        scores = llpbench.evaluate(make_predictions(part["chip"], names, shares), ds)
        assert found[name].mae == pytest.approx(scores.value("mae"), abs=1e-7)
        assert found[name].skill == pytest.approx(scores.value("skill"), abs=1e-6)


def test_the_card_is_the_same_grouped_and_not(ds: xr.Dataset) -> None:
    assert ds.llp.group().llp.hardness() == ds.llp.hardness()


def test_the_card_is_told_as_json_text_and_html(ds: xr.Dataset) -> None:
    card = ds.llp.hardness()
    content = json.loads(card.to_json())
    assert content["null_scores"]["own division"]["mae"] == card.null_scores["own division"].mae
    assert content["chips_per_division"] == {"min": 9, "median": 9, "max": 9}
    assert "9 to 9, median 9" in str(card)
    assert "25.0 %" in str(card)
    for what, value in card.lines():
        assert what in str(card)
        assert f">{value}</td>" in card._repr_html_()
    long = "a name of many letters, up to a hundred of them"
    named = replace(card, intraclass_correlation={long: 0.25})
    assert f"of {long}  0.250" in str(named), "its value stands apart"


def test_a_dataset_without_labels_still_has_a_card(tmp_path: Path) -> None:
    write_region(make_region(6, 3, 2, 1, unlabelled=18), tmp_path / "dark")
    card = llpbench.open_dataset(tmp_path / "dark").llp.hardness()
    assert set(card.intraclass_correlation.values()) == {None}
    assert card.null_scores == {}


def test_chips_outside_every_division_still_have_a_card(ds: xr.Dataset) -> None:
    card = ds.isel(chip=ds["own_division"].to_numpy() == "").llp.hardness()
    assert (card.chips, card.divisions, card.border_chips) == (18, 0, 0)
    assert card.chips_per_division == {"min": 0, "median": 0, "max": 0}


def test_what_has_no_card_is_refused(ds: xr.Dataset) -> None:
    with pytest.raises(LLPBenchError, match="no labels"):
        ds.llp.restrict("division").llp.hardness()
    with pytest.raises(LLPBenchError, match="without chips"):
        ds.isel(chip=slice(0)).llp.hardness()


def test_info_shows_the_card(ds: xr.Dataset) -> None:
    card = ds.llp.hardness()
    told = CliRunner().invoke(cli, ["info", ds.attrs["store"]])
    assert told.exit_code == 0, told.output
    assert str(card) in told.output
    read = CliRunner().invoke(cli, ["info", ds.attrs["store"], "--json"])
    assert json.loads(read.stdout)["hardness"] == json.loads(card.to_json())
