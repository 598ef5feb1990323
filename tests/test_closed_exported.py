"""Closed-form methods as graphs: what LiteRT and ONNX Runtime compute is what is predicted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_imagery
import xarray as xr
from exported_files import CARD, ENDINGS, predicted
from hypothesis import given, settings
from hypothesis import strategies as st
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
from llpbench_baselines.chip_input import ChipInput
from llpbench_baselines.exporting.hull import Hull
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


def card(ds: xr.Dataset, **changes: Any) -> Card:
    array = IMAGE if IMAGE in ds else EMBEDDING
    seen = ChipInput.of(ds, array)
    said = {"array": array, "bands": seen.bands, "dtype": seen.dtype, "coding": seen.coding}
    return CARD.model_copy(update={**said, "shape": seen.shape, **changes})


@pytest.mark.parametrize(
    ("name", "parameters", "made", "file_format"),
    [
        pytest.param(*case, kind, marks=[pytest.mark.full] * ((row + column) % 2))
        for row, case in enumerate(CASES)
        for column, kind in enumerate(ENDINGS)
    ],
)
def test_a_file_predicts_what_the_method_does(
    name: str,
    parameters: dict[str, Any],
    made: Callable[[], xr.Dataset],
    file_format: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Up to rounding; a patch that is as near to one word as to another may get either.

    In reduced counts each case is in one format, by turns.

    Descriptors of three bands are already too many here, and moments are of their components.
    """
    monkeypatch.setattr(window_moments, "_COMPONENTS", 5)
    ds = made()
    method = trained(name, parameters, ds)
    array = method.array
    assert array == (IMAGE if IMAGE in ds else EMBEDDING)
    ds = ds[[part for part in (array, EMBEDDING_SCALE) if part in ds]].isel(chip=slice(4))
    expected, images = method.predict(ds), load_images(ds, array)
    path = tmp_path / f"file{ENDINGS[file_format]}"
    method.export(path, card(ds, file_format=file_format), None)
    shares, classes = predicted(path, images)
    away = np.abs(shares - expected["proportions"].to_numpy()).max(axis=1)
    assert away.max() < 1e-3
    assert np.median(away) < 1e-5
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    if classes is None:
        assert "segmentation" not in expected
    else:
        np.testing.assert_array_equal(classes, expected["segmentation"])


def test_words_of_bytes_are_the_same_words(tmp_path: Path) -> None:
    """Only products are rounded; where nothing else is, patches hardly change their word."""
    ds = small_region()
    method, images = trained("bag-ridge", {"words": 200, "sample": 2000}, ds), load_images(ds)
    expected = method.predict(ds[[IMAGE]])["proportions"].to_numpy()
    for file_format, ending in ENDINGS.items():
        sizes = {}
        for quantize, limit in (("none", 1e-5), ("dynamic", 0.02), ("int8", 0.02)):
            path = tmp_path / f"{quantize}{ending}"
            said = card(ds, file_format=file_format, quantize=quantize)
            method.export(path, said, images if quantize == "int8" else None)
            shares, _classes = predicted(path, images)
            assert np.abs(shares - expected).mean() < limit
            np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
            sizes[quantize] = path.stat().st_size
        assert max(sizes["dynamic"], sizes["int8"]) < sizes["none"]


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
    chain.post[0][1].matrix_ = np.eye(5)[::-1] * 1.2 - 0.04
    chain.export(tmp_path / "file.tflite", CARD, None)
    shares, _classes = predicted(tmp_path / "file.tflite", load_images(ds)[:4])
    expected = chain.predict(ds[[IMAGE]].isel(chip=slice(4)))["proportions"]
    np.testing.assert_allclose(shares, expected, atol=1e-5)
    for name in ("emq", "rake", "interval"):
        other = Pipeline(method=chain.method, post=[(name, post_class(name)())])
        with pytest.raises(MethodError, match=f"^{name} is not written as a graph, .*without it$"):
            other.export(tmp_path / "file", CARD, None)


def test_what_no_file_can_hold_is_refused() -> None:
    with pytest.raises(MethodError, match=r"at most 10 classes.* found 11: group the classes"):
        Hull.of(np.eye(11))
