"""A dataset opened as xarray: lazy, splittable, groupable, and its overlaps hold together."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hostile import assert_sentence
from hypothesis import given, settings
from hypothesis import strategies as st
from regions import make_region, write_region

import llpbench
from llpbench.errors import LLPBenchError, StoreError, UnknownNameError

SPLITS = ("train", "val", "test")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine divisions with two cut columns each row, a column outside, two chips unlabelled."""
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(9, 6, 3, 3, outside=1, unlabelled=2), path)
    return path


@pytest.fixture(scope="module")
def ds(path: Path) -> xr.Dataset:
    return llpbench.open_dataset(path)


def _areas(ds: xr.Dataset) -> dict[tuple[str, str], float]:
    return ds.llp.overlaps().set_index(["chip", "division"])["area_km2"].to_dict()


# Opening


def test_pixels_are_read_when_they_are_asked_for(ds: xr.Dataset, path: Path) -> None:
    for name in ("image", "label"):
        assert isinstance(ds[name].data, da.Array)
    for name in set(ds.variables) - {"image", "label"}:
        assert isinstance(ds[name].data, np.ndarray)
    opened = llpbench.open_dataset(path)
    for kept in (opened.llp.split("train"), opened.llp.group(), opened.isel(chip=[3, 1])):
        assert isinstance(kept["label"].data, da.Array)


def test_opening_by_name_path_or_text(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLPBENCH_CACHE", str(path.parent))
    digests = {llpbench.open_dataset(name).attrs["digest"] for name in ("grid", path, str(path))}
    assert len(digests) == 1
    assert "grid" in llpbench.list_datasets()
    assert llpbench.open_dataset("grid").attrs["name"] == "grid"


def test_opening_one_split_is_splitting(ds: xr.Dataset, path: Path) -> None:
    for name in SPLITS:
        xr.testing.assert_identical(llpbench.open_dataset(path, name), ds.llp.split(name))


def test_names_that_are_none(path: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'benelux-humanpop'") as caught:
        llpbench.open_dataset("benelux-humanpo")
    assert_sentence(caught.value)
    with pytest.raises(StoreError, match="llpbench download benelux-humanpop") as caught:
        llpbench.open_dataset("benelux-humanpop")
    assert_sentence(caught.value)
    with pytest.raises(UnknownNameError, match="there is no split 'dev'"):
        llpbench.open_dataset(path, "dev")
    with pytest.raises(StoreError, match="is not a dataset"):
        llpbench.open_dataset(tmp_path)


def test_importing_the_package_is_light() -> None:
    code = (
        "import sys, llpbench; print([m for m in ('numpy', 'xarray', 'click') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


# Splits


@pytest.mark.parametrize("name", SPLITS)
def test_a_split_holds_its_chips_and_the_divisions_they_own(ds: xr.Dataset, name: str) -> None:
    part = ds.llp.split(name)
    expected = ds["chip"].to_numpy()[ds["split"].to_numpy() == name]
    np.testing.assert_array_equal(part["chip"], expected)
    owned = set(part["own_division"].to_numpy().tolist()) - {""}
    assert set(part["division"].to_numpy().tolist()) == owned
    for other in set(SPLITS) - {name}:
        assert not owned & set(ds.llp.split(other)["division"].to_numpy().tolist())
    np.testing.assert_array_equal(part["overlap_chip"].isin(part["chip_number"]), True)
    np.testing.assert_array_equal(part["overlap_division"].isin(part["division_number"]), True)


def test_splits_take_all_chips_once(ds: xr.Dataset) -> None:
    parts = [ds.llp.split(name)["chip"].to_numpy().tolist() for name in SPLITS]
    together = [chip for part in parts for chip in part]
    assert sorted(together) == sorted(ds["chip"].to_numpy().tolist())


def test_a_border_chip_is_mixed_from_the_divisions_that_remain(ds: xr.Dataset) -> None:
    region = make_region(9, 6, 3, 3, outside=1, unlabelled=2)
    shares = pd.DataFrame(region.division_proportions, index=region.divisions.index)
    for name in SPLITS:
        part = ds.llp.split(name)
        kept = set(part["division"].to_numpy().tolist())
        areas = _areas(ds)
        for chip, target in zip(part["chip"].to_numpy(), part["target"].to_numpy(), strict=True):
            own = {d: area for (c, d), area in areas.items() if c == chip and d in kept}
            if not own:
                assert np.isnan(target).all()
                continue
            mixed = sum(shares.loc[d] * area for d, area in own.items()) / sum(own.values())
            np.testing.assert_allclose(target, mixed, atol=1e-6)


def test_border_chips_can_be_dropped(ds: xr.Dataset) -> None:
    """Both inner borders of a row cut a chip; the columns of divisions are a split each."""
    areas = pd.Series(_areas(ds))
    split = ds["split"].to_series()
    division_split = ds.llp.divisions()["split"]
    cut = 0
    for name in SPLITS:
        whole, dropped = ds.llp.split(name), ds.llp.split(name, border="drop")
        chips = set(split.index[split == name])
        border = {c for c, d in areas.index if c in chips and division_split[d] != name}
        cut += len(border)
        kept = [c for c in whole["chip"].to_numpy().tolist() if c not in border]
        assert dropped["chip"].to_numpy().tolist() == kept
        same = whole["target"].sel(chip=kept)
        np.testing.assert_allclose(dropped["target"], same, atol=1e-7)
    assert cut == 12
    with pytest.raises(UnknownNameError, match="did you mean 'drop'"):
        ds.llp.split("train", border="dropped")  # type: ignore[arg-type]


@pytest.mark.parametrize("border", ["renormalise", "drop"])
@pytest.mark.parametrize("name", SPLITS)
@pytest.mark.parametrize("grouped", [False, True])
def test_a_split_never_depends_on_proportions_of_other_splits(
    ds: xr.Dataset, name: str, border: Any, grouped: bool
) -> None:
    """The poison: everything other splits' divisions say becomes noise."""
    own = ds["division"].isin(ds.llp.split(name)["division"])
    noise = np.random.default_rng(1)
    shares = ds["division_proportions"]
    junk = noise.random(shares.shape).astype(np.float32) * 100
    mine = ds["split"] == name
    poisoned = ds.assign(
        division_proportions=shares.where(own, junk),
        target=ds["target"] * 0 + 7,  # a split works it out anew
        chip_proportions=ds["chip_proportions"].where(mine, 9),
        label=ds["label"].where(mine, 3).astype(np.uint8),
    )
    assert not np.array_equal(poisoned["division_proportions"], shares)

    def split(dataset: xr.Dataset) -> xr.Dataset:
        dataset = dataset.llp.group() if grouped else dataset
        return dataset.llp.split(name, border=border).load()

    xr.testing.assert_equal(split(poisoned), split(ds))


def test_splitting_twice_changes_nothing(ds: xr.Dataset) -> None:
    once = ds.llp.split("train")
    xr.testing.assert_allclose(once.llp.split("train"), once)


# Overlaps


@settings(max_examples=40)
@given(st.data())
def test_selecting_and_shuffling_never_break_an_overlap(
    ds: xr.Dataset, data: st.DataObject
) -> None:
    chips = data.draw(st.lists(st.sampled_from(range(ds.sizes["chip"])), unique=True, max_size=20))
    divisions = data.draw(st.permutations(range(ds.sizes["division"])))
    divisions = divisions[: data.draw(st.integers(0, len(divisions)))]
    part = ds.isel(chip=chips, division=divisions)
    ids, names = set(part["chip"].to_numpy().tolist()), set(part["division"].to_numpy().tolist())
    expected = {pair: a for pair, a in _areas(ds).items() if pair[0] in ids and pair[1] in names}
    assert _areas(part) == expected

    bags = part.llp.bags()
    assert bags.shape == (len(divisions), len(chips))
    for row, division in zip(bags.toarray(), part["division"].to_numpy(), strict=True):
        areas = [expected.get((chip, division), 0.0) for chip in part["chip"].to_numpy().tolist()]
        np.testing.assert_allclose(row, np.array(areas) / (sum(areas) or 1), rtol=1e-6)


def test_overlaps_are_those_of_the_grid(ds: xr.Dataset) -> None:
    """54 chips in divisions, 12 of them (2 borders in 6 rows) in two: 0.75 and 0.25."""
    overlaps = ds.llp.overlaps()
    assert len(overlaps) == 54 + 12
    total = overlaps.groupby("chip")["area_km2"].sum()
    share = overlaps["area_km2"] / total[overlaps["chip"]].to_numpy()
    counts = share.round(4).value_counts()
    assert counts.to_dict() == {1.0: 42, 0.75: 12, 0.25: 12}
    order = {chip: number for number, chip in enumerate(ds["chip"].to_numpy().tolist())}
    assert overlaps["chip"].map(order).is_monotonic_increasing


def test_bags_turn_chips_into_division_means(ds: xr.Dataset) -> None:
    inside = ds.isel(chip=np.isfinite(ds["target"]).all("category").to_numpy())
    constant = inside.llp.bags() @ np.ones(inside.sizes["chip"])
    np.testing.assert_allclose(constant, 1, rtol=1e-6)
    nothing = ds.isel(chip=[]).llp.bags()
    assert nothing.shape == (9, 0)


# Groups, firewall, tables


def test_grouping_sums_shares_and_maps_labels(ds: xr.Dataset) -> None:
    grouped = ds.llp.group()
    assert grouped["category_name"].to_numpy().tolist() == [
        "other",
        "tree",
        "shrub-grass-bare",
        "cropland",
        "built-up",
    ]
    members = [[0, 7, 8, 9, 10, 11], [1], [2, 3, 6], [4], [5]]
    for name in ("target", "chip_proportions", "division_proportions"):
        summed = np.stack([ds[name].to_numpy()[:, m].sum(axis=1) for m in members], axis=1)
        np.testing.assert_allclose(grouped[name], summed, atol=1e-6)
        assert grouped[name].dtype == np.float32
    assert grouped["label"].dtype == np.uint8
    for number, group in enumerate(members):
        np.testing.assert_array_equal(grouped["label"] == number, ds["label"].isin(group))
    np.testing.assert_array_equal(grouped["label"] == 255, ds["label"] == 255)
    assert len(grouped["label"].attrs["flag_meanings"].split()) == 6
    assert grouped.llp.is_grouped
    assert not ds.llp.is_grouped
    xr.testing.assert_identical(grouped.llp.group(), grouped)


def test_grouping_and_splitting_can_be_done_in_any_order(ds: xr.Dataset) -> None:
    one, other = ds.llp.group().llp.split("val"), ds.llp.split("val").llp.group()
    xr.testing.assert_allclose(one.load(), other.load())


def test_grouping_what_the_firewall_left(ds: xr.Dataset) -> None:
    left = ds.llp.restrict("division").llp.group()
    assert not {"label", "chip_proportions"} & set(left)
    xr.testing.assert_identical(left, ds.llp.group().llp.restrict("division"))


def test_truth_is_counted_in_the_score_window(ds: xr.Dataset) -> None:
    labels = ds["label"].to_numpy()[:, 2:98, 2:98].reshape(ds.sizes["chip"], -1)
    expected = np.array(
        [
            np.bincount(row, minlength=256)[:12] / 96**2 if row[0] < 255 else [np.nan] * 12
            for row in labels
        ]
    )
    truth = ds.llp.truth()
    np.testing.assert_allclose(truth, expected)
    assert truth["chip"].equals(ds["chip"])
    assert np.isnan(truth).all("category").sum() == 2
    summed = expected[:, [0, 7, 8, 9, 10, 11]].sum(axis=1)
    np.testing.assert_allclose(ds.llp.group().llp.truth()[:, 0], summed)
    loaded = ds.isel(chip=[4, 2]).load().llp.truth()
    np.testing.assert_allclose(loaded, truth.isel(chip=[4, 2]))
    with pytest.raises(LLPBenchError, match="label") as caught:
        ds.llp.restrict("division").llp.truth()
    assert_sentence(caught.value)


def test_divisions_as_a_table(ds: xr.Dataset) -> None:
    region = make_region(9, 6, 3, 3, outside=1, unlabelled=2)
    table = ds.llp.divisions()
    assert table.index.tolist() == region.divisions.index.tolist()
    assert table["name"].tolist() == region.divisions["name"].tolist()
    assert table.geometry.geom_equals_exact(region.divisions.geometry, 0).all()
    assert table.crs == "EPSG:4326"
    assert table["split"].tolist() == [SPLITS[number % 3] for number in range(9)]
    assert table["chips"].tolist() == [6] * 9
    np.testing.assert_allclose(table["cropland"], region.division_proportions[:, 4], atol=1e-7)
    # the nine divisions hold nothing but the 54 chips inside
    assert table["area_km2"].sum() == pytest.approx(ds["overlap_area"].sum().item(), rel=1e-6)
    some = ds.isel(division=[7, 2]).llp.group().llp.divisions()
    assert some.index.tolist() == [table.index[7], table.index[2]]
    assert {"other", "built-up"} <= set(some)


def test_a_dataset_without_attributes_says_what_is_missing(ds: xr.Dataset) -> None:
    with pytest.raises(LLPBenchError, match="lost its attributes") as caught:
        ds.drop_attrs().llp.group()
    assert_sentence(caught.value)


def test_an_unknown_chip_is_not_drawn(ds: xr.Dataset) -> None:
    with pytest.raises(UnknownNameError, match="there is no chip 'nowhere'"):
        ds.llp.plot_chip("nowhere")


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_part_is_written_and_read_as_zarr(
    ds: xr.Dataset, tmp_path: Path, zarr_format: Any
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zarr's own about text
        ds.isel(chip=slice(10)).to_zarr(tmp_path / "part.zarr", zarr_format=zarr_format)
        part = xr.open_zarr(tmp_path / "part.zarr")
    xr.testing.assert_equal(part.load(), ds.isel(chip=slice(10)).load())
    assert _areas(part) == _areas(ds.isel(chip=slice(10)))


def test_parts_that_were_joined_with_tables_of_their_own_say_how_to_join(ds: xr.Dataset) -> None:
    parts = [ds.isel(chip=slice(10)), ds.isel(chip=slice(10, None))]
    joined = xr.concat(parts, "chip", data_vars="all", coords="minimal", compat="override")
    with pytest.raises(LLPBenchError, match="data_vars='minimal'") as caught:
        joined.llp.overlaps()
    assert_sentence(caught.value)
    rightly = xr.concat(parts, "chip", data_vars="minimal", coords="minimal", compat="override")
    assert _areas(rightly) == _areas(ds)
    twice = xr.concat([parts[0]] * 2, "chip", data_vars="minimal", coords="minimal",
                      compat="override")  # fmt: skip
    with pytest.raises(LLPBenchError, match="more than once"):
        twice.llp.overlaps()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
def test_a_forked_process_reads_after_its_parent_has(ds: xr.Dataset) -> None:
    """As workers of a data loader do; in a fresh interpreter, whose threads are known."""
    program = (
        "import os, sys, llpbench; ds = llpbench.open_dataset(sys.argv[1])\n"
        "want = ds['image'].to_numpy().sum()\n"
        "child = os.fork()\n"
        "if child == 0: os._exit(int(ds['image'].to_numpy().sum() != want))\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    store = str(ds.llp.info.store)
    subprocess.run([sys.executable, "-P", "-c", program, store], check=True, timeout=120)
