"""Networks become files that give the same shares and classes, opened by their runtimes alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exported_files import CARD, ENDINGS, predicted, windows
from numpy.typing import NDArray
from sklearn.base import clone
from small_imagery import sentinel1
from small_region import small_region
from test_models import LARGE, MODELS

from llpbench.data.imagery import Coding
from llpbench.errors import MethodError
from llpbench_baselines.backend import set_seed
from llpbench_baselines.keras_network import KerasNetwork
from llpbench_baselines.llp_dc import LLPDC
from llpbench_baselines.llpnet import LLPNet
from llpbench_baselines.mixbag import MixBag
from llpbench_baselines.popcorn import Popcorn
from llpbench_baselines.supervised import ChipSupervised

METHODS = {name: method for name, (method, _chips, _side) in MODELS.items()}
METHODS |= {"llpnet": LLPNet(), "chip-supervised": ChipSupervised()}
METHODS |= {"llp-dc": LLPDC(), "mixbag": MixBag(), "popcorn": Popcorn()}
SLOW = (*LARGE, "llp-dc", "mixbag", "popcorn", "qkm, autoencoder", "qkm, deep")
SLOW += ("downconv, overlapping",)


def made(name: str, region: Any) -> KerasNetwork:
    """A method with weights of its own, as if it were trained: none is as it began."""
    set_seed(0)
    method: KerasNetwork = clone(METHODS[name])
    method.input_ = method.find_input(region)
    method._build(region["category_name"].to_numpy())
    method._adapt_scale(SimpleImages(windows(region)))  # type: ignore[arg-type]
    method.initialise(windows(region))
    generator = np.random.default_rng(0)
    for weights in method.model_.trainable_weights:
        spread = 0.2 * np.std(weights.numpy()) + 0.02
        weights.assign(weights + generator.normal(0, spread, weights.shape).astype(np.float32))
    if isinstance(method, LLPNet):
        method.initialise(windows(region))  # numbers are normalised after its first layers learned
    return method


class SimpleImages:
    """Images in memory, of which a sample is all."""

    def __init__(self, images: NDArray[Any]) -> None:
        self.images = images

    def sample(self, _seed: int) -> NDArray[Any]:
        return self.images


@pytest.mark.parametrize(
    ("name", "file_format"),
    [
        pytest.param(name, kind, marks=[pytest.mark.full] * (name in SLOW or (row + column) % 2))
        for row, name in enumerate(METHODS)
        for column, kind in enumerate(ENDINGS)
    ],
)
def test_files_give_what_keras_gives(name: str, file_format: str, tmp_path: Path) -> None:
    """In reduced counts each method in one format, by turns."""
    region = small_region(4)
    method = made(name, region)
    expected = method.predict(region)
    assert np.ptp(expected["proportions"].to_numpy(), axis=0).max() > 1e-3  # chips differ
    path = tmp_path / f"file{ENDINGS[file_format]}"
    method.export(path, CARD.model_copy(update={"file_format": file_format}), None)
    shares, classes = predicted(path, windows(region))
    np.testing.assert_allclose(shares, expected["proportions"], atol=1e-3)
    if classes is None:
        assert "segmentation" not in expected
    else:
        assert np.mean(classes == expected["segmentation"].to_numpy()) > 0.999


def of_reflectances() -> Any:
    """The small region as reflectances of four bands, with a number for what is missing."""
    region = small_region(6)
    image = region["image"].astype(np.int16) * 30 - 500
    image = np.concatenate([image, image[..., :1] // 2], axis=-1)
    image[:2, 10:20, 10:20] = -9999
    said = Coding(scale=1e-4, missing=-9999).attributes()
    return region.drop_vars(["image", "band"]).assign(
        image=(("chip", "y", "x", "band"), image, said), band=["B2", "B3", "B4", "B8"]
    )


def of_embeddings() -> Any:
    """The small region as an embedding after AlphaEarth, of its colours."""
    region = small_region(6)
    cells = windows(region).reshape(6, 24, 4, 24, 4, 3).mean(axis=(2, 4)) / 2 - 60
    said = Coding(scale=1 / 127.5, power=2, missing=-128).attributes()
    return region.drop_vars(["image", "band"]).assign(
        embedding=(("chip", "cell_y", "cell_x", "feature"), cells.astype(np.int8), said),
        feature=["A0", "A1", "A2"],
    )


@pytest.mark.parametrize(
    ("name", "quantize", "made_of", "file_format"),
    [
        ("llpnet", "int8", of_reflectances, "litert"),
        ("downconv", "none", of_reflectances, "litert"),
        ("llpnet", "none", of_embeddings, "litert"),
        ("downconv", "none", lambda: sentinel1(6), "onnx"),
    ],
)
def test_a_file_takes_numbers_that_are_no_bytes(
    name: str, quantize: str, made_of: Callable[[], Any], file_format: str, tmp_path: Path
) -> None:
    """The last has gaps that are NaN."""
    region = made_of()
    method = made(name, region)
    seen = method.input_
    said = {"bands": seen.bands, "dtype": seen.dtype, "coding": seen.coding, "shape": seen.shape}
    said |= {"array": seen.array, "quantize": quantize, "file_format": file_format}
    card = CARD.model_copy(update=said)
    images, path = windows(region), tmp_path / f"file{ENDINGS[file_format]}"
    method.export(path, card, images if quantize == "int8" else None)
    shares, _classes = predicted(path, images)
    expected = method.predict(region)["proportions"]
    np.testing.assert_allclose(shares, expected, atol=1e-3 if quantize == "none" else 0.05)


def test_quantised_files_are_smaller_and_nearly_agree(tmp_path: Path) -> None:
    """In LiteRT products alone are of bytes: nothing that cancels is."""
    region = small_region(12)
    method = made("llpnet", region)
    images = windows(region)
    expected = method.predict(region)["proportions"].to_numpy()
    for file_format, ending in ENDINGS.items():
        sizes = {}
        for quantize in ("none", "dynamic", "int8"):
            path = tmp_path / f"{quantize}{ending}"
            card = CARD.model_copy(update={"file_format": file_format, "quantize": quantize})
            method.export(path, card, images if quantize == "int8" else None)
            sizes[quantize] = path.stat().st_size
            shares, _classes = predicted(path, images)
            np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-3)
            assert np.abs(shares - expected).mean() < 0.01
        assert max(sizes["dynamic"], sizes["int8"]) < 0.65 * sizes["none"]
    with pytest.raises(MethodError, match="do not survive"):
        method.export(tmp_path / "no", CARD.model_copy(update={"quantize": "int16x8"}), images)
    kinds = types_of_steps(tmp_path / "int8.tflite")
    assert kinds["CONV_2D"] == {np.int8}
    assert all(kinds[name] == {np.float32} for name in ("SQRT", "LOG", "SUB", "AVERAGE_POOL_2D"))


@pytest.mark.parametrize(
    ("name", "quantize"),
    [
        ("downconv", "int8"),
        ("gmm", "int16x8"),
        pytest.param("gmm", "int8", marks=pytest.mark.full),
        pytest.param("qkm", "int8", marks=pytest.mark.full),
    ],
)
def test_shares_of_rounded_networks_sum_to_1(name: str, quantize: str, tmp_path: Path) -> None:
    """Products are rounded; softmax, means and shares are not."""
    region = small_region(8)
    method, path = made(name, region), tmp_path / "file.tflite"
    method.export(path, CARD.model_copy(update={"quantize": quantize}), windows(region))
    shares, _classes = predicted(path, windows(region))
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5 if quantize == "int8" else 1e-3)
    assert np.abs(shares - method.predict(region)["proportions"].to_numpy()).mean() < 0.005
    if quantize == "int16x8":
        method.export(
            tmp_path / "file.onnx",
            CARD.model_copy(update={"quantize": quantize, "file_format": "onnx"}),
            windows(region),
        )
        others, _classes = predicted(tmp_path / "file.onnx", windows(region))
        np.testing.assert_allclose(others, shares, atol=0.005)
    else:
        kinds = types_of_steps(path)
        assert kinds["FULLY_CONNECTED"] == {np.int8}
        assert kinds["SOFTMAX"] == kinds["MEAN"] == kinds["ARG_MAX"] == {np.float32}


def types_of_steps(path: Path) -> dict[str, set[type]]:
    """Types of what goes into each kind of operator of a LiteRT file."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        str(path),
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    types = {part["index"]: part["dtype"] for part in interpreter.get_tensor_details()}
    found: dict[str, set[type]] = {}
    for step in interpreter._get_ops_details():
        found.setdefault(step["op_name"], set()).add(types[step["inputs"][0]])
    return found
