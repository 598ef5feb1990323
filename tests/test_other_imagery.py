"""Methods learn from any bands and from embeddings, and from bytes as they ever did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import small_imagery
import xarray as xr
from small_region import CATEGORIES, small_region

from llpbench.data.imagery import EMBEDDING, IMAGE, Coding, decode_array
from llpbench.data.info import DatasetInfo
from llpbench.errors import MethodError
from llpbench.methods import gate
from llpbench.methods.method import Method
from llpbench.methods.registry import make_method, method_class
from llpbench_baselines.backend import keras
from llpbench_baselines.byte_scale import ByteScale
from llpbench_baselines.chip_input import ChipInput
from llpbench_baselines.downconv import DownConv
from llpbench_baselines.keras_network import KerasNetwork
from llpbench_baselines.layers import UnitScale
from llpbench_baselines.objectives.chips import CorrelatedEasyLLP
from llpbench_baselines.patch_words import PatchWords, describe_patches
from llpbench_baselines.split_data import SplitData

Maker = Callable[..., xr.Dataset]

PIXELS = [small_imagery.sentinel2, small_imagery.sentinel1]
CELLS = [small_imagery.alphaearth, small_imagery.tessera]
EASY = {"epochs": 1, "random_state": 0}
FEW = {"features": "words", "words": 4, "sample": 2000}


def shares(method: Method, ds: xr.Dataset) -> np.ndarray:
    return np.concatenate([batch.shares for batch in gate.predict_batches(method, ds)])


def mae(method: Method, ds: xr.Dataset) -> float:
    return float(abs(shares(method, ds) - ds["chip_proportions"].to_numpy()).mean())


def fitted(name: str, make: Maker, **settings: object) -> Method:
    method = make_method(name, **settings)
    gate.fit(method, make(24), make(4, seed=1))
    return method


@pytest.mark.parametrize("make", [*PIXELS, *CELLS])
def test_a_scale_is_its_formula(make: Maker) -> None:
    """Against means and deviations by numpy; the layer of networks does the same."""
    ds = make(4)
    array = IMAGE if IMAGE in ds else EMBEDDING
    seen = ChipInput.any_of(ds)
    values = decode_array(ds, array).to_numpy().astype(np.float64)
    stored = ds[array].to_numpy() if seen.coding != Coding() else values.astype(np.float32)
    mean, spread = (f(values, axis=(0, 1, 2)) for f in (np.nanmean, np.nanstd))
    expected = np.nan_to_num(np.clip(128 + 32 * (values - mean) / spread, 0, 255), nan=128)
    found = ByteScale.learn(stored, seen.coding)(stored)
    np.testing.assert_allclose(found, expected, atol=0.05)
    layer = UnitScale(seen.coding)
    layer.build(stored.shape)
    layer.adapt(stored)
    np.testing.assert_allclose(256 * np.asarray(layer(stored)), found, atol=0.05)


def test_infinite_numbers_are_missing_and_what_is_the_same_everywhere_is_the_middle() -> None:
    images = np.array([[[[np.inf, 7.0]], [[1.0, 7.0]], [[3.0, 7.0]]]], dtype=np.float32)
    scaled = ByteScale.learn(images, Coding())(images)
    np.testing.assert_allclose(scaled[0, :, 0], [[128, 128], [96, 128], [160, 128]])


def test_patches_of_fractions_are_described_as_those_of_bytes() -> None:
    images = small_region(4)[IMAGE].to_numpy()[:, 2:98, 2:98]
    exact = describe_patches(images, 4)
    np.testing.assert_allclose(describe_patches(images.astype(np.float32), 4), exact, atol=1e-3)


@pytest.mark.parametrize(
    ("make", "features"),
    [
        (small_imagery.sentinel2, "words"),
        (small_imagery.sentinel1, "words,fourier,moments"),
        pytest.param(small_imagery.alphaearth, "words,fourier,moments", marks=pytest.mark.full),
        (small_imagery.tessera, "fourier"),
    ],
)
def test_closed_form_methods_learn_from_anything(
    make: Maker, features: str, tmp_path: Path
) -> None:
    method = fitted("bag-ridge", make, features=features, words=16, cosines=16, sample=5000)
    test = make(8, seed=2)
    assert mae(method, test) < 0.9 * mae(fitted("train-mean", make), test)
    method.save(tmp_path)
    again = method_class("bag-ridge").load(tmp_path)
    np.testing.assert_array_equal(shares(again, test), shares(method, test))


def test_words_of_many_bands_are_nearest_after_attenuated_whitening() -> None:
    """Variances along the eigenvectors become their square roots, by the definition."""
    generator = np.random.default_rng(0)
    mixed = generator.normal(size=(4, 96, 96, 2)) @ generator.normal(size=(2, 6))
    images = (128 + 9 * mixed + generator.normal(size=(4, 96, 96, 6))).astype(np.float32)
    words = PatchWords(count=8, sample=10**6).learn(images, generator)
    scaled = describe_patches(images, 4).reshape(-1, 12) / words.arrays["scale"]
    variances = np.linalg.eigvalsh(np.corrcoef(scaled.T))
    covariances = np.cov((scaled @ words.arrays["whitening"]).T)
    np.testing.assert_allclose(covariances, np.diag(np.sqrt(variances)), atol=2e-3)
    assert "whitening" not in PatchWords(count=8).learn(images[..., :3], generator).arrays


def test_groups_of_cells_have_classes() -> None:
    method, train = make_method("goodman"), small_imagery.alphaearth(48)
    gate.fit(method, train, train)
    test = small_imagery.alphaearth(8, seed=2)
    batch = next(gate.predict_batches(method, test))
    assert batch.grid is not None
    assert batch.grid.shape == (8, 24, 24, CATEGORIES)
    assert mae(method, test) < 0.9 * mae(fitted("train-mean", small_imagery.alphaearth), test)


def test_patches_of_cells_are_of_whole_cells() -> None:
    with pytest.raises(MethodError, match="multiple of that, found 6"):
        fitted("bag-ridge", small_imagery.alphaearth, patch_size=6)


def test_a_method_predicts_what_it_was_trained_on_alone() -> None:
    on_bands, on_bytes = (
        fitted("bag-ridge", make, **FEW) for make in (small_imagery.sentinel2, small_region)
    )
    bands = small_imagery.sentinel2(4)
    swapped = small_region(8).assign_coords(band=["nir", "red", "green"])
    other = bands.copy()
    other[IMAGE].attrs = {**other[IMAGE].attrs, "scale_factor": 1e-3}
    for method, ds, found in [
        (on_bands, small_region(8), "image of 3 bands 'red', 'green', 'blue' of uint8"),
        (on_bands, other, r"scale 0\.001"),
        (on_bands, bands.isel(band=slice(12)), "image of 12 bands"),
        (on_bytes, swapped, "'nir', 'red', 'green'"),
        (on_bytes, bands, "image of 13 bands"),
        (on_bytes, small_imagery.alphaearth(8), "needs the image"),
    ]:
        with pytest.raises(MethodError, match=found):
            shares(method, ds)


@pytest.mark.parametrize("name", ["embedding-ridge", "embedding-multinomial"])
@pytest.mark.parametrize("make", CELLS)
def test_a_linear_probe_of_chips_is_the_mean_of_one_on_cells(make: Maker, name: str) -> None:
    """A chip of rows of which each is one cell, and that cell alone, row after row."""
    method, test = fitted(name, make), make(8, seed=2)
    assert mae(method, test) < 0.6 * mae(fitted("train-mean", make), test)
    chip = test.isel(chip=[0], cell_x=[5] * 24)
    cells = [chip.isel(cell_y=[row] * 24) for row in range(24)]
    of_cells, of_chip = (
        np.concatenate([method.extractor_.compute(ds) for ds in some]) @ method.coefficients_
        for some in (cells, [chip])
    )
    np.testing.assert_allclose(of_cells.mean(axis=0), of_chip[0], atol=1e-4)


@pytest.mark.parametrize("name", ["embedding-ridge", "embedding-multinomial"])
def test_probes_of_embeddings_have_no_settings_of_patches_and_need_one(name: str) -> None:
    assert set(make_method(name).settings) <= {"area_exponent", "random_state"}
    with pytest.raises(MethodError, match="needs the embedding of chips"):
        fitted(name, small_region)


@pytest.mark.parametrize(
    "name",
    [
        *("downconv", "convregr"),
        *(
            pytest.param(name, marks=pytest.mark.full)
            for name in ("customunet", "resnet18unet", "vgg16unet")
        ),
    ],
)
def test_networks_are_built_for_any_bands(name: str) -> None:
    method = make_method(name)
    method.input_ = ChipInput.of(small_imagery.sentinel2(4))
    model = method.build(CATEGORIES)
    assert (tuple(model.input.shape[1:]), model.input.dtype) == ((96, 96, 13), "uint16")
    scale = model.get_layer("scale")
    assert [weights.path for weights in scale.weights] == ["scale/centre", "scale/spread"]


def _both(chips: int, seed: int = 0) -> xr.Dataset:
    """Bands and an embedding beside each other."""
    cells = small_imagery.alphaearth(chips, seed)
    return small_imagery.sentinel2(chips, seed).assign({EMBEDDING: cells[EMBEDDING]})


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("dasymetric-forest", {"trees": 5, "words": 8}),
        *(
            pytest.param(name, {"rounds": 1, "first_steps": 20}, marks=pytest.mark.full)
            for name in ("llp-dc", "popcorn")
        ),
        *(
            pytest.param(name, EASY, marks=pytest.mark.full)
            for name in ("l2p-ahil", "llp-vat", "mixbag", "llp-pvc", "debiased-square")
        ),
    ],
)
def test_methods_of_the_field_take_images_first_and_embeddings_where_there_are_none(
    name: str, settings: dict[str, object]
) -> None:
    labels = replace(small_region(4).llp.label_set, ordered=True)  # as popcorn asks
    attributes = DatasetInfo("small", "small", labels).attributes()
    for make, array in (
        (small_imagery.sentinel2, IMAGE),
        (small_imagery.alphaearth, EMBEDDING),
        (_both, IMAGE),
    ):
        train, val, test = (
            make(n, seed).assign_attrs(attributes) for n, seed in ((24, 0), (4, 1), (2, 2))
        )
        method = make_method(name, **settings)
        gate.fit(method, train, val)
        assert method.array == array
        np.testing.assert_allclose(shares(method, test).sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("downconv", {"objective": "easyllp-correlated"}),
        pytest.param("gmm", {}, marks=pytest.mark.full),
        ("qkm", {"encoder": "deep"}),
        pytest.param("pixel-supervised", {"network": "downconv"}, marks=pytest.mark.full),
    ],
)
def test_networks_learn_from_gaps_and_fractions(
    name: str, settings: dict[str, object], tmp_path: Path
) -> None:
    method = fitted(name, small_imagery.sentinel1, **EASY, **settings)
    test = small_imagery.sentinel1(4, seed=2)
    found = shares(method, test)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-4)
    assert found.std(axis=0).max() > 0
    method.save(tmp_path)
    np.testing.assert_array_equal(shares(type(method).load(tmp_path), test), found)
    with pytest.raises(MethodError, match="trained on image of 2 bands"):
        shares(method, small_imagery.sentinel2(4))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(small_imagery.sentinel2, marks=pytest.mark.full),
        small_imagery.alphaearth,
    ],
)
def test_llpnet_learns_from_bands_and_from_cells(make: Maker) -> None:
    steps = {"local_steps": 30, "first_steps": 15, "later_steps": 5, "rounds": 1}
    method, test = fitted("llpnet", make, **steps), make(6, seed=2)
    assert mae(method, test) < 0.9 * mae(fitted("train-mean", make), test)
    batch = next(gate.predict_batches(method, test))
    assert batch.grid is not None
    assert batch.grid.shape == (6, 24, 24, CATEGORIES)


def test_networks_of_pixels_say_what_they_need() -> None:
    with pytest.raises(MethodError, match="needs the image of chips"):
        fitted("downconv", small_imagery.alphaearth, **EASY)
    with pytest.raises(MethodError, match="ImageNet weights are for red, green and blue bytes"):
        fitted("vgg16unet", small_imagery.sentinel1, weights="imagenet", **EASY)


class OfStrangers(DownConv):
    """Made when there were three bands alone."""

    def build(self, categories: int) -> object:
        images = keras.layers.Input((96, 96, 3), dtype="uint8")
        scaled = keras.layers.Rescaling(1 / 256, name="scale")(images)
        cells = keras.layers.Conv2D(categories, 4, strides=4, activation="softmax")(scaled)
        return keras.Model(images, cells)


def test_networks_of_strangers_still_learn_and_refuse_what_they_cannot_take() -> None:
    method = OfStrangers(epochs=1)
    gate.fit(method, small_region(8), small_region(4, seed=1))
    assert np.isfinite(shares(method, small_region(4, seed=2))).all()
    bands = small_imagery.sentinel2(8)
    with pytest.raises(
        MethodError, match=r"takes images \(96, 96, 3\) of uint8, found an image of 13"
    ):
        gate.fit(OfStrangers(epochs=1), bands, bands)


def test_of_bytes_nothing_is_kept_and_nothing_learned() -> None:
    """So weights, their names and the numbers of parameters are as they were."""
    for name in ("downconv", "bag-ridge"):
        method = fitted(name, small_region, **(EASY if name == "downconv" else FEW))
        names = set(method.get_weights())
        assert not {weights for weights in names if weights.startswith(("input", "scale"))}
    model = DownConv().build(CATEGORIES)
    assert isinstance(model.get_layer("scale"), keras.layers.Rescaling)
    assert isinstance(method, Method)
    assert KerasNetwork.input_ == ChipInput()


def test_colours_of_chips_are_of_values() -> None:
    """The intraclass correlation does not depend on how numbers are stored."""
    found = []
    stored = small_imagery.sentinel2(8)
    for ds in (stored, stored.assign({IMAGE: decode_array(stored, IMAGE).drop_attrs()})):
        data = SplitData.of(ds, np.arange(8))
        found.append(CorrelatedEasyLLP().correlation(data))
    assert found[0] == pytest.approx(found[1], rel=1e-4)


def test_no_training_leaves_such_an_input() -> None:
    with pytest.raises(ValueError, match="no array"):
        ChipInput.of_weights({"input": np.array('{"array": "label", "bands": ["x"]}')})
