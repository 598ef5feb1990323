"""The paper's models give what the original code gave, from its weights and its input.

Two models' golden values lie in ``data/golden``; the others need the folder beside the project.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llpbench_baselines.backend import keras, tf
from llpbench_baselines.customunet import CustomUNet
from llpbench_baselines.downconv import DownConv
from llpbench_baselines.keras_method import KerasMethod
from llpbench_baselines.losses import chip_shares, squared_shares
from llpbench_baselines.qkm import QKM

HERE = Path(__file__).parent / "data" / "golden"
ESA, POPULATION = [0.2] * 5, [0.1, 1.0, 1.0]

CASES: dict[str, tuple[KerasMethod, list[float]]] = {
    "downconv_c5": (DownConv(learning_rate=1e-3), ESA),
    "downconv_c3": (DownConv(learning_rate=1e-3), POPULATION),
    "qkm_c5": (QKM(), ESA),
    "qkm_c3": (QKM(), POPULATION),
    "qkm_p6s6_c5": (QKM(patch_size=6, stride=6), ESA),
    "qkm_deep_p6s2_c5": (QKM(patch_size=6, encoder="deep"), ESA),
    "unet04_c5": (CustomUNet(), ESA),
}

MEASUREMENT = {
    "c_x": "measurement/positions",
    "c_y": "measurement/classes",
    "comp_w": "measurement/weighting",
    "sigma": "measurement/width",
    "conv2d__kernel": "deep/first/kernel",
    "conv2d__bias": "deep/first/bias",
    "conv2d_1__kernel": "deep/second/kernel",
    "conv2d_1__bias": "deep/second/bias",
    "dense__kernel": "deep/third/kernel",
    "dense__bias": "deep/third/bias",
    "dense_1__kernel": "deep/fourth/kernel",
    "dense_1__bias": "deep/fourth/bias",
}
"""The original's names of qkm's weights, or how they end, and ours."""


def our_names(case: str, originals: list[str], method: KerasMethod) -> list[str]:
    """Our names of the original's weights; those of stacks of layers come in the same order."""
    if not case.startswith("qkm"):
        return [variable.path for variable in method.model_.weights]
    ends = {name: name if name in MEASUREMENT else name.split("__")[-1] for name in originals}
    return [MEASUREMENT[ends[name]] for name in originals]


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    """A method with the golden weights, the golden values in its names and shapes, the input."""
    name: str = request.param
    method, class_weights = CASES[name]
    here = (HERE / f"model_{name}.npz").exists()
    folder = HERE if here else request.getfixturevalue("shared") / "golden"
    with np.load(folder / f"model_{name}.npz") as file:
        golden = dict(file)
    with np.load(HERE / "model_input.npz") as file:
        images, targets = file["x"], file[f"p{len(class_weights)}"]
    categories = np.array([f"category {number}" for number in range(len(class_weights))])
    method.categories_, method.model_ = categories, method.build(len(categories))
    originals = [key.removeprefix("w__") for key in golden if key.startswith("w__")]
    ours = our_names(name, originals, method)
    shapes = {variable.path: variable.shape for variable in method.model_.weights}

    def renamed(kind: str) -> dict[str, Any]:
        return {
            our: golden[f"{kind}__{original}"].reshape(shapes[our])
            for original, our in zip(originals, ours, strict=True)
        }

    method.set_weights({**renamed("w"), "categories": categories})
    scaled = method.model_.get_layer("scale").output
    return {
        "method": method,
        "network": keras.Model(scaled, method.model_.output),
        "class weights": np.array(class_weights, dtype=np.float32),
        "images": images,
        "targets": targets,
        "golden": golden,
        "weights": renamed("w"),
        "gradients": renamed("g"),
        "weights after": renamed("wafter"),
    }


def test_all_golden_weights_are_taken_over(case: dict[str, Any]) -> None:
    found = case["method"].get_weights()
    assert set(found) == {*case["weights"], "categories"}
    for name, weight in case["weights"].items():
        np.testing.assert_array_equal(found[name], weight)


def test_output_and_segmentation(case: dict[str, Any]) -> None:
    output, expected = case["network"](case["images"], training=False), case["golden"]["call"]
    call = output if expected.ndim == 4 else chip_shares(output)
    np.testing.assert_allclose(call, expected, rtol=1e-4, atol=1e-6)
    segmentation = case["golden"].get("predict_segmentation", expected)
    pixels = case["method"].pixels(output).numpy()
    enlarged = segmentation.shape[1] // pixels.shape[1]
    pixels = pixels.repeat(enlarged, axis=1).repeat(enlarged, axis=2)
    np.testing.assert_allclose(pixels, segmentation, rtol=1e-4, atol=1e-6)


def test_first_gradients_and_five_steps_of_adam(case: dict[str, Any]) -> None:
    """Without dropout, as the original trained. Gradients agree relative to each weight's largest;
    qkm's deep variant has gradients of 1e-6 and below, where single precision ends."""
    network, golden = case["network"], case["golden"]
    variables = case["method"].model_.trainable_variables
    slow = case["method"].learning_rate
    optimizer = keras.optimizers.Adam(slow)
    losses = []
    for number in range(6):
        with tf.GradientTape() as tape:
            output = network(case["images"], training=False)
            errors = squared_shares(output, case["targets"], case["class weights"])
            loss = tf.reduce_mean(errors)
        losses.append(float(loss))
        gradients = tape.gradient(loss, variables)
        if number == 0:
            for variable, gradient in zip(variables, gradients, strict=True):
                expected = case["gradients"][variable.path]
                scale = max(np.abs(expected).max(), 1e-3)
                np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-4 * scale)
        if number < 5:
            optimizer.apply(gradients, variables)
    np.testing.assert_allclose(losses, golden["losses"], rtol=1e-4)
    for variable in variables:
        after = case["weights after"][variable.path]
        np.testing.assert_allclose(variable.numpy(), after, rtol=0, atol=0.01 * slow)
