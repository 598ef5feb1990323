"""Methods whose predictions pass through post-processors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from regions import make_region, write_region
from sklearn.base import clone

import llpbench
from llpbench.cli import main
from llpbench.errors import LLPBenchError, MethodError, UnknownNameError
from llpbench.methods import gate, pipeline
from llpbench.methods.estimate import Estimate
from llpbench.methods.method import Method
from llpbench.methods.pipeline import Pipeline
from llpbench.methods.postprocessing import PostProcessor
from llpbench.methods.registry import describe_method, load_method, make_method, post_class
from llpbench.predictions import check_predictions
from llpbench.protocol import prediction_inputs
from llpbench.running.run import run_method
from llpbench.uncertainty.recalibration import calibration_matrix
from llpbench_baselines.bag_ridge import BagRidge
from llpbench_baselines.bayesian_bag_ridge import BayesianBagRidge
from llpbench_baselines.post import rake
from llpbench_baselines.post.calibrate import Calibrate
from llpbench_baselines.post.emq import EMQ
from llpbench_baselines.post.rake import Rake
from llpbench_baselines.prior_shift import emq

pytestmark = pytest.mark.usefixtures("no_pictures")

SMALL = {"words": 8, "sample": 500}


class Blurred(Method):
    """Mixes each pixel's colour-coded class with the train mean: probabilities that hold back."""

    source = "made for a test"
    has_pixels = True

    def __init__(self, *, side: int = 24, random_state: int = 0) -> None:
        self.side = side
        self.random_state = random_state

    def fit(self, train: xr.Dataset, val: xr.Dataset, **_: Any) -> Blurred:
        self.categories_ = train["category_name"].to_numpy()
        self.mean_ = np.nanmean(train["target"].to_numpy(), axis=0)
        return self

    def predict_proba(
        self, ds: xr.Dataset
    ) -> Iterator[tuple[NDArray[np.str_], NDArray[np.float32]]]:
        step = 96 // self.side
        for start in range(0, ds.sizes["chip"], 7):
            part = ds.isel(chip=slice(start, start + 7), y=slice(2, 98), x=slice(2, 98))
            code = part["image"].to_numpy()[:, ::step, ::step, 0] % len(self.categories_)
            probabilities = 0.5 * np.eye(len(self.categories_))[code] + 0.5 * self.mean_
            yield part["chip"].to_numpy(), probabilities.astype(np.float32)

    def get_weights(self) -> dict[str, NDArray[Any]]:
        return {"mean": self.mean_, "categories": self.categories_}

    def set_weights(self, weights: Any) -> Blurred:
        self.mean_, self.categories_ = weights["mean"], weights["categories"]
        return self


class Softened(Blurred):
    """Counts pixels, and shows their probabilities softened by a square root."""

    def predict_batches(self, ds: xr.Dataset) -> Iterator[Estimate]:
        for batch in super().predict_batches(ds):
            assert batch.pixels is not None
            root = np.sqrt(batch.pixels)
            classes = batch.pixels.argmax(axis=-1)
            counted = np.eye(len(self.categories_))[classes].mean(axis=1)
            yield Estimate(
                counted, root / root.sum(axis=-1, keepdims=True), follow=True, softness=2.0
            )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(12, 6, 6, 3, outside=1), path)
    return path


@pytest.fixture(scope="module")
def opened(store: Path) -> xr.Dataset:
    return llpbench.open_dataset(store).llp.group()


def _fit(method: Method, ds: xr.Dataset) -> Method:
    gate.fit(method, ds.llp.split("train"), ds.llp.split("val"))
    return method


def _blurred(*post: str, **parameters: Any) -> Method:
    steps = [(name, post_class(name)()) for name in post]
    return Pipeline(method=Blurred(**parameters), post=steps) if post else Blurred(**parameters)


def test_a_chain_is_a_method_of_the_same_parameters() -> None:
    method = make_method("bag-ridge+calibrate+rake", words=7, random_state=3)
    assert method.settings == make_method("bag-ridge", words=7, random_state=3).settings
    copy = clone(method)
    assert copy.set_params(method__words=9).settings["words"] == 9
    assert method.settings["words"] == 7
    assert [name for name, _processor in copy.post] == ["calibrate", "rake"]
    assert (method.track, method.supervision) == ("disaggregation", "division")
    assert make_method("bag-ridge+calibrate").track == "inductive"
    info = describe_method("bag-ridge+calibrate+rake")
    assert (info.track, info.parameters) == ("disaggregation", BagRidge.parameters)
    assert info.design == (BagRidge.design, Rake.design)
    assert info.designed_on == ("demo-esaworldcover", "demo-humanpop", "semi-esa")  # of both


class Around(PostProcessor):
    """Makes intervals of a tenth to both sides of the shares it is given."""

    makes_intervals = True

    def transform(self, estimate: Estimate) -> Estimate:
        low, high = (np.clip(estimate.shares + away, 0, 1) for away in (-0.1, 0.1))
        return replace(estimate, levels=np.array([0.9]), low=low[np.newaxis], high=high[np.newaxis])


@pytest.fixture
def placed(opened: xr.Dataset, monkeypatch: pytest.MonkeyPatch) -> xr.Dataset:
    """Chips in a row; one division a fold suffices to be held out, if not to learn from."""
    monkeypatch.setattr("llpbench.methods.crossfitting.FEWEST", 5)
    east = 4 + 0.01 * np.arange(opened.sizes["chip"])
    return opened.assign_coords(lon=("chip", east), lat=("chip", np.full(len(east), 50.0)))


def test_intervals_are_those_of_the_last_shares(placed: xr.Dataset) -> None:
    ridge = BayesianBagRidge(**SMALL)
    alone = gate.predict_batches(_fit(ridge, placed), placed)
    assert next(iter(alone)).low is not None
    plain = [("calibrate", Calibrate())]
    changed = _fit(Pipeline(method=ridge, post=plain), placed).predict(placed)
    assert {"low", "high", "level"}.isdisjoint(changed.variables)
    steps = [*plain, ("around", Around())]
    predicted = _fit(Pipeline(method=ridge, post=steps), placed).predict(placed)
    np.testing.assert_allclose(predicted["proportions"], changed["proportions"], atol=1e-6)
    np.testing.assert_allclose(
        predicted["low"][0], np.clip(changed["proportions"] - 0.1, 0, 1), atol=1e-6
    )
    assert check_predictions(predicted, placed)["high"].dims == ("level", "chip", "category")
    with pytest.raises(MethodError, match=r"intervals stands last.*found around\+calibrate"):
        Pipeline(method=ridge, post=steps[::-1])


def test_intervals_of_batches_with_pixels_are_put_together(placed: xr.Dataset) -> None:
    steps = [("emq", EMQ()), ("around", Around())]
    predicted = _fit(Pipeline(method=Blurred(), post=steps), placed).predict(placed)
    shares = predicted["proportions"].to_numpy()
    assert "segmentation" in predicted
    np.testing.assert_allclose(predicted["low"][0], np.clip(shares - 0.1, 0, 1), atol=1e-6)


def test_unknown_chains_are_refused(opened: xr.Dataset) -> None:
    with pytest.raises(UnknownNameError, match="no post-processor 'rak'; did you mean 'rake'"):
        make_method("bag-ridge+rak")
    with pytest.raises(UnknownNameError, match="no method 'bag-rigde'"):
        make_method("bag-rigde+rake")
    with pytest.raises(MethodError, match=r"can be used once, found rake\+rake"):
        make_method("bag-ridge+rake+rake")
    with pytest.raises(MethodError, match="emq works on class probabilities of pixels"):
        _fit(make_method("bag-ridge+emq", **SMALL), opened)
    with pytest.raises(MethodError, match="emq works on class probabilities of pixels"):
        _fit(_blurred("calibrate", "emq"), opened)


@pytest.mark.parametrize("post", [("rake",), ("calibrate", "rake")])
@pytest.mark.parametrize("side", [0, 24, 96])
def test_raked_predictions_add_up(opened: xr.Dataset, post: tuple[str, ...], side: int) -> None:
    """Up to float32; a grid of more pixels than factors are fitted to, up to those left out."""
    base = (
        _blurred(*post, side=side) if side else make_method("+".join(["bag-ridge", *post]), **SMALL)
    )
    method = _fit(
        base if side else base.set_params(**{f"method__{k}": v for k, v in SMALL.items()}), opened
    )
    test = opened.llp.split("test")
    predictions = method.predict(prediction_inputs(test, "disaggregation"))
    inhabited = np.diff(test.llp.bags().indptr) > 0
    means = (test.llp.bags() @ predictions["proportions"].to_numpy())[inhabited]
    known = test["division_proportions"].to_numpy()[inhabited]
    tolerance = 0.02 if side == 96 and len(post) == 1 else 1e-5
    np.testing.assert_allclose(means, known, atol=tolerance)
    if side:
        assert predictions["segmentation"].shape[1:] == (side, side)
        plain = _fit(_blurred(side=side), opened).predict(test)
        assert not predictions["segmentation"].equals(plain["segmentation"])


def test_raked_pixels_are_what_their_shares_are_the_means_of(opened: xr.Dataset) -> None:
    method = _fit(_blurred("rake"), opened)
    inputs = prediction_inputs(opened.llp.split("test"), "disaggregation")
    found = np.concatenate([pixels for _chips, pixels in method.predict_proba(inputs)])
    predictions = method.predict(inputs)
    np.testing.assert_allclose(found.mean(axis=(1, 2)), predictions["proportions"], atol=1e-5)
    np.testing.assert_array_equal(found.argmax(axis=-1), predictions["segmentation"])


@pytest.mark.parametrize("post", [("rake",), ("calibrate", "rake")])
def test_raking_is_of_probabilities_as_they_were_before_they_were_softened(
    opened: xr.Dataset, post: tuple[str, ...]
) -> None:
    inputs = prediction_inputs(opened.llp.split("test"), "disaggregation")
    steps = [(name, post_class(name)()) for name in post]
    softened, own = (
        next(_fit(Pipeline(method=kind(), post=steps), opened).predict_batches(inputs))
        for kind in (Softened, Blurred)
    )
    if len(post) == 1:
        np.testing.assert_allclose(softened.shares, own.shares, atol=1e-5)
    assert softened.pixels is not None
    assert own.pixels is not None
    root = np.sqrt(own.pixels)
    np.testing.assert_allclose(softened.pixels, root / root.sum(axis=-1, keepdims=True), atol=1e-5)


def test_steps_that_change_no_pixels_start_from_the_shares_of_the_method(
    placed: xr.Dataset,
) -> None:
    """Which are counted here; that of EMQ which fits best, by what was counted, is none."""
    counted = _fit(Softened(), placed).predict(placed)["proportions"]
    known = placed.copy()
    means = placed.llp.bags() @ counted.to_numpy()
    known["division_proportions"] = placed["division_proportions"].copy(data=means)
    for name, step in {"around": Around(), "emq": EMQ(), "calibrate": Calibrate()}.items():
        chain = _fit(Pipeline(method=Softened(), post=[(name, step)]), known)
        found = chain.predict(placed)["proportions"]
        np.testing.assert_allclose(found, counted, atol=1e-3)


def test_emq_takes_what_fits_validation_divisions_best(opened: xr.Dataset) -> None:
    """Validation divisions know exactly what emq finds at a certain choice: it must be found."""
    train, val = (opened.llp.split(part).llp.restrict("division") for part in ("train", "val"))
    base = _fit(_blurred(), opened)
    seen, pixels = (
        np.concatenate([p.reshape(len(p), -1, 5) for _chips, p in base.predict_proba(ds)])
        for ds in (train, val)
    )
    prior = seen.mean(axis=(0, 1))
    few = pixels[:, ::4]
    adapted = emq(few, prior, alpha=0.1 * few.shape[1], temperature=2).mean(axis=1)
    known = val.assign(
        division_proportions=val["division_proportions"].copy(data=val.llp.bags() @ adapted)
    )
    fitted = EMQ().fit(Estimate.of_pixels(seen), Estimate.of_pixels(pixels), known)
    assert (fitted.temperature_, fitted.mass_) == (2.0, 0.1)


def test_emq_changes_nothing_where_nothing_is_wrong(opened: xr.Dataset) -> None:
    val = opened.llp.split("val").llp.restrict("division")
    base = _fit(_blurred(), opened)
    pixels = np.concatenate([p.reshape(len(p), -1, 5) for _chips, p in base.predict_proba(val)])
    right = val.llp.bags() @ pixels.mean(axis=1)
    known = val.assign(division_proportions=val["division_proportions"].copy(data=right))
    fitted = EMQ().fit(Estimate.of_pixels(pixels), Estimate.of_pixels(pixels), known)
    assert fitted.temperature_ == np.inf
    np.testing.assert_allclose(
        fitted.transform(Estimate.of_pixels(pixels)).shares, pixels.mean(axis=1), atol=1e-5
    )


def test_calibration_finds_the_matrix_that_shares_went_through(opened: xr.Dataset) -> None:
    """Predictions that are the truth times a matrix are undone by its inverse."""
    val = opened.llp.split("val").llp.restrict("division")
    truth = np.random.default_rng(0).dirichlet(np.ones(5), val.sizes["chip"])
    blur = 0.6 * np.eye(5) + 0.08
    means = val.llp.bags() @ truth
    known = val.assign(division_proportions=val["division_proportions"].copy(data=means))
    fitted = Calibrate().fit(Estimate(truth @ blur), Estimate(truth @ blur), known)
    assert np.abs(fitted.transform(Estimate(truth @ blur)).shares - truth).mean() < 0.5 * (
        np.abs(truth @ blur - truth).mean()
    )
    np.testing.assert_allclose(fitted.matrix_.sum(axis=1), 1)
    exact = calibration_matrix(truth @ blur, truth, np.ones(len(truth)), 1e-9)
    np.testing.assert_allclose(exact, np.linalg.inv(blur), atol=1e-4)


def test_calibration_changes_nothing_where_nothing_is_wrong(opened: xr.Dataset) -> None:
    val = opened.llp.split("val").llp.restrict("division")
    shares = np.random.default_rng(1).dirichlet(np.ones(5), val.sizes["chip"])
    right = val["division_proportions"].copy(data=val.llp.bags() @ shares)
    fitted = Calibrate().fit(
        Estimate(shares), Estimate(shares), val.assign(division_proportions=right)
    )
    np.testing.assert_allclose(fitted.matrix_, np.eye(5), atol=1e-3)
    assert (calibration_matrix(np.eye(2), np.eye(2)[::-1], np.ones(2), np.inf) == np.eye(2)).all()


def test_what_is_saved_predicts_the_same(opened: xr.Dataset, tmp_path: Path) -> None:
    for name, method in {
        "pixels": _blurred("emq", "calibrate", "rake"),
        "shares": make_method("bag-ridge+calibrate+rake", **SMALL),
    }.items():
        _fit(method, opened).save(tmp_path / name)
        again = Pipeline(
            method=type(method.method).load(tmp_path / name / "method"), post=clone(method).post
        ).load_post(tmp_path / name)
        inputs = prediction_inputs(opened.llp.split("test"), "disaggregation")
        xr.testing.assert_identical(again.predict(inputs), method.predict(inputs))
        weights = clone(method).set_weights(method.get_weights())
        xr.testing.assert_identical(weights.predict(inputs), method.predict(inputs))
    (tmp_path / "shares" / "post.npz").unlink()
    with pytest.raises(MethodError, match="holds no post-processors"):
        load_method("bag-ridge+calibrate+rake", tmp_path / "shares")


def test_a_chain_costs_what_its_links_cost(opened: xr.Dataset) -> None:
    plain = _fit(make_method("bag-ridge", **SMALL), opened).footprint()
    found = _fit(make_method("bag-ridge+calibrate", **SMALL), opened).footprint()
    assert found["parameters"] == (plain["parameters"] or 0) + 25
    assert found["multiply_adds"] == plain["multiply_adds"]


def test_a_run_takes_a_chain(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run", "bag-ridge", "--dataset", str(store), "--json", "--post", "calibrate,rake"]
    settings = [f"--set={name}={value}" for name, value in SMALL.items()]
    main([*arguments, *settings, "--out", str(tmp_path / "run")])
    assert json.loads(capsys.readouterr().out)["attributes"]["track"] == "disaggregation"
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["method"] == "bag-ridge+calibrate+rake"
    assert record["track"] == "disaggregation"
    again = load_method(record["method"], tmp_path / "run" / "weights")
    inputs = prediction_inputs(llpbench.open_dataset(store, "test").llp.group(), "disaggregation")
    predicted = llpbench.read_predictions(tmp_path / "run" / "predictions-test.parquet")
    xr.testing.assert_allclose(again.predict(inputs), predicted.drop_attrs())


def test_raking_is_not_carried_over_to_another_region(store: Path, tmp_path: Path) -> None:
    with pytest.raises(LLPBenchError, match="of the track 'disaggregation'"):
        run_method("bag-ridge+rake", store, apply_to=store, settings=SMALL, out=tmp_path / "run")


def test_a_network_takes_a_chain(store: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="downconv needs TensorFlow")
    parameters = {"epochs": 2, "filters": 4}
    run = run_method("downconv+emq+rake", store, settings=parameters, out=tmp_path / "run")
    assert (tmp_path / "run" / "history.csv").exists()
    assert 0 < run.record.probabilities["brier"] < 2
    assert run.scores.value("mae_hard") > 0


def test_pixels_that_do_not_fit_in_memory_go_to_a_file(
    opened: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = _fit(_blurred("rake", side=48), opened)
    inputs = prediction_inputs(opened.llp.split("test"), "disaggregation")
    expected = method.predict(inputs)
    monkeypatch.setattr(pipeline, "IN_MEMORY", 1)
    xr.testing.assert_identical(method.predict(inputs), expected)


def test_latency_is_of_chips_and_not_of_raking_divisions(
    opened: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Factors are found once for all, and each chip is multiplied by its own."""
    method = _fit(_blurred("rake"), opened)
    test = opened.llp.split("test")
    predict = gate.chip_predictor(method, test)
    expected = method.predict(prediction_inputs(test, "disaggregation"))
    found: list[int] = []
    monkeypatch.setattr(rake, "log_factors", lambda *_: found.append(1))
    for number in (0, 3):
        shares = expected["proportions"][number]
        np.testing.assert_allclose(predict(number).shares[0], shares, atol=1e-6)
    assert not found
