"""docs/comparison.md: every method on random bags and real divisions, and what of ranks holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import comparison
import comparison_page
import comparison_runs
import comparison_tables
import numpy as np
import pandas as pd
import pytest
import results_page
from comparison_runs import Run
from comparison_tables import Cell
from regions import make_region, write_region

from llpbench.errors import LLPBenchError
from llpbench.scoring.scores import Scores

METHODS = ["train-mean", "bag-ridge"]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where lines of runs on a grid beside it go."""
    write_region(make_region(8, 6, 4, 2), tmp_path / "grid")
    monkeypatch.chdir(tmp_path)
    small: dict[str, Any] = {"train-mean": {}, "bag-ridge": {"words": 4, "sample": 500}}
    monkeypatch.setattr(comparison, "settings_of", small.get)
    return tmp_path / "runs.jsonl"


def test_each_training_is_made_once_and_has_a_part_in_its_row(runs: Path) -> None:
    made = list(comparison.run_missing(runs, "./grid", METHODS, [0, 1]))
    assert len(made) == 8
    first = comparison_runs.read_runs(runs)
    again = Run("./grid", "random", "bag-ridge", 1)
    comparison_runs.write_runs(runs, {run: kept for run, kept in first.items() if run != again})
    (line,) = comparison.run_missing(runs, "./grid", METHODS, [0, 1])
    assert line.startswith("./grid, random, bag-ridge 1: MAE")
    kept = comparison_runs.read_runs(runs)
    assert list(kept) == list(first)
    tallies = kept[again].scores.tallies["errors"]
    np.testing.assert_array_equal(tallies, first[again].scores.tallies["errors"])

    comparison_tables.write_tables(runs, runs.with_name("tables"))
    table = pd.read_csv(runs.with_name("tables") / "methods.csv").set_index(["bags", "method"])
    errors = {}
    for bags in ("random", "real"):
        row, floor = table.loc[(bags, "bag-ridge")], table.loc[(bags, "train-mean")]
        seeds = [kept[Run("./grid", bags, "bag-ridge", seed)] for seed in (0, 1)]
        errors[bags] = np.mean([seed.scores.value("mae") for seed in seeds])
        assert row["mae"] == pytest.approx(errors[bags], abs=1e-4)
        assert (row["kind"], floor["kind"], row["seeds"]) == ("inductive", "not ranked", 2)
        assert floor["best"] == pytest.approx(floor["mae"] - row["mae"], abs=2e-4)
        assert floor["best"] == floor["ridge"]
        lower, higher = sorted(seed.scores.value("mae") for seed in seeds)
        assert row["spread"] == pytest.approx((higher - lower) / errors[bags], abs=1e-4)
    assert errors["random"] != errors["real"]


def test_settings_are_not_seeds_of_one_another(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed, words in enumerate((4, 8)):
        monkeypatch.setattr(comparison, "settings_of", {"bag-ridge": {"words": words}}.get)
        assert len(list(comparison.run_missing(runs, "./grid", ["bag-ridge"], [seed]))) == 2
    with pytest.raises(LLPBenchError, match="trained with several settings"):
        comparison_tables.write_tables(runs, runs.with_name("tables"))
    assert not runs.with_name("tables").exists()


def cells(factors: dict[str, tuple[float, float]]) -> list[Cell]:
    """Methods whose errors in each of 12 divisions are that many times those of one method.

    On random bags, the fewer a method has, the more of them are of the first class, which alone
    would tell the opposite.
    """
    total = np.random.default_rng(0).uniform(1, 2, (1, 12, 1))
    chips = np.full((1, 12, 1), 10.0)
    plain = {"dataset": "grid", "split": "test", "synthetic": True, "categories": ["a", "b"]}
    divisions = [f"division{number}" for number in range(12)]
    made = []
    for method, both in factors.items():
        for bags, factor in zip(comparison_runs.BAGS, both, strict=True):
            first = 1 / factor if bags == "random" else factor / 2
            errors = total * [first, factor - first]
            tallies = {"errors": np.concatenate([errors, chips], axis=-1)}
            rest = {"digests": {}, "attributes": {}, "divisions": divisions, "tallies": tallies}
            scores = Scores(**plain, **rest, chips=120, unscored_chips=0)
            made.append(Cell("grid", bags, method, scores, pd.DataFrame()))
    return made


def test_pairs_keep_or_change_their_order() -> None:
    """Errors that are in proportion: each order is sure, and the same in every draw."""
    same = {"bag-ridge": (1, 1), "mean-map": (2, 2), "goodman": (3, 3)}
    row = comparison_tables.ranking_row(cells(same))
    assert row is not None
    assert (row["correlation"], row["correlation_low"], row["correlation_high"]) == (1, 1, 1)
    assert (row["told_apart_random"], row["same"], row["open"], row["reversed"]) == (3, 3, 0, 0)
    other = {"bag-ridge": (1, 3), "mean-map": (2, 2), "goodman": (3, 2), "train-mean": (9, 9)}
    row = comparison_tables.ranking_row(cells(other))
    assert row is not None
    assert row["methods"] == 3, "the train mean is not ranked"
    # Ranks 1, 2, 3 against 3, 1.5, 1.5: Pearson's correlation of these is -sqrt(3)/2.
    assert row["correlation"] == pytest.approx(-np.sqrt(3) / 2)
    assert (row["same"], row["open"], row["reversed"]) == (0, 1, 2)


def test_the_page_is_that_of_its_tables() -> None:
    text = comparison_tables.FOLDER.with_suffix(".md").read_text("utf-8")
    table, rankings = comparison_page.read(comparison_tables.FOLDER)
    for section in (comparison_page.ranking_section(rankings), *comparison_page.sections(table)):
        assert section in text, "python benchmarks/comparison_page.py"


def test_the_picture_of_errors_shows_every_method() -> None:
    table, _rankings = comparison_page.read(comparison_tables.FOLDER)
    titles = {name: comparison_page.TITLES[name] for name in table["dataset"].unique()}
    figure = comparison_page.draw_errors(table, titles)
    named = {label.get_text() for label in figure.axes[0].get_yticklabels()}
    assert named == set(table["method"]) - {comparison_tables.BOUND}


def test_an_interval_many_times_as_long_as_others_narrows_no_panel() -> None:
    """As of a method that fails with one seed."""
    of_both, _rankings = comparison_page.read(comparison_tables.FOLDER)
    of_divisions = results_page.read(results_page.PAGE_DATA)
    for draw, table in (
        (comparison_page.draw_errors, of_both),
        (results_page.draw_overview, of_divisions),
    ):
        table.loc[table.groupby("dataset").head(1).index, "high"] = 100.0
        titles = {name: comparison_page.TITLES[name] for name in table["dataset"].unique()}
        for axis, dataset in zip(draw(table, titles).axes, titles, strict=False):
            largest = table.loc[table["dataset"] == dataset, "mae"].max()
            assert largest < axis.get_xlim()[1] < 2 * largest
