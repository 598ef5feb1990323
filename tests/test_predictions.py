"""Predictions: what is accepted, in what order, and what is refused with which sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from regions import make_region, write_region

import llpbench
from llpbench.errors import PredictionsError
from llpbench.predictions.table import check_predictions, make_predictions, template

CATEGORIES = ["other", "tree", "shrub-grass-bare", "cropland", "built-up"]


@pytest.fixture(scope="module")
def test_split(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(12, 6, 3, 2), path)
    return llpbench.open_dataset(path, "test")


@pytest.fixture
def good(test_split: xr.Dataset) -> xr.Dataset:
    count = test_split.sizes["chip"]
    shares = np.random.default_rng(0).dirichlet(np.ones(5), count)
    grid = np.random.default_rng(1).integers(0, 5, (count, 24, 24), dtype=np.uint8)
    return make_predictions(
        test_split["chip"].to_numpy(),
        CATEGORIES,
        shares,
        grid,
        dataset=test_split.attrs["name"],
        digest=test_split.attrs["digest"],
        method="a method",
        seed=3,
        track="inductive",
        trained_on="grid",
        split="test",
    )


@pytest.mark.parametrize("ending", ["csv", "parquet", "zarr"])
def test_a_file_gives_back_what_was_written(ending: str, good: xr.Dataset, tmp_path: Path) -> None:
    written = good if ending == "zarr" else good.drop_vars("segmentation")
    llpbench.write_predictions(written, tmp_path / f"p.{ending}")
    read = llpbench.read_predictions(tmp_path / f"p.{ending}")
    xr.testing.assert_equal(read, written)
    assert read.attrs == ({} if ending == "csv" else written.attrs)
    assert [path.name for path in tmp_path.iterdir()] == [f"p.{ending}"]


def test_writing_again_replaces_the_file(good: xr.Dataset, tmp_path: Path) -> None:
    for seed in (3, 4):
        llpbench.write_predictions(good.assign_attrs(seed=seed), tmp_path / "p.zarr")
    assert llpbench.read_predictions(tmp_path / "p.zarr").attrs["seed"] == 4


def test_order_of_chips_and_categories_does_not_matter(
    good: xr.Dataset, test_split: xr.Dataset
) -> None:
    shuffled = good.isel(
        chip=np.random.default_rng(2).permutation(good.sizes["chip"]), category=[4, 2, 0, 1, 3]
    )
    # numbers in a segmentation refer to the file's own order of categories
    renumbered = np.array([2, 3, 1, 4, 0], dtype=np.uint8)[shuffled["segmentation"].to_numpy()]
    shuffled = shuffled.assign(segmentation=shuffled["segmentation"].copy(data=renumbered))
    checked = check_predictions(shuffled, test_split)
    xr.testing.assert_equal(checked, good)


def test_a_template_is_complete_but_for_the_shares(test_split: xr.Dataset, tmp_path: Path) -> None:
    llpbench.write_predictions(template(test_split), tmp_path / "empty.csv")
    table = pd.read_csv(tmp_path / "empty.csv", dtype={"chip": str})
    assert table.columns.tolist() == ["chip", *CATEGORIES]
    assert table["chip"].tolist() == test_split["chip"].to_numpy().tolist()
    table[CATEGORIES] = 0.2
    table.to_csv(tmp_path / "full.csv", index=False)
    checked = check_predictions(llpbench.read_predictions(tmp_path / "full.csv"), test_split)
    np.testing.assert_array_equal(checked["proportions"], np.float32(0.2))


@given(arrays(np.float64, (24, 5), elements=st.floats(1e-3, 1e3)))
def test_renormalised_shares_are_divided_by_their_sum(
    test_split: xr.Dataset, raw: np.ndarray
) -> None:
    chips = test_split["chip"].to_numpy()
    predictions = make_predictions(chips, CATEGORIES, raw)
    checked = check_predictions(predictions, test_split, renormalise=True)
    expected = predictions["proportions"].to_numpy().astype(float)
    expected = expected / expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(checked["proportions"], expected, rtol=1e-6)


Table = pd.DataFrame
BROKEN_TABLES: dict[str, tuple[Callable[[Table], Table], str]] = {
    "a missing chip": (lambda t: t.iloc[1:], r"1 missing \('"),
    "many missing chips": (lambda t: t.iloc[5:], r"5 missing \('.*\.\.\.\)"),
    "an extra chip": (
        lambda t: pd.concat([t, t.iloc[:1].assign(chip="0000000000000")]),
        r"1 unknown \('0000000000000'\)",
    ),
    "a duplicate chip": (lambda t: pd.concat([t, t.iloc[:1]]), "1 there more than once"),
    "no rows": (lambda t: t.iloc[:0], "missing"),
    "no chip column": (lambda t: t.drop(columns="chip"), "must have a column 'chip'"),
    "an unnamed chip": (
        lambda t: t.assign(chip=t["chip"].where(t.index > 0)),
        "1 rows name no chip",
    ),
    "no shares": (lambda t: t[["chip"]], "no column but 'chip'"),
    "a missing category": (lambda t: t.drop(columns="tree"), r"category .*1 missing \('tree'\)"),
    "an extra category": (lambda t: t.assign(water=0.0), r"category .*1 unknown \('water'\)"),
    "label classes for groups": (
        lambda t: t.rename(columns={"tree": "tree cover"}),
        r"1 missing \('tree'\); 1 unknown \('tree cover'\)",
    ),
    "numbers for names": (
        lambda t: t.set_axis(["chip", "0", "1", "2", "3", "4"], axis=1),
        "5 missing",
    ),
    "NaN": (lambda t: t.assign(tree=np.nan), "must be finite"),
    "infinity": (lambda t: t.assign(tree=np.inf), "must be finite"),
    "negative shares": (lambda t: t.assign(tree=t["tree"] - 2), "must not be negative"),
    "sums above 1": (lambda t: t.assign(tree=t["tree"] + 0.01), "sum to 1 within 0.001"),
    "sums below 1": (lambda t: t.assign(tree=t["tree"] / 2), "sum to 1 within 0.001"),
    "text shares": (lambda t: t.assign(tree="much"), "column 'tree' must hold numbers"),
    "coordinates": (lambda t: t.assign(lon=4.5), r"category .*1 unknown \('lon'\)"),
}


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("name", BROKEN_TABLES)
def test_broken_tables_are_refused(
    name: str, ending: str, good: xr.Dataset, test_split: xr.Dataset, tmp_path: Path
) -> None:
    break_it, message = BROKEN_TABLES[name]
    table = good["proportions"].to_pandas().astype(float).rename_axis("chip").reset_index()
    path = tmp_path / f"p.{ending}"
    broken = break_it(table)
    broken.to_csv(path, index=False) if ending == "csv" else broken.to_parquet(path)
    with pytest.raises(PredictionsError, match=message) as caught:
        llpbench.evaluate(path, test_split)
    assert "\n" not in str(caught.value)


BROKEN_DATASETS: dict[str, tuple[Callable[[xr.Dataset], xr.Dataset], str]] = {
    "another dataset": (lambda p: p.assign_attrs(dataset="elsewhere"), "for dataset 'elsewhere'"),
    "another digest": (lambda p: p.assign_attrs(digest="sha256:0"), "for digest 'sha256:0'"),
    "no proportions": (lambda p: p.drop_vars("proportions"), "need 'proportions'"),
    "transposed": (lambda p: p.transpose("category", "chip", ...), "must be over"),
    "a segmentation that is not square": (lambda p: p.isel(row=slice(12)), "square .* 12 x 24"),
    "a side that does not divide 96": (
        lambda p: p.isel(row=slice(7), column=slice(7)),
        "divides 96, found 7 x 7",
    ),
    "float classes": (lambda p: p.assign(segmentation=p["segmentation"] * 1.0), "be integers"),
    "a class too high": (
        lambda p: p.assign(segmentation=p["segmentation"] + np.uint8(3)),
        "0 to 4, found 3 to 7",
    ),
    "a negative class": (
        lambda p: p.assign(segmentation=p["segmentation"].astype(np.int16) - 1),
        "found -1 to 3",
    ),
    "no names of chips": (lambda p: p.drop_vars("chip"), "'chip' is missing"),
    "no names of categories": (lambda p: p.drop_vars("category"), "'category' is missing"),
    "text for numbers": (
        lambda p: p.assign(proportions=p["proportions"].astype(str)),
        "must be numbers",
    ),
}


@pytest.mark.parametrize("name", BROKEN_DATASETS)
def test_broken_datasets_are_refused(name: str, good: xr.Dataset, test_split: xr.Dataset) -> None:
    break_it, message = BROKEN_DATASETS[name]
    with pytest.raises(PredictionsError, match=message):
        llpbench.evaluate(break_it(good), test_split)


def _write_garbage(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 20)


def _write_folder(path: Path) -> None:
    path.mkdir()
    (path / "zarr.json").write_text("{}")


BROKEN_FILES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "nothing there": ("p.csv", lambda path: None, "there are no predictions"),
    "unknown ending": ("p.xlsx", _write_garbage, "must end in .csv, .parquet or .zarr"),
    "empty csv": ("p.csv", lambda path: path.write_text(""), "cannot be read"),
    "binary csv": ("p.csv", _write_garbage, "cannot be read|must have a column 'chip'"),
    "ragged csv": ("p.csv", lambda path: path.write_text("chip,tree\na,1\nb,1,2,3\n"), "cannot be"),
    "garbage parquet": ("p.parquet", _write_garbage, "cannot be read"),
    "a folder for a csv": ("p.csv", lambda path: path.mkdir(), "cannot be read"),
    "a file for a zarr": ("p.zarr", _write_garbage, "cannot be read"),
    "a zarr of nothing": ("p.zarr", _write_folder, "cannot be read|need 'proportions'"),
    "nested parquet": (
        "p.parquet",
        lambda path: pq.write_table(pa.table({"chip": ["a"], "tree": [[0.5, 0.5]]}), path),
        "must hold numbers",
    ),
}


@pytest.mark.parametrize("name", BROKEN_FILES)
def test_broken_files_are_refused(name: str, test_split: xr.Dataset, tmp_path: Path) -> None:
    file, write, message = BROKEN_FILES[name]
    write(tmp_path / file)
    with pytest.raises(PredictionsError, match=message) as caught:
        llpbench.evaluate(tmp_path / file, test_split)
    assert "\n" not in str(caught.value)


def test_metadata_of_a_parquet_is_data_only(good: xr.Dataset, tmp_path: Path) -> None:
    table = pa.Table.from_pandas(good["proportions"].to_pandas().reset_index())
    hostile = {"dataset": {"nested": 1}, "unknown": "kept?", "method": "<b>m</b>", "seed": [1]}
    table = table.replace_schema_metadata({b"llpbench": json.dumps(hostile).encode()})
    pq.write_table(table, tmp_path / "p.parquet")
    assert llpbench.read_predictions(tmp_path / "p.parquet").attrs == {"method": "<b>m</b>"}


def test_a_segmentation_is_not_silently_lost(good: xr.Dataset, tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="cannot hold a segmentation"):
        llpbench.write_predictions(good, tmp_path / "p.parquet")
    assert not list(tmp_path.iterdir())
