"""The standings: what ranks, what does not, and that they are plain data."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from boards import EXPORT, make_board, predict, write_entry
from regions import make_region, write_region

import llpbench
from llpbench.board import assembling
from llpbench.board.assembling import make_standings
from llpbench.board.card import make_card
from llpbench.board.comparing import compare_entries
from llpbench.board.layout import Board
from llpbench.board.result import write_stored
from llpbench.board.standings import Standings, Table
from llpbench.board.truth import read_truth
from llpbench.board.upkeep import score_board
from llpbench.catalog import reported_results
from llpbench.errors import BoardError
from llpbench.protocol import SCORER_VERSION
from llpbench.scoring.measures import BY_NAME
from llpbench.statistics import holm, rank_methods

NOISE = {"good": 0.2, "same": 0.2, "bad": 0.6}


@pytest.fixture(scope="module")
def ds(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(36, 18, 12, 6, unlabelled=12, outside=1), path)
    return llpbench.open_dataset(path)


@pytest.fixture(scope="module")
def board(ds: xr.Dataset, tmp_path_factory: pytest.TempPathFactory) -> Board:
    """Three entries, a file, a reference, a bound, and one in another track."""
    board = make_board(tmp_path_factory.mktemp("board"), ds)
    write_stored(make_card(ds), board.card("grid"))
    truth = read_truth(board.truth("grid"))
    for start, (name, noise) in enumerate(NOISE.items()):
        seeds = [predict(truth, 10 * start + seed, noise=noise) for seed in range(3)]
        write_entry(board.entry(f"tartu__{name}"), truth, seeds)
    seeds = [predict(truth, 60 + seed, noise=0.1) for seed in range(3)]
    write_entry(board.entry("tartu__good-int8"), truth, seeds, {"part.export": EXPORT})
    one = [predict(truth, 50, noise=0.9)]
    alone = {"deterministic": True}
    write_entry(board.entry("tartu__floor"), truth, one, {**alone, "reference": True})
    one = [predict(truth, 51, noise=0.1)]
    write_entry(board.entry("tartu__pixels"), truth, one, {**alone, "supervision": "pixel"})
    one = [predict(truth, 52, noise=0.1)]
    write_entry(board.entry("tartu__raking"), truth, one, {**alone, "track": "disaggregation"})
    list(score_board(board))
    return board


@pytest.fixture(scope="module")
def standings(board: Board) -> Standings:
    return make_standings(board)


@pytest.fixture(scope="module")
def table(standings: Standings) -> Table:
    (found,) = (
        one for one in standings.tables if (one.dataset, one.track) == ("grid", "inductive")
    )
    return found


def test_tracks_are_tables_of_their_own(standings: Standings) -> None:
    places = [(table.dataset, table.track) for table in standings.tables]
    assert len(set(places)) == len(places)
    printed = {(one.dataset, one.track) for one in reported_results()}
    assert set(places) == printed | {("grid", "inductive"), ("grid", "disaggregation")}
    rows = {row.id for table in standings.tables for row in table.rows if row.kind == "entry"}
    assert "tartu__raking" in rows


def test_only_competing_entries_are_ranked(table: Table) -> None:
    ids = [row.id.removeprefix("tartu__") for row in table.rows]
    assert set(ids[:2]) == {"good", "same"}
    assert ids[2:] == ["bad", "good-int8", "floor", "pixels"]
    assert [row.kind for row in table.rows] == ["entry"] * 3 + ["file", "reference", "bound"]
    assert [row.rank is not None for row in table.rows] == [True] * 3 + [False] * 3


def test_ranks_are_those_of_the_errors(ds: xr.Dataset, board: Board, table: Table) -> None:
    """From the sums by class that scores have; stored are their means over classes."""
    truth = read_truth(board.truth("grid"))
    sums = []
    for start, noise in enumerate(NOISE.values()):
        seeds = [predict(truth, 10 * start + seed, noise=noise) for seed in range(3)]
        sums.append(llpbench.evaluate(seeds, ds).tallies["errors"])
    expected = rank_methods(sums, BY_NAME["mae"].statistic)
    rows = {row.id: row for row in table.rows}
    for number, name in enumerate(NOISE):
        rank = rows[f"tartu__{name}"].rank
        assert rank is not None
        assert (rank.rank, rank.low, rank.high, rank.group) == tuple(
            int(one[number]) for one in (expected.rank, expected.low, expected.high, expected.group)
        )
    good, same, bad = (rows[f"tartu__{name}"].rank for name in NOISE)
    assert good is not None
    assert same is not None
    assert bad is not None
    assert (good.low, good.high, same.low, same.high) == (1, 2, 1, 2)
    assert (good.group, same.group, bad.group) == (1, 1, 2)
    assert (bad.low, bad.high) == (3, 3)


def test_errors_by_division_give_the_score_and_the_map(
    ds: xr.Dataset, board: Board, table: Table
) -> None:
    row = table.rows[0]
    chips = np.array([division.chips for division in table.divisions])
    assert sum(row.errors) / chips.sum() == pytest.approx(row.metrics["mae"].value, abs=1e-8)
    assert table.chips == chips.sum()
    truth = read_truth(board.truth("grid"))
    start = list(NOISE).index(row.id.removeprefix("tartu__"))
    seeds = [predict(truth, 10 * start + seed, noise=0.2) for seed in range(3)]
    by_division = llpbench.evaluate(seeds, ds).per_division
    assert [division.id for division in table.divisions] == by_division.index.tolist()
    np.testing.assert_allclose(np.array(row.errors) / chips, by_division["mae"], atol=1e-8)


def test_tables_describe_their_dataset(ds: xr.Dataset, table: Table) -> None:
    assert table.title == "grid"
    assert table.digest == ds.attrs["digest"]
    assert table.metrics[0].name == "mae"
    names = ds.llp.group()["category_name"].to_numpy().tolist()
    assert [category.name for category in table.categories] == names
    outlined = [division for division in table.divisions if division.id]
    assert all(division.outline for division in outlined)
    assert outlined[0].name.startswith("Division ")
    assert len(table.examples) == 6
    shown = {one.chip for one in table.examples}
    assert all(row.result and set(row.result.examples) == shown for row in table.rows)
    assert "25 test divisions" in table.note  # a third of 72, and chips of none


def test_pairs_are_compared_as_by_the_command(board: Board, table: Table) -> None:
    """From stored errors, means over classes; the command sums classes of the predictions."""
    scored = [row.id for row in table.rows]
    assert [(pair.first, pair.second) for pair in table.comparisons] == [*combinations(scored, 2)]
    found = {(pair.first, pair.second): pair for pair in table.comparisons}
    for expected in compare_entries(board, scored):
        pair = found[expected.first, expected.second]
        assert pair.note == expected.note
        for name in ("difference", "low", "high", "p_value"):
            assert getattr(pair, name) == pytest.approx(getattr(expected, name), abs=1e-8)


def test_ranks_and_tie_groups_follow_from_the_corrected_p_values(table: Table) -> None:
    ranks = {row.id: row.rank for row in table.rows if row.rank}
    for pair in table.comparisons:
        first, second = ranks.get(pair.first), ranks.get(pair.second)
        assert (pair.corrected is None) == (first is None or second is None)
        if first is not None and second is not None and pair.corrected is not None:
            assert (pair.corrected < 0.05) == (first.group != second.group)
            assert pair.corrected_low is not None
            assert pair.corrected_high is not None
            apart = pair.corrected_low > 0 or pair.corrected_high < 0
            assert (pair.corrected < 0.05) == apart
    pairs = [pair for pair in table.comparisons if pair.corrected is not None]
    corrected = [pair.corrected for pair in pairs]
    assert corrected == pytest.approx(holm([pair.p_value for pair in pairs]), abs=1e-12)
    assert 0 < min(pair.p_value for pair in pairs) < max(corrected) < 1, "none of them is trivial"


def test_of_many_rows_the_first_are_compared(
    board: Board, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembling, "MOST_COMPARED", 2)
    made = next(one for one in make_standings(board).tables if one.dataset == "grid")
    (pair,) = made.comparisons
    assert (pair.first, pair.second) == (table.rows[0].id, table.rows[1].id)


def test_reliability_counts_every_chip(table: Table) -> None:
    for row in table.rows:
        assert row.result is not None
        assert set(row.result.reliability) == {category.name for category in table.categories}
        for bins in row.result.reliability.values():
            assert sum(count for _p, _t, count in bins) == table.chips


def test_reported_rows_stay_as_printed(standings: Standings) -> None:
    table = next(one for one in standings.tables if one.dataset == "benelux-esaworldcover")
    row = next(row for row in table.rows if row.id == "reported:downconv")
    assert (row.kind, row.tier, row.rank) == ("reported", "reported", None)
    assert row.metrics["mae_hard"].value == 0.068
    assert row.metrics["mae_hard"].low is None
    assert "mae" not in row.metrics
    assert row.footprint == {"parameters": 5189}


def test_real_places_come_first_and_ranked_ones_before_printed_ones(standings: Standings) -> None:
    """The grid is real and has ranked entries; all others here are printed alone."""
    places = [(table.dataset, table.track) for table in standings.tables]
    assert places[:3] == [
        ("grid", "inductive"),
        ("grid", "disaggregation"),
        ("benelux-esaworldcover", "inductive"),
    ]
    made = [
        table.model_copy(update={"synthetic": n < 2}) for n, table in enumerate(standings.tables)
    ]
    assert [one.dataset for one in sorted(made, key=assembling.place)][-2:] == ["grid", "grid"]


def test_the_finding_is_about_the_rows(table: Table) -> None:
    best, other = table.rows[:2]
    mae = best.metrics["mae"]
    assert table.finding.startswith(
        f"Bag ridge ({best.id}) has the lowest error of 3 ranked entries, MAE {mae.value:.4f} "
        f"(95 % {mae.low:.4f} to {mae.high:.4f}), not told "
        f"apart from Bag ridge ({other.id}), "
    )


def test_a_page_says_its_day(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """1764288000 is 2025-11-28 00:00 UTC, by ``date -u -d @1764288000``."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764288000")
    assert make_standings(board).built == "2025-11-28"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "today")
    with pytest.raises(BoardError, match="SOURCE_DATE_EPOCH must be seconds"):
        make_standings(board)
    command = [sys.executable, "-m", "llpbench", "leaderboard", "build", "--board", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr == (
        "llpbench: SOURCE_DATE_EPOCH must be seconds since 1970, found 'today'\n"
    ), "in a process of its own: numpy reads the variable when it is imported"


def test_standings_are_plain_data(standings: Standings) -> None:
    content = json.loads(json.dumps(standings.model_dump(), allow_nan=False))
    assert content["scorer"] == SCORER_VERSION
    assert content["tables"][0]["rows"]


def test_a_board_without_entries_has_the_reported_rows(tmp_path: Path) -> None:
    standings = make_standings(Board(tmp_path / "nowhere"))
    rows = [row for table in standings.tables for row in table.rows]
    assert len(rows) == len(reported_results())


def test_entries_without_scores_are_refused(ds: xr.Dataset, tmp_path: Path) -> None:
    board = make_board(tmp_path / "board", ds)
    write_entry(board.entry("tartu__a"), read_truth(board.truth("grid")))
    with pytest.raises(BoardError, match="llpbench leaderboard score"):
        make_standings(board)
