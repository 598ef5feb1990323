"""The small network that learns cells from divisions, and its parts."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from exported_files import CARD, predicted
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from scipy.sparse import csr_array
from small_region import CATEGORIES, small_region
from stopping import StopAfter

from llpbench.data.batches.images import load_images
from llpbench.data.divisions import Divisions
from llpbench.errors import MethodError
from llpbench.methods.journal import CHECKPOINT, HISTORY, Journal
from llpbench.methods.pipeline import Pipeline
from llpbench.protocol import prediction_inputs
from llpbench.uncertainty.simplex import project_to_simplex
from llpbench_baselines.backend import keras
from llpbench_baselines.cell_training import FEWEST_CELLS, CellTraining
from llpbench_baselines.context_network import WINDOWS, ContextNetwork
from llpbench_baselines.llpnet import LLPNet
from llpbench_baselines.portions import Portions
from llpbench_baselines.post.calibrate import Calibrate
from llpbench_baselines.spatial_smoothing import smooth
from llpbench_baselines.split_data import SplitData

LOCAL = 6
"""Numbers of a cell of three bands: their means and deviations."""
QUICK = {"rounds": 1, "local_steps": 120, "first_steps": 240}


@pytest.fixture(scope="module")
def fitted() -> LLPNet:
    region = small_region(24).llp.restrict("division")
    return LLPNet(**QUICK).fit(region, small_region(8, seed=2).llp.restrict("division"))


def _images(count: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, 96, 96, 3), dtype=np.uint8)


def _logits(categories: int) -> list[Any]:
    return [keras.layers.Dense(categories, kernel_initializer="zeros")]


def _training(divisions: Divisions | None = None) -> Any:
    """What the lessons on loose cells need of a training: divisions, a seed, an epoch."""
    training = object.__new__(CellTraining)
    training.train = SimpleNamespace(divisions=divisions)  # type: ignore[assignment]
    training.settings = {"random_state": 0}
    training._epoch = 1
    return training


def _take(training: Any, lesson: Any) -> None:
    """All steps of a lesson, and the averages in the place of the weights."""
    for _units, arrays in lesson.batches:
        lesson.step(*arrays)
    training.optimisation.settle()


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


def test_variances_of_bytes_do_not_cancel() -> None:
    """Against whole numbers of 64 bits; a flat part of a chip, bright beside the rest, has none."""
    images = _images(1)
    images[0, :, :4] = 251
    images[0, 40:, 20:] //= 16
    images[0, 40:, 20:] += 240
    cells = images[0].reshape(24, 4, 24, 4, 3).astype(np.int64)
    squares, sums = (cells**2).sum(axis=(1, 3)), cells.sum(axis=(1, 3))
    variances = (16 * squares - sums**2) / 256
    found = np.asarray(ContextNetwork(2).moments(images))[0, ..., 3:6]
    np.testing.assert_array_equal(found[:, 0], 0)
    np.testing.assert_allclose(found, np.log1p(np.sqrt(variances)), rtol=2e-6)


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
    features = np.where(kind, 4.0, -4.0)[..., np.newaxis].astype(np.float16)
    means = kind.reshape(3, -1).mean(axis=1)
    proportions = np.stack([means, 1 - means], axis=1)
    training = _training(Divisions(csr_array(np.kron(np.eye(3), np.ones((1, 10)))), proportions))
    layers = _logits(2)
    _take(training, training.match_divisions(layers, features, 400, 3e-3))
    logits = np.asarray(layers[0](np.array([[4.0], [-4.0]], dtype=np.float32)))
    probability = 1 / (1 + np.exp(logits[:, 1] - logits[:, 0]))
    assert probability[0] > 0.9
    assert probability[1] < 0.1


def test_cells_learn_the_probabilities_they_are_told() -> None:
    """The cross-entropy is least where a kind of cell gets the mean of what it is told."""
    generator = np.random.default_rng(0)
    kind = generator.random((10, 8, 8)) < 0.5
    told = np.where(kind, 0.8, 0.3)
    labels = np.stack([told, 1 - told], axis=-1).astype(np.float16)
    features = np.where(kind, 1.0, -1.0)[..., np.newaxis].astype(np.float16)
    layers = _logits(2)
    training = _training()
    _take(training, training.match_cells(layers, features, labels, 200, 0.1))
    logits = np.asarray(layers[0](np.array([[1.0], [-1.0]], dtype=np.float32)))
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
    seen, same = (list(model.predict_proba(inputs)) for model in (fitted, again))
    np.testing.assert_array_equal(seen[0][1], same[0][1])


@pytest.fixture
def with_sharpness(fitted: LLPNet) -> Iterator[Callable[[float], LLPNet]]:
    """The trained method with another exponent of its read-out, for one test."""
    kept = fitted.sharpness_

    def assign(sharpness: float) -> LLPNet:
        fitted._sharpness.assign(sharpness)
        return fitted

    yield assign
    assign(kept)


@pytest.mark.parametrize("sharpness", [1.0, 64.0])
def test_probabilities_of_pixels_are_softer_than_the_networks_own(
    with_sharpness: Callable[[float], LLPNet], sharpness: float
) -> None:
    """By the root that temperature scaling takes, however shares are read out."""
    method, test = with_sharpness(sharpness), small_region(4, seed=1)
    window = test["image"].to_numpy()[:, 2:98, 2:98]
    own = np.asarray(method.model_(window)).astype(np.float64) + 1e-7
    ((_chips, found),) = method.predict_proba(prediction_inputs(test, "inductive"))
    root = own ** (1 / LLPNet.temperature)
    np.testing.assert_allclose(found, root / root.sum(axis=-1, keepdims=True), atol=1e-5)


@pytest.mark.parametrize("sharpness", [1.0, 64.0])
def test_what_follows_in_a_chain_and_in_a_file_sees_the_shares_of_the_method(
    with_sharpness: Callable[[float], LLPNet], sharpness: float, tmp_path: Path
) -> None:
    """And not the means of softened pixels, which are others."""
    method, test = with_sharpness(sharpness), small_region(4, seed=1)
    calibrate = Calibrate().set_weights({"matrix": np.eye(CATEGORIES)[::-1] * 1.2 - 0.04})
    chain = Pipeline(method=method, post=[("calibrate", calibrate)])
    inputs = prediction_inputs(test, "inductive")
    ((found,), (alone,)) = (
        [batch.shares for batch in one.predict_batches(inputs)] for one in (chain, method)
    )
    expected = project_to_simplex(alone.astype(np.float64) @ calibrate.matrix_)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    chain.export(tmp_path / "file.tflite", CARD, None)
    shares, _classes = predicted(tmp_path / "file.tflite", load_images(test))
    np.testing.assert_allclose(shares, found, atol=1e-4)


def test_counted_cells_are_the_sharpest_shares(
    with_sharpness: Callable[[float], LLPNet],
) -> None:
    test = small_region(4, seed=1)
    predictions = with_sharpness(1e6).predict(prediction_inputs(test, "inductive"))
    classes = predictions["segmentation"].to_numpy().reshape(4, -1)
    counted = np.stack([(classes == k).mean(axis=1) for k in range(CATEGORIES)], axis=1)
    np.testing.assert_allclose(predictions["proportions"], counted, atol=0.01)


@pytest.fixture
def many() -> SplitData:
    """Twenty-four chips of which five are kept, in several divisions."""
    method, region = LLPNet(chips=5), small_region(24)
    method.input_ = method.find_input(region)
    return method.training_chips(region)


def _areas(split: SplitData) -> list[tuple[tuple[float, ...], float]]:
    """Of each division its proportions, which tell it from others here, and its area."""
    divisions = split.divisions
    told = (tuple(row) for row in divisions.proportions.tolist())
    return list(zip(told, divisions.areas.tolist(), strict=True))


def test_portions_are_of_whole_divisions_and_take_turns(many: SplitData) -> None:
    """Each division knows all its chips; after as many portions as need be all had a turn."""
    portions = Portions(many, most=5, seed=0)
    seen: list[tuple[float, ...]] = []
    whole = dict(_areas(many))
    assert not portions.is_all
    while len(set(seen)) < len(whole):
        portion = portions[len(seen)]
        assert len(portion.images) == len(portion.targets) == portion.divisions.overlaps.shape[1]
        for proportions, area in _areas(portion):
            assert area == pytest.approx(whole[proportions])
            seen.append(proportions)
        assert len(seen) < 100


def test_more_chips_than_are_kept_are_seen_all_the_same(many: SplitData) -> None:
    """A round sees a portion, the first epoch cells of each chip, normalised as all are."""
    network = ContextNetwork(CATEGORIES)
    network.model()
    training = CellTraining(
        network, many, many, LLPNet(chips=5).settings, validate=dict, weights=[]
    )
    described = training.alone
    cells = described.shape[1]
    assert described.shape == (24, cells, 1, LOCAL)
    assert FEWEST_CELLS <= cells < 24**2
    again = network.describe(many.images.in_order(), None)[..., :LOCAL]
    for chip in range(24):
        known = {cell.tobytes() for cell in again[chip].reshape(-1, LOCAL)}
        drawn = [cell.tobytes() for cell in described[chip, :, 0]]
        assert set(drawn) <= known
    training.begin(1)
    training.begin(2)
    assert len(training.features) == len(training.train.images) < 24


def test_it_learns_from_more_chips_than_are_kept() -> None:
    region = small_region(24).llp.restrict("division")
    method = LLPNet(**QUICK, chips=6).fit(region, small_region(8, seed=2).llp.restrict("division"))
    test = small_region(12, seed=1)
    predictions = method.predict(prediction_inputs(test, "inductive"))
    truth = test["chip_proportions"].to_numpy()
    train_mean = small_region(24)["division_proportions"].to_numpy().mean(axis=0)
    error = np.abs(predictions["proportions"].to_numpy() - truth).mean()
    assert error < 0.6 * np.abs(train_mean - truth).mean()


def test_nothing_to_train_on_is_said() -> None:
    region = small_region(4)
    unknown = region.assign(target=region["target"] * np.nan)
    with pytest.raises(MethodError, match="nothing to train on"):
        LLPNet().fit(unknown, region)


def test_normalisations_see_cells_of_every_row_and_column() -> None:
    """Images that darken to the right: a sample of some columns would miss their mean."""
    ramp = np.linspace(0, 255, 96).astype(np.uint8)
    images = np.broadcast_to(ramp[None, None, :, None], (600, 96, 96, 3))
    network = ContextNetwork(2)
    network.model()
    described = network.describe([images], seed=0)
    mean = network.moments_scale.mean.numpy()[:3]
    np.testing.assert_allclose(mean, ramp.mean() / 255, atol=0.005)
    np.testing.assert_allclose(described[..., :3].mean(dtype=float), 0, atol=0.02)


STEPS = {"rounds": 2, "local_steps": 4, "first_steps": 3, "later_steps": 2}


def _train(folder: Path, stop: Event | None = None) -> tuple[LLPNet, Journal]:
    folder.mkdir(exist_ok=True)
    method = LLPNet(**STEPS, deterministic=True)
    journal = Journal(folder, method.settings, stop=stop)
    return method.fit(small_region(12), small_region(8, seed=2), journal=journal), journal


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[LLPNet, Path]:
    """A training that nobody stopped, and its folder."""
    folder = tmp_path_factory.mktemp("trainings") / "whole"
    return _train(folder)[0], folder


@pytest.mark.parametrize("steps", [2, 5, 7], ids=["divisions", "first round", "later round"])
def test_a_resumed_training_has_the_same_bits(
    whole: tuple[LLPNet, Path], tmp_path: Path, steps: int
) -> None:
    """Stopped within each of its three epochs, of four, three and two steps.

    That a seed decides everything is in it: nothing else makes two trainings alike.
    """
    stopped, journal = _train(tmp_path / "parts", StopAfter(steps))
    assert journal.interrupted
    assert len(stopped.history_) == {2: 0, 5: 2, 7: 2}[steps]  # the first round counts in part
    resumed, journal = _train(tmp_path / "parts")
    assert not journal.interrupted
    assert resumed.history_ == whole[0].history_
    for name, weights in whole[0].get_weights().items():
        np.testing.assert_array_equal(resumed.get_weights()[name], weights)
    texts = {(folder / HISTORY).read_text() for folder in (whole[1], tmp_path / "parts")}
    assert len(texts) == 1


def test_history_holds_the_error_of_validation_divisions_after_each_round(
    whole: tuple[LLPNet, Path],
) -> None:
    """The best round is kept: scored anew, its shares have the lowest error of the rounds."""
    method, folder = whole
    with (folder / HISTORY).open(encoding="utf-8") as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    val = small_region(8, seed=2)
    shares = method.predict(prediction_inputs(val, "inductive"))["proportions"].to_numpy()
    score = SplitData.for_validation(val).score(shares)
    assert score["val_loss"] == pytest.approx(min(row["val_loss"] for row in rows[1:]), rel=1e-4)


@pytest.mark.full
def test_a_killed_training_goes_on_from_its_last_round(tmp_path: Path) -> None:
    """The process kills itself, as ``kill -9`` would, when the second round has begun."""
    program = f"""
import os, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
import test_llpnet
from llpbench_baselines.cell_training import FEWEST_CELLS, CellTraining
begin = CellTraining.begin
def killed(self, epoch):
    if epoch == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return begin(self, epoch)
CellTraining.begin = killed
test_llpnet._train(Path({str(tmp_path / "parts")!r}))
"""
    done = subprocess.run([sys.executable, "-c", program], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "parts" / CHECKPOINT).exists()
    assert len((tmp_path / "parts" / HISTORY).read_text().splitlines()) == 3
    whole, resumed = (_train(tmp_path / part)[0] for part in ("whole", "parts"))
    assert resumed.history_ == whole.history_
    for name, weights in whole.get_weights().items():
        np.testing.assert_array_equal(resumed.get_weights()[name], weights)


@pytest.mark.full
def test_tensorflow_is_quiet_about_small_sets(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Blocks of several sizes do not make it trace its graphs again and again."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for chips in (3, 5, 70):
            region = small_region(chips)
            LLPNet(**STEPS).fit(region, region).predict(region)
    assert "retracing" not in capfd.readouterr().err
