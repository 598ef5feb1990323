"""Coarser, random and noisy divisions on the same chips."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from regions import make_region, write_region

import llpbench
from llpbench.errors import LLPBenchError, UnknownNameError
from llpbench.methods.registry import make_method
from llpbench.protocol import prediction_inputs


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """Six by four divisions of three by two chips, a column of chips outside."""
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(18, 8, 6, 4, outside=1, unlabelled=3), path)
    return llpbench.open_dataset(path).llp.group()


def test_nothing_asked_is_nothing_changed(opened: xr.Dataset) -> None:
    xr.testing.assert_allclose(opened.llp.rebag().load(), opened.load())
    assert (opened.llp.rebag()["own_division"] == opened["own_division"]).all()


def _area(ds: xr.Dataset) -> np.ndarray:
    overlaps = ds.llp.overlaps().groupby("division")["area_km2"].sum()
    return overlaps.reindex(ds["division"].to_numpy(), fill_value=0).to_numpy()


@pytest.mark.parametrize(("coarser", "left"), [(2, 4), (4, 2), (8, 1), (100, 1)])
def test_merged_divisions_know_the_mean_of_their_parts(
    opened: xr.Dataset, coarser: float, left: int
) -> None:
    """Eight divisions a split; area and area-weighted sums of proportions stay what they were."""
    made = opened.llp.rebag(coarser=coarser)
    for split in ("train", "val"):
        before, after = opened.llp.split(split), made.llp.split(split)
        assert after.sizes["division"] == left
        np.testing.assert_array_equal(after["chip"].values, before["chip"].values)
        sums = []
        for ds, whole in ((before, opened), (after, made)):
            area = _area(whole.sel(division=ds["division"]))
            sums.append((area.sum(), area @ ds["division_proportions"].to_numpy()))
        np.testing.assert_allclose(sums[1][0], sums[0][0], rtol=1e-5)
        np.testing.assert_allclose(sums[1][1], sums[0][1], rtol=1e-5)


def test_the_test_split_stays_as_it_is(opened: xr.Dataset) -> None:
    for options in ({"coarser": 3}, {"coarser": 2, "how": "random"}, {"points": 5}):
        made = opened.llp.rebag(**options).llp.split("test")
        xr.testing.assert_allclose(made.load(), opened.llp.split("test").load())


def test_targets_and_owners_follow_from_the_new_overlaps(opened: xr.Dataset) -> None:
    """Compared with a slow loop over the overlap table."""
    for options in ({"coarser": 3}, {"coarser": 2, "how": "random", "seed": 4}):
        made = opened.llp.rebag(**options)
        shares = dict(
            zip(made["division"].values, made["division_proportions"].values, strict=True)
        )
        table = made.llp.overlaps()
        split_of = {
            name: split
            for name, split in zip(made["own_division"].values, made["split"].values, strict=True)
            if name
        }
        for number, chip in enumerate(made["chip"].values):
            rows = table[table["chip"] == chip]
            if rows.empty:
                assert np.isnan(made["target"].values[number]).all()
                continue
            area = rows["area_km2"].to_numpy()
            expected = sum(a * shares[d] for a, d in zip(area, rows["division"], strict=True))
            np.testing.assert_allclose(made["target"].values[number], expected / area.sum(), 1e-4)
            same = rows[rows["division"].map(split_of) == made["split"].values[number]]
            if len(same):
                own = same.set_index("division")["area_km2"]
                assert own[made["own_division"].values[number]] == own.max()


def test_neighbours_are_merged(opened: xr.Dataset) -> None:
    """Merged divisions are no farther across than a random choice of as many chips."""
    made = opened.llp.rebag(coarser=4).llp.split("train")
    places = np.stack([made["lon"].values, made["lat"].values], axis=1)
    owner = made["own_division"].values
    spread = np.mean([places[owner == name].std(axis=0).sum() for name in np.unique(owner)])
    shuffled = np.random.default_rng(0).permutation(owner)
    by_chance = np.mean([places[shuffled == name].std(axis=0).sum() for name in np.unique(owner)])
    assert spread < 0.8 * by_chance


def test_random_bags_know_the_mean_of_their_chips(opened: xr.Dataset) -> None:
    made = opened.llp.rebag(coarser=2, how="random", seed=1).llp.split("train")
    assert made.sizes["division"] == 4
    labelled = np.isfinite(made["chip_proportions"].values).all(axis=1)
    means = made.llp.bags()[:, labelled] @ made["chip_proportions"].values[labelled]
    np.testing.assert_allclose(means, made["division_proportions"].values, atol=1e-6)
    sizes = np.diff(made.llp.bags().indptr)
    assert sizes.max() - sizes.min() <= 1
    other = opened.llp.rebag(coarser=2, how="random", seed=2).llp.split("train")
    again = opened.llp.rebag(coarser=2, how="random", seed=1).llp.split("train")
    assert (again["own_division"] == made["own_division"]).all()
    assert (other["own_division"] != made["own_division"]).any()


def test_surveys_are_multiples_of_a_point_and_right_on_average(opened: xr.Dataset) -> None:
    """The variance of a share p counted at n points is p (1 - p) / n."""
    exact = opened.llp.split("train")["division_proportions"].values.astype(float)
    found = np.stack(
        [
            opened.llp.rebag(points=20, seed=seed).llp.split("train")["division_proportions"].values
            for seed in range(100)
        ]
    )
    np.testing.assert_allclose(found * 20, np.round(found * 20), atol=1e-4)
    np.testing.assert_allclose(found.sum(axis=-1), 1, rtol=1e-5)
    error = np.sqrt(exact * (1 - exact) / 20)
    assert (np.abs(found.mean(axis=0) - exact) < 5 * error / np.sqrt(100) + 1e-6).all()
    np.testing.assert_allclose(found.std(axis=0).mean(), error.mean(), rtol=0.1)


def test_a_number_of_divisions_can_be_asked_for(opened: xr.Dataset) -> None:
    made = opened.llp.rebag(divisions=5)
    assert made.llp.split("train").sizes["division"] == 5
    assert made.llp.split("val").sizes["division"] == 5
    assert made.llp.split("test").sizes["division"] == 8


@pytest.mark.parametrize("name", ["train-mean", "bag-ridge", "aggregated-multinomial"])
@pytest.mark.parametrize("how", ["merge", "random"])
def test_methods_run_on_what_is_made(opened: xr.Dataset, name: str, how: str) -> None:
    made = opened.llp.rebag(coarser=2, how=how, points=100)
    train, val = (made.llp.split(part).llp.restrict("division") for part in ("train", "val"))
    parameters = {} if name == "train-mean" else {"words": 8, "sample": 2000}
    method = make_method(name, **parameters).fit(train, val)
    inputs = prediction_inputs(made.llp.split("test"), "inductive")
    scores = llpbench.evaluate(method.predict(inputs), made)
    assert 0 < scores.value("mae") < 1


def test_what_cannot_be_is_refused(opened: xr.Dataset) -> None:
    with pytest.raises(UnknownNameError, match="no split 'trian'; did you mean 'train'"):
        opened.llp.rebag(splits=["trian"])
    with pytest.raises(UnknownNameError, match="no way to make bags 'rand'"):
        opened.llp.rebag(how="rand")
    with pytest.raises(LLPBenchError, match=r"coarser must be 1 or more, found 0\.5"):
        opened.llp.rebag(coarser=0.5)
    with pytest.raises(LLPBenchError, match="one point or more, found 0"):
        opened.llp.rebag(points=0)
    with pytest.raises(LLPBenchError, match="rebag before restrict"):
        opened.llp.restrict("division").llp.rebag(how="random")
    with pytest.raises(LLPBenchError, match="made by rebag have no outlines"):
        opened.llp.rebag(coarser=2).llp.divisions()
