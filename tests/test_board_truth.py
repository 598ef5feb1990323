"""Truth tables: the same scores as with the imagery, to the last bit."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xarray as xr
from boards import predict
from click.testing import CliRunner
from hostile import assert_sentence
from regions import make_region, write_region

import llpbench
from llpbench import catalog
from llpbench.board.card import DatasetCard, make_card
from llpbench.board.result import read_stored, write_stored
from llpbench.board.truth import make_truth, read_truth, scored_divisions, write_truth
from llpbench.cli import cli
from llpbench.errors import BoardError, LLPBenchError


@pytest.fixture(scope="module", params=["esaworldcover", "humanpop"])
def ds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """Chips on borders, outside every division and without a label are among them."""
    path = tmp_path_factory.mktemp("stores") / "grid"
    region = make_region(18, 9, 6, 3, outside=1, unlabelled=12, labels=request.param)
    write_region(region, path)
    return llpbench.open_dataset(path)


@pytest.fixture(scope="module")
def table(ds: xr.Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("truth") / "grid.parquet"
    write_truth(make_truth(ds), path)
    return path


def test_scores_are_those_of_the_dataset(ds: xr.Dataset, table: Path) -> None:
    truth = read_truth(table)
    seeds = [predict(truth, seed) for seed in range(3)]
    expected = llpbench.evaluate(seeds, ds)
    found = llpbench.evaluate(seeds, truth)
    assert found.to_json() == expected.to_json()
    assert found.metrics == expected.metrics
    assert found.unscored_chips > 0
    assert {"division_consistency", "within_division_r2", "skill"} <= set(found.metrics)


def test_scores_are_those_of_the_dataset_where_pixels_are_scored_too(
    ds: xr.Dataset, table: Path
) -> None:
    """Truth is then counted by the other path, beside the segmentation."""
    truth = read_truth(table)
    predictions = predict(truth, side=24)
    with_pixels = llpbench.evaluate(predictions, ds).table()
    found = llpbench.evaluate(predictions.drop_vars("segmentation"), truth).table()
    assert found.equals(with_pixels.loc[found.index])


def test_a_table_is_read_as_it_was_made(ds: xr.Dataset, table: Path) -> None:
    made, read = make_truth(ds), read_truth(table)
    for name in ("truth", "target", "division_proportions", "train_mean", "own_division"):
        np.testing.assert_array_equal(read[name].to_numpy(), made[name].to_numpy(), err_msg=name)
    assert (made.llp.bags() != read.llp.bags()).nnz == 0
    assert {key: made.attrs[key] for key in read.attrs} == read.attrs
    assert "image" not in read
    train = ds.llp.group().llp.split("train")
    assert read.attrs["train_chips"] == train.sizes["chip"]
    assert read.attrs["train_divisions"] == train.sizes["division"]


def test_divisions_are_those_of_the_scores(ds: xr.Dataset, table: Path) -> None:
    truth = read_truth(table)
    scores = llpbench.evaluate(predict(truth), ds)
    divisions, chips = scored_divisions(truth)
    assert divisions.tolist() == scores.divisions
    np.testing.assert_array_equal(chips, scores.tallies["errors"][0, :, -1])


def test_segmentations_need_the_imagery(table: Path) -> None:
    truth = read_truth(table)
    with pytest.raises(LLPBenchError, match="no labels"):
        llpbench.evaluate(predict(truth, side=24), truth)


def test_scores_on_a_table_have_no_outlines(table: Path) -> None:
    truth = read_truth(table)
    divisions = llpbench.evaluate(predict(truth), truth).per_division
    assert divisions.geometry.isna().all()
    assert divisions["mae"].notna().all()


def test_what_is_no_truth_table_is_refused(table: Path, tmp_path: Path) -> None:
    path = tmp_path / "grid.parquet"
    with pytest.raises(BoardError, match="llpbench leaderboard truth grid") as caught:
        read_truth(path)
    assert_sentence(caught.value)
    path.write_bytes(b"nonsense")
    with pytest.raises(BoardError, match="no truth table"):
        read_truth(path)
    plain = pq.read_table(table)
    pq.write_table(plain.replace_schema_metadata({}), path)
    with pytest.raises(BoardError, match="no truth table"):
        read_truth(path)
    newer = json.loads(plain.schema.metadata[b"llpbench"]) | {"format": 2}
    pq.write_table(plain.replace_schema_metadata({b"llpbench": json.dumps(newer).encode()}), path)
    with pytest.raises(BoardError, match="upgrade llpbench"):
        read_truth(path)
    pq.write_table(pa.table({"chip": ["a"]}), path)
    with pytest.raises(BoardError, match="no truth table"):
        read_truth(path)


def test_a_card_shows_divisions_and_chips(ds: xr.Dataset, tmp_path: Path) -> None:
    path = tmp_path / "grid.json"
    assert read_stored(path, DatasetCard) is None
    card = make_card(ds)
    write_stored(card, path)
    assert read_stored(path, DatasetCard) == card
    part = ds.llp.group().llp.split("test")
    assert set(card.divisions) == set(part["division"].to_numpy())
    # rectangles stay as they are: five corners, the last is the first
    assert all(len(one.outline) == 1 for one in card.divisions.values())
    assert {len(one.outline[0]) for one in card.divisions.values()} == {5}
    truth = dict(zip(part["chip"].to_numpy(), part.llp.truth().to_numpy(), strict=True))
    assert len(card.examples) == len({one.chip for one in card.examples}) == 6
    for one in card.examples:
        np.testing.assert_allclose(one.truth, truth[one.chip], atol=5e-5)
        assert one.image.startswith("data:image/png;base64,iVBOR")
        assert one.label.startswith("data:image/png;base64,iVBOR")
    path.write_text("{}")
    with pytest.raises(BoardError, match="card of a dataset"):
        read_stored(path, DatasetCard)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda c: c["attributes"].update(name="../../outside"), "cannot name a dataset"),
        (lambda c: c["attributes"].update(label_set="{"), "no truth table"),
        (lambda c: c.pop("attributes"), "attributes"),
        (lambda c: c.update(divisions=["a"]), "differ in number"),
        (lambda c: c.update(train_mean=[1.0]), "differ in number"),
        (lambda c: c.update(categories=["other"] * len(c["categories"])), "its class groups"),
        (lambda c: c.update(division_proportions="x"), "division_proportions"),
    ],
)
def test_a_truth_table_that_contradicts_itself(
    change: Callable[[dict[str, Any]], object], match: str, table: Path, tmp_path: Path
) -> None:
    read = pq.read_table(table)
    content = json.loads(read.schema.metadata[b"llpbench"])
    change(content)
    path = tmp_path / "grid.parquet"
    pq.write_table(read.replace_schema_metadata({b"llpbench": json.dumps(content)}), path)
    with pytest.raises(BoardError, match=match) as caught:
        read_truth(path)
    assert_sentence(caught.value)


def test_a_truth_table_whose_columns_are_others(table: Path, tmp_path: Path) -> None:
    read = pq.read_table(table)
    lists = [[99] * len(row) for row in read["overlap_division"].to_pylist()]
    elsewhere = pa.array(lists, pa.list_(pa.int32()))
    place = read.column_names.index("overlap_division")
    for changed, match in (
        (read.drop_columns(["division"]), "no column 'division'"),
        (read.set_column(0, "chip", pa.array(range(len(read)))), "chip: int64"),
        (read.set_column(place, "overlap_division", elsewhere), "not there"),
    ):
        pq.write_table(changed, tmp_path / "grid.parquet")
        with pytest.raises(BoardError, match=match):
            read_truth(tmp_path / "grid.parquet")


def test_a_dataset_without_labels_has_no_truth(tmp_path: Path) -> None:
    region = make_region(6, 3, 3, 1, unlabelled=18)
    write_region(region, tmp_path / "bare")
    with pytest.raises(BoardError, match="no chip of the test split of 'bare' has a label"):
        make_truth(llpbench.open_dataset(tmp_path / "bare"))


def test_part_of_a_published_dataset_is_no_truth_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ``download --chips`` makes it; the whole has the published numbers in every split."""
    name = "benelux-humanpop"
    write_region(make_region(6, 3, 3, 1, labels="humanpop"), tmp_path / name)
    command = ["leaderboard", "truth", str(tmp_path / name), "--board", str(tmp_path / "board")]
    with pytest.raises(BoardError, match="published with 72,213 chips in all, this one has 18"):
        CliRunner().invoke(cli, command, catch_exceptions=False)
    assert not (tmp_path / "board").exists()
    split = llpbench.open_dataset(tmp_path / name)["split"].to_numpy()
    counts = {part: int((split == part).sum()) for part in ("train", "val", "test")}
    entry = replace(catalog.dataset(name), chips=18, splits={"split": counts})
    monkeypatch.setitem(catalog.load().datasets, name, entry)
    CliRunner().invoke(cli, command, catch_exceptions=False)
    assert (tmp_path / "board" / "truth" / f"{name}.parquet").exists()
    moved = {**counts, "train": counts["train"] + 1, "val": counts["val"] - 1}
    monkeypatch.setitem(catalog.load().datasets, name, replace(entry, splits={"split": moved}))
    with pytest.raises(BoardError, match="chips train"):
        CliRunner().invoke(cli, command, catch_exceptions=False)
