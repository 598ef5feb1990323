"""The small network that learns cells from divisions, and its parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from scipy.sparse import csr_array
from small_region import CATEGORIES, small_region

from llpbench.errors import MethodError
from llpbench.protocol import prediction_inputs
from llpbench_baselines.backend import load_backend
from llpbench_baselines.cell_training import Cells, match_cells, match_divisions
from llpbench_baselines.context_network import LOCAL, WINDOWS, ContextNetwork
from llpbench_baselines.llpnet import LLPNet
from llpbench_baselines.spatial_smoothing import smooth

QUICK = {"rounds": 2, "local_steps": 150, "first_steps": 100, "later_steps": 50}


@pytest.fixture(scope="module")
def fitted() -> LLPNet:
    region = small_region(24).llp.restrict("division")
    return LLPNet(**QUICK).fit(region, small_region(8, seed=2).llp.restrict("division"))


def _images(count: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, 96, 96, 3), dtype=np.uint8)


def _logits(categories: int) -> list[object]:
    _tensorflow, keras = load_backend()
    return [keras.layers.Dense(categories, kernel_initializer="zeros")]


def test_sizes_are_as_declared() -> None:
    network = LLPNet()
    network._build(np.array(["a", "b", "c", "d", "e"]))
    trainable = sum(variable.numpy().size for variable in network.model_.trainable_weights)
    weights = network.get_weights()
    kept = sum(array.size for name, array in weights.items() if name != "categories")
    assert trainable == LLPNet.parameters
    assert kept == LLPNet.parameters + LLPNet.non_trainable


def test_cells_are_described_by_their_windows() -> None:
    """Against windows cut out of the image one at a time."""
    images = _images(1)
    found = np.asarray(ContextNetwork(2).moments(images))[0]
    for row, column in ((0, 0), (3, 10), (23, 23)):
        for number, window in enumerate(WINDOWS):
            reach = window // 2
            rows = slice(4 * max(row - reach, 0), 4 * min(row + reach + 1, 24))
            columns = slice(4 * max(column - reach, 0), 4 * min(column + reach + 1, 24))
            pixels = images[0, rows, columns].reshape(-1, 3).astype(float)
            expected = [*pixels.mean(axis=0) / 255, *np.log1p(pixels.std(axis=0))]
            told = found[row, column, 6 * number : 6 * number + 6]
            np.testing.assert_allclose(told, expected, rtol=1e-3)


def test_first_numbers_are_of_the_cell_alone() -> None:
    images = _images(1)
    changed = images.copy()
    changed[0, 4:] = 0
    network = ContextNetwork(2)
    before, after = (np.asarray(network.moments(one))[0, 0, 0] for one in (images, changed))
    np.testing.assert_array_equal(before[:LOCAL], after[:LOCAL])
    assert (before[LOCAL:] != after[LOCAL:]).all()


def test_surroundings_are_averages_of_kinds() -> None:
    network = ContextNetwork(2)
    moments = np.random.default_rng(0).normal(size=(1, 24, 24, 24)).astype(np.float32)
    found = np.asarray(network.surroundings(moments))
    kinds = moments[..., :LOCAL]
    for layer in network.local:
        kinds = np.asarray(layer(kinds))
    inside = np.ones((24, 24))
    for number, window in enumerate(WINDOWS[1:]):
        size = kinds.shape[-1]
        told = found[0, ..., number * size : (number + 1) * size]
        sums = uniform_filter(kinds[0], (window, window, 0), mode="constant")
        expected = sums / uniform_filter(inside, window, mode="constant")[..., np.newaxis]
        np.testing.assert_allclose(told, expected, atol=1e-5)


def test_smoothing_solves_its_equation() -> None:
    """Where it has settled, each cell is what its neighbours make of it, by a slow loop."""
    generator = np.random.default_rng(0)
    alone = generator.dirichlet(np.ones(3), (1, 6, 6)).astype(np.float32)
    found = smooth(alone, coupling=1.0, window=3, iterations=200)[0]
    for row in range(6):
        for column in range(6):
            rows, columns = slice(max(row - 1, 0), row + 2), slice(max(column - 1, 0), column + 2)
            nearby = found[rows, columns].reshape(-1, 3).mean(axis=0)
            expected = alone[0, row, column] * np.exp(nearby)
            expected /= expected.sum()
            np.testing.assert_allclose(found[row, column], expected, atol=1e-4)


def test_no_coupling_changes_nothing() -> None:
    alone = np.random.default_rng(1).dirichlet(np.ones(4), (2, 5, 5))
    np.testing.assert_allclose(smooth(alone, coupling=0.0), alone, atol=1e-5)


def test_divisions_tell_what_cells_are() -> None:
    """Two kinds of cells, mixed differently in three divisions: only one assignment fits them."""
    generator = np.random.default_rng(0)
    shares = np.array([0.2, 0.5, 0.9])
    kind = generator.random((30, 8, 8)) < np.repeat(shares, 10)[:, np.newaxis, np.newaxis]
    features = np.where(kind, 1.0, -1.0)[..., np.newaxis].astype(np.float16)
    rows = csr_array(np.kron(np.eye(3), np.full((1, 10), 0.1)))
    means = kind.reshape(3, -1).mean(axis=1)
    proportions = np.stack([means, 1 - means], axis=1).astype(np.float32)
    layers = _logits(2)
    match_divisions(
        layers,
        Cells(features, generator),
        rows,
        proportions,
        np.ones(3),
        steps=400,
        learning_rate=0.1,
    )
    logits = np.asarray(layers[0](np.array([[1.0], [-1.0]], dtype=np.float32)))  # type: ignore[operator]
    probability = 1 / (1 + np.exp(logits[:, 1] - logits[:, 0]))
    assert probability[0] > 0.95
    assert probability[1] < 0.05


def test_cells_learn_the_probabilities_they_are_told() -> None:
    """The cross-entropy is least where a kind of cell gets the mean of what it is told."""
    generator = np.random.default_rng(0)
    kind = generator.random((10, 8, 8)) < 0.5
    told = np.where(kind, 0.8, 0.3)
    labels = np.stack([told, 1 - told], axis=-1).astype(np.float16)
    features = np.where(kind, 1.0, -1.0)[..., np.newaxis].astype(np.float16)
    layers = _logits(2)
    match_cells(layers, Cells(features, generator), labels, steps=200, learning_rate=0.1)
    logits = np.asarray(layers[0](np.array([[1.0], [-1.0]], dtype=np.float32)))  # type: ignore[operator]
    probability = 1 / (1 + np.exp(logits[:, 1] - logits[:, 0]))
    np.testing.assert_allclose(probability, [0.8, 0.3], atol=0.01)


def test_it_learns_what_chips_hold(fitted: LLPNet) -> None:
    """Colours tell classes here, so chips of unseen divisions come out far better than a mean."""
    test = small_region(12, seed=1)
    predictions = fitted.predict(prediction_inputs(test, "inductive"))
    truth = test["chip_proportions"].to_numpy()
    train_mean = small_region(24)["division_proportions"].to_numpy().mean(axis=0)
    error = np.abs(predictions["proportions"].to_numpy() - truth).mean()
    assert error < 0.5 * np.abs(train_mean - truth).mean()
    assert predictions["segmentation"].shape == (12, 24, 24)


def test_it_is_kept_as_it_was(fitted: LLPNet, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    again = LLPNet.load(tmp_path)
    test = small_region(4, seed=1)
    inputs = prediction_inputs(test, "inductive")
    first, other = fitted.predict(inputs), again.predict(inputs)
    np.testing.assert_array_equal(first["proportions"], other["proportions"])
    np.testing.assert_array_equal(first["segmentation"], other["segmentation"])
    assert again.sharpness_ == fitted.sharpness_


def test_a_seed_gives_the_same_network(fitted: LLPNet) -> None:
    region = small_region(24).llp.restrict("division")
    again = LLPNet(**QUICK).fit(region, small_region(8, seed=2).llp.restrict("division"))
    for name, weights in again.get_weights().items():
        if name != "categories":
            np.testing.assert_allclose(weights, fitted.get_weights()[name], atol=1e-2)


def test_counted_cells_are_the_sharpest_shares(fitted: LLPNet) -> None:
    test = small_region(4, seed=1)
    kept = fitted.sharpness_
    try:
        fitted._sharpness.assign(1e6)
        predictions = fitted.predict(prediction_inputs(test, "inductive"))
    finally:
        fitted._sharpness.assign(kept)
    classes = predictions["segmentation"].to_numpy().reshape(4, -1)
    counted = np.stack([(classes == k).mean(axis=1) for k in range(CATEGORIES)], axis=1)
    np.testing.assert_allclose(predictions["proportions"], counted, atol=0.01)


def test_no_more_chips_than_memory_is_meant_for() -> None:
    region = small_region(24)
    chosen = LLPNet(chips=10)._choose(region, np.random.default_rng(0))
    assert chosen.sizes["chip"] == 10


def test_nothing_to_train_on_is_said() -> None:
    region = small_region(4)
    unknown = region.assign(target=region["target"] * np.nan)
    with pytest.raises(MethodError, match="nothing to train on"):
        LLPNet().fit(unknown, region)
