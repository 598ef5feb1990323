"""The protocol as ``docs/protocol.md`` says it, on a dataset that holds all there is and more."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from llpbench import protocol
from llpbench.errors import UnknownNameError
from llpbench.protocol import prediction_inputs, scores_chips, training_inputs

IMAGES = {"image", "chip", "band"}
KNOWN = {
    *("target", "division_proportions", "overlap_chip", "overlap_division", "overlap_area"),
    *("chip_number", "own_division", "division", "division_number", "category", "category_name"),
}
LABELS = ("label", "chip_proportions", "truth")
PLACES = ("lon", "lat", "bounds", "split_chip", "crs")
TRAINED = {
    "division": IMAGES | KNOWN | {"split"},
    "chip": IMAGES | KNOWN | {"split", "chip_proportions"},
    "pixel": IMAGES | KNOWN | {"split", "chip_proportions", "label"},
}
PREDICTED = {
    "inductive": IMAGES,
    "cross-region": IMAGES,
    "disaggregation": IMAGES | KNOWN,
}


@pytest.fixture
def everything() -> xr.Dataset:
    """Each name once as a variable or coordinate, with attributes and encodings."""
    coordinates = {"chip", "band", "division", "category", "category_name", "split", "lon", "lat"}
    names = IMAGES | KNOWN | {"split", *LABELS, *PLACES}
    variables = {name: xr.Variable("chip", np.arange(3), {"from": "path"}) for name in names}
    variables["image"] = xr.Variable(("chip", "band"), np.ones((3, 2)), {"from": "path"})
    variables["division_proportions"] = xr.Variable("division", np.arange(3), {"from": "path"})
    for name in coordinates - {"chip", "band", "division"}:
        variables[name] = xr.Variable("chip", [1, 2, 3], {"from": "path"})
    variables["band"], variables["division"] = (
        xr.Variable(name, values, {"from": "path"})
        for name, values in (("band", ["r", "g"]), ("division", [7, 8, 9]))
    )
    ds = xr.Dataset(
        {name: variables[name] for name in names - coordinates},
        {name: variables[name] for name in coordinates},
        {"label_set": "esaworldcover", "grouped": True, "store": "/home", "digest": "sha256:1"},
    )
    ds.encoding["source"] = "/home"
    for variable in ds.variables.values():
        variable.encoding["source"] = "/home"
    return ds


def _bare(ds: xr.Dataset) -> bool:
    return not any(v.attrs or v.encoding for v in ds.variables.values()) and not ds.encoding


@pytest.mark.parametrize("supervision", TRAINED)
def test_what_a_method_may_be_trained_on(supervision: str, everything: xr.Dataset) -> None:
    seen = training_inputs(everything, supervision)
    assert set(seen.variables) == TRAINED[supervision]
    assert seen.attrs == {"label_set": "esaworldcover", "grouped": True}
    assert _bare(seen)
    for name in seen.variables:
        np.testing.assert_array_equal(seen[name], everything[name])
    fewer = training_inputs(everything.assign_attrs(grouped=False), supervision)
    assert fewer.attrs == {"label_set": "esaworldcover", "grouped": False}
    assert training_inputs(everything.drop_attrs(), supervision).attrs == {}


@pytest.mark.parametrize("track", PREDICTED)
def test_what_a_method_may_see_of_the_chips_it_predicts(track: str, everything: xr.Dataset) -> None:
    seen = prediction_inputs(everything, track)
    assert set(seen.variables) == PREDICTED[track]
    assert seen.attrs == {}
    assert _bare(seen)
    for name in seen.variables:
        np.testing.assert_array_equal(seen[name], everything[name])


def test_what_is_not_there_is_not_missed(everything: xr.Dataset) -> None:
    images = everything[["image"]].drop_vars(["lon", "split"])
    assert set(training_inputs(images, "pixel").variables) <= TRAINED["pixel"]
    assert set(prediction_inputs(images, "inductive").variables) == IMAGES


def test_other_levels_and_tracks_are_refused(everything: xr.Dataset) -> None:
    levels = "there is no supervision level 'pixels'; did you mean 'pixel'"
    with pytest.raises(UnknownNameError, match=levels):
        training_inputs(everything, "pixels")
    with pytest.raises(UnknownNameError, match="there is no track 'divisions'"):
        prediction_inputs(everything, "divisions")
    assert set(protocol.SUPERVISION) == set(TRAINED)
    assert set(protocol.TRACKS) == set(PREDICTED)


def test_the_score_window_is_the_central_96_pixels() -> None:
    assert protocol.CHIP_SIZE == 100
    kept = np.arange(100)[protocol.SCORE_WINDOW]
    assert (kept[0], kept[-1], len(kept)) == (2, 97, 96)
    assert protocol.WINDOW_SIDE == 96
    assert protocol.SPLITS == ("train", "val", "test")
    assert (protocol.VERSION, protocol.SCORER_VERSION) == (1, "1.1")
    assert protocol.INTERVAL_LEVELS == (0.5, 0.8, 0.9, 0.95)


def test_all_splits_together_have_one_name() -> None:
    """It stands in run.json, in the attributes of predictions and in the names of their files."""
    assert protocol.ALL == "all"


def test_labels_of_val_are_scored_only_if_asked_for() -> None:
    asked = {
        score: [split for split in (*protocol.SPLITS, "all") if scores_chips(split, score)]
        for score in (None, "divisions", "chips")
    }
    everything = ["train", "val", "test", "all"]
    assert asked == {None: ["train", "test", "all"], "divisions": [], "chips": everything}
    assert scores_chips("test")
    assert not scores_chips("val")
    with pytest.raises(UnknownNameError, match="there is no way to score 'division'; did you mean"):
        scores_chips("test", "division")
    assert protocol.SCORED == ("divisions", "chips")


def test_three_quarters_of_a_division_are_predicted_where_it_is_compared() -> None:
    assert protocol.LEAST_COVERAGE == 0.75
