"""Intervals in predictions: made, checked, kept in every file, scored, drawn and on the board."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
from boards import make_board, write_entry
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from regions import make_region, write_region

import llpbench
from llpbench.board.entry_scoring import score_entry
from llpbench.board.layout import Board
from llpbench.board.submission import read_submission
from llpbench.board.truth import read_truth
from llpbench.cli import cli
from llpbench.errors import LLPBenchError, PredictionsError
from llpbench.maps import write_map
from llpbench.plots import write_plots
from llpbench.predictions.columns import make_of_columns
from llpbench.predictions.table import check_predictions, make_predictions, to_table
from llpbench.predictions.text import read_text_table
from llpbench.scoring import Scores, digest_predictions

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")

CATEGORIES = ["other", "tree", "shrub-grass-bare", "cropland", "built-up"]
LEVELS = (0.5, 0.8, 0.9, 0.95)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(18, 9, 6, 3, unlabelled=12), path)
    return path


@pytest.fixture(scope="module")
def split(store: Path) -> xr.Dataset:
    return llpbench.open_dataset(store, "test")


def _around(split: xr.Dataset, seed: int = 0, **attributes: Any) -> xr.Dataset:
    """Random shares, and intervals of random widths around them."""
    random = np.random.default_rng(seed)
    shares = random.dirichlet(np.ones(5), split.sizes["chip"])
    away = np.array(LEVELS)[:, None, None] * random.random((2, 1, *shares.shape))
    bounds = {"low": np.maximum(shares - away[0], 0), "high": np.minimum(shares + away[1], 1)}
    chips = split["chip"].to_numpy()
    return make_predictions(chips, CATEGORIES, shares, levels=LEVELS, **bounds, **attributes)


_SHARES = st.floats(0, 1, width=32)
_LEVELS = st.lists(st.integers(1, 9999), min_size=1, max_size=4, unique=True).map(
    lambda numbers: [float(f"{number}e-4") for number in sorted(numbers)]
)


@given(_LEVELS, st.data(), st.sampled_from(["csv", "parquet", "zarr", "tsv.gz"]))
@settings(max_examples=30)
def test_files_give_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, levels: list[float], data: st.DataObject, ending: str
) -> None:
    shape = (2, len(levels), 3, 2)
    bounds = np.sort(data.draw(hnp.arrays(np.float32, shape, elements=_SHARES)), axis=0)
    low, high = bounds
    shares = [[0.25, 0.75], [1, 0], [0.5, 0.5]]
    made = make_predictions(
        ["a1", "b2", "c3"], ["tree", "built-up"], shares, levels=levels, low=low, high=high
    )
    path = tmp_path_factory.mktemp("files") / f"p.{ending}"
    llpbench.write_predictions(made, path)
    read = llpbench.read_predictions(path)
    xr.testing.assert_equal(read, made)
    assert digest_predictions(read) == digest_predictions(made)


def test_order_of_chips_and_categories_does_not_matter(split: xr.Dataset, tmp_path: Path) -> None:
    made = _around(split)
    order = np.random.default_rng(1).permutation(split.sizes["chip"])
    shuffled = made.isel(chip=order, category=[3, 0, 4, 2, 1])
    for ending in ("csv", "zarr"):
        llpbench.write_predictions(shuffled, tmp_path / f"p.{ending}")
        read = llpbench.read_predictions(tmp_path / f"p.{ending}", split)
        xr.testing.assert_equal(check_predictions(read, split), made)


def test_digests_of_predictions_without_intervals_stay(split: xr.Dataset) -> None:
    """This one was worked out before there were any."""
    bare = make_predictions(["a", "b"], ["tree", "crop"], [[0.25, 0.75], [1, 0]])
    known = "d75781a611f9ee9b4a5600dae6a2c7f5996257c922870f28def027ebe5b6a431"
    assert digest_predictions(bare) == f"sha256:{known}"
    made = _around(split)
    digests = {digest_predictions(one) for one in (made, made.drop_vars(["low", "high", "level"]))}
    digests.add(digest_predictions(made.assign(high=made["high"] * 0.5)))
    digests.add(digest_predictions(made.assign_coords(level=[0.5, 0.8, 0.9, 0.99])))
    assert len(digests) == 4


Table = pd.DataFrame
TABLES: dict[str, tuple[Callable[[Table], Table], str]] = {
    "R": (lambda t: t.rename(columns=lambda name: name.replace("-", ".")), ""),
    "capitals": (lambda t: t.rename(columns=str.upper), ""),
    "percent": (lambda t: t.set_index("chip").mul(100).reset_index(), ""),
    "columns mixed": (lambda t: t[["chip", *sorted(t.columns[1:])]], ""),
    "decimals of a level": (lambda t: t.rename(columns=lambda n: n.replace("90", "90.0")), ""),
    "one column missing": (lambda t: t.drop(columns="tree_high90"), "'tree_high90' is missing"),
    "one bound alone": (lambda t: t[[n for n in t if "_high" not in n]], r"_high50'.* is missing"),
    "text in one": (lambda t: t.assign(tree_low90="few"), "'tree_low90' is missing"),
    "a level twice": (lambda t: t.assign(**{"tree_low90.0": 0.0}), "one is there twice"),
    "nothing in one": (lambda t: t.assign(tree_low90=np.nan), "give each share both bounds"),
    "none of a category": (lambda t: t[[n for n in t if "tree_" not in n]], "both bounds"),
    "a gap in one": (
        lambda t: t.assign(tree_low90=t["tree_low90"].where(t.index != 3)),
        "those of 1 chips are not, such as '",
    ),
    "negative": (lambda t: t.assign(tree_low90=-0.1), "0 <= low <= high <= 1"),
    "above 1": (lambda t: t.assign(tree_high90=1.1), "0 <= low <= high <= 1"),
    "the wrong way round": (
        lambda t: t.rename(columns={"tree_low90": "tree_high90", "tree_high90": "tree_low90"}),
        "0 <= low <= high <= 1",
    ),
    "of no category": (lambda t: t.assign(water_low90=0.0), r"unknown \('water_low90'\)"),
    "a level of 0": (lambda t: t.assign(tree_low0=0.0), r"unknown \('tree_low0'\)"),
    "a level of 100": (lambda t: t.assign(tree_low100=0.0), r"unknown \('tree_low100'\)"),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_understood_or_refused(name: str, split: xr.Dataset, tmp_path: Path) -> None:
    change, message = TABLES[name]
    made = _around(split)
    change(to_table(made).astype({"chip": object})).to_csv(tmp_path / "p.csv", index=False)

    def read() -> xr.Dataset:
        return check_predictions(llpbench.read_predictions(tmp_path / "p.csv", split), split)

    if not message:
        for variable in ("proportions", "low", "high", "level"):
            np.testing.assert_allclose(read()[variable], made[variable], atol=1e-6)
        return
    with pytest.raises(PredictionsError, match=message) as caught:
        read()
    assert "\n" not in str(caught.value)


def test_a_category_really_called_so_is_one(tmp_path: Path) -> None:
    """It is told from a bound where the categories are known."""
    names = ["tree", "tree_low90", "tree_high90"]
    table = pd.DataFrame([["a", 0.5, 0.25, 0.25]], columns=["chip", *names])
    table.to_csv(tmp_path / "p.csv", index=False)
    rows = read_text_table(tmp_path / "p.csv", 1000)
    assert make_of_columns(rows, "p.csv", names)["category"].to_numpy().tolist() == names
    assert make_of_columns(rows, "p.csv", ["tree"])["low"].to_numpy().tolist() == [[[0.25]]]
    bounds = {"levels": [0.9], "low": [[[0, 0]]], "high": [[[1, 1]]]}
    made = make_predictions(["a"], names[:2], [[0.5, 0.5]], **bounds)
    llpbench.write_predictions(made, tmp_path / "p.zarr")
    with pytest.raises(PredictionsError, match=r"called 'tree_low90'.*write a \.zarr"):
        llpbench.write_predictions(made, tmp_path / "q.csv")


DATASETS: dict[str, tuple[Callable[[xr.Dataset], xr.Dataset], str]] = {
    "one bound": (lambda p: p.drop_vars("low"), "'low' and 'high', found 'high' alone"),
    "other order": (lambda p: p.transpose("chip", ...), r"must be over \('level'.*found \('chip'"),
    "no level": (lambda p: p.drop_vars("level"), "must name each level"),
    "percent": (lambda p: p.assign_coords(level=p["level"] * 100), "numbers between 0 and 1"),
    "descending": (lambda p: p.isel(level=slice(None, None, -1)), "ascending"),
    "twice": (lambda p: p.isel(level=[0, 0]), "ascending"),
    "no level at all": (lambda p: p.isel(level=[]), "at most 20 numbers"),
    "many": (lambda p: p.isel(level=[0] * 21), "at most 20 numbers"),
    "many digits": (lambda p: p.assign_coords(level=[0.1, 0.2, 0.3, 0.99999999]), "6 digits"),
    "NaN level": (lambda p: p.assign_coords(level=[0.1, 0.2, 0.3, np.nan]), "between 0 and 1"),
    "text": (lambda p: p.assign(low=p["low"].astype(str)), "'low' must be numbers"),
    "NaN": (lambda p: p.assign(high=p["high"] * np.nan), "0 <= low <= high <= 1"),
}


@pytest.mark.parametrize("name", DATASETS)
def test_broken_datasets_are_refused(name: str, split: xr.Dataset) -> None:
    change, message = DATASETS[name]
    with pytest.raises(PredictionsError, match=message):
        check_predictions(change(_around(split)), split)


def test_scores_of_intervals_come_with_classes_and_intervals_of_their_own(
    split: xr.Dataset, store: Path
) -> None:
    ds, made = llpbench.open_dataset(store), _around(split)
    bare = made.drop_vars(["low", "high", "level"])
    scores, without = (llpbench.evaluate(one, ds) for one in (made, bare))
    truth = split.llp.group().llp.truth().to_numpy()
    known = np.isfinite(truth[:, 0])
    for level in LEVELS:
        low, high = (made[bound].sel(level=level).to_numpy() for bound in ("low", "high"))
        inside = ((low <= truth) & (truth <= high))[known]
        name = f"coverage_{100 * level:g}"
        assert scores.value(name) == pytest.approx(inside.mean())
        np.testing.assert_allclose(scores.per_class[name], inside.mean(axis=0))
    score = scores.score("interval_score_90")
    assert score.low < score.value < score.high  # type: ignore[operator]
    assert list(score.per_class) == CATEGORIES
    # all else stays as it is, and JSON holds all of it
    assert {n: scores.score(n) for n in without.metrics} == {
        n: without.score(n) for n in without.metrics
    }
    assert set(scores.metrics) - set(without.metrics) == {
        *("coverage_50", "coverage_80", "coverage_90", "coverage_95"),
        *("width_90", "interval_score_90"),
    }
    again = Scores.from_json(scores.to_json())
    assert again.score("coverage_90") == scores.score("coverage_90")
    assert again.compare(scores, "interval_score_90").difference == 0
    with pytest.raises(PredictionsError, match="all seeds must have intervals at the same levels"):
        llpbench.evaluate([made, bare], ds)


def test_plots_show_coverage_where_there_is_one(
    split: xr.Dataset, store: Path, tmp_path: Path
) -> None:
    scores = llpbench.evaluate(_around(split), llpbench.open_dataset(store))
    names = [path.name for path in write_plots(Scores.from_json(scores.to_json()), tmp_path)]
    assert names == ["classes.png", "coverage.png"]


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Maps leave out their picture."""
    monkeypatch.setattr("llpbench.maps.writing.draw_map", lambda *_: None)
    monkeypatch.setattr("llpbench.maps.writing.write_figure", lambda _, path: path)


@pytest.mark.usefixtures("undrawn")
def test_a_map_has_intervals_of_its_own(store: Path, split: xr.Dataset, tmp_path: Path) -> None:
    ds, made = llpbench.open_dataset(store), _around(split)
    files = write_map(made, ds, tmp_path / "m.tif")
    assert files.intervals == files.paths["intervals"] == tmp_path / "m-intervals.tif"
    with rasterio.open(files.intervals) as file, rasterio.open(files.shares) as shares:
        assert shares.count == 5
        assert (file.transform, file.crs) == (shares.transform, shares.crs)
        bands = dict(zip(file.descriptions, file.read(), strict=True))
        where = np.isfinite(shares.read(1))
    assert list(bands)[:2] == ["other low 50 %", "other high 50 %"]
    assert len(bands) == 40
    for bound in ("low", "high"):
        expected = made[bound].sel(level=0.9, category="tree").to_numpy()
        found = bands[f"tree {bound} 90 %"]
        np.testing.assert_array_equal(np.isfinite(found), where)
        np.testing.assert_allclose(np.sort(found[where]), np.sort(expected))
    chips = gpd.read_parquet(files.chips).set_index("chip")
    np.testing.assert_array_equal(
        chips.loc[made["chip"].to_numpy(), "tree_high95"],
        made["high"].sel(level=0.95, category="tree"),
    )
    assert not any("_low" in name for name in gpd.read_parquet(files.divisions).columns)
    bare = made.drop_vars(["low", "high", "level"])
    assert "intervals" not in write_map(bare, ds, tmp_path / "m.tif").paths
    assert not (tmp_path / "m-intervals.tif").exists()  # of other predictions


@pytest.fixture
def board(store: Path, tmp_path: Path) -> Board:
    return make_board(tmp_path / "leaderboard", llpbench.open_dataset(store))


def test_the_board_takes_intervals_and_scores_them(board: Board) -> None:
    truth = read_truth(board.truth("grid"))
    seeds = [_around(truth, seed) for seed in (0, 1)]
    folder = write_entry(board.entry("tartu__sure"), truth, seeds)
    result = score_entry(read_submission(folder).read(truth), board)
    expected = llpbench.evaluate(seeds, truth)
    for name in ("coverage_90", "interval_score_90"):
        assert result.metrics[name].value == pytest.approx(expected.value(name), abs=1e-9)
    path = folder / "grid" / "seed-0.parquet"
    spoiled: dict[str, Callable[[Table], Table]] = {
        "is missing": lambda t: t.drop(columns="tree_low50"),
        "0 <= low": lambda t: t.assign(tree_low50=2.0),
        "maybe bounds such as 'other_low90', found": lambda t: t.assign(water_low50=0.0),
    }
    for message, change in spoiled.items():
        change(to_table(seeds[0])).to_parquet(path)
        with pytest.raises(LLPBenchError, match=message):
            read_submission(folder).read(truth)


@pytest.mark.usefixtures("undrawn")
def test_intervals_of_a_run_reach_scores_map_and_entry(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cache = Path(os.environ["LLPBENCH_CACHE"])
    cache.mkdir()
    shutil.copytree(store, cache / "grid")

    def call(*arguments: object) -> str:
        done = CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    small = ("--set", "words=8", "--set", "sample=500")
    call("run", "bayesian-bag-ridge", "--dataset", "grid", *small, "--out", "run")
    file = Path("run") / "predictions-test.parquet"
    assert "tree_high95" in pd.read_parquet(file).columns
    assert "coverage of 90 % intervals" in call("evaluate", file, "--dataset", "grid")
    assert {"intervals", "shares"} < set(json.loads(call("map", "run", "-o", "m.tif", "--json")))
    call("convert", file, "p.csv")
    call("convert", "p.csv", "q.parquet", "--dataset", "grid")
    known = llpbench.read_predictions("q.parquet")
    xr.testing.assert_equal(known, llpbench.read_predictions(file))
    said = ("--author", "Marie Õun", "--contact", "https://example.org", "--title", "Sure")
    call("leaderboard", "new", "tartu__sure", "--from-run", "run", *said)
    entered = llpbench.read_predictions("tartu__sure/grid/seed-0.parquet")
    xr.testing.assert_equal(entered, known)
