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
from llpbench.methods import gate
from llpbench.methods.method import Method
from llpbench.methods.registry import make_method
from llpbench.protocol import SUPERVISION, TRACKS, prediction_inputs

QUICK: dict[str, dict[str, Any]] = {
    "train-mean": {},
    "bag-ridge": {"words": 8, "sample": 500},
    "bag-ridge+calibrate": {"words": 8, "sample": 500},
    "aggregated-multinomial": {"words": 8, "sample": 500},
    "mean-map": {"features": "moments"},
    "bayesian-bag-ridge": {"features": "fourier", "cosines": 8},
    "goodman": {"groups": 2},
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


def _weights(method: Method, ds: xr.Dataset) -> dict[str, np.ndarray]:
    """What a method learns when it is trained as every run trains it."""
    gate.fit(method, ds.llp.split("train"), ds.llp.split("val"))
    return method.get_weights()


def _predict(method: Method, ds: xr.Dataset) -> xr.Dataset:
    return gate.predict(method, ds, "test", name="m", seed=0, trained_on="grid")


@pytest.mark.parametrize("name", QUICK)
def test_fine_labels_do_not_reach_fit(name: str, opened: xr.Dataset) -> None:
    if name.startswith(NETWORKS):
        pytest.importorskip("tensorflow", reason="networks need TensorFlow")
    poisoned = _poisoned(opened, ("label", "chip_proportions"))
    clean_weights = _weights(make_method(name, **QUICK[name]), opened)
    poisoned_weights = _weights(make_method(name, **QUICK[name]), poisoned)
    assert clean_weights.keys() == poisoned_weights.keys()
    for key, weight in clean_weights.items():
        np.testing.assert_array_equal(weight, poisoned_weights[key])


class _Peek(Method):
    """Learns the mean of each fine label that it is handed."""

    def fit(self, train: xr.Dataset, val: xr.Dataset, **_: Any) -> _Peek:
        self.seen_ = {
            name: np.asarray(float(train[name].mean()))
            for name in ("label", "chip_proportions")
            if name in train
        }
        return self

    def get_weights(self) -> dict[str, np.ndarray]:
        return self.seen_


@pytest.mark.parametrize(("supervision", "learned"), [("division", 0), ("chip", 1), ("pixel", 2)])
def test_the_poison_is_noticed_by_whoever_may_see_it(
    supervision: str, learned: int, opened: xr.Dataset
) -> None:
    poisoned = opened.assign(
        label=0 * opened["label"], chip_proportions=opened["chip_proportions"] * 2
    )
    method = _Peek()
    method.supervision = supervision
    clean_weights, poisoned_weights = (dict(_weights(method, ds)) for ds in (opened, poisoned))
    assert len(clean_weights) == learned
    for key, weight in clean_weights.items():
        assert weight != poisoned_weights[key]


@pytest.mark.parametrize("name", INDUCTIVE)
def test_an_inductive_method_predicts_from_images_alone(name: str, opened: xr.Dataset) -> None:
    method = make_method(name, **QUICK[name])
    _weights(method, opened)
    hidden = ("label", "chip_proportions", "target", "bounds", "overlap_area")
    poisoned = _poisoned(opened, hidden)
    poisoned["division_proportions"] = np.nan * opened["division_proportions"]
    xr.testing.assert_identical(_predict(method, opened), _predict(method, poisoned))


def test_raking_sees_divisions_but_no_fine_label(opened: xr.Dataset) -> None:
    method = make_method("bag-ridge+rake", **QUICK["bag-ridge"])
    assert method.track == "disaggregation"
    _weights(method, opened)
    clean = _predict(method, opened)
    poisoned = _poisoned(opened, ("label", "chip_proportions", "bounds"))
    xr.testing.assert_identical(clean, _predict(method, poisoned))
    shares = opened["division_proportions"]
    other = opened.assign(division_proportions=shares.copy(data=shares.to_numpy()[::-1]))
    assert not clean.equals(_predict(method, other))


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
    ("supervision", "labels"),
    [
        ("division", set()),
        ("chip", {"chip_proportions"}),
        ("pixel", {"chip_proportions", "label"}),
    ],
)
def test_restrict_leaves_what_supervision_may_see(
    supervision: str, labels: set[str], opened: xr.Dataset
) -> None:
    left = opened.llp.restrict(supervision)
    assert set(left.data_vars) == labels | {
        *("image", "target", "division_proportions"),
        *("overlap_chip", "overlap_division", "overlap_area"),
    }
    hidden = {"lon", "lat", "split_chip", "bound"}
    assert hidden <= set(opened.coords)
    assert not hidden & set(left.coords)
    assert left.llp.label_set == opened.llp.label_set
    assert left.llp.info.store is None
    assert str(opened.llp.info.store) not in str(left.attrs) + str(left.encoding)
    xr.testing.assert_identical(left, left.llp.restrict(supervision))


def test_what_is_not_listed_is_not_seen(opened: xr.Dataset) -> None:
    """A truth table holds its labels under another name."""
    table = opened.drop_vars("label").assign(truth=opened["chip_proportions"])
    for supervision in SUPERVISION:
        assert "truth" not in table.llp.restrict(supervision)
    for track in TRACKS:
        assert "truth" not in prediction_inputs(table, track)


def test_unknown_levels_and_tracks_are_refused(opened: xr.Dataset, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="there is no supervision level 'commune'"):
        opened.llp.restrict("commune")
    with pytest.raises(UnknownNameError, match="there is no track 'transductive'"):
        prediction_inputs(opened, "transductive")
    assert set(TRACKS) == {"inductive", "disaggregation", "cross-region"}
