"""Closed-form methods as graphs: what LiteRT and ONNX Runtime compute is what is predicted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_imagery
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from small_region import small_region

from llpbench.data.batches.images import load_images
from llpbench.data.imagery import EMBEDDING, EMBEDDING_SCALE, IMAGE
from llpbench.errors import MethodError
from llpbench.exported.card import Card
from llpbench.methods.pipeline import Pipeline
from llpbench.methods.registry import make_method, post_class
from llpbench.uncertainty.simplex import project_to_simplex
from llpbench_baselines import window_moments
from llpbench_baselines.backend import tf
from llpbench_baselines.exporting.hull import Hull
from llpbench_baselines.exporting.numbers import Numbers
from llpbench_baselines.exporting.simplex import project_to_simplex_graph
from llpbench_baselines.unmixing import unmix

FEW = {"words": 12, "sample": 1000, "cosines": 16}

CASES: list[tuple[str, dict[str, Any], Callable[[], xr.Dataset]]] = [
    ("bayesian-bag-ridge", {**FEW, "patch_size": 48}, small_region),
    ("aggregated-multinomial", {**FEW, "features": "fourier"}, small_region),
    ("mean-map", {**FEW, "features": "words,moments"}, small_region),
    ("goodman", {}, small_region),
    ("train-mean", {}, small_region),
    ("bag-ridge", FEW, small_imagery.sentinel2),
    ("mean-map", {**FEW, "features": "moments"}, small_imagery.sentinel1),
    ("bag-ridge", {**FEW, "features": "words,fourier"}, small_imagery.alphaearth),
    ("embedding-ridge", {}, small_imagery.alphaearth),
    ("embedding-multinomial", {}, small_imagery.tessera),
]


def trained(name: str, parameters: dict[str, Any], ds: xr.Dataset) -> Any:
    shown = ds.llp.restrict("division")
    return make_method(name, **parameters).fit(shown, shown)


def traced(method: Any, images: NDArray[Any]) -> Any:
    def estimate(images: Any) -> dict[str, Any]:
        shares, classes = method.graph(images, Numbers())
        return {"shares": shares} if classes is None else {"shares": shares, "classes": classes}

    signature = tf.TensorSpec((1, *images.shape[1:]), images.dtype.name, name="images")
    return tf.function(estimate, [signature], autograph=False)


def by_litert(graph: Any, images: NDArray[Any]) -> list[list[NDArray[Any]]]:
    from ai_edge_litert.interpreter import Interpreter

    converter = tf.lite.TFLiteConverter.from_concrete_functions([graph.get_concrete_function()])
    reader = Interpreter(model_content=converter.convert(), num_threads=1)
    reader.allocate_tensors()
    found = []
    for image in images:
        reader.set_tensor(reader.get_input_details()[0]["index"], image[np.newaxis])
        reader.invoke()
        found.append([reader.get_tensor(part["index"]) for part in reader.get_output_details()])
    return found


def by_onnx(graph: Any, images: NDArray[Any]) -> list[list[NDArray[Any]]]:
    import onnxruntime
    import tf2onnx

    model, _storage = tf2onnx.convert.from_function(
        graph, input_signature=graph.input_signature, opset=18
    )
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return [session.run(None, {"images": image[np.newaxis]}) for image in images]


@pytest.mark.parametrize(("name", "parameters", "made"), CASES)
def test_a_file_predicts_what_the_method_does(
    name: str,
    parameters: dict[str, Any],
    made: Callable[[], xr.Dataset],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Up to rounding; a patch that is as near to one word as to another may get either.

    Descriptors of three bands are already too many here, and moments are of their components.
    """
    monkeypatch.setattr(window_moments, "_COMPONENTS", 5)
    ds = made()
    array = IMAGE if IMAGE in ds else EMBEDDING
    method = trained(name, parameters, ds)
    ds = ds[[part for part in (array, EMBEDDING_SCALE) if part in ds]].isel(chip=slice(4))
    predictions, images = method.predict(ds), load_images(ds, array)
    graph = traced(method, images)
    for found in (by_litert(graph, images), by_onnx(graph, images)):
        shares = np.stack([part[0] for parts in found for part in parts if part.ndim == 2])
        assert shares.dtype == np.float32
        away = np.abs(shares - predictions["proportions"].to_numpy())
        assert away.max() < 1e-3
        assert np.median(away.max(axis=1)) < 1e-5
        np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
        classes = [part[0] for parts in found for part in parts if part.ndim == 3]
        if "segmentation" in predictions:
            np.testing.assert_array_equal(classes, predictions["segmentation"])
        else:
            assert classes == []


@settings(max_examples=30)
@given(st.integers(1, 12), st.sampled_from([0.1, 1.0, 100.0]), st.integers(0, 2**16))
def test_projections_on_the_simplex_agree(count: int, size: float, seed: int) -> None:
    values = np.random.default_rng(seed).normal(scale=size, size=(1, count)).astype(np.float32)
    found = project_to_simplex_graph(tf.constant(values))
    np.testing.assert_allclose(found, project_to_simplex(values), atol=2e-6 * max(1, size))


@settings(max_examples=30)
@given(
    st.integers(2, 6), st.integers(1, 8), st.sampled_from([0.01, 0.5, 5.0]), st.integers(0, 2**16)
)
def test_the_nearest_point_of_a_hull_is_that_of_least_squares(
    parts: int, features: int, noise: float, seed: int
) -> None:
    """By scipy's solver; with fewer features than parts, other shares may make the same point."""
    random = np.random.default_rng(seed)
    means = random.normal(3, 1, (parts, features))
    seen = random.dirichlet(np.ones(parts)) @ means + random.normal(scale=noise, size=features)
    products, gram = (seen @ means.T)[np.newaxis], means @ means.T
    hull = Hull.of(gram)
    place = (products @ hull.directions - hull.origin).astype(np.float32)
    found, expected = np.asarray(hull.mix(tf.constant(place))), unmix(products, gram)
    np.testing.assert_allclose(found @ means, expected @ means, atol=1e-3)
    assert found.min() >= 0
    np.testing.assert_allclose(found.sum(), 1, rtol=1e-5)
    if features >= parts:
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_parts_that_look_the_same_share_as_one() -> None:
    """Three parts on a line, two of them in one place: .25 of the way from them to the third."""
    means = np.array([[0.0, 1.0], [0.0, 1.0], [4.0, 1.0]])
    hull = Hull.of(means @ means.T)
    products = np.array([[1.0, 7.0]]) @ means.T
    found = np.asarray(hull.mix((products @ hull.directions - hull.origin).astype(np.float32)))[0]
    np.testing.assert_allclose([found[:2].sum(), found[2]], [0.75, 0.25], atol=1e-6)


def test_a_file_holds_a_calibration_and_nothing_else_that_follows(tmp_path: Path) -> None:
    ds = small_region()
    chain = trained("bag-ridge+calibrate", {**FEW, "features": "moments"}, ds)
    (_name, calibrate), images = chain.post[0], load_images(ds)
    calibrate.matrix_ = np.eye(5)[::-1] * 1.2 - 0.04
    graph = traced(calibrate.exported(chain.method), images)
    shares = [np.asarray(graph(image[np.newaxis])["shares"])[0] for image in images[:4]]
    expected = chain.predict(ds[[IMAGE]].isel(chip=slice(4)))["proportions"]
    np.testing.assert_allclose(shares, expected, atol=1e-5)
    for name in ("emq", "rake", "interval"):
        other = Pipeline(method=chain.method, post=[(name, post_class(name)())])
        with pytest.raises(MethodError, match=f"^{name} is not written as a graph, .*without it$"):
            other.export(tmp_path / "file", Card.model_construct(), None)


def test_what_no_file_can_hold_is_refused() -> None:
    with pytest.raises(MethodError, match=r"at most 10 classes.* found 11: group the classes"):
        Hull.of(np.eye(11))
