"""Objectives: each finds what can be worked out by hand, none minds the order of chips."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.sparse import csr_array
from small_region import CATEGORIES, small_region

pytest.importorskip("tensorflow", reason="objectives need TensorFlow")

import tensorflow

from llpbench.errors import MethodError, UnknownNameError
from llpbench_baselines.backend import load_backend
from llpbench_baselines.downconv import DownConv
from llpbench_baselines.losses import share_cross_entropy, squared_shares
from llpbench_baselines.objectives import OBJECTIVES, Known, Objective
from llpbench_baselines.objectives.easyllp import debiasing
from llpbench_baselines.objectives.rot import transport
from llpbench_baselines.supervised import ChipSupervised

PARAMETERS: dict[str, Any] = {
    "bag_size": 6,
    "interpolation": 0.3,
    "noise": 0.5,
    "spread": 0.05,
    "warm_start": 0.0,
    "temperature": 1.0,
    "relaxation": 10.0,
}
BY_BAG = ["dllp", "interpolated", "minibag", "rot", "lsrn"]

SHARES = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.1, 0.7]])
"""Class shares of three kinds of chips."""

MIXES = np.array([[3, 2, 1], [1, 1, 4], [0, 5, 1], [4, 1, 1], [2, 2, 2], [1, 4, 1]])
"""Chips of each kind in six divisions of six chips."""


def make(name: str, known: Known, **parameters: Any) -> Objective:
    kind = OBJECTIVES[name]
    names = [field.name for field in fields(kind) if field.name != "known"]
    return kind(known, **{key: {**PARAMETERS, **parameters}[key] for key in names})


def kinds_of_chips(mixes: np.ndarray[Any, Any] = MIXES) -> np.ndarray[Any, Any]:
    return np.concatenate([np.repeat(np.arange(3), mix) for mix in mixes])


def known_mixes(loss: Callable[[Any], Any] = squared_shares) -> Known:
    """Divisions that hold exactly what their kinds of chips make up, chips of one colour each."""
    weights = np.ones(3, dtype=np.float32)
    proportions = (MIXES @ SHARES / 6).astype(np.float32)
    own = np.repeat(np.arange(6), 6)
    overlaps = csr_array((np.ones(36), (np.arange(36), own)))
    colours = np.eye(3, dtype=np.uint8)[kinds_of_chips()] * 200
    image = np.broadcast_to(colours[:, None, None], (36, 96, 96, 3))
    return Known(
        images=SimpleNamespace(in_order=lambda *_size: [image]),  # type: ignore[arg-type]
        targets=proportions[own],
        proportions=proportions,
        bags=(overlaps.T / 6).tocsr(),
        overlaps=overlaps,
        loss=loss(weights),
        class_weights=weights,
    )


def learn(objective: Objective, chips: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Shares of each kind by descent: a free row of logits a kind, all divisions in each step."""
    _tensorflow, keras = load_backend()
    logits = tensorflow.Variable(np.zeros((3, 3)), dtype=tensorflow.float32)
    optimizer = keras.optimizers.Adam(0.05)

    def cells() -> Any:
        return tensorflow.gather(tensorflow.nn.softmax(logits), chips)

    @tensorflow.function(autograph=False)
    def step(*targets: Any) -> None:
        with tensorflow.GradientTape() as tape:
            loss = objective.loss(cells(), *targets)
        optimizer.apply(tape.gradient(loss, [logits]), [logits])

    optimizer.build([logits])
    for _step in range(400):
        step(*objective.targets(lambda _images: cells()))
    return tensorflow.nn.softmax(logits).numpy()


@pytest.mark.parametrize("name", ["dllp", "minibag", "lsrn"])
def test_bags_tell_kinds_of_chips_apart(name: str) -> None:
    """Six divisions determine the shares of three kinds: MIXES has rank 3. The likelihood of LSRN
    is greatest where means are right, too, for chips without cells have no variance."""
    found = learn(make(name, known_mixes()), kinds_of_chips())
    np.testing.assert_allclose(found, SHARES, atol=0.01)


def test_the_published_loss_of_bags_finds_the_same() -> None:
    found = learn(make("dllp", known_mixes(share_cross_entropy)), kinds_of_chips())
    np.testing.assert_allclose(found, SHARES, atol=0.01)


def test_broadcasting_finds_the_mean_of_what_chips_are_told() -> None:
    """Squared errors are least at the mean target of each kind, far from the truth."""
    known = known_mixes()
    expected = [known.targets[kinds_of_chips() == kind].mean(axis=0) for kind in range(3)]
    found = learn(make("broadcast", known), kinds_of_chips())
    np.testing.assert_allclose(found, expected, atol=0.01)
    assert np.abs(found - SHARES).max() > 0.2


@pytest.mark.parametrize("interpolation", [0.0, 0.3, 1.0])
def test_interpolation_is_a_ridge_regression_of_bags(interpolation: float) -> None:
    """With M the mixes of kinds and F their shares, ``|M F - P|^2 + a (sum_c sum_t M_ct |F_t -
    (M F)_c|^2)`` has the gradient ``M'(M F - P) + a (diag(1'M) - M'M) F``: a linear system."""
    known = known_mixes()
    mixes, proportions = MIXES / 6, MIXES @ SHARES / 6
    within = np.diag(mixes.sum(axis=0)) - mixes.T @ mixes
    expected = np.linalg.solve(mixes.T @ mixes + interpolation * within, mixes.T @ proportions)
    found = learn(make("interpolated", known, interpolation=interpolation), kinds_of_chips())
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_interpolation_ends_at_bags_and_at_broadcasting() -> None:
    output = random_output(6)
    known = known_mixes()
    told = known.proportions[:2]
    bags, broadcast = (make(name, known) for name in ("dllp", "broadcast"))
    none, full = (make("interpolated", known, interpolation=part) for part in (0.0, 1.0))
    assert float(none.loss(output, told)) == pytest.approx(float(bags.loss(output, told)))
    repeated = np.repeat(told, 6, axis=0)
    assert float(full.loss(output, told)) == pytest.approx(float(broadcast.loss(output, repeated)))


def random_output(bag_size: int, side: int | None = 4) -> np.ndarray[Any, Any]:
    shape = (2 * bag_size,) if side is None else (2 * bag_size, side, side)
    return np.random.default_rng(3).dirichlet(np.ones(3), shape).astype(np.float32)


@pytest.mark.parametrize("side", [4, None], ids=["cells", "shares"])
@pytest.mark.parametrize("name", BY_BAG)
def test_the_order_of_chips_and_bags_does_not_matter(name: str, side: int | None) -> None:
    objective = make(name, known_mixes())
    assert objective.by == "division"
    output = random_output(6, side)
    targets = [target[:2] for target in objective.targets(lambda _images: None)]
    loss = float(objective.loss(output, *targets))
    generator = np.random.default_rng(0)
    bags = output.reshape(2, 6, *output.shape[1:])
    shuffled = np.concatenate([bag[generator.permutation(6)] for bag in bags])
    assert float(objective.loss(shuffled, *targets)) == pytest.approx(loss, rel=1e-5)
    swapped = np.concatenate([shuffled[6:], shuffled[:6]])
    turned = [target[::-1] for target in targets]
    assert float(objective.loss(swapped, *turned)) == pytest.approx(loss, rel=1e-5)
    mixed = shuffled[[6, *range(1, 6), 0, *range(7, 12)]]
    assert float(objective.loss(mixed, *targets)) != pytest.approx(loss, rel=1e-5)


def test_bags_are_trusted_by_what_a_sample_can_miss() -> None:
    """Bags of 6 of 6 chips miss nothing; of 6 of 12 chips, V / 6 / 2 with V = .5 mean p (1 - p)."""
    proportions = np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0]], dtype=np.float32)
    rows = np.zeros((3, 24))
    rows[0, :6], rows[1, 6:18], rows[2, 12:24] = 1 / 6, 1 / 12, 1 / 12
    known = SimpleNamespace(proportions=proportions, counts=1 / (rows**2).sum(axis=1))
    weights = make("minibag", known).targets(lambda _images: None)[1]  # type: ignore[arg-type]
    variance = 0.5 * (0.25 + 0.25) / 3
    expected = 1 / (np.array([0, variance / 6 / 2, 0]) + 1e-3)
    np.testing.assert_allclose(weights, expected / np.average(expected, weights=[6, 12, 12]))


def test_debiased_targets_of_random_divisions_are_right_on_average() -> None:
    """Ten chips drawn at random from the three kinds, 20,000 times; a kind's mean target is its
    shares within five standard errors."""
    generator = np.random.default_rng(0)
    mixes = generator.multinomial(10, [0.5, 0.3, 0.2], 20_000)
    targets = debiased("easyllp", mixes)
    chips = kinds_of_chips(mixes)
    for kind in range(3):
        of_kind = targets[chips == kind]
        error = of_kind.std(axis=0) * np.sqrt(10 / len(of_kind))  # ten chips share a division
        assert (np.abs(of_kind.mean(axis=0) - SHARES[kind]) < 5 * error).all()


def debiased(name: str, mixes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Targets of chips whose kinds are told by their colours."""
    counts = mixes.sum(axis=1)
    own = np.repeat(np.arange(len(mixes)), counts)
    overlaps = csr_array((np.ones(len(own)), (np.arange(len(own)), own)))
    colours = np.array([[0, 0, 0], [200, 0, 100], [0, 200, 0]], dtype=np.uint8)
    image = colours[kinds_of_chips(mixes)][:, None, None].repeat(2, axis=1)
    proportions = (mixes @ SHARES / counts[:, None]).astype(np.float32)
    known = Known(
        images=SimpleNamespace(in_order=lambda *_size: [image]),  # type: ignore[arg-type]
        targets=proportions[own],
        proportions=proportions,
        bags=(overlaps / counts).T.tocsr(),
        overlaps=overlaps,
        loss=squared_shares(np.ones(3, dtype=np.float32)),
        class_weights=np.ones(3, dtype=np.float32),
    )
    (targets,) = make(name, known).targets(lambda _images: None)
    return targets


def test_debiased_targets_of_alike_chips_need_their_correlation() -> None:
    """Divisions favour kinds by Dirichlet weights of concentration a: kinds in them correlate by
    1 / (a + 1), and colours as much. What is right for random divisions overshoots here."""
    generator = np.random.default_rng(0)
    likely = generator.dirichlet([1.0, 0.6, 0.4], 4000)  # a = 2: correlation 1/3
    mixes = np.stack([generator.multinomial(20, one) for one in likely])
    chips = kinds_of_chips(mixes)
    plain, repaired = (debiased(name, mixes) for name in ("easyllp", "easyllp-correlated"))
    for kind in range(3):
        np.testing.assert_allclose(repaired[chips == kind].mean(axis=0), SHARES[kind], atol=0.03)
    assert np.abs(plain[chips == 0].mean(axis=0) - SHARES[0]).max() > 0.3


def test_debiasing_goes_from_the_number_of_chips_to_nothing() -> None:
    np.testing.assert_allclose(debiasing(np.array([7.0, 30.0]), 0.0), [7, 30])
    np.testing.assert_allclose(debiasing(np.array([7.0, 30.0]), 1.0), [1, 1])


@pytest.mark.parametrize(("temperature", "relaxation"), [(1.0, 10.0), (0.5, 0.2), (2.0, 3.0)])
def test_transport_is_least_in_cost(temperature: float, relaxation: float) -> None:
    """Against a general minimiser of the costs as they are written."""
    cells = np.random.default_rng(0).dirichlet(np.ones(3), 5)
    proportions = np.array([0.6, 0.3, 0.1])

    def cost(logits: np.ndarray[Any, Any]) -> float:
        plan = np.exp(logits.reshape(5, 3))
        plan /= 5 * plan.sum(axis=1, keepdims=True)
        held = plan.sum(axis=0)
        entropy = -(plan * (np.log(plan) - 1)).sum()
        divergence = (held * np.log(held / proportions) - held + proportions).sum()
        return -(plan * np.log(cells)).sum() - temperature * entropy + relaxation * divergence

    least = minimize(cost, np.zeros(15), tol=1e-12)
    expected = np.exp(least.x.reshape(5, 3))
    expected /= expected.sum(axis=1, keepdims=True)
    found = transport(
        tensorflow.constant(cells[None], tensorflow.float32),
        tensorflow.constant(proportions[None], tensorflow.float32),
        temperature,
        relaxation,
    )[0]
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_strict_transport_is_raking_and_a_loose_one_nothing() -> None:
    cells = tensorflow.constant(random_output(6).reshape(2, -1, 3))
    proportions = tensorflow.constant([[0.6, 0.3, 0.1], [0.2, 0.2, 0.6]])
    strict = transport(cells, proportions, 1.0, 1e6)
    np.testing.assert_allclose(tensorflow.reduce_mean(strict, axis=1), proportions, atol=1e-3)
    np.testing.assert_allclose(transport(cells, proportions, 1.0, 1e-6), cells, atol=1e-4)


@pytest.mark.parametrize("name", ["dllp", "rot", "sinkhorn-em"])
def test_classes_of_pixels_are_found_out(name: str) -> None:
    """Fields of one colour and class; shares of twelve divisions tell five colours apart."""
    region = small_region(48)
    known = region.llp.restrict("division")
    small = {"kernel_size": 2, "stride": 2, "filters": 16, "batch_size": 8, "bag_size": 4}
    method = DownConv(objective=name, epochs=40, learning_rate=0.05, **small).fit(known, known)
    classes = method.predict(region)["segmentation"].to_numpy()
    pixels = classes.repeat(2, axis=1).repeat(2, axis=2)
    assert (pixels == region["label"][:, 2:98, 2:98]).mean() > 0.98


def test_the_expectation_step_keeps_what_divisions_hold() -> None:
    """Whatever the network says: raked cells of each division average to its proportions."""
    method = DownConv(filters=4, objective="sinkhorn-em", warm_start=0.0)
    region = small_region(8)
    method._build(region["category_name"].to_numpy())
    objective = method._objective(method._known(region))
    (cells,) = objective.targets(method.model_)
    assert cells.dtype == np.float16
    assert cells.shape == (8, 576, CATEGORIES)
    means = cells.astype(np.float64).mean(axis=1).reshape(2, 4, CATEGORIES).mean(axis=1)
    np.testing.assert_allclose(means, region["division_proportions"], atol=0.02)


def test_large_outputs_are_thinned_and_those_without_cells_are_one() -> None:
    from llpbench_baselines.objectives.cells import thin

    output = np.random.default_rng(0).random((2, 96, 96, 3), dtype=np.float32)
    np.testing.assert_array_equal(thin(output), output[:, ::4, ::4].reshape(2, 576, 3))
    assert thin(output[:, :47, :47]).shape == (2, 576, 3)
    np.testing.assert_array_equal(thin(output[:, 0, 0]), output[:, :1, 0])


@pytest.mark.parametrize("name", ["rot", "sinkhorn-em"])
def test_bags_come_first(name: str) -> None:
    objective = make(name, known_mixes(), warm_start=0.4)
    names = [type(objective.now(epoch, 5)).__name__ for epoch in range(1, 6)]
    assert names == ["DLLP", "DLLP", *[type(objective).__name__] * 3]
    assert objective.now(1, 5) is objective.now(2, 5)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_trains(name: str) -> None:
    region = small_region(20).llp.restrict("division")
    small = {"filters": 4, "batch_size": 8, "bag_size": 4, "learning_rate": 0.02}
    method = DownConv(objective=name, epochs=4, **small).fit(region, region)
    assert method.history_[1]["loss"] < method.history_[0]["loss"]
    assert np.isfinite([row["val_loss"] for row in method.history_]).all()


@pytest.mark.parametrize(
    ("name", "parameter", "value"),
    [
        ("interpolated", "interpolation", -0.1),
        ("minibag", "noise", 2.0),
        ("lsrn", "spread", 0.0),
        ("sinkhorn-em", "warm_start", 1.5),
        ("rot", "temperature", 0.0),
    ],
)
def test_parameters_have_ranges(name: str, parameter: str, value: float) -> None:
    region = small_region(4)
    with pytest.raises(MethodError, match=f"{parameter} must be from .* found {value}"):
        DownConv(objective=name, **{parameter: value}).fit(region, region)


def test_objectives_are_chosen_by_name() -> None:
    region = small_region(4)
    with pytest.raises(UnknownNameError, match="did you mean 'dllp'"):
        DownConv(objective="dlp").fit(region, region)
    with pytest.raises(UnknownNameError, match="there are: broadcast"):
        ChipSupervised(objective="dllp").fit(region, region)
