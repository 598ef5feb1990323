"""Methods over several datasets: which are put together, and how sure their mean is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from boards import make_board, predict, write_entry
from regions import make_region, write_region
from scipy.stats import trim_mean

import llpbench
from llpbench.board import entry_scoring
from llpbench.board.assembling import make_standings
from llpbench.board.layout import Board
from llpbench.board.overview import make_overviews, mean_skill
from llpbench.board.standings import Overview, OverviewLine, Standings, Table
from llpbench.board.truth import read_truth
from llpbench.board.upkeep import score_board
from llpbench.board.yaml_files import read_yaml, write_yaml
from llpbench.errors import MetricError
from llpbench.metrics.arrays import FloatArray
from llpbench.statistics import (
    division_interval,
    ratio,
    sign_flip_test,
    stratified_difference,
    stratified_interval,
)

NAMES = [f"d{number}" for number in range(30)]


def mean_ratio(totals: FloatArray) -> FloatArray:
    return np.asarray((totals[..., 0] / totals[..., 1]).mean(axis=-1))


def some_sums(seed: int, seeds: int = 1) -> FloatArray:
    random = np.random.default_rng(seed)
    chips = random.integers(5, 40, 30).astype(float)
    errors = chips * random.gamma(4, 0.05, (seeds, 30))
    return np.stack([errors, np.broadcast_to(chips, errors.shape)], axis=-1)


def test_one_dataset_has_the_interval_of_the_division_interval() -> None:
    sums = some_sums(1, seeds=3)
    one = stratified_interval([sums], [NAMES], mean_ratio)
    expected = division_interval(sums, ratio)
    np.testing.assert_allclose(
        [one.value, one.low, one.high], [expected.value, expected.low, expected.high], rtol=1e-6
    )
    assert one.note == expected.note


def test_a_difference_on_one_dataset_is_that_of_the_sign_flip_test() -> None:
    """What is hard for both methods cancels out."""
    first, second = some_sums(1), some_sums(2) * [1, 0] + some_sums(1) * [0, 1]
    found = stratified_difference([first], [second], [NAMES], mean_ratio)
    expected = sign_flip_test(first, second, ratio, draws=2000)
    np.testing.assert_allclose(
        [found.value, found.low, found.high],
        [expected.difference, expected.low, expected.high],
        rtol=1e-6,
    )
    worse = some_sums(1) + np.array([1, 0])
    alone = stratified_interval([worse], [NAMES], mean_ratio)
    near = stratified_difference([worse], [some_sums(1)], [NAMES], mean_ratio)
    assert near.low > 0
    assert near.high - near.low < 0.5 * (alone.high - alone.low)


def test_seeds_have_the_same_luck_in_a_difference_on_one_dataset() -> None:
    """Halves have unequal numbers of chips, which the sign-flip test alone minds."""
    shifts = np.array([-0.04, 0.06, 0.0])[:, np.newaxis]
    first, second = some_sums(1, seeds=3), some_sums(2)[0] * [1, 0] + some_sums(1)[0] * [0, 1]
    first[..., 0] += shifts * first[..., 1]
    pair = [first], [second[np.newaxis]]
    found = stratified_difference(*pair, [NAMES], mean_ratio)
    expected = sign_flip_test(first, second, ratio, draws=2000)
    averaged = stratified_difference([first.mean(axis=0)], pair[1], [NAMES], mean_ratio)
    limits = np.array([found.low, found.high])
    np.testing.assert_allclose(limits, [expected.low, expected.high], atol=0.02)
    assert found.high - found.low > 1.2 * (averaged.high - averaged.low)
    turned = stratified_difference(*pair[::-1], [NAMES], mean_ratio)
    np.testing.assert_allclose([turned.low, turned.high], -limits[::-1], rtol=1e-9)


def test_errors_that_datasets_share_do_not_cancel_out() -> None:
    """The same dataset twice is known no better; two of one spread are, by the root of two."""
    sums, others = some_sums(1), [f"x{number}" for number in range(30)]
    alone = stratified_interval([sums], [NAMES], mean_ratio)
    twice = stratified_interval([sums, sums[:, ::-1]], [NAMES, NAMES[::-1]], mean_ratio)
    np.testing.assert_allclose([twice.low, twice.high], [alone.low, alone.high], rtol=1e-6)
    apart = stratified_interval([sums, sums], [NAMES, others], mean_ratio)
    shrunk = (apart.high - apart.low) / (alone.high - alone.low)
    assert shrunk == pytest.approx(0.5**0.5, abs=0.07)


def test_few_divisions_of_one_dataset_leave_no_interval() -> None:
    few = some_sums(2)[:, :4]
    found = stratified_interval([some_sums(1), few], [NAMES, ["a", "b", "c", "d"]], mean_ratio)
    assert found.value == pytest.approx(mean_ratio(np.stack(
        [some_sums(1)[0].sum(axis=0), few[0].sum(axis=0)]
    )))  # fmt: skip
    assert np.isnan([found.low, found.high]).all()
    assert found.note == "only 4 divisions: too few for an interval"
    with pytest.raises(MetricError, match="found 1 ids of 4 divisions"):
        stratified_interval([few], [["a"] * 4], mean_ratio)


@pytest.mark.parametrize("datasets", [2, 3, 4, 7])
def test_the_interquartile_mean_is_scipys(datasets: int) -> None:
    sums = np.random.default_rng(datasets).random((5, datasets, 2)) + 0.1
    skills = 1 - sums[..., 0] / sums[..., 1]
    np.testing.assert_allclose(mean_skill(sums), trim_mean(skills, 0.25, axis=-1))


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    """Two entries on both datasets of a track, one on the second alone, a floor, a bound.

    Only the two scores that are looked at are computed: the others would take seconds.
    """
    folder = tmp_path_factory.mktemp("overview")
    datasets = []
    for name, rows in (("first", 3), ("second", 6)):
        write_region(make_region(24, rows, 8, 3, seed=rows), folder / name)
        datasets.append(llpbench.open_dataset(folder / name).assign_attrs(name=name))
    board = make_board(folder / "board", *datasets)
    for number, ds in enumerate(datasets):
        truth = read_truth(board.truth(ds.attrs["name"]))
        _put(board, truth, "good", 0.2, number)
        _put(board, truth, "bad", 0.6, number)
        _put(board, truth, "pixels", 0.1, number, supervision="pixel")
        _put(board, truth, "floor", 0.9, number, reference=True)
        if number:
            _put(board, truth, "half", 0.1, 0)
    compute = entry_scoring._metrics
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            entry_scoring, "_metrics", lambda scores, _all: compute(scores, ["mae", "skill"])
        )
        list(score_board(board))
    return board


def _put(
    board: Board, truth: xr.Dataset, name: str, noise: float, part: int, **said: object
) -> None:
    """Put predictions on a dataset into an entry, which may be there."""
    seeds = [predict(truth, seed, noise=noise) for seed in range(3)]
    folder = board.entry(f"tartu__{name}")
    known = read_yaml(folder / "entry.yaml")["datasets"] if part else {}
    if part:
        (folder / "entry.yaml").unlink()
    made = folder.with_name("tartu__new") if part else folder
    write_entry(made, truth, seeds, {"title": name, **said})
    if part:
        entry = read_yaml(made / "entry.yaml")
        entry |= {"method": name, "datasets": {**known, **entry["datasets"]}}
        (folder / "entry.yaml").write_text(write_yaml(entry), encoding="utf-8")
        dataset = truth.attrs["name"]
        (made / dataset).rename(folder / dataset)
        (made / "entry.yaml").unlink()
        made.rmdir()


@pytest.fixture(scope="module")
def standings(board: Board) -> Standings:
    return make_standings(board)


@pytest.fixture(scope="module")
def overview(standings: Standings) -> Overview:
    (found,) = standings.overviews
    return found


def line(overview: Overview, name: str) -> OverviewLine:
    return next(line for line in overview.lines if line.title == name)


def test_lines_are_rows_side_by_side(standings: Standings, overview: Overview) -> None:
    assert (overview.track, overview.metric.name) == ("inductive", "skill")
    assert overview.datasets == ["first", "second"]
    tables = {table.dataset: table for table in standings.tables}
    for one in overview.lines:
        for dataset, score in zip(overview.datasets, one.scores, strict=True):
            row = next((row for row in tables[dataset].rows if row.id == one.id), None)
            assert score == (row.metrics["skill"] if row else None)


def test_the_aggregate_is_of_methods_on_all_datasets(overview: Overview) -> None:
    """Two datasets have nothing to trim: the mean of their skills."""
    assert [one.title for one in overview.lines] == ["good", "bad", "half", "floor", "pixels"]
    assert [one.kind for one in overview.lines[3:]] == ["reference", "bound"]
    assert line(overview, "half").aggregate is None
    for name in ("good", "bad", "floor", "pixels"):
        one = line(overview, name)
        values = [score.value for score in one.scores if score and score.value is not None]
        aggregate = one.aggregate
        assert aggregate is not None
        assert aggregate.value == pytest.approx(np.mean(values), abs=1e-8)
        assert aggregate.low < aggregate.value < aggregate.high
    behind = line(overview, "bad").behind
    best, bad = line(overview, "good").aggregate, line(overview, "bad").aggregate
    assert behind is not None
    assert behind.value == pytest.approx(best.value - bad.value, abs=1e-8)
    assert 0 < behind.low < behind.value < behind.high
    assert [one.title for one in overview.lines if one.behind] == ["bad"]
    assert overview.aggregated == "mean"
    assert overview.note.startswith("The mean is over first and second, each counted once, of met")


def test_the_same_board_gives_the_same_overview(board: Board, overview: Overview) -> None:
    assert make_overviews(board, make_standings(board).tables) == [overview]


def test_a_track_with_one_dataset_has_none(board: Board, standings: Standings) -> None:
    assert make_overviews(board, standings.tables[:1]) == []
    assert make_overviews(board, [table for table in standings.tables if not table.chips]) == []


def test_synthetic_datasets_do_not_count_beside_real_ones(
    board: Board, standings: Standings, tmp_path: Path
) -> None:
    scored = [table for table in standings.tables if table.chips]
    third = _renamed(board, scored[0], "third", synthetic=True)
    (found,) = make_overviews(board, [*scored, third])
    assert [len(one.scores) for one in found.lines] == [3] * 5
    assert found.note.startswith("The mean is over first and second, each")
    assert "not counted: synthetic ones" in found.note
    (found,) = make_overviews(board, [scored[0], third])
    assert found.note.startswith("The mean is over first and third, each")
    assert found.note.endswith("each pair for itself.")


def _renamed(board: Board, table: Table, name: str, *, synthetic: bool) -> Table:
    """The same table of another dataset, with its truth."""
    board.truth(name).write_bytes(board.truth(table.dataset).read_bytes())
    return table.model_copy(update={"dataset": name, "synthetic": synthetic})
