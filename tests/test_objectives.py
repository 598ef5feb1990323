"""Objectives: each finds what can be worked out by hand, none minds the order of chips."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.sparse import csr_array
from sklearn.base import clone
from small_region import CATEGORIES, small_region

pytest.importorskip("tensorflow", reason="objectives need TensorFlow")

import tensorflow

from llpbench.data.divisions import Divisions
from llpbench.errors import MethodError, UnknownNameError
from llpbench.methods.registry import make_method
from llpbench_baselines.backend import keras
from llpbench_baselines.downconv import DownConv
from llpbench_baselines.objectives import OBJECTIVES, Objective
from llpbench_baselines.objectives.chips import debiasing
from llpbench_baselines.objectives.self_training import transport
from llpbench_baselines.split_data import SplitData
from llpbench_baselines.supervised import ChipSupervised

SETTINGS: dict[str, Any] = {
    "bag_size": 6,
    "loss": "squared",
    "interpolation": 0.3,
    "noise": 0.5,
    "spread": 0.05,
    "warm_start": 0.0,
    "temperature": 1.0,
    "relaxation": 10.0,
    "trust": 0.5,
    "width": 5.0,
    "consistency": 0.05,
    "reach": 0.1,
    "confidence": 0.0,
}
BY_BAG = ["dllp", "interpolated", "minibag", "rot", "lsrn", "l2p-ahil", "llp-pvc"]

SHARES = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.1, 0.7]])
"""Class shares of three kinds of chips."""

MIXES = np.array([[3, 2, 1], [1, 1, 4], [0, 5, 1], [4, 1, 1], [2, 2, 2], [1, 4, 1]])
"""Chips of each kind in six divisions of six chips."""


def make(name: str, **settings: Any) -> Objective:
    kind = OBJECTIVES[name]
    return kind(**{key: {**SETTINGS, **settings}[key] for key in kind().get_params()})


def kinds_of_chips(mixes: np.ndarray[Any, Any] = MIXES) -> np.ndarray[Any, Any]:
    return np.concatenate([np.repeat(np.arange(3), mix) for mix in mixes])


def known_mixes() -> SplitData:
    """Divisions that hold exactly what their kinds of chips make up, chips of one colour each."""
    own = np.repeat(np.arange(6), 6)
    colours = np.eye(3, dtype=np.uint8)[kinds_of_chips()] * 200
    image = np.broadcast_to(colours[:, None, None], (36, 96, 96, 3))
    return split_data(own, MIXES @ SHARES / 6, image)


def split_data(
    own: np.ndarray[Any, Any], proportions: np.ndarray[Any, Any], image: np.ndarray[Any, Any]
) -> SplitData:
    """Chips of one km² that each lie in one division."""
    overlaps = csr_array((np.ones(len(own)), (own, np.arange(len(own)))))
    return SplitData(
        images=SimpleNamespace(in_order=lambda *_size: [image]),  # type: ignore[arg-type]
        divisions=Divisions(overlaps, proportions),
        class_weights=np.ones(3),
        targets=proportions[own].astype(np.float32),
    )


def learn(objective: Objective, data: SplitData) -> np.ndarray[Any, Any]:
    """Shares of each kind by descent: a free row of logits a kind, all divisions in each step."""
    chips = kinds_of_chips()
    logits = tensorflow.Variable(np.zeros((3, 3)), dtype=tensorflow.float32)
    optimizer = keras.optimizers.Adam(0.05)

    def cells() -> Any:
        return tensorflow.gather(tensorflow.nn.softmax(logits), chips)

    @tensorflow.function(autograph=False)
    def step(*targets: Any) -> None:
        with tensorflow.GradientTape() as tape:
            loss = objective.compute_loss(data, cells(), *targets)
        optimizer.apply(tape.gradient(loss, [logits]), [logits])

    optimizer.build([logits])
    for _step in range(400):
        step(*objective.targets(data, lambda _images: cells()))
    return tensorflow.nn.softmax(logits).numpy()


@pytest.mark.parametrize("name", ["dllp", "minibag", "lsrn"])
def test_bags_tell_kinds_of_chips_apart(name: str) -> None:
    """Six divisions determine the shares of three kinds: MIXES has rank 3. The likelihood of LSRN
    is greatest where means are right, too, for chips without cells have no variance."""
    found = learn(make(name), known_mixes())
    np.testing.assert_allclose(found, SHARES, atol=0.01)


def test_the_published_loss_of_bags_finds_the_same() -> None:
    found = learn(make("dllp", loss="cross-entropy"), known_mixes())
    np.testing.assert_allclose(found, SHARES, atol=0.01)


def test_broadcasting_finds_the_mean_of_what_chips_are_told() -> None:
    """Squared errors are least at the mean target of each kind, far from the truth."""
    known = known_mixes()
    expected = [known.targets[kinds_of_chips() == kind].mean(axis=0) for kind in range(3)]
    found = learn(make("broadcast"), known)
    np.testing.assert_allclose(found, expected, atol=0.01)
    assert np.abs(found - SHARES).max() > 0.2


@pytest.mark.parametrize("interpolation", [0.0, 0.3, 1.0])
def test_interpolation_is_a_ridge_regression_of_bags(interpolation: float) -> None:
    """With M the mixes of kinds and F their shares, ``|M F - P|^2 + a (sum_c sum_t M_ct |F_t -
    (M F)_c|^2)`` has the gradient ``M'(M F - P) + a (diag(1'M) - M'M) F``: a linear system."""
    mixes, proportions = MIXES / 6, MIXES @ SHARES / 6
    within = np.diag(mixes.sum(axis=0)) - mixes.T @ mixes
    expected = np.linalg.solve(mixes.T @ mixes + interpolation * within, mixes.T @ proportions)
    found = learn(make("interpolated", interpolation=interpolation), known_mixes())
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_interpolation_ends_at_bags_and_at_broadcasting() -> None:
    output = random_output(6)
    known = known_mixes()
    proportions = known.divisions.proportions[:2].astype(np.float32)
    repeated = np.repeat(proportions, 6, axis=0)
    for name, targets, part in (("dllp", proportions, 0.0), ("broadcast", repeated, 1.0)):
        expected = make(name).compute_loss(known, output, targets)
        end = make("interpolated", interpolation=part).compute_loss(known, output, proportions)
        assert float(end) == pytest.approx(float(expected))


def random_output(bag_size: int, side: int | None = 4) -> np.ndarray[Any, Any]:
    shape = (2 * bag_size,) if side is None else (2 * bag_size, side, side)
    return np.random.default_rng(3).dirichlet(np.ones(3), shape).astype(np.float32)


@pytest.mark.parametrize("side", [4, None], ids=["cells", "shares"])
@pytest.mark.parametrize("name", BY_BAG)
def test_the_order_of_chips_and_bags_does_not_matter(name: str, side: int | None) -> None:
    objective, data = make(name), known_mixes()
    assert objective.by == "division"
    output = random_output(6, side)
    targets = [target[:2] for target in objective.targets(data, lambda _images: None)]
    loss = float(objective.compute_loss(data, output, *targets))
    generator = np.random.default_rng(0)
    bags = output.reshape(2, 6, *output.shape[1:])
    shuffled = np.concatenate([bag[generator.permutation(6)] for bag in bags])
    assert float(objective.compute_loss(data, shuffled, *targets)) == pytest.approx(loss, rel=1e-5)
    swapped = np.concatenate([shuffled[6:], shuffled[:6]])
    turned = [target[::-1] for target in targets]
    assert float(objective.compute_loss(data, swapped, *turned)) == pytest.approx(loss, rel=1e-5)
    mixed = shuffled[[6, *range(1, 6), 0, *range(7, 12)]]
    assert float(objective.compute_loss(data, mixed, *targets)) != pytest.approx(loss, rel=1e-5)


def test_bags_are_trusted_by_what_a_sample_can_miss() -> None:
    """Bags of 6 of 6 chips miss nothing; of 6 of 12 chips, V / 6 / 2 with V = .5 mean p (1 - p)."""
    proportions = np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0]], dtype=np.float32)
    rows = np.zeros((3, 24))
    rows[0, :6], rows[1, 6:18], rows[2, 12:24] = 1 / 6, 1 / 12, 1 / 12
    weights = OBJECTIVES["minibag"](bag_size=6).weights(Divisions(csr_array(rows), proportions))  # type: ignore[attr-defined]
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
    colours = np.array([[0, 0, 0], [200, 0, 100], [0, 200, 0]], dtype=np.uint8)
    image = colours[kinds_of_chips(mixes)][:, None, None].repeat(2, axis=1)
    data = split_data(own, mixes @ SHARES / counts[:, None], image)
    (targets,) = make(name).targets(data, lambda _images: None)
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


@pytest.mark.parametrize(
    "name",  # sinkhorn-em begins with dllp
    [*(pytest.param(name, marks=pytest.mark.full) for name in ("dllp", "rot")), "sinkhorn-em"],
)
def test_classes_of_pixels_are_found_out(name: str) -> None:
    """Fields of one colour and class; shares of twelve divisions tell five colours apart."""
    region = small_region(48)
    known = region.llp.restrict("division")
    small = {"kernel_size": 2, "stride": 2, "filters": 16, "batch_size": 8}
    objective = make(name, bag_size=4, warm_start=0.5)
    method = DownConv(objective=objective, epochs=40, learning_rate=0.05, **small)
    method.fit(known, known)
    classes = method.predict(region)["segmentation"].to_numpy()
    pixels = classes.repeat(2, axis=1).repeat(2, axis=2)
    assert (pixels == region["label"][:, 2:98, 2:98]).mean() > 0.98


def test_the_expectation_step_keeps_what_divisions_hold() -> None:
    """Whatever the network says: raked cells of each division average to its proportions."""
    method = DownConv(filters=4)
    region = small_region(8)
    method._build(region["category_name"].to_numpy())
    data = SplitData.of(region, np.arange(8))
    (cells,) = make("sinkhorn-em").targets(data, method.model_)
    assert cells.dtype == np.float16
    assert cells.shape == (8, 576, CATEGORIES)
    means = cells.astype(np.float64).mean(axis=1).reshape(2, 4, CATEGORIES).mean(axis=1)
    np.testing.assert_allclose(means, region["division_proportions"], atol=0.02)


def test_large_outputs_are_thinned_and_those_without_cells_are_one() -> None:
    from llpbench_baselines.objectives.bags import thin

    output = np.random.default_rng(0).random((2, 96, 96, 3), dtype=np.float32)
    np.testing.assert_array_equal(thin(output), output[:, ::4, ::4].reshape(2, 576, 3))
    assert thin(output[:, :47, :47]).shape == (2, 576, 3)
    np.testing.assert_array_equal(thin(output[:, 0, 0]), output[:, :1, 0])


@pytest.mark.parametrize("name", ["rot", "sinkhorn-em"])
def test_bags_come_first(name: str) -> None:
    objective = make(name, warm_start=0.4, loss="divergence")
    names = [type(objective.at(epoch, 5)).__name__ for epoch in range(1, 6)]
    assert names == ["DLLP", "DLLP", *[type(objective).__name__] * 3]
    assert objective.at(1, 5).get_params() == {"bag_size": 6, "loss": "divergence"}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_trains(name: str) -> None:
    region = small_region(20).llp.restrict("division")
    small = {"filters": 4, "batch_size": 8, "learning_rate": 0.02, "epochs": 4}
    objective = make(name, bag_size=4, warm_start=0.5)
    method = DownConv(objective=objective, **small).fit(region, region)
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
        ("mixbag", "confidence", 1.0),
        ("llp-vat", "reach", 0.0),
    ],
)
def test_settings_have_ranges(name: str, parameter: str, value: float) -> None:
    message = f"{parameter} must be from .* found {value}"
    with pytest.raises(MethodError, match=message):
        make_method("downconv", objective=name, **{parameter: value})
    objective = OBJECTIVES[name]().set_params(**{parameter: value})
    with pytest.raises(MethodError, match=message):
        DownConv(objective=objective).fit(small_region(4), small_region(4))


def test_objectives_are_chosen_by_name() -> None:
    region = small_region(4)
    with pytest.raises(UnknownNameError, match="did you mean 'dllp'"):
        DownConv(objective="dlp").fit(region, region)
    with pytest.raises(UnknownNameError, match="there are: broadcast"):
        ChipSupervised(objective=OBJECTIVES["dllp"]()).fit(region, region)


def test_settings_of_an_objective_go_to_it() -> None:
    for name in ("interpolation", "objective__interpolation"):
        method = make_method("downconv", **{"objective": "interpolated", name: 0.3, "epochs": 3})
        assert isinstance(method, DownConv)
        assert method.objective.get_params() == {"interpolation": 0.3, "bag_size": 16}  # type: ignore[union-attr]
        settings = method.settings
        assert (settings["objective"], settings["interpolation"]) == ("interpolated", 0.3)
        assert {"loss", "noise", "warm_start"}.isdisjoint(settings)
        again = make_method("downconv", **settings)
        assert again.settings == settings == clone(method).settings
    assert method.set_params(objective__interpolation=0.9).settings["interpolation"] == 0.9


def test_settings_without_consequence_are_refused() -> None:
    with pytest.raises(MethodError, match="noise is no setting of the objective 'dllp' but of min"):
        make_method("downconv", objective="dllp", noise=0.5)
    with pytest.raises(UnknownNameError, match="'interpolaton'; did you mean 'interpolation'"):
        make_method("downconv", objective="interpolated", interpolaton=0.5)
    with pytest.raises(UnknownNameError, match="no setting 'bag_size'"):
        make_method("chip-supervised", bag_size=3)
    with pytest.raises(UnknownNameError, match="'rounds'"):
        make_method("downconv", rounds=3)


def test_a_method_saved_with_all_settings_of_all_objectives_is_read(tmp_path: Path) -> None:
    """As ``method.json`` was when each network had them all, whatever its objective."""
    once = {
        **{"bag_size": 8, "interpolation": 0.2, "loss": "squared", "noise": 0.5, "spread": 0.1},
        **{"relaxation": 10.0, "temperature": 1.0, "warm_start": 0.5},
    }
    region = small_region(4)
    method = DownConv(filters=4, epochs=1).fit(region, region)
    method.save(tmp_path)
    path = tmp_path / "method.json"
    saved = json.loads(path.read_text())
    saved["parameters"] |= once | {"objective": "interpolated"}
    path.write_text(json.dumps(saved))
    again = DownConv.load(tmp_path)
    assert again.objective.get_params() == {"interpolation": 0.2, "bag_size": 8}  # type: ignore[union-attr]
    np.testing.assert_array_equal(
        again.predict(region)["proportions"], method.predict(region)["proportions"]
    )
