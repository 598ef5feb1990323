"""No method sees what its supervision and track forbid: forbidden arrays may hold anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from regions import make_region, write_region

import llpbench
from llpbench.errors import UnknownNameError
from llpbench.methods.method import Method
from llpbench.methods.registry import make_method
from llpbench.protocol import TRACKS, prediction_inputs

QUICK: dict[str, dict[str, Any]] = {
    "train-mean": {},
    "bag-ridge": {"words": 8, "sample": 500},
    "bag-ridge+calibrate": {"words": 8, "sample": 500},
    "aggregated-multinomial": {"words": 8, "sample": 500},
    "mean-map": {"features": "moments"},
    "bayesian-bag-ridge": {"features": "fourier", "cosines": 8},
    "downconv": {"epochs": 1},
    "downconv+emq+calibrate": {"epochs": 1},
    "llpnet": {"rounds": 1, "local_steps": 2, "first_steps": 2},
}
NETWORKS = ("downconv", "llpnet")
INDUCTIVE = [name for name in QUICK if not name.startswith(NETWORKS)]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(12, 6, 3, 2), path)
    return llpbench.open_dataset(path).llp.group()


def _poisoned(ds: xr.Dataset, names: tuple[str, ...]) -> xr.Dataset:
    """Replace variables by noise, as wrong as their types allow."""
    noise = np.random.default_rng(9)
    wrong = {
        name: ds[name].copy(
            data=noise.integers(0, 255, ds[name].shape).astype(ds[name].dtype)
            if ds[name].dtype.kind in "iu"
            else np.full(ds[name].shape, np.nan, dtype=ds[name].dtype)
        )
        for name in names
    }
    return ds.assign(wrong)


def _fit(method: Method, ds: xr.Dataset) -> dict[str, np.ndarray]:
    train, val = (ds.llp.split(part).llp.restrict(method.supervision) for part in ("train", "val"))
    return method.fit(train, val).get_weights()


@pytest.mark.parametrize("name", QUICK)
def test_fine_labels_do_not_reach_fit(name: str, opened: xr.Dataset) -> None:
    if name.startswith(NETWORKS):
        pytest.importorskip("tensorflow", reason="networks need TensorFlow")
    poisoned = _poisoned(opened, ("label", "chip_proportions"))
    assert not poisoned["chip_proportions"].equals(opened["chip_proportions"])
    clean_weights = _fit(make_method(name, **QUICK[name]), opened)
    poisoned_weights = _fit(make_method(name, **QUICK[name]), poisoned)
    assert clean_weights.keys() == poisoned_weights.keys()
    for key, weight in clean_weights.items():
        np.testing.assert_array_equal(weight, poisoned_weights[key])


def test_the_poison_would_be_noticed(opened: xr.Dataset) -> None:
    """The test above can fail: a method that does look at chip shares changes."""
    clean = opened.llp.split("train")["chip_proportions"].mean().item()
    poisoned = _poisoned(opened, ("chip_proportions",)).llp.split("train")["chip_proportions"]
    assert clean != poisoned.mean(skipna=False).item()


@pytest.mark.parametrize("name", INDUCTIVE)
def test_an_inductive_method_predicts_from_images_alone(name: str, opened: xr.Dataset) -> None:
    method = make_method(name, **QUICK[name])
    _fit(method, opened)
    test = opened.llp.split("test")
    everything_else = tuple(str(v) for v in test.data_vars if v not in ("image", "overlap_chip"))
    clean = method.predict(prediction_inputs(test, "inductive"))
    poisoned = method.predict(prediction_inputs(_poisoned(test, everything_else), "inductive"))
    xr.testing.assert_identical(clean, poisoned)


def test_raking_sees_divisions_but_no_fine_label(opened: xr.Dataset) -> None:
    method = make_method("bag-ridge+rake", **QUICK["bag-ridge"])
    assert method.track == "disaggregation"
    _fit(method, opened)
    test = opened.llp.split("test")
    clean = method.predict(prediction_inputs(test, method.track))
    poisoned = _poisoned(test, ("label", "chip_proportions", "bounds"))
    xr.testing.assert_identical(clean, method.predict(prediction_inputs(poisoned, method.track)))
    shares = test["division_proportions"]
    other = test.assign(division_proportions=shares.copy(data=shares.to_numpy()[::-1]))
    assert not clean.equals(method.predict(prediction_inputs(other, method.track)))


def test_inductive_inputs_are_images_and_ids(opened: xr.Dataset) -> None:
    seen = prediction_inputs(opened.llp.split("test"), "inductive")
    assert set(seen.variables) == {"image", "chip", "band"}
    assert seen.attrs == {}


def test_disaggregation_inputs_hold_the_divisions_but_no_place_and_no_label(
    opened: xr.Dataset,
) -> None:
    seen = prediction_inputs(opened.llp.split("test"), "disaggregation")
    assert {"target", "division_proportions", "overlap_area"} <= set(seen.data_vars)
    hidden = {"label", "chip_proportions", "bounds", "lon", "lat", "split", "split_chip"}
    assert not hidden & set(seen.variables)
    xr.testing.assert_equal(
        xr.DataArray((seen.llp.bags() @ np.ones(seen.sizes["chip"])).round(6)),
        xr.DataArray(np.ones(seen.sizes["division"])),
    )


@pytest.mark.parametrize(
    ("supervision", "hidden"),
    [
        ("division", {"label", "chip_proportions"}),
        ("chip", {"label"}),
        ("pixel", set()),
    ],
)
def test_restrict_takes_away_what_supervision_forbids(
    supervision: str, hidden: set[str], opened: xr.Dataset
) -> None:
    left = opened.llp.restrict(supervision)
    assert set(opened.data_vars) - set(left.data_vars) == hidden
    xr.testing.assert_identical(left, left.llp.restrict(supervision))


def test_unknown_levels_and_tracks_are_refused(opened: xr.Dataset, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="there is no supervision level 'commune'"):
        opened.llp.restrict("commune")
    with pytest.raises(UnknownNameError, match="there is no track 'transductive'"):
        prediction_inputs(opened, "transductive")
    assert set(TRACKS) == {"inductive", "disaggregation", "cross-region"}
