"""Objectives of the field: each against a derivation or numpy, and each learns."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from small_region import small_region

pytest.importorskip("tensorflow", reason="objectives need TensorFlow")

import tensorflow
from scipy.stats import norm
from test_objectives import known_mixes, make, random_output

from llpbench.methods.registry import describe_method, make_method
from llpbench_baselines.backend import set_seed
from llpbench_baselines.keras_network import KerasNetwork
from llpbench_baselines.objectives.counts import count_log_likelihood
from llpbench_baselines.objectives.field import adversary, dual_entropy_weights, mixed_interval

NAMES = ["l2p-ahil", "mixbag", "llp-pvc"]
"""Those that learn from divisions; `debiased-square` is not made for them."""


def test_counts_are_as_likely_as_polynomials_say() -> None:
    """The product of 1 - s + s z over cells, multiplied out by numpy in double precision; the
    saddlepoint misses it by less than 1 / variance, and gives what is certain exactly."""
    cells = np.random.default_rng(0).beta(0.3, 0.6, 80).clip(0.01, 0.99)
    exact = np.ones(1)
    for cell in cells:
        exact = np.convolve(exact, [1 - cell, cell])
    counts = np.array([0, 1, 10, 26, 40, 60, 80])
    found = [
        count_log_likelihood(
            tensorflow.constant(cells[None, :, None], tensorflow.float32),
            tensorflow.constant([[count / 80]], tensorflow.float32),
        ).numpy()[0, 0]
        for count in counts
    ]
    np.testing.assert_allclose(found, np.log(exact[counts]), atol=0.2)
    np.testing.assert_allclose(found[3], np.log(exact[26]), atol=0.02)
    np.testing.assert_allclose([found[0], found[-1]], np.log(exact[[0, 80]]), rtol=1e-3)


def test_pseudo_labels_are_trusted_as_two_entropies_say() -> None:
    """By loops over cells and classes, as the formula is written; a class that is not there and
    cells that are sure of it have no weight, the truth has all of it."""
    cells = np.random.default_rng(1).dirichlet([0.5, 0.5, 0.5], 12)
    proportions = np.array([0.7, 0.3, 0.0])
    expected = []
    for cell in cells:
        k = cell.argmax()
        part = cells[:, k] / cells[:, k].sum()
        classes = -(part * np.log(part)).sum() - np.log(12 * proportions[k] + 1e-7)
        own = -(cell * np.log(cell)).sum()
        expected.append(np.exp(-(own**2) / 5) * np.exp(-(classes**2) / 5))
    np.testing.assert_allclose(weights(cells, proportions, 5.0), expected, rtol=1e-3)
    truth = np.eye(3)[[0] * 9 + [1] * 3]
    np.testing.assert_allclose(weights(truth, np.array([0.75, 0.25, 0]), 5.0), 1, atol=1e-4)
    assert weights(truth, np.array([0.75, 0, 0.25]), 5.0)[-1] < 1e-6


def weights(cells: np.ndarray[Any, Any], proportions: np.ndarray[Any, Any], width: float) -> Any:
    labels = np.eye(3, dtype=np.float32)[cells.argmax(axis=1)]
    single = np.float32
    found = dual_entropy_weights(
        cells[None].astype(single), labels[None], proportions[None].astype(single), width
    )
    return found.numpy()[0]


def test_mixed_shares_lie_in_their_interval_as_often_as_it_says() -> None:
    """Chips of one class each, drawn 20,000 times from two divisions."""
    first, second, chips = 0.3, 0.6, 40
    expected, reach = mixed_interval(np.float32([[first]]), np.float32([[second]]), chips, 0.8)
    generator = np.random.default_rng(0)
    drawn = (
        generator.binomial(chips, first, 20_000) + generator.binomial(chips, second, 20_000)
    ) / 80
    inside = np.abs(drawn - float(expected[0, 0])) <= float(reach[0, 0])
    assert inside.mean() == pytest.approx(0.8, abs=0.04)  # counts are whole numbers
    deviation = np.sqrt((0.3 * 0.7 + 0.6 * 0.4) / 160)
    assert float(reach[0, 0]) == pytest.approx(norm.ppf(0.9) * deviation, rel=1e-5)


def test_mixed_bags_lose_only_outside_their_interval() -> None:
    """By numpy: halves of neighbouring bags, and squared errors where they are far off."""
    output, data = random_output(6, None), known_mixes()
    proportions = data.divisions.proportions[:2].astype(np.float32)
    bags = output.reshape(2, 6, 3)
    mixed = (bags[:, :3].mean(axis=1) + bags[::-1, 3:].mean(axis=1)) / 2
    expected, total = proportions.mean(axis=0), ((bags.mean(axis=1) - proportions) ** 2).sum(axis=1)
    spread = np.sqrt((proportions * (1 - proportions)).sum(axis=0) / 12)
    errors = np.abs(mixed - expected)
    reach = norm.ppf(0.6) * spread  # of confidence .2
    assert 0 < (errors > reach).sum() < errors.size
    total = total.mean() + ((errors > reach) * errors**2).sum(axis=1).mean()
    found = make("mixbag", loss="squared", confidence=0.2).compute_loss(data, output, proportions)
    assert float(found) == pytest.approx(total, rel=1e-4)
    sure = make("mixbag", loss="squared", confidence=0.9999).compute_loss(data, output, proportions)
    plain = make("dllp", loss="squared").compute_loss(data, output, proportions)
    assert float(sure) == pytest.approx(float(plain))


@pytest.mark.parametrize("loss", ["divergence", "squared"])
def test_mixed_bags_never_lower_the_loss(loss: str) -> None:
    """Each share has its least loss where it is expected, also one that alone is outside."""
    data = known_mixes()
    proportions = data.divisions.proportions[:2].astype(np.float32)
    plain, mixing = make("dllp", loss=loss), make("mixbag", loss=loss, confidence=0.2)
    for seed in range(10):
        output = np.random.default_rng(seed).dirichlet([1.0, 1.0, 1.0], 12).astype(np.float32)
        bags, mixed = (one.compute_loss(data, output, proportions) for one in (plain, mixing))
        assert float(mixed) >= float(bags)


def test_squared_errors_of_chips_are_estimated_from_bags() -> None:
    """Simulated: random bags of 40 chips, 8 of each seen; the mean over bags is the squared error
    of chips, which a network that is right on average and wrong about each has too."""
    generator = np.random.default_rng(0)
    bags, chips, seen = 6000, 40, 8
    truth = generator.dirichlet([0.5, 0.5, 0.5], (bags, chips))
    shares = 0.5 * truth + 0.5 * generator.dirichlet([2.0, 1.0, 1.0], (bags, chips))
    error = ((truth - shares) ** 2).sum(axis=2).mean()
    found = make("debiased-square", bag_size=seen).compute_loss(
        SimpleNamespace(loss_weights=np.ones(3, np.float32)),
        shares[:, :seen].reshape(-1, 3).astype(np.float32),
        truth.mean(axis=1).astype(np.float32),
        np.full(bags, chips, np.float32),
    )
    assert float(found) == pytest.approx(error, rel=0.06)


def test_the_adversary_is_the_direction_of_greatest_change() -> None:
    """The Fisher matrix of softmax(W z) is W (diag s - s s') W'; power iteration once from each of
    several directions comes nearer to its first eigenvector, and has the length that is asked."""
    generator = np.random.default_rng(0)
    matrix = generator.normal(size=(5, 3)).astype(np.float32)
    numbers = generator.normal(size=(1, 5)).astype(np.float32)
    network = lambda z: tensorflow.nn.softmax(z @ matrix)  # noqa: E731
    here = network(tensorflow.constant(numbers))
    shares = here.numpy()[0]
    fisher = matrix @ (np.diag(shares) - np.outer(shares, shares)) @ matrix.T
    for seed in range(4):
        drawn = tensorflow.random.stateless_normal([1, 5], [seed, 0]).numpy()[0]
        found = adversary(network, tensorflow.constant(numbers), here, 0.01, [seed, 0]).numpy()[0]
        expected = fisher @ drawn
        cosine = found @ expected / np.linalg.norm(found) / np.linalg.norm(expected)
        assert cosine > 0.99
        assert np.sqrt((found**2).mean()) == pytest.approx(0.01, rel=1e-4)


def test_disturbed_cells_count_and_depend_on_the_step_alone() -> None:
    region = small_region(4)
    method = made("llp-vat", region)
    images = region["image"].to_numpy()[:, 2:98, 2:98]
    ask = lambda seed, **set_: float(  # noqa: E731
        make("llp-vat", **set_).penalise(method.model_, images, tensorflow.constant(seed))
    )
    assert ask([0, 3]) == ask([0, 3]) != ask([0, 4])
    assert 0 < ask([0, 3], reach=0.05) < ask([0, 3], reach=0.5)
    assert make("llp-vat", consistency=0.0).penalise(method.model_, images, [0, 3]) == 0


def made(name: str, region: Any) -> KerasNetwork:
    set_seed(0)
    method = make_method(name)
    assert isinstance(method, KerasNetwork)
    method._build(region["category_name"].to_numpy())
    method.initialise(region["image"].to_numpy()[:, 2:98, 2:98])
    return method


@pytest.mark.parametrize(
    "name", ["llp-vat", *(pytest.param(name, marks=pytest.mark.full) for name in NAMES)]
)
def test_they_beat_the_mean(name: str) -> None:
    """With the network of ``llpnet``, on divisions of chips that the colours of fields explain."""
    train, test = small_region(24), small_region(8, seed=1)
    known = train.llp.restrict("division")
    method = make_method(name, epochs=4, bag_size=4, batch_size=8)
    shares = method.fit(known, known).predict(test)["proportions"]
    truth = test["chip_proportions"].to_numpy()
    mean = known["target"].to_numpy().mean(axis=0)
    assert np.abs(shares.to_numpy() - truth).mean() < 0.9 * np.abs(mean - truth).mean()
    assert method.settings["objective"] == name
    info = describe_method(name)
    assert (info.supervision, info.is_reference) == ("division", False)
    assert info.parameters is not None
    assert info.parameters < 10_000
