"""What offices and their programs do to samples: nothing of theirs is lost or silently misread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hostile import assert_sentence
from regions import WIDTH, make_region, write_region
from scipy.sparse import csr_array

import llpbench
from llpbench.cli import cli
from llpbench.errors import LLPBenchError
from llpbench.estimation.labels import read_sample
from llpbench.estimation.sample import Sample
from llpbench.estimation.survey import Estimator, survey_means
from llpbench.predictions.table import make_predictions

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")


@pytest.fixture
def data(store: Path, tmp_path: Path) -> tuple[object, ...]:
    """A file of predictions, and of what."""
    ds = llpbench.open_dataset(store).llp.group()
    shares = np.random.default_rng(0).dirichlet(np.ones(5), ds.sizes["chip"])
    table = make_predictions(ds["chip"].to_numpy(), ds["category_name"].to_numpy(), shares)
    path = tmp_path / "predictions.csv"
    llpbench.write_predictions(table, path)
    return (path, "--dataset", store)


@pytest.fixture
def sample(data: tuple[object, ...], tmp_path: Path) -> Path:
    path = tmp_path / "sample.geojson"
    assert _run(*data, "--sample", 20, "-o", path).exit_code == 0
    return path


@pytest.fixture
def labels(sample: Path, tmp_path: Path) -> Path:
    """The sample filled in, as a table."""
    table = pd.DataFrame(gpd.read_file(sample).drop(columns="geometry"))
    names = table.columns.drop(["chip", "stratum", "weight"])
    table[names] = np.random.default_rng(1).dirichlet(np.ones(5), len(table))
    path = tmp_path / "labels.csv"
    table.to_csv(path, index=False)
    return path


def _run(*arguments: object) -> Any:
    return CliRunner().invoke(cli, ["estimate", *map(str, arguments)])


def _refused(*arguments: object) -> str:
    error = _run(*arguments).exception
    assert isinstance(error, LLPBenchError), error
    assert_sentence(error)
    return str(error)


def test_no_file_is_lost(data: tuple[object, ...], sample: Path, labels: Path) -> None:
    """A drawn sample may be filled in already; predictions and labels are what areas are of."""
    before = {path: path.read_bytes() for path in (Path(str(data[0])), sample, labels)}
    assert "labels may be filled in" in _refused(*data, "--sample", 20, "-o", sample)
    assert "what areas are estimated from" in _refused(*data, "-o", data[0])
    assert "what areas" in _refused(*data, "--labels", labels, "-o", labels)
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("column", ["stratum", "weight"])
def test_strata_that_were_changed_are_refused(
    data: tuple[object, ...], labels: Path, column: str
) -> None:
    table = pd.read_csv(labels)
    assert _run(*data, "--labels", labels).exit_code == 0
    rolled = np.roll(table["stratum"].sort_values(), 3)
    changed = {"stratum": rolled, "weight": np.full(len(table), 36 / len(table))}
    table.assign(**{column: changed[column]}).to_csv(labels, index=False)
    assert "keep strata and weights as they were drawn" in _refused(*data, "--labels", labels)


def test_weights_may_be_rounded(data: tuple[object, ...], labels: Path) -> None:
    pd.read_csv(labels).round({"weight": 2}).to_csv(labels, index=False)
    assert _run(*data, "--labels", labels).exit_code == 0


@pytest.mark.parametrize("design", ["simple", "division"])
def test_a_sample_by_strata_is_of_no_other_design(
    data: tuple[object, ...], labels: Path, design: str
) -> None:
    said = _refused(*data, "--labels", labels, "--design", design)
    assert "chips were not all drawn alike" in said


def test_what_tells_of_errors_is_one_thing(
    data: tuple[object, ...], labels: Path, tmp_path: Path
) -> None:
    folder = ("--crossvalidation", tmp_path)
    assert "labels or from held-out" in _refused(*data, "--labels", labels, *folder)
    assert "--crossvalidation away" in _refused(*data, "--sample", 20, *folder)


@pytest.mark.parametrize("estimator", ["tuned", "regression"])
def test_no_slope_follows_from_rounding(estimator: Estimator) -> None:
    """A map that says the same of all labelled chips tells nothing: the mean of the labels is."""
    generator = np.random.default_rng(0)
    shares = np.repeat([[0.2, 0.2, 0.6], [0.7, 0.1, 0.2]], [12, 24], axis=0)
    shares[:12] += generator.uniform(-1e-9, 1e-9, (12, 3))
    truth = generator.dirichlet(np.ones(3), 12)
    sample = Sample.simple(np.arange(12), truth, 36)
    everywhere = csr_array(np.full((1, 36), 1 / 36))
    means = survey_means(sample, shares, everywhere, np.ones(36), estimator)
    np.testing.assert_allclose(means.value[0], truth.mean(axis=0))


def test_labels_that_are_too_few_for_an_interval_say_so(
    data: tuple[object, ...], labels: Path
) -> None:
    """And nobody is sent to draw chips that are labelled already."""
    pd.read_csv(labels).drop(columns=["stratum", "weight"])[:3].to_csv(labels, index=False)
    assert "at least 5 labelled chips" in _refused(*data, "--labels", labels)
    done = _run(*data, "--labels", labels, "--estimator", "difference")
    assert done.exit_code == 0
    assert "5 estimates have no interval" in done.stderr
    assert "--sample 100" not in done.stderr


def test_points_lie_on_both_sides_of_the_antimeridian(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A region east of 180 degrees has longitudes beyond; people write negative ones."""
    monkeypatch.setattr("regions.WEST", 180 - 4 * WIDTH)
    write_region(make_region(8, 3, 4, 1), tmp_path / "grid")
    ds = llpbench.open_dataset(tmp_path / "grid").llp.group()
    middles = ds["bounds"].to_numpy().reshape(-1, 2, 2).mean(axis=1)
    longitude = np.where(middles[:, 0] > 180, middles[:, 0] - 360, middles[:, 0])
    assert (longitude < 0).any()
    assert (longitude > 0).any()
    table = pd.DataFrame({"lon": longitude, "lat": middles[:, 1], "class": "tree"})
    table.to_csv(tmp_path / "points.csv", index=False)
    sample = read_sample(tmp_path / "points.csv", ds)
    assert sample.chip.tolist() == list(range(24))


def test_a_class_that_no_label_has_is_worth_no_number_of_labels() -> None:
    """Labels alone would say that it is nowhere, without any doubt."""
    generator = np.random.default_rng(0)
    shares = generator.dirichlet(np.ones(3), 60)
    truth = np.eye(3)[np.arange(20) % 2]
    sample = Sample.simple(np.arange(20), truth, 60)
    means = survey_means(sample, shares, csr_array(np.full((1, 60), 1 / 60)), np.ones(60))
    assert np.isnan(means.effective[0]).tolist() == [False, False, True]
    assert np.isfinite(means.variance).all()
