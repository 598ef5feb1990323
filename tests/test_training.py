"""Training: losses, checkpoints and resuming, stopping early, failing clearly."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.stats import entropy
from sklearn.metrics import log_loss
from small_region import CATEGORIES, small_region

pytest.importorskip("tensorflow", reason="training needs TensorFlow")

from stopping import StopAfter

from llpbench.errors import MethodError, UnknownNameError
from llpbench.methods.journal import CHECKPOINT, HISTORY, Journal
from llpbench_baselines import losses
from llpbench_baselines.backend import keras, tf
from llpbench_baselines.convregr import ConvRegr
from llpbench_baselines.downconv import DownConv
from llpbench_baselines.objectives import Objective
from llpbench_baselines.objectives.bags import DLLP
from llpbench_baselines.objectives.chips import Broadcast
from llpbench_baselines.objectives.self_training import SinkhornEM
from llpbench_baselines.optimisation import Optimisation
from llpbench_baselines.split_data import SplitData
from llpbench_baselines.supervised import PixelSupervised

SMALL: dict[str, Any] = {"filters": 4, "batch_size": 8, "deterministic": True}


@pytest.fixture(scope="module")
def region() -> xr.Dataset:
    return small_region(20)


def shares(seed: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).dirichlet(np.ones(4), 6).astype(np.float32)


WEIGHTS = np.array([0.5, 1.0, 2.0, 1.0], dtype=np.float32)
ONES = np.ones(4, dtype=np.float32)


def test_the_cross_entropy_of_shares_is_that_of_scikit_learn() -> None:
    """Chips with one class each, and weights all 1: the usual log loss."""
    classes = np.array([0, 1, 2, 3, 1, 2])
    given, targets = shares(0).astype(np.float64), np.eye(4, dtype=np.float32)[classes]
    found = np.mean(losses.share_cross_entropy(given.astype(np.float32), targets, ONES))
    expected = log_loss(classes, given / given.sum(axis=1, keepdims=True))
    assert found == pytest.approx(expected, rel=1e-4)


def test_the_divergence_is_that_of_scipy() -> None:
    given, targets = shares(0), shares(1)
    expected = entropy(targets, given, axis=1).mean()
    assert np.mean(losses.divergence(given, targets, ONES)) == pytest.approx(expected, rel=1e-4)
    assert np.mean(losses.divergence(targets, targets, ONES)) == pytest.approx(0, abs=1e-5)
    certain = np.eye(4, dtype=np.float32)
    assert np.mean(losses.divergence(certain, certain, ONES)) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("name", ["squared", "cross-entropy", "divergence"])
def test_a_loss_is_least_at_its_target_whatever_classes_count(name: str) -> None:
    """Seen along lines of shares that lead through the target, where classes count .1 to 10."""
    loss = losses.SHARE_LOSSES[name]
    for seed in range(20):
        generator = np.random.default_rng(seed)
        weights = (10 ** generator.uniform(-1, 1, 4)).astype(np.float32)
        target, other = generator.dirichlet(np.ones(4), 2)
        steps = np.linspace(-0.5, 0.5, 101)[:, np.newaxis]
        line = target + steps * (other - target)
        line = line[(line > 0).all(axis=1)].astype(np.float32)
        targets = np.tile(target, (len(line), 1)).astype(np.float32)
        nearest = np.abs(line - targets).sum(axis=1).argmin()
        assert int(np.argmin(loss(line, targets, weights))) == nearest, weights


def test_super_resolution_is_its_formula_cell_by_cell() -> None:
    """The variance of a mean of nine independent cells is the sum of theirs over 9 x 9."""
    output = np.random.default_rng(0).dirichlet(np.ones(4), (6, 3, 3)).astype(np.float32)
    targets, spread = shares(1), 0.2
    expected = []
    for chip, target in zip(output.reshape(6, 9, 4).astype(float), targets, strict=True):
        variance = sum(cell * (1 - cell) for cell in chip) / 9**2 + spread**2
        terms = (target - chip.mean(axis=0)) ** 2 / variance + np.log(variance)
        expected.append((WEIGHTS * terms).sum() / 2)
    loss = losses.super_resolution(output, targets, WEIGHTS, spread=spread)
    assert np.mean(loss) == pytest.approx(np.mean(expected), rel=1e-4)


def test_super_resolution_bears_cells_without_doubt() -> None:
    certain = np.eye(4, dtype=np.float32)[np.zeros((6, 3, 3), dtype=int)]
    for output in (certain, shares(0)):
        assert np.isfinite(losses.super_resolution(output, shares(1), WEIGHTS)).all()


@pytest.mark.parametrize("name", losses.SHARE_LOSSES)
def test_every_loss_trains(name: str, region: xr.Dataset) -> None:
    objective = Broadcast(loss=name)
    method = DownConv(objective=objective, epochs=3, learning_rate=0.02, **SMALL)
    method.fit(region, region)
    assert method.history_[-1]["loss"] < method.history_[0]["loss"]


def test_losses_are_chosen_by_name() -> None:
    with pytest.raises(UnknownNameError, match="no loss 'square'; did you mean 'squared'"):
        DLLP(loss="square")
    with pytest.raises(UnknownNameError, match="there are: pixel-cross-entropy"):
        PixelSupervised.from_settings({"loss": "squared"})


def test_parameters_are_those_of_all_constructors() -> None:
    assert set(ConvRegr().get_params()) < set(DownConv().get_params())
    assert DownConv().get_params()["learning_rate"] == 3e-3
    with pytest.raises(TypeError, match="epoch"):
        DownConv(epoch=3)


def test_validation_is_by_division(region: xr.Dataset) -> None:
    """Against loops over divisions of four chips each, all of the same area."""
    given = np.random.default_rng(0).dirichlet(np.ones(CATEGORIES), 20)
    known = region["division_proportions"].to_numpy()
    squared, absolute = [], []
    for division in range(5):
        error = given[4 * division : 4 * division + 4].mean(axis=0) - known[division]
        squared.append(0.2 * (error**2).sum())
        absolute.append(np.abs(error).mean())
    scores = SplitData.for_validation(region.llp.restrict("division")).score(given)
    assert scores["val_loss"] == pytest.approx(np.mean(squared), rel=1e-5)
    assert scores["val_mae"] == pytest.approx(np.mean(absolute), rel=1e-5)


def test_validation_streams_what_it_may_not_keep(region: xr.Dataset) -> None:
    network = lambda images: images[:, :, :1, :1] * np.full(CATEGORIES, 0.1)  # noqa: E731
    kept, streamed = (SplitData.for_validation(region, memory) for memory in (2**31, 0))
    assert (kept.images.fit, streamed.images.fit) == (True, False)
    assert kept.score_network(network) == streamed.score_network(network)


def test_averages_forget_their_beginning_soon() -> None:
    """From 0, with weights of 1 from then on: 1 less the product of what is kept in each step."""
    variable = keras.Variable(np.zeros(2, dtype=np.float32))
    averaged = Optimisation([variable], 1.0)
    variable.assign(np.ones(2))
    left = 1.0
    for step in range(1, 1201):
        averaged.update(step)
        left *= min(0.99, (1 + step) / (10 + step))
        if step in (1, 10, 100, 1200):
            np.testing.assert_allclose(averaged.averages[0], 1 - left, rtol=1e-4)
    variable.assign(np.full(2, 7))
    with averaged.in_place():
        np.testing.assert_array_equal(variable, averaged.averages[0])
    np.testing.assert_array_equal(variable, 7)


@pytest.mark.parametrize(
    "objective", [Broadcast(), DLLP(bag_size=4), SinkhornEM(bag_size=4)], ids=str
)
def test_a_split_that_does_not_fit_is_streamed(region: xr.Dataset, objective: Objective) -> None:
    blocks = region.chunk(chip=3)
    settings = {"objective": objective, "epochs": 4, "learning_rate": 0.02}
    first, again = (
        DownConv(memory=0, **settings, **SMALL).fit(blocks, blocks) for _time in range(2)
    )
    assert first.history_ == again.history_
    assert first.history_[1]["loss"] < first.history_[0]["loss"]


def train(
    folder: Path, region: xr.Dataset, stop: Event | None = None, **parameters: Any
) -> tuple[DownConv, Journal]:
    method = DownConv(**{"epochs": 4, "learning_rate": 0.02, **SMALL, **parameters})
    journal = Journal(folder, method.settings, stop=stop)
    return method.fit(region, region, journal=journal), journal


@pytest.mark.parametrize(
    "parameters", [{}, {"objective": SinkhornEM(bag_size=4, warm_start=0.25)}], ids=str
)
def test_a_resumed_training_has_the_same_bits(
    region: xr.Dataset, tmp_path: Path, parameters: dict[str, Any]
) -> None:
    """Stopped in the third of four epochs, each of three batches; dropout on."""
    (tmp_path / "whole").mkdir()
    whole, _journal = train(tmp_path / "whole", region, **parameters)
    (tmp_path / "parts").mkdir()
    _first, journal = train(tmp_path / "parts", region, StopAfter(7), **parameters)
    assert journal.interrupted
    assert (tmp_path / "parts" / CHECKPOINT).exists()
    resumed, journal = train(tmp_path / "parts", region, **parameters)
    assert not journal.interrupted
    assert resumed.history_ == whole.history_
    for name, weights in whole.get_weights().items():
        np.testing.assert_array_equal(resumed.get_weights()[name], weights)
    texts = {(tmp_path / part / HISTORY).read_text() for part in ("whole", "parts")}
    assert len(texts) == 1
    assert {path.name for path in (tmp_path / "parts").iterdir()} == {CHECKPOINT, HISTORY}


def test_history_is_a_table(region: xr.Dataset, tmp_path: Path) -> None:
    method, _journal = train(tmp_path, region, epochs=2)
    with (tmp_path / HISTORY).open(encoding="utf-8") as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    assert rows == method.history_
    assert list(rows[0]) == ["epoch", "loss", "val_loss", "val_mae"]


def test_a_stop_in_the_first_epoch_still_leaves_weights(region: xr.Dataset, tmp_path: Path) -> None:
    method, journal = train(tmp_path, region, StopAfter(0))
    assert journal.interrupted
    assert [row["epoch"] for row in method.history_] == [1]
    assert method.predict(region)["proportions"].shape == (20, CATEGORIES)


def test_another_training_does_not_go_on(region: xr.Dataset, tmp_path: Path) -> None:
    train(tmp_path, region, StopAfter(4))
    with pytest.raises(MethodError, match=r"its learning_rate was 0\.02, now it is 0\.5"):
        train(tmp_path, region, learning_rate=0.5)
    (tmp_path / CHECKPOINT).write_bytes(b"PK nothing")
    with pytest.raises(MethodError, match=r"the checkpoint '.*checkpoint\.npz' is damaged"):
        train(tmp_path, region)


def test_patience_ends_a_training_that_no_longer_improves(region: xr.Dataset) -> None:
    """At no learning rate nothing improves on the first epoch."""
    method = DownConv(epochs=9, learning_rate=0.0, patience=2, **SMALL).fit(region, region)
    assert [row["epoch"] for row in method.history_] == [1, 2, 3]
    with pytest.raises(MethodError, match="patience is a number of epochs from 1 on, found 0"):
        DownConv(patience=0).fit(region, region)


def test_a_loss_that_is_no_number_stops_with_its_place(
    region: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The eighth of three batches an epoch is the second of the third epoch."""

    count = tf.Variable(0)

    def loss(_objective: Objective, _data: SplitData, output: Any, *_targets: Any) -> Any:
        return tf.where(tf.equal(count.assign_add(1), 8), np.nan, tf.reduce_mean(output))

    monkeypatch.setattr(Broadcast, "compute_loss", loss)
    with pytest.raises(MethodError, match="the loss is nan in epoch 3, batch 2: try a lower"):
        DownConv(epochs=4, **SMALL).fit(region, region)


class Bar:
    """Writes down what a progress bar is told."""

    bars: list[Bar]

    def __init__(self, *, total: int, initial: int, unit: str) -> None:
        self.total, self.unit, self.seen, self.closed = total, unit, initial, False
        self.texts: list[str] = []
        Bar.bars.append(self)

    def set_postfix_str(self, text: str, refresh: bool) -> None:
        self.texts.append(text)

    def update(self, chips: int) -> None:
        self.seen += chips

    def close(self) -> None:
        self.closed = True


def test_one_bar_shows_all_epochs_and_their_validation_error(region: xr.Dataset) -> None:
    """20 chips an epoch; the best is that of the epoch whose weights would be kept by now."""
    Bar.bars = []
    history = DownConv(epochs=3, **SMALL).fit(region, region, progress=Bar).history_
    (bar,) = Bar.bars
    assert (bar.total, bar.seen, bar.unit, bar.closed) == (60, 60, "chip", True)
    assert re.fullmatch(r"epoch 1/3, loss 0\.\d{4}", bar.texts[0])
    last = [text for text in bar.texts if text.startswith("epoch 3/3")][-1]
    best = min(history, key=lambda row: row["val_loss"])
    assert last == (f"epoch 3/3, val MAE {history[-1]['val_mae']:.4f}, best {best['val_mae']:.4f}")
