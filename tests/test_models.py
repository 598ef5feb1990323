"""Every Keras method: its size, that it learns, and the parts it is made of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import multivariate_normal
from sklearn.base import clone
from sklearn.metrics import log_loss
from small_region import CATEGORIES, small_region

from llpbench.errors import MethodError, UnknownNameError
from llpbench.predictions.table import check_predictions
from llpbench.protocol import prediction_inputs
from llpbench_baselines import encoders, layers, patches
from llpbench_baselines.convregr import ConvRegr
from llpbench_baselines.customunet import CustomUNet
from llpbench_baselines.downconv import DownConv
from llpbench_baselines.gmm import GMM
from llpbench_baselines.keras_method import KerasMethod
from llpbench_baselines.llp_pvc import LLPPVC
from llpbench_baselines.llpnet import LLPNet
from llpbench_baselines.losses import chip_shares, pixel_cross_entropy
from llpbench_baselines.qkm import QKM
from llpbench_baselines.resnet18unet import ResNet18UNet
from llpbench_baselines.supervised import ChipSupervised, PixelSupervised
from llpbench_baselines.vgg16unet import VGG16UNet

SMALL = {"epochs": 2, "batch_size": 8}
LARGE = {"epochs": 2, "batch_size": 4, "learning_rate": 1e-3}

MODELS: dict[str, tuple[KerasMethod, int, int | None]] = {
    # a method, how many chips it is tried on, the side of its segmentation
    "downconv": (DownConv(**SMALL), 8, 24),
    "downconv, overlapping": (DownConv(kernel_size=8, stride=4, filters=16, **SMALL), 8, 96),
    "qkm": (QKM(learning_rate=1e-2, **SMALL), 8, 48),
    "qkm, deep": (QKM(patch_size=6, stride=6, encoder="deep", learning_rate=1e-2, **SMALL), 8, 16),
    "qkm, autoencoder": (
        QKM(patch_size=16, stride=16, components=8, encoder="autoencoder", **SMALL),
        8,
        6,
    ),
    "gmm": (GMM(prototypes=16, **SMALL), 8, 24),
    "convregr": (ConvRegr(learning_rate=1e-3, **SMALL), 8, None),
    "customunet": (CustomUNet(**LARGE), 4, 96),
    "vgg16unet": (VGG16UNet(**LARGE), 2, 96),
    "resnet18unet": (ResNet18UNet(**LARGE), 2, 96),
    "llp-pvc": (LLPPVC(network="downconv", **SMALL), 8, 24),
    "chip-supervised": (ChipSupervised(network="downconv", **SMALL), 8, 24),
    "pixel-supervised": (PixelSupervised(network="qkm", **SMALL), 8, 48),
}
LARGE = ("resnet18unet", "vgg16unet")
"""Takes as long as all of the small ones."""
PAPER = [DownConv, QKM, GMM, ConvRegr, CustomUNet, VGG16UNet, ResNet18UNet]


@pytest.mark.parametrize(
    "found", [*PAPER, ChipSupervised, PixelSupervised], ids=lambda found: found.__name__
)
def test_sizes_are_as_declared(found: type[KerasMethod]) -> None:
    model = found().build(CATEGORIES)
    assert sum(v.numpy().size for v in model.trainable_weights) == found.parameters
    exponents = int(issubclass(found, ChipSupervised))  # of the read-out, outside the network
    fixed = sum(v.numpy().size for v in model.non_trainable_weights) + exponents
    assert fixed == found.non_trainable


def test_sizes_are_those_of_the_paper() -> None:
    assert DownConv.parameters == 5189
    assert QKM.parameters == 3457
    assert CustomUNet.parameters == 482101
    assert (VGG16UNet.parameters, VGG16UNet.non_trainable) == (23748821, 4032)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.full] if name in LARGE else []) for name in MODELS],
)
def test_a_method_learns_predicts_and_is_kept(name: str, tmp_path: Path) -> None:
    method, chips, side = MODELS[name]
    method = clone(method)
    train = small_region(chips).llp.restrict(method.supervision)
    test = small_region(min(4, chips), seed=1)
    method.fit(train, test.llp.restrict(method.supervision))
    losses = [epoch["loss"] for epoch in method.history_]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]

    inputs = prediction_inputs(test, method.track)
    predictions = method.predict(inputs)
    np.testing.assert_allclose(predictions["proportions"].sum("category"), 1, atol=1e-5)
    if side is None:
        assert "segmentation" not in predictions
    else:
        assert predictions["segmentation"].shape == (test.sizes["chip"], side, side)

    if side is not None:
        ((chip_ids, probabilities),) = method.predict_proba(inputs)
        np.testing.assert_array_equal(chip_ids, test["chip"])
        np.testing.assert_array_equal(probabilities.argmax(axis=-1), predictions["segmentation"])

    footprint = method.footprint()
    if (footprint["parameters"] or 0) + (footprint["non_trainable"] or 0) < 250_000:
        method.save(tmp_path)
        again = type(method).load(tmp_path).predict(inputs)
        np.testing.assert_array_equal(again["proportions"], predictions["proportions"])


def test_predictions_are_accepted() -> None:
    test = small_region(4).assign_attrs(name="small", digest="")
    method = QKM(components=4, epochs=1).fit(test, test)
    checked = check_predictions(method.predict(prediction_inputs(test, "inductive")), test)
    assert checked["proportions"].dtype == np.float32


def test_imports_leave_tensorflow_and_nothing_is_said_to_the_terminal() -> None:
    """In a process of its own, for TensorFlow warns only once of what it cannot trace."""
    modules = [found.__module__ for found in PAPER]
    code = f"""
import sys, {", ".join(modules)}
assert "tensorflow" not in sys.modules, "it is loaded with the methods"
import small_region, llpbench_baselines.downconv as module
region = small_region.small_region(4)
method = module.DownConv(epochs=1).fit(region, region)
method.predict(region), list(method.predict_proba(region)), method.multiply_adds()
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, check=False
    )
    assert (ran.stdout, ran.stderr, ran.returncode) == (b"", b"", 0)


def test_the_best_weights_are_kept() -> None:
    region = small_region(8)
    method = DownConv(epochs=3, learning_rate=0.3, random_state=4).fit(region, region)
    shares = chip_shares(method.model_(patchable(region))).numpy()
    means = shares.reshape(2, 4, CATEGORIES).mean(axis=1)  # four chips to a division
    loss = (0.2 * (means - region["division_proportions"]) ** 2).sum("category").mean()
    assert float(loss) == pytest.approx(min(epoch["val_loss"] for epoch in method.history_))


def patchable(region: Any) -> Any:
    return region["image"].isel(y=slice(2, 98), x=slice(2, 98)).to_numpy()


def test_a_seed_decides_everything() -> None:
    region = small_region(8)
    first, second, other = (
        DownConv(epochs=2, batch_size=4, random_state=seed).fit(region, region).get_weights()
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first["patches/kernel"], second["patches/kernel"])
    assert not np.array_equal(first["patches/kernel"], other["patches/kernel"])


def test_bounds_stay_outside_the_ranking_and_see_more() -> None:
    assert (ChipSupervised.supervision, PixelSupervised.supervision) == ("chip", "pixel")
    assert ChipSupervised.parameters == PixelSupervised.parameters == LLPNet.parameters
    assert ChipSupervised().network == "llpnet"
    assert ChipSupervised.is_reference
    assert PixelSupervised.is_reference
    region = small_region(4)
    np.testing.assert_array_equal(ChipSupervised().targets(region), region["chip_proportions"])
    labels = region["label"][:, 2:98, 2:98]
    np.testing.assert_array_equal(PixelSupervised().targets(region), labels)


def test_a_bound_needs_a_network_and_one_on_pixels_needs_pixels() -> None:
    with pytest.raises(MethodError, match="'train-mean' has no network"):
        ChipSupervised(network="train-mean").build(CATEGORIES)
    with pytest.raises(MethodError, match="'convregr' has no pixels"):
        PixelSupervised(network="convregr").build(CATEGORIES)


def test_a_method_without_pixels_offers_none() -> None:
    assert not ConvRegr.has_pixels
    assert DownConv.has_pixels


@pytest.mark.parametrize(("size", "stride"), [(4, 4), (4, 2), (6, 2), (8, 4)])
def test_patches_are_cut_as_a_slow_loop_does(size: int, stride: int) -> None:
    images = np.random.default_rng(0).random((2, 96, 96, 3), dtype=np.float32)
    count = (96 - size) // stride + 1
    cut = np.asarray(patches.cut_patches(images, size, stride))
    assert cut.shape == (2, count, count, size * size * 3)
    for row, column in [(0, 0), (1, 2), (count - 1, count - 2)]:
        top, left = row * stride, column * stride
        expected = images[:, top : top + size, left : left + size].reshape(2, -1)
        np.testing.assert_array_equal(cut[:, row, column], expected)


@pytest.mark.parametrize(("size", "stride"), [(4, 2), (6, 2), (6, 6), (12, 4)])
def test_probabilities_are_spread_as_a_slow_loop_does(size: int, stride: int) -> None:
    count = (96 - size) // stride + 1
    given = np.random.default_rng(0).random((1, count, count, 2), dtype=np.float32)
    total, covering = np.zeros((96, 96, 2)), np.zeros((96, 96, 1))
    for row in range(count):
        for column in range(count):
            window = np.s_[row * stride :, column * stride :]
            total[window][:size, :size] += given[0, row, column]
            covering[window][:size, :size] += 1
    blocks = np.asarray(patches.spread_patches(given, size, stride))[0]
    pixels = blocks.repeat(stride, axis=0).repeat(stride, axis=1)
    np.testing.assert_allclose(pixels, total / covering, rtol=1e-5)


@pytest.mark.parametrize(("size", "stride"), [(4, 3), (5, 5), (4, 8), (0, 0)])
def test_patches_that_do_not_tile_are_refused(size: int, stride: int) -> None:
    with pytest.raises(MethodError, match="do not tile 96 pixels"):
        QKM(patch_size=size, stride=stride).build(CATEGORIES)


def test_drawn_patches_are_of_as_many_chips_as_there_are() -> None:
    images = np.repeat(np.arange(6, dtype=np.uint8), 96 * 96 * 3).reshape(6, 96, 96, 3)
    drawn = patches.draw_patches(images, 6, 4, random_state=0, scale=np.asarray)
    assert sorted(drawn[:, 0]) == [0, 1, 2, 3, 4, 5]
    assert (drawn == drawn[:, :1]).all()
    assert patches.draw_patches(images, 20, 4, 0, np.asarray).shape == (20, 48)


def test_an_encoder_must_be_known() -> None:
    with pytest.raises(UnknownNameError, match="autoencoder"):
        QKM(encoder="autoencode").build(CATEGORIES)


def test_an_autoencoder_learns_to_reconstruct() -> None:
    """Codes that serve to redraw two sorts of patches cannot be alike."""
    flat = np.repeat(np.array([0.1, 0.9], dtype=np.float32), 64)[:, np.newaxis] * np.ones(48)
    encoder = encoders.autoencoder(4)
    before = np.asarray(encoder(flat))
    encoders.learn_to_reconstruct(encoder, flat.astype(np.float32), epochs=20)
    after = np.asarray(encoder(flat))
    assert not np.allclose(before, after)
    assert np.linalg.norm(after[0] - after[-1]) > np.linalg.norm(before[0] - before[-1])


def test_distances_are_those_of_scipy() -> None:
    generator = np.random.default_rng(0)
    points, centres = generator.random((7, 48)), generator.random((5, 48))
    found = layers.squared_distances(points.astype(np.float32), centres.astype(np.float32))
    np.testing.assert_allclose(found, cdist(points, centres, "sqeuclidean"), rtol=1e-5)


def test_a_measurement_is_its_formula() -> None:
    generator = np.random.default_rng(0)
    layer = layers.KernelMeasurement(4, 3)
    given = generator.random((1, 2, 2, 12), dtype=np.float32)
    layer.build(given.shape)
    positions, classes, weighting = (
        generator.normal(size=shape) for shape in [(4, 12), (4, 3), (4,)]
    )
    layer.set_weights([positions, classes, weighting, np.float32(0.7)])
    kernel = np.exp(-cdist(given.reshape(4, 12), positions, "sqeuclidean") / (2 * 0.7**2))
    parts = np.maximum(np.exp(weighting) / np.exp(weighting).sum() * kernel**2, 1e-10)
    parts /= parts.sum(axis=1, keepdims=True)
    shares = classes**2 / (classes**2).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(layer(given), (parts @ shares).reshape(1, 2, 2, 3), rtol=1e-3)


def test_prototypes_are_bayes_rule_on_gaussians() -> None:
    generator = np.random.default_rng(0)
    layer = layers.GaussianPrototypes(3, 2)
    given = generator.random((1, 2, 2, 6), dtype=np.float32)
    layer.build(given.shape)
    means, log_variances, logits = (
        generator.normal(size=shape) for shape in [(3, 6), (3,), (3, 2)]
    )
    layer.set_weights([means, log_variances, logits])
    densities = np.stack(
        [
            multivariate_normal(mean, np.exp(log_variance)).pdf(given.reshape(4, 6))
            for mean, log_variance in zip(means, log_variances, strict=True)
        ],
        axis=1,
    )
    classes = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = densities / densities.sum(axis=1, keepdims=True) @ classes
    np.testing.assert_allclose(layer(given), expected.reshape(1, 2, 2, 2), rtol=1e-4)
    (added,) = layer.losses
    assert float(added) == pytest.approx(-np.log(densities.mean(axis=1)).mean(), rel=1e-4)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_dropout_keeps_the_expectation(rate: float) -> None:
    """Of n = 1,000,003 ones, n (1 - rate) stay; five standard deviations are 5 sqrt(n/4)."""
    ones = np.ones(1_000_003, dtype=np.float32)
    layer = layers.ByteDropout(rate)
    dropped = np.asarray(layer(ones, training=True))
    kept = 1 - round(256 * rate) / 256
    assert set(np.unique(dropped)) == {0, np.float32(1 / kept)}
    assert abs((dropped > 0).sum() - kept * ones.size) < 5 * np.sqrt(ones.size / 4)
    assert not np.array_equal(dropped, layer(ones, training=True))
    np.testing.assert_array_equal(layer(ones), ones)


def test_shares_are_the_mean_of_pixels_or_themselves() -> None:
    output = np.random.default_rng(0).random((2, 3, 3, 4), dtype=np.float32)
    np.testing.assert_allclose(chip_shares(output), output.mean(axis=(1, 2)), rtol=1e-6)
    np.testing.assert_array_equal(chip_shares(output[:, 0, 0]), output[:, 0, 0])


def test_pixel_cross_entropy_is_that_of_enlarged_cells() -> None:
    """Against scikit-learn on all 96x96 pixels, those without a label left out."""
    generator = np.random.default_rng(0)
    output = generator.dirichlet(np.ones(3), (2, 24, 24)).astype(np.float32)
    labels = generator.integers(0, 3, (2, 96, 96)).astype(np.uint8)
    labels[0, :40] = 255
    known = labels != 255
    enlarged = output.repeat(4, axis=1).repeat(4, axis=2)[known].astype(np.float64)
    expected = log_loss(labels[known], enlarged / enlarged.sum(axis=1, keepdims=True))
    found = pixel_cross_entropy(output, labels, np.ones(3))
    assert np.mean(found) == pytest.approx(expected, rel=1e-4)


def test_vgg16_starts_from_a_file_of_weights(tmp_path: Path) -> None:
    """A file laid out as Keras publishes them: a group a layer, named in attributes."""
    method = VGG16UNet(weights=str(tmp_path / "vgg16.h5"))
    method.model_ = method.build(CATEGORIES)
    with h5py.File(tmp_path / "vgg16.h5", "w") as file:
        names = [layer.name for layer in method.model_.layers if layer.name.startswith("block")]
        file.attrs["layer_names"] = [name.encode() for name in names]
        for name in names:
            weights = method.model_.get_layer(name).weights
            group = file.create_group(name)
            group.attrs["weight_names"] = [weight.name.encode() for weight in weights]
            for weight in weights:
                group.create_dataset(weight.name, weight.shape, "float32", fillvalue=0.25)
    method.initialise(None)
    assert (method.model_.get_layer("block5_conv3").kernel.numpy() == 0.25).all()


def test_vgg16_says_what_is_wrong_with_weights(tmp_path: Path) -> None:
    path = tmp_path / "vgg16.h5"
    method = VGG16UNet(weights=str(path))
    method.model_ = method.build(CATEGORIES)
    with pytest.raises(MethodError, match=r"no VGG16 weights are at .*vgg16\.h5"):
        method.initialise(None)
    path.write_bytes(b"no weights")
    with pytest.raises(MethodError, match=r"vgg16\.h5 does not hold VGG16's weights"):
        method.initialise(None)
