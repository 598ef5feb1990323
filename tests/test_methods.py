"""The method interface, the bundled methods, and the run folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from regions import make_region, write_region
from scipy.optimize import minimize
from sklearn.base import clone

import llpbench
from llpbench.errors import LLPBenchError, MethodError, UnknownNameError
from llpbench.methods.registry import make_method, method_class, method_names
from llpbench.running.run import run_method
from llpbench.uncertainty.simplex import project_to_simplex
from llpbench_baselines.patch_words import describe_patches

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(12, 6, 3, 2, outside=1), path)
    return path


def _splits(store: Path) -> tuple[xr.Dataset, xr.Dataset, xr.Dataset]:
    ds = llpbench.open_dataset(store).llp.group()
    train, val, test = (ds.llp.split(part) for part in ("train", "val", "test"))
    return train.llp.restrict("division"), val.llp.restrict("division"), test[["image"]]


def test_methods_follow_scikit_learn() -> None:
    for name in method_names():
        method = method_class(name)(random_state=5)
        copy = clone(method)
        assert copy.get_params() == method.get_params()
        assert copy.random_state == 5
        assert method.source


def test_unknown_methods_and_parameters_suggest_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="no method 'bagridge'; did you mean 'bag-ridge'"):
        make_method("bagridge")
    with pytest.raises(UnknownNameError, match="'epoch'; did you mean 'epochs'"):
        make_method("downconv", epoch=3)


def test_train_mean_repeats_the_mean_of_known_targets(store: Path) -> None:
    train, val, test = _splits(store)
    method = make_method("train-mean").fit(train, val)
    targets = train["target"].to_numpy().astype(float)
    expected = targets[np.isfinite(targets).all(axis=1)].mean(axis=0)
    predictions = method.predict(test)
    np.testing.assert_allclose(predictions["proportions"], np.tile(expected, (len(test.chip), 1)))


def test_saved_methods_predict_the_same(store: Path, tmp_path: Path) -> None:
    train, val, test = _splits(store)
    method = make_method("bag-ridge", words=8, sample=500).fit(train, val)
    method.save(tmp_path / "saved")
    again = method_class("bag-ridge").load(tmp_path / "saved")
    assert again.get_params() == method.get_params()
    xr.testing.assert_identical(again.predict(test), method.predict(test))
    with pytest.raises(MethodError, match="holds a BagRidge, not a TrainMean"):
        method_class("train-mean").load(tmp_path / "saved")
    with pytest.raises(MethodError, match="no saved method"):
        method_class("train-mean").load(tmp_path)


def test_bag_ridge_depends_on_its_seed_only(store: Path) -> None:
    train, val, test = _splits(store)

    def predict(seed: int) -> xr.Dataset:
        method = make_method("bag-ridge", words=8, sample=500, random_state=seed)
        return method.fit(train, val).predict(test)

    xr.testing.assert_identical(predict(1), predict(1))
    assert not predict(1).equals(predict(2))


def test_bag_ridge_recovers_shares_that_its_words_determine(tmp_path: Path) -> None:
    """Colours of the grid region are one a class, so division means determine every chip.

    With division proportions that are the true means of their chips, and as many words as
    classes, the regression is exact up to the ridge.
    """
    import dataclasses

    region = make_region(24, 12, 8, 6, cut=0.0)
    block = region.read(list(region.chips.index))
    shares = np.stack([np.bincount(label.ravel(), minlength=12) for label in block.label]) / 1e4
    column, row = np.arange(24 * 12) % 24, np.arange(24 * 12) // 24
    owner = column // 3 + 8 * (row // 2)
    means = np.stack([shares[owner == number].mean(axis=0) for number in range(48)])
    exact = dataclasses.replace(region, division_proportions=means)
    write_region(exact, tmp_path / "exact")
    train, val, test = _splits(tmp_path / "exact")
    fitted = make_method("bag-ridge", words=24, sample=20_000, patch_size=2).fit(train, val)
    truth = llpbench.open_dataset(tmp_path / "exact", "test").llp.group().llp.truth()
    error = np.abs(fitted.predict(test)["proportions"].to_numpy() - truth.to_numpy()).mean()
    null = np.abs(truth.to_numpy() - truth.to_numpy().mean(axis=0)).mean()
    assert error < 0.35 * null


@given(arrays(np.float64, (3, 4), elements=st.floats(-3, 3)))
def test_projection_is_the_nearest_point_of_the_simplex(values: np.ndarray) -> None:
    """Compared with a general constrained optimiser."""
    projected = project_to_simplex(values)
    assert (projected >= 0).all()
    np.testing.assert_allclose(projected.sum(axis=1), 1)
    for row, nearest in zip(values, projected, strict=True):
        found = minimize(
            lambda x, row=row: ((x - row) ** 2).sum(),
            np.full(4, 0.25),
            bounds=[(0, 1)] * 4,
            constraints={"type": "eq", "fun": lambda x: x.sum() - 1},
            method="SLSQP",
        )
        assert ((nearest - row) ** 2).sum() <= found.fun + 1e-6


def test_patches_are_described_by_their_mean_and_spread() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3), dtype=np.uint8)
    described = describe_patches(images, 4)
    patch = images[1, 4:8, 8:12].reshape(-1, 3).astype(float)  # second row, third column
    expected = np.concatenate([patch.mean(axis=0), np.log1p(patch.std(axis=0))])
    np.testing.assert_allclose(described[1, 24 + 2], expected, rtol=1e-4)


def test_a_run_leaves_everything_behind(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    parameters = {"words": 8, "sample": 500}
    done = run_method("bag-ridge", store, seed=3, settings=parameters, out=out)
    names = {path.name for path in out.iterdir()}
    assert names == {
        *("run.json", "appearance.json", "predictions-test.parquet", "scores.json"),
        *("weights", "divisions.json", "divisions.csv"),
    }
    record = json.loads((out / "run.json").read_text())
    assert record["method"] == "bag-ridge"
    assert record["seed"] == 3
    assert record["settings"]["words"] == 8
    assert "random_state" not in record["settings"]
    assert record["footprint"]["parameters"] == 8 * 6 + 6 + 8 * 5 + 5
    again = llpbench.evaluate(out / "predictions-test.parquet", store)
    assert again.to_json() == (out / "scores.json").read_text() == done.scores.to_json()
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


def test_another_split_has_its_own_scores_only(store: Path, tmp_path: Path) -> None:
    run_method("train-mean", store, split="val", score="chips", out=tmp_path / "run")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"scores-val.json", "divisions-val.json"} <= names
    assert not names & {"scores.json", "divisions.json"}


def test_a_run_never_touches_what_is_there(store: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(LLPBenchError, match="not empty; give --out a new folder"):
        run_method("train-mean", store, out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_failed_run_leaves_nothing(store: Path, tmp_path: Path) -> None:
    with pytest.raises(MethodError, match="patch_size must divide 96, found 7"):
        run_method("bag-ridge", store, settings={"patch_size": 7}, out=tmp_path / "run")
    with pytest.raises(MethodError, match=r"cannot be trained with .*'many'"):
        run_method("bag-ridge", store, settings={"words": "many"}, out=tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_downconv_learns_and_reports_what_it_costs(store: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="downconv needs TensorFlow")
    done = run_method("downconv", store, settings={"epochs": 3}, out=tmp_path / "run")
    assert done.record.footprint["parameters"] == method_class("downconv").parameters == 5189
    # 24 x 24 cells, each 48 x 96 products, then 96 x 5
    assert done.record.footprint["multiply_adds"] == 576 * (48 * 96 + 96 * 5)
    assert 0 < done.record.probabilities["brier"] < 2
    predictions = llpbench.read_predictions(done.folder / "predictions-test.zarr")
    assert predictions["segmentation"].shape[1:] == (24, 24)
    weights = method_class("downconv").load(done.folder / "weights")
    _train, _val, test = _splits(store)
    again = weights.predict(test)
    np.testing.assert_allclose(again["proportions"], predictions["proportions"], atol=1e-6)


def test_downconv_forward_pass_is_a_convolution(store: Path) -> None:
    """Compared with the two convolutions written out as sums over 4x4 patches."""
    pytest.importorskip("tensorflow", reason="downconv needs TensorFlow")
    train, val, test = _splits(store)
    method = make_method("downconv", epochs=1, filters=7).fit(train, val)
    weights = method.get_weights()
    _chips, probabilities = next(iter(method.predict_proba(test)))
    image = test["image"].isel(chip=0, y=slice(2, 98), x=slice(2, 98)).to_numpy() / 256
    patch = image[4:8, 92:96].reshape(-1)  # second row, last column
    hidden = patch @ weights["patches/kernel"] + weights["patches/bias"]
    logits = np.maximum(hidden, 0) @ weights["classes/kernel"] + weights["classes/bias"]
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(probabilities[0, 1, 23], expected, rtol=1e-4)
