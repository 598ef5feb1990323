"""Scores of predictions that are never in memory at once: those of the same in one file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xarray as xr
import zarr
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from regions import make_region, write_region

import llpbench
from llpbench.board.large_truth import open_truth
from llpbench.board.truth import make_truth, write_truth
from llpbench.cli import cli
from llpbench.crew import gather
from llpbench.errors import BoardError, DisorderError, PredictionsError, StoreError
from llpbench.predictions import make_predictions, write_predictions
from llpbench.predictions.parts import part_files
from llpbench.scoring import DivisionScores, Scores, SplitTruth, evaluate_both

BLOCK, ROWS = 20, 7
"""Chips of a block, and rows that are read together: the split has 63 chips."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """162 chips in 18 divisions and 9 outside of all; some have no label."""
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(18, 9, 6, 3, unlabelled=12, outside=1), path)
    return path


@pytest.fixture(scope="module")
def ds(store: Path) -> xr.Dataset:
    return llpbench.open_dataset(store)


@pytest.fixture(scope="module")
def table(ds: xr.Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("truth") / "grid.parquet"
    write_truth(make_truth(ds), path)
    return path


@pytest.fixture(scope="module", autouse=True)
def small_blocks() -> Iterator[None]:
    """No dataset is small enough to be opened, and blocks are of a few chips."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("llpbench.data.split_blocks.CHIPS_AT_ONCE", BLOCK)
        patch.setattr("llpbench.board.large_truth.ROWS_AT_ONCE", BLOCK)
        patch.setattr("llpbench.predictions.parquet.ROWS_AT_ONCE", ROWS)
        patch.setattr("llpbench.predictions.files.ROWS_AT_ONCE", ROWS)
        for place in ("scoring.split_truth", "board.large_truth"):
            patch.setattr(f"llpbench.{place}.MOST_OPENED", 0)
        yield


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is put in order in memory."""
    monkeypatch.setattr("llpbench.scoring.evaluation.MOST_SORTED", 0)


def predict(ds: xr.Dataset, *, side: int | None = None, intervals: bool = True) -> xr.Dataset:
    """Random predictions of the test split, with intervals at two levels."""
    part = ds.llp.group().llp.split("test")
    names, count = part["category_name"].to_numpy(), part.sizes["chip"]
    random = np.random.default_rng(0)
    shares = random.dirichlet(np.ones(len(names)), count)
    further: dict[str, Any] = {}
    if intervals:
        low, high = shares * [[[0.9]], [[0.5]]], shares + (1 - shares) * [[[0.1]], [[0.5]]]
        further = {"levels": [0.5, 0.9], "low": low, "high": high}
    if side is not None:
        further["segmentation"] = random.integers(0, len(names), (count, side, side), np.uint8)
    attributes = {"method": "random", "seed": 0, "track": "inductive"}
    return make_predictions(part["chip"].to_numpy(), names, shares, **further, **attributes)


def write_parts(
    predictions: xr.Dataset, folder: Path, cuts: list[int], order: list[int] | None = None
) -> Path:
    """Cut predictions at some chips into files whose names have another order."""
    folder.mkdir(parents=True, exist_ok=True)
    edges = [0, *sorted(cuts), predictions.sizes["chip"]]
    for number, (start, stop) in enumerate(pairwise(edges)):
        name = number if order is None else order[number]
        file = folder / f"part-{name:06}.parquet"
        write_predictions(predictions.isel(chip=slice(start, stop)), file)
    return folder


def assert_same(found: Scores, expected: Scores) -> None:
    assert found.digests == expected.digests
    assert found.divisions == expected.divisions
    assert found.attributes == expected.attributes
    assert (found.chips, found.unscored_chips) == (expected.chips, expected.unscored_chips)
    assert found.tallies.keys() == expected.tallies.keys()
    for name, sums in expected.tallies.items():
        np.testing.assert_allclose(found.tallies[name], sums, rtol=1e-12, atol=1e-12, err_msg=name)


def assert_same_divisions(found: DivisionScores | None, expected: DivisionScores | None) -> None:
    assert found is not None
    assert expected is not None
    assert (found.divisions, found.left_out) == (expected.divisions, expected.left_out)
    assert found.digests == expected.digests
    for name in ("known", "predicted", "coverage", "areas"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-12)


@given(data=st.data())
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_parts_score_as_one_file(
    data: st.DataObject, store: Path, ds: xr.Dataset, table: Path, tmp_path: Path, strict: None
) -> None:
    predictions = predict(ds)
    count = predictions.sizes["chip"]
    cuts = data.draw(st.lists(st.integers(1, count - 1), max_size=5, unique=True))
    order = data.draw(st.permutations(range(len(cuts) + 1)))
    shutil.rmtree(tmp_path / "parts", ignore_errors=True)
    folder = write_parts(predictions, tmp_path / "parts", cuts, order)
    expected, divisions = evaluate_both(predictions, ds)
    assert expected is not None
    scores, found = evaluate_both(folder, store)
    assert scores is not None
    assert_same(scores, expected)
    assert_same_divisions(found, divisions)
    on_table, none = evaluate_both(folder, open_truth(table))
    assert on_table is not None
    assert_same(on_table, expected)
    assert none is None


def test_a_single_file_and_a_zarr_score_as_parts(
    store: Path, ds: xr.Dataset, tmp_path: Path, strict: None
) -> None:
    predictions = predict(ds, side=24)
    write_predictions(predictions, tmp_path / "p.zarr")
    assert_same(llpbench.evaluate(tmp_path / "p.zarr", store), llpbench.evaluate(predictions, ds))
    shares = predictions.drop_vars("segmentation")
    write_predictions(shares, tmp_path / "p.parquet")
    assert_same(llpbench.evaluate(tmp_path / "p.parquet", store), llpbench.evaluate(shares, ds))


def test_workers_give_the_same_bits(
    store: Path, ds: xr.Dataset, table: Path, tmp_path: Path
) -> None:
    """In blocks of the store or of a truth table, in order or not, with pixels or without."""
    predictions = predict(ds, side=24)
    write_predictions(predictions, tmp_path / "p.zarr")
    shares = predictions.drop_vars("segmentation")
    parts = write_parts(shares, tmp_path / "parts", [10, 30])
    shuffled = write_parts(shares.isel(chip=slice(None, None, -1)), tmp_path / "shuffled", [30])
    pairs = [(parts, store), (parts, table), (shuffled, store), (tmp_path / "p.zarr", store)]
    with gather(2) as crew:
        assert crew._client is not None
        for file, truth in pairs:
            command = ["evaluate", str(file), "--dataset", str(truth), "--json"]
            here = CliRunner().invoke(cli, command)
            address = crew._client.scheduler.address
            there = CliRunner().invoke(cli, [*command, "--scheduler", address])
            assert json.loads(there.stdout) == json.loads(here.stdout)
    expected = evaluate_both(shares, ds)[0]
    assert expected is not None
    assert_same(llpbench.evaluate(parts, store, workers=1), expected)


def test_what_is_in_memory_is_not_shared_out(
    store: Path, ds: xr.Dataset, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("llpbench.scoring.split_truth.MOST_OPENED", 2**18)
    predictions = predict(ds)
    scores = llpbench.evaluate(predictions, store, scheduler="tcp://127.0.0.1:1")
    assert "has at most 262144 chips, which are scored in one process" in caplog.text
    assert_same(scores, llpbench.evaluate(predictions, ds))


def test_chips_in_another_order_are_put_in_order(
    store: Path, ds: xr.Dataset, tmp_path: Path
) -> None:
    predictions = predict(ds)
    shuffled = predictions.isel(
        chip=np.random.default_rng(0).permutation(predictions.sizes["chip"])
    )
    expected = llpbench.evaluate(predictions, ds)
    folder = write_parts(shuffled, tmp_path / "parts", [10, 30])
    assert_same(llpbench.evaluate(folder, store), expected)
    write_predictions(shuffled, tmp_path / "p.csv")
    scores = llpbench.evaluate([tmp_path / "p.csv", folder], store)
    assert scores.value("mae") == pytest.approx(expected.value("mae"), abs=1e-7)


def test_val_and_blocks_without_labels_are_scored_by_divisions(
    store: Path, ds: xr.Dataset, tmp_path: Path
) -> None:
    part = ds.llp.group().llp.split("val")
    names = part["category_name"].to_numpy()
    shares = np.random.default_rng(1).dirichlet(np.ones(len(names)), part.sizes["chip"])
    predictions = make_predictions(part["chip"].to_numpy(), names, shares)
    folder = write_parts(predictions, tmp_path / "parts", [5])
    for score in (None, "chips"):
        chips, divisions = evaluate_both(folder, store, "val", score=score)
        expected = evaluate_both(predictions, ds, "val", score=score)
        assert_same_divisions(divisions, expected[1])
        assert (chips is None) == (expected[0] is None) == (score is None)


def _shares(change: Callable[[np.ndarray], None]) -> Callable[[xr.Dataset], xr.Dataset]:
    def changed(predictions: xr.Dataset) -> xr.Dataset:
        shares = predictions["proportions"].to_numpy().copy()
        change(shares)
        return predictions.assign(proportions=(("chip", "category"), shares))

    return changed


def _put(row: int, value: float) -> Callable[[np.ndarray], None]:
    def change(shares: np.ndarray) -> None:
        shares[row, 0] = value

    return change


def _renamed(predictions: xr.Dataset, row: int, name: str) -> xr.Dataset:
    ids = predictions["chip"].to_numpy().astype(object)
    ids[row] = name
    return predictions.assign_coords(chip=ids.astype(str))


FAULTS: dict[str, Callable[[xr.Dataset], xr.Dataset]] = {
    "NaN": _shares(_put(40, np.nan)),
    "negative": _shares(_put(41, -0.1)),
    "sum": _shares(_put(42, 5.0)),
    "missing": lambda p: p.drop_isel(chip=[33]),
    "the last is missing": lambda p: p.isel(chip=slice(None, -1)),
    "many are missing": lambda p: p.isel(chip=slice(30, None)),
    "twice": lambda p: p.isel(chip=[*range(63), 3]),
    "unknown": lambda p: _renamed(p, 20, "nobody"),
    "categories": lambda p: p.assign_coords(category=["a", "b", "c", "d", "e"]),
    "another dataset": lambda p: p.assign_attrs(dataset="other"),
    "bounds": lambda p: p.assign(low=p["low"] + (p["chip"] == p["chip"][40])),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_said_as_of_one_file(
    fault: str, store: Path, ds: xr.Dataset, tmp_path: Path
) -> None:
    wrong = FAULTS[fault](predict(ds))
    folder = write_parts(wrong, tmp_path / "parts", [10, 25])
    with pytest.raises(PredictionsError) as expected:
        llpbench.evaluate(wrong, ds)
    with pytest.raises(PredictionsError) as caught:
        llpbench.evaluate(folder, store)
    assert str(caught.value) == str(expected.value)


NEXT = {
    "missing": "has '.+' where '.+' follows",
    "the last is missing": "none begins with",
    "many are missing": "of those that begin with",
    "twice": "is there besides, more than once or of no chip of the split",
    "unknown": "has 'nobody' where",
}


@pytest.mark.parametrize("fault", NEXT)
def test_of_many_chips_the_first_that_does_not_follow_is_named(
    fault: str, store: Path, ds: xr.Dataset, tmp_path: Path, strict: None
) -> None:
    folder = write_parts(FAULTS[fault](predict(ds)), tmp_path / "parts", [10, 25])
    with pytest.raises(DisorderError, match=NEXT[fault]) as caught:
        llpbench.evaluate(folder, store)
    assert "\n" not in str(caught.value)
    assert "llpbench template" in str(caught.value)


def test_a_file_too_many_is_told(store: Path, ds: xr.Dataset, tmp_path: Path, strict: None) -> None:
    predictions = predict(ds)
    folder = write_parts(predictions, tmp_path / "parts", [10, 25])
    write_predictions(predictions.isel(chip=slice(5)), folder / "part-000009.parquet")
    with pytest.raises(DisorderError, match="is there besides"):
        llpbench.evaluate(folder, store)


def test_parts_must_be_alike(store: Path, ds: xr.Dataset, tmp_path: Path) -> None:
    predictions, folder = predict(ds), tmp_path / "parts"
    write_parts(predictions, folder, [10, 25])
    write_predictions(predict(ds, intervals=False).isel(chip=slice(10, 25)), folder / "b.parquet")
    (folder / "part-000001.parquet").unlink()
    with pytest.raises(PredictionsError, match="must have the same columns"):
        llpbench.evaluate(folder, store)
    other = predictions.isel(chip=slice(10, 25)).assign_attrs(seed=1)
    write_predictions(other, folder / "b.parquet")
    with pytest.raises(PredictionsError, match=r"must have the same metadata.*seed"):
        llpbench.evaluate(folder, store)


def test_a_folder_without_files_and_large_groups_are_refused(
    store: Path, ds: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    for dataset in (store, ds):
        with pytest.raises(PredictionsError, match="has no predictions"):
            llpbench.evaluate(tmp_path / "empty", dataset)
    write_predictions(predict(ds), tmp_path / "p.parquet")
    monkeypatch.setattr("llpbench.data.parquet_files.LARGEST_GROUP", 100)
    with pytest.raises(PredictionsError, match="a row group takes"):
        llpbench.evaluate(tmp_path / "p.parquet", store)


def test_remarks_are_said_once(
    store: Path, ds: xr.Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_parts(predict(ds, intervals=False), tmp_path / "parts", [10, 25])
    for file in folder.iterdir():
        content = pq.read_table(file)
        upper = content.rename_columns([name.upper() for name in content.column_names])
        pq.write_table(upper, file)
    llpbench.evaluate(folder, store)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == len(set(said)) == 2
    assert "taken for 'chip'" in said[0]
    assert "spelled otherwise" in said[1]


def test_a_damaged_store_is_told(store: Path, ds: xr.Dataset, tmp_path: Path) -> None:
    folder = write_parts(predict(ds), tmp_path / "parts", [10])
    for number, (name, change, message) in enumerate(
        (
            ("overlap_chip", lambda values: values[::-1], "not in the order"),
            ("overlap_division", lambda values: values + 100, "divisions that are not there"),
            ("overlap_area", lambda values: values * np.nan, "numbers from 0"),
        )
    ):
        broken = tmp_path / f"store{number}"
        shutil.copytree(store, broken)
        array = zarr.open_array(broken / "chips.zarr", path=name, mode="r+")
        array[:] = change(array[:])
        with pytest.raises(StoreError, match=message):
            llpbench.evaluate(folder, broken)
    (broken / "chips.zarr" / "target" / "c" / "0" / "0").unlink()
    with pytest.raises(StoreError, match="lacks its file"):
        llpbench.evaluate(folder, broken)


def test_a_damaged_truth_table_is_told(table: Path, ds: xr.Dataset, tmp_path: Path) -> None:
    content = pq.read_table(table)
    areas = pa.array([[-1.0]] * content.num_rows, pa.list_(pa.float32()))
    numbers = pa.array([[0]] * content.num_rows, pa.list_(pa.int32()))
    place = content.column_names.index
    odd = content.set_column(place("overlap_area"), "overlap_area", areas)
    odd = odd.set_column(place("overlap_division"), "overlap_division", numbers)
    pq.write_table(odd, tmp_path / "odd.parquet")
    folder = write_parts(predict(ds), tmp_path / "parts", [10])
    with pytest.raises(BoardError, match="no truth table"):
        llpbench.evaluate(folder, open_truth(tmp_path / "odd.parquet"))


def test_the_command_takes_parts_and_truth_tables(
    store: Path, ds: xr.Dataset, table: Path, tmp_path: Path
) -> None:
    predictions = predict(ds)
    folder = write_parts(predictions, tmp_path / "parts", [10, 25])
    expected = llpbench.evaluate(predictions, ds)
    for dataset in (store, table):
        done = CliRunner().invoke(
            cli, ["evaluate", str(folder), "--dataset", str(dataset), "--json"]
        )
        assert done.exit_code == 0, done.output
        found = json.loads(done.stdout)
        assert found["digests"] == expected.digests
        assert found["metrics"]["mae"]["value"] == pytest.approx(expected.value("mae"), rel=1e-12)
    plots = ["evaluate", str(folder), "--dataset", str(table), "--plots", str(tmp_path / "plots")]
    done = CliRunner().invoke(cli, plots)
    assert done.exit_code == 0, done.output
    drawn = sorted(file.name for file in (tmp_path / "plots").iterdir())
    assert drawn == ["classes.png", "coverage.png"]  # what needs no chips
    wrong = CliRunner().invoke(cli, [*plots[:4], "--split", "val"])
    assert "is of the split 'test', not of 'val'" in str(wrong.exception)


def test_parts_are_a_table_to_every_command(ds: xr.Dataset, tmp_path: Path) -> None:
    predictions = predict(ds)
    folder = write_parts(predictions, tmp_path / "parts.parquet", [10, 25])
    read = llpbench.read_predictions(folder)
    xr.testing.assert_identical(read, predictions)


def test_a_split_knows_what_it_is_scored_by(store: Path, ds: xr.Dataset) -> None:
    streamed, whole = SplitTruth.of_store(store, "test"), SplitTruth.of(ds, "test")
    assert (streamed.chips, streamed.categories) == (whole.chips, whole.categories)
    np.testing.assert_array_equal(streamed.proportions, whole.proportions)
    np.testing.assert_allclose(streamed.areas, whole.areas, rtol=1e-12)
    assert streamed.null == pytest.approx(whole.null, rel=1e-12)
    ids = [block["chip"].to_numpy() for block in streamed.blocks(False)]
    assert len(ids) > 2
    assert np.concatenate(ids).tolist() == whole.listing["chip"].to_numpy().tolist()


def test_what_a_killed_writer_left_is_no_part(tmp_path: Path) -> None:
    for name in ("part-000000.parquet", ".part-000001.part.parquet"):
        (tmp_path / name).write_bytes(b"PAR1")
    assert [file.name for file in part_files(tmp_path)] == ["part-000000.parquet"]
