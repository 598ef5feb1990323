"""Further variables of chips reach the methods that ask for them, and nothing else does."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from regions import make_region, write_region
from small_region import small_region

import llpbench
from llpbench.board.drafting import draft_entry
from llpbench.data.building import Recipe
from llpbench.errors import BoardError, BuildError, MethodError
from llpbench.methods import gate
from llpbench.methods.method import Method
from llpbench.methods.pipeline import Pipeline
from llpbench.methods.registry import post_class
from llpbench.predictions.table import make_predictions
from llpbench.protocol import SUPERVISION, TRACKS, prediction_inputs, training_inputs
from llpbench.running.completing import complete_task
from llpbench.running.fold_plan import FoldPlan
from llpbench.running.predicting import _check_knowledge
from llpbench.running.sweep_plan import Job
from llpbench.running.task import Task
from llpbench.runs.record import read_run

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")

BASE = {"image", "chip", "band"}
SEEN: list[tuple[str, xr.Dataset]] = []


class OnElevation(Method):
    """Gives the first class the share that the input says."""

    inputs = ("elevation",)

    def __init__(self, *, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, train: xr.Dataset, val: xr.Dataset, **_: Any) -> OnElevation:
        SEEN.extend([("train", train), ("val", val)])
        self.categories_ = train["category_name"].to_numpy()
        return self

    def predict(self, ds: xr.Dataset) -> xr.Dataset:
        SEEN.append(("predict", ds))
        first = ds["elevation"].to_numpy()[:, np.newaxis]
        rest = np.repeat((1 - first) / (len(self.categories_) - 1), len(self.categories_) - 1, 1)
        return make_predictions(
            ds["chip"].to_numpy(), self.categories_, np.concatenate([first, rest], axis=1)
        )

    def get_weights(self) -> dict[str, np.ndarray]:
        return {"categories": self.categories_}


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    SEEN.clear()


def with_elevation(ds: xr.Dataset) -> xr.Dataset:
    """Also with a coordinate and attributes that tell labels."""
    told = xr.DataArray(
        np.linspace(0, 1, ds.sizes["chip"]),
        dims="chip",
        coords={"told": ("chip", ds["label"].to_numpy().mean(axis=(1, 2)))},
        attrs={"labels": "1 2 3", "scale_factor": 2},
    )
    told.encoding = {"source": "somewhere"}
    return ds.assign(elevation=told)


def test_no_attribute_and_no_coordinate_comes_along() -> None:
    ds = with_elevation(small_region(8))
    for seen in (
        training_inputs(ds, "division", inputs=["elevation"]),
        prediction_inputs(ds, "inductive", inputs=["elevation"]),
    ):
        array = seen["elevation"]
        assert set(array.coords) <= {*SUPERVISION["division"]}
        assert "told" not in seen.variables
        assert not array.attrs
        assert not array.encoding
        np.testing.assert_array_equal(array, ds["elevation"])
    assert set(prediction_inputs(ds, "inductive", inputs=["elevation"]).variables) == {
        *BASE,
        "elevation",
    }


@pytest.mark.parametrize(
    "name",
    [
        *("label", "chip_proportions", "target", "division_proportions", "own_division", "split"),
        *("lon", "lat", "bounds", "chip", "overlap_chip", "chip_number", "truth", "split_chip"),
    ],
)
def test_what_is_the_benchmarks_own_is_no_input(name: str) -> None:
    ds = small_region(8)
    ds = ds if name in ds else ds.assign({name: ("chip", np.zeros(8))})
    for track in TRACKS:
        with pytest.raises(MethodError, match="the benchmark's own"):
            prediction_inputs(ds, track, inputs=[name])
    with pytest.raises(MethodError, match="the benchmark's own"):
        training_inputs(ds, "division", inputs=[name])


@pytest.mark.parametrize(
    "dims",
    [
        ("division",),
        ("chip", "category"),
        ("chip", "division"),
        ("chip", "overlap"),
        ("category", "chip"),
        ("y", "chip"),
        ("chip", "label"),
        ("chip", "target"),
        ("chip", "lon"),
        (),
    ],
)
def test_an_input_is_of_chips(dims: tuple[str, ...]) -> None:
    """A dimension cannot be called like what is hidden either: its coordinate might tell that."""
    ds = small_region(8).drop_vars(["label", "target"])
    sizes = [ds.sizes.get(dim, 2) for dim in dims]
    ds = ds.assign(mine=(dims, np.zeros(sizes)))
    with pytest.raises(MethodError, match="over chip first"):
        prediction_inputs(ds, "disaggregation", inputs=["mine"])


def test_an_input_may_be_of_pixels_and_have_dimensions_of_its_own() -> None:
    ds = small_region(8)
    ndvi = (ds["image"][..., 0] / 255).rename("ndvi")
    months = xr.DataArray(
        np.zeros((8, 12)), dims=("chip", "month"), coords={"month": np.arange(12)}
    )
    ds = ds.assign(ndvi=ndvi, months=months)
    seen = prediction_inputs(ds, "inductive", inputs=["ndvi", "months"])
    assert seen["ndvi"].dims == ("chip", "y", "x")
    assert set(seen.variables) == {*BASE, "ndvi", "months"}  # month names nothing any more


def test_an_input_that_is_a_coordinate_comes_as_a_variable() -> None:
    ds = small_region(8).assign_coords(slope=("chip", np.arange(8.0)))
    seen = prediction_inputs(ds, "inductive", inputs=["slope"])
    assert "slope" in seen.data_vars


def test_missing_inputs_and_inputs_without_numbers_are_refused() -> None:
    ds = small_region(8)
    with pytest.raises(MethodError, match=r"needs the input 'elevation'.*ds\.assign"):
        gate.fit(OnElevation(), ds, ds)
    ds = ds.assign(elevation=("chip", np.array([{"label": 1}] * 8, dtype=object)))
    with pytest.raises(MethodError, match="an input is of numbers"):
        gate.fit(OnElevation(), ds, ds)


def test_a_pipeline_passes_inputs_on_to_its_method_alone() -> None:
    train, val = with_elevation(small_region(16)), with_elevation(small_region(8, seed=1))
    pipeline = Pipeline(method=OnElevation(), post=[("rake", post_class("rake")())])
    gate.fit(pipeline, train, val)
    shares = np.concatenate([batch.shares for batch in gate.predict_batches(pipeline, val)])
    assert np.isfinite(shares).all()
    assert {what for what, _ in SEEN} == {"train", "val", "predict"}
    for what, ds in SEEN:
        assert "elevation" in ds.data_vars
        assert "told" not in ds.variables
        assert what != "predict" or set(ds.variables) == {*BASE, "elevation"}


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    folder = tmp_path_factory.mktemp("inputs")
    write_region(make_region(16, 8, 6, 3), folder / "mine")
    return with_elevation(llpbench.open_dataset(folder / "mine"))


def _check_record(mine: xr.Dataset, run: Path) -> None:
    """It says what the inputs were; with others it does not go on, and nobody can make it again."""
    digest = hashlib.sha256(mine["elevation"].to_numpy().astype("<f8").tobytes()).hexdigest()
    assert read_run(run).record.inputs == {"elevation": digest}
    other = mine.assign(elevation=1 - mine["elevation"]).llp.group()
    task = Task("on-elevation", OnElevation(), other, other, 0, "train")
    assert task.identity["inputs"] != {"elevation": digest}
    with pytest.raises(MethodError, match=r"holds another run: its inputs was .*'elevation': "):
        complete_task(task, "test", out=run)
    with pytest.raises(BoardError, match=r"had inputs that are not in the dataset \('elevation'\)"):
        draft_entry(run.parent / "me__on-elevation", [run], {})
    with pytest.raises(BuildError, match=r"needs inputs that a new image does not have \('elev"):
        _check_knowledge(read_run(run).record, OnElevation(), Recipe(images=[Path("new.tif")]))


def test_runs_and_folds_take_an_open_dataset(
    mine: xr.Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("llpbench.methods.registry.method_class", lambda _name: OnElevation)
    done = llpbench.run_method("on-elevation", mine, out=tmp_path / "run")
    assert done.record.dataset == "mine"
    told = {str(name) for _, ds in SEEN for name in ds.variables}
    assert "elevation" in told
    assert not told & {"told", "label", "chip_proportions", "lon", "lat"}
    _check_record(mine, tmp_path / "run")
    plan = FoldPlan(Job("on-elevation", "mine", {}, 0), 3, "all", mine)
    assert "elevation" in plan.task(0).region
