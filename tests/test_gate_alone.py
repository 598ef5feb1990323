"""The gate's functions one by one: what is handed on, what comes back, what an error says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spy
import xarray as xr
from regions import make_region, write_region
from spy import NOTES

import llpbench
from llpbench.errors import MethodError, MetricError
from llpbench.methods import gate
from llpbench.methods.estimate import Estimate
from llpbench.methods.method import Method
from llpbench.methods.postprocessing import Transform
from llpbench.protocol import SUPERVISION, TRACKS

CELLS = {"embedding", "embedding_scale", "feature"}
"""What only a dataset with an embedding has."""


@pytest.fixture(scope="module")
def ds(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """Grouped, in chunks, with a region's splits of different sizes."""
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(12, 3, 6, 3), path)
    return llpbench.open_dataset(path).llp.group()


@pytest.fixture(autouse=True)
def _nothing_noted() -> None:
    NOTES.handed.clear()


def train_and_val(ds: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    return ds.llp.split("train"), ds.llp.split("val")


def fitted(kind: type[spy.Spy], ds: xr.Dataset) -> spy.Spy:
    method = kind()
    gate.fit(method, *train_and_val(ds))
    NOTES.handed.clear()
    return method


@pytest.mark.parametrize("kind", [spy.Spy, spy.SpyOnChips, spy.SpyOnLabels])
def test_either_split_is_seen_as_far_as_supervision_goes(
    kind: type[spy.Spy], ds: xr.Dataset
) -> None:
    splits = dict(zip(("train", "val"), train_and_val(ds), strict=True))
    gate.fit(kind(), *splits.values())
    assert [handed.what for handed in NOTES.handed] == ["train", "val"]
    for handed in NOTES.handed:
        assert handed.names == {*SUPERVISION[kind.supervision]} - CELLS
        assert handed.attributes == {"label_set", "grouped"}
        assert list(handed.chips) == splits[handed.what]["chip"].to_numpy().tolist()


class Recorder(Method):
    """Keeps the keywords of its training."""

    def fit(self, train: xr.Dataset, val: xr.Dataset, **further: Any) -> Recorder:
        self.further_ = further
        return self


class RecorderOfEpochs(Recorder):
    """The same, trained in epochs."""

    is_iterative = True


def test_a_journal_is_for_methods_that_are_trained_in_epochs(ds: xr.Dataset) -> None:
    progress, journal = object(), object()
    for kind, further in ((Recorder, {}), (RecorderOfEpochs, {"journal": journal})):
        method = kind()
        gate.fit(method, *train_and_val(ds), progress=progress, journal=journal)  # type: ignore[arg-type]
        assert method.further_ == {"progress": progress, **further}


class Failing(Method):
    """Raises what it is given."""

    def __init__(self, *, error: Exception, random_state: int = 0) -> None:
        self.error, self.random_state = error, random_state

    def fit(self, train: xr.Dataset, val: xr.Dataset, **_: Any) -> Failing:
        raise self.error


class FailingToPredict(spy.Spy):
    """Is trained, and raises what it is given at its first chip."""

    error: Exception

    def predict_batches(self, *_: Any, **__: Any) -> Iterator[Estimate]:
        raise self.error


@pytest.mark.parametrize("kind", [TypeError, ValueError, IndexError])
def test_what_cannot_be_predicted_is_named(kind: type[Exception], ds: xr.Dataset) -> None:
    method = fitted(FailingToPredict, ds)
    method.error = kind("shapes (3,4) and (5,6) differ")
    with pytest.raises(MethodError, match=r"^odd cannot predict 'grid': shapes \(3,4\)") as caught:
        gate.predict(method, ds, "test", name="odd", seed=0, trained_on="grid")
    assert caught.value.__cause__ is method.error
    method.error = MetricError("of our own")
    with pytest.raises(MetricError) as other:
        gate.predict(method, ds, "test", name="odd", seed=0, trained_on="grid")
    assert other.value is method.error


@pytest.mark.parametrize("kind", [TypeError, ValueError])
def test_wrong_settings_are_named(kind: type[Exception], ds: xr.Dataset) -> None:
    error = kind("width must be positive")
    message = r"^Failing cannot be trained with \{'error': .*'random_state': 0\}: width must be pos"
    with pytest.raises(MethodError, match=message) as caught:
        gate.fit(Failing(error=error), *train_and_val(ds))
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [MetricError("of our own"), RuntimeError("of a bug")])
def test_other_errors_pass_as_they_are(error: Exception, ds: xr.Dataset) -> None:
    with pytest.raises(type(error)) as caught:
        gate.fit(Failing(error=error), *train_and_val(ds))
    assert caught.value is error


@pytest.mark.parametrize("kind", [spy.Spy, spy.SpyOnPixels, spy.SpyOnDivisions])
@pytest.mark.parametrize("track", [None, *TRACKS])
def test_predictions_are_made_from_what_their_track_shows(
    kind: type[spy.Spy], track: str | None, ds: xr.Dataset
) -> None:
    method, seen = fitted(kind, ds), list[Estimate]()
    options: dict[str, Any] = {"name": "spy+x", "seed": 7, "trained_on": "elsewhere"}
    predictions = gate.predict(method, ds, "val", track=track, on_batch=seen.append, **options)
    track = track or kind.track
    assert {handed.names for handed in NOTES.handed} == {frozenset(TRACKS[track]) - CELLS}
    assert not any(handed.attributes for handed in NOTES.handed)
    split = ds.llp.split("val")
    assert predictions["chip"].to_numpy().tolist() == split["chip"].to_numpy().tolist()
    names = split["category_name"].to_numpy().tolist()
    assert predictions["category"].to_numpy().tolist() == names
    shares = predictions["proportions"].to_numpy()[:, 0]
    np.testing.assert_allclose(shares, spy.brightness(split), atol=1e-6)
    assert ("segmentation" in predictions) == (kind is spy.SpyOnPixels)
    info = ds.llp.info
    assert predictions.attrs.items() >= {
        ("dataset", info.name),
        ("digest", info.digest),
        ("split", "val"),
        ("method", "spy+x"),
        ("seed", 7),
        ("track", track),
        ("trained_on", "elsewhere"),
    }
    batches = Estimate.join(seen)
    np.testing.assert_allclose(batches.shares[:, 0], shares, atol=1e-6)
    assert (batches.pixels is not None) == (kind is spy.SpyOnPixels)
    quiet = gate.predict(method, ds, "val", track=track, **options)
    xr.testing.assert_identical(quiet, predictions)


@pytest.mark.parametrize("kind", [spy.Spy, spy.SpyOnDivisions])
def test_batches_show_what_the_track_shows(kind: type[spy.Spy], ds: xr.Dataset) -> None:
    method, chips = fitted(kind, ds), ds.llp.split("test")
    for track in (None, *TRACKS):
        NOTES.handed.clear()
        estimate = Estimate.join(list(gate.predict_batches(method, chips, track=track)))
        np.testing.assert_allclose(estimate.shares[:, 0], spy.brightness(chips), atol=1e-6)
        assert {handed.names for handed in NOTES.handed} == {
            frozenset(TRACKS[track or kind.track]) - CELLS
        }


class InMemory(spy.Spy):
    """Notes what its predictor of single chips is made from."""

    def chip_predictor(self, ds: xr.Dataset) -> Callable[[int], Estimate]:
        NOTES.take("InMemory", "single", ds)
        assert ds["image"].chunks is None
        return super().chip_predictor(ds)


def test_single_chips_are_predicted_from_memory(ds: xr.Dataset) -> None:
    chips = ds.llp.split("test").chunk(chip=2)
    single = gate.chip_predictor(fitted(InMemory, ds), chips)
    assert [h.names for h in NOTES.handed if h.what == "single"] == [
        frozenset(TRACKS["inductive"]) - CELLS
    ]
    np.testing.assert_allclose(single(3).shares[0, 0], spy.brightness(chips)[3], atol=1e-6)


def test_a_post_processor_looks_at_the_estimate_it_will_change(ds: xr.Dataset) -> None:
    estimate, looked_at = Estimate(np.full((2, 5), 0.2)), list[Estimate]()

    class Looking(spy.Watch):
        def prepare(self, estimate: Estimate, ds: xr.Dataset) -> Transform:
            looked_at.append(estimate)
            return super().prepare(estimate, ds)

    transform = gate.prepare_post(Looking(), estimate, ds.llp.split("test"))
    assert looked_at == [estimate]
    assert transform(estimate, slice(0, 2)) is estimate


@pytest.mark.parametrize("makes_intervals", [False, True])
def test_only_what_makes_intervals_is_shown_those_that_there_are(
    ds: xr.Dataset, *, makes_intervals: bool
) -> None:
    bounds = np.zeros((1, 2, 5), np.float32)
    estimate = Estimate(np.full((2, 5), 0.2), levels=np.array([0.9]), low=bounds, high=bounds + 1)
    seen, which = list[Estimate](), list[slice]()

    class Looking(spy.Watch):
        def prepare(self, estimate: Estimate, ds: xr.Dataset) -> Transform:
            seen.append(estimate)

            def transform(some: Estimate, rows: slice) -> Estimate:
                which.append(rows)
                return some

            return transform

    looking = Looking()
    looking.makes_intervals = makes_intervals
    seen.append(gate.prepare_post(looking, estimate, ds.llp.split("test"))(estimate, slice(0, 2)))
    assert which == [slice(0, 2)]
    for one in seen:
        assert one.shares is estimate.shares
        arrays = (one.levels, one.low, one.high)
        expected = (estimate.levels, estimate.low, estimate.high) if makes_intervals else [None] * 3
        assert all(a is b for a, b in zip(arrays, expected, strict=True))
    assert len(seen) == 2


@pytest.mark.parametrize("kind", [spy.Watch, spy.WatchAll])
def test_post_processors_choose_by_divisions_and_see_what_their_track_shows(
    kind: type[spy.Watch], ds: xr.Dataset, tmp_path: Path
) -> None:
    train, val = (Estimate(np.full((2, 5), share)) for share in (0.1, 0.2))
    processor, chips = kind(), ds.llp.split("test")
    gate.fit_post(processor, train, val, ds.llp.split("val"))
    assert NOTES.estimates == {"train": train, "val": val}
    transform = gate.prepare_post(processor, val, chips)
    fit, prepare = NOTES.handed
    assert (fit.what, fit.names) == ("post", {*SUPERVISION["division"]} - CELLS)
    assert list(fit.chips) == ds.llp.split("val")["chip"].to_numpy().tolist()
    assert (prepare.what, prepare.names) == ("prepare", {*TRACKS[kind.track]} - CELLS)
    assert list(prepare.chips) == chips["chip"].to_numpy().tolist()
    assert transform is not None
