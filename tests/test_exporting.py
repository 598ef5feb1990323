"""Networks become files that give the same shares and classes, opened by their runtimes alone."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from regions import make_region, write_region
from sklearn.base import clone
from small_imagery import sentinel1
from small_region import small_region
from test_models import LARGE, MODELS

import llpbench
from llpbench.cli import cli
from llpbench.data.imagery import Coding
from llpbench.errors import LLPBenchError, MethodError
from llpbench.exported.card import CLASSES, IMAGES, NAME, SHARES, Card
from llpbench.writing import part_path
from llpbench_baselines.backend import set_seed
from llpbench_baselines.exporting import litert
from llpbench_baselines.exporting.onnx_file import PROPERTY
from llpbench_baselines.keras_network import KerasNetwork
from llpbench_baselines.llpnet import LLPNet
from llpbench_baselines.supervised import ChipSupervised

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")

METHODS = {name: method for name, (method, _chips, _side) in MODELS.items()}
METHODS |= {"llpnet": LLPNet(), "chip-supervised": ChipSupervised()}
SLOW = (*LARGE, "qkm, autoencoder", "qkm, deep", "downconv, overlapping")
ENDINGS = {"litert": ".tflite", "onnx": ".onnx"}
CARD = Card(
    llpbench="1",
    method="downconv",
    settings={"epochs": 2},
    seed=0,
    trained_on="small",
    digest="sha256:0",
    classes=("other", "tree"),
    array="image",
    bands=("red", "green", "blue"),
    dtype="uint8",
    coding=Coding(),
    shape=(96, 96, 3),
    grid=None,
    recipe=None,
    licence="CC-BY-4.0",
    file_format="litert",
    quantize="none",
    calibrated_on=0,
    parameters=5189,
    multiply_adds=None,
    supervision="division",
    is_reference=False,
    train_on="train",
    fold=None,
    synthetic=False,
)

Runner = Callable[[NDArray[Any]], dict[str, NDArray[Any]]]


def opened(path: Path) -> Runner:
    """What predicts a chip with the runtime of a file, written here apart from the library."""
    if path.suffix == ".tflite":
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(str(path), num_threads=1)
        runner = interpreter.get_signature_runner()
        names = {part["name"] for part in interpreter.get_output_details()}
        assert names in ({SHARES}, {SHARES, CLASSES})
        return lambda image: {
            name: part[0].copy() for name, part in runner(**{IMAGES: image[np.newaxis]}).items()
        }
    if path.suffix == ".onnx":
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(path, options)
        names = [part.name for part in session.get_outputs()]
        return lambda image: {
            name: part[0]
            for name, part in zip(names, session.run(names, {IMAGES: image[None]}), strict=True)
        }
    import tensorflow as tf

    signature = tf.saved_model.load(str(path)).signatures["serving_default"]
    return lambda image: {
        name: part.numpy()[0] for name, part in signature(images=tf.constant(image[None])).items()
    }


def predicted(path: Path, images: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Shares and classes of chips."""
    run = opened(path)
    parts = [run(image) for image in images]
    assert parts[0][SHARES].dtype == np.float32
    classes = [part[CLASSES] for part in parts if CLASSES in part]
    assert all(part.dtype == np.uint8 for part in classes)
    return np.stack([part[SHARES] for part in parts]), np.stack(classes) if classes else None


def windows(region: Any) -> NDArray[Any]:
    """Score windows, or cells of embeddings."""
    if "image" not in region:
        return np.asarray(region["embedding"])
    return np.asarray(region["image"][:, 2:98, 2:98])


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
    return method


class SimpleImages:
    """Images in memory, of which a sample is all."""

    def __init__(self, images: NDArray[Any]) -> None:
        self.images = images

    def sample(self, _seed: int) -> NDArray[Any]:
        return self.images


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.full] * (name in SLOW)) for name in METHODS]
)
def test_files_give_what_keras_gives(name: str, tmp_path: Path) -> None:
    region = small_region(4)
    method = made(name, region)
    expected = method.predict(region)
    assert np.ptp(expected["proportions"].to_numpy(), axis=0).max() > 1e-3  # chips differ
    for file_format, ending in ENDINGS.items():
        path = tmp_path / f"file{ending}"
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
    with pytest.raises(MethodError, match="variances cancel"):
        method.export(tmp_path / "no", CARD.model_copy(update={"quantize": "int16x8"}), images)
    kinds = types_of_steps(tmp_path / "int8.tflite")
    assert kinds["CONV_2D"] == {np.int8}
    assert all(kinds[name] == {np.float32} for name in ("SQRT", "LOG", "SUB", "AVERAGE_POOL_2D"))


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


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of downconv, beside the cache that holds what it was trained on."""
    folder = tmp_path_factory.mktemp("exporting")
    write_region(make_region(8, 6, 4, 2), folder / "cache" / "grid")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLPBENCH_CACHE", str(folder / "cache"))
        llpbench.run_method("downconv", "grid", settings={"epochs": 1}, out=folder / "run")
    return folder / "run"


@pytest.fixture(autouse=True)
def _cache(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "run" in request.fixturenames:
        place = request.getfixturevalue("run").with_name("cache")
        monkeypatch.setenv("LLPBENCH_CACHE", str(place))


def read_card(path: Path) -> Card:
    if path.suffix == ".tflite":
        with zipfile.ZipFile(path) as file:
            text = file.read(NAME).decode()
    elif path.suffix == ".onnx":
        import onnx

        (text,) = (part.value for part in onnx.load(path).metadata_props if part.key == PROPERTY)
    else:
        text = (path / "assets.extra" / NAME).read_text("utf-8")
    return Card.model_validate_json(text)


@pytest.mark.parametrize("file_format", ["litert", "onnx", "savedmodel"])
def test_a_run_becomes_a_file_that_says_what_it_is(run: Path, file_format: str) -> None:
    done = call("export", str(run), "--format", file_format, "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    path = Path(said["path"])
    assert path.parent == run
    card = read_card(path)
    record = json.loads((run / "run.json").read_text("utf-8"))
    assert (card.method, card.seed, card.settings) == ("downconv", 0, record["settings"])
    assert (card.trained_on, card.digest) == ("grid", record["trained_on_digest"])
    info = llpbench.open_dataset("grid").llp.info
    assert (card.licence, card.bands) == (info.licence, ("red", "green", "blue"))
    assert card.classes == tuple(group.name for group in info.label_set.groups)
    assert (card.shape, card.grid, card.calibrated_on) == ((96, 96, 3), 24, 0)
    assert card.parameters == record["footprint"]["parameters"]
    for fact in ("supervision", "is_reference", "train_on", "fold", "synthetic"):
        assert getattr(card, fact) == record[fact]
    test = llpbench.open_dataset("grid", "test")
    ours = llpbench.read_predictions(next(run.glob("predictions-test.*")), test)
    shares, _classes = predicted(path, windows(test))
    np.testing.assert_allclose(shares, ours["proportions"], atol=1e-3)
    if file_format == "savedmodel":  # as in test_exported.py, in the full counts
        return
    again = run.parent / f"again-{file_format}"
    assert call("run-exported", str(path), "--dataset", "grid", "-o", str(again)).exit_code == 0
    theirs = llpbench.read_predictions(next(again.glob("predictions-test.*")), test)
    np.testing.assert_allclose(theirs["proportions"], shares, atol=1e-6)


def test_ranges_are_found_on_images_of_training_chips(run: Path) -> None:
    done = call("export", str(run), "--quantize", "int8")
    assert done.exit_code == 0, done.output
    path = run / "downconv-int8.tflite"
    assert f"run-exported {path} --dataset grid" in done.stdout
    train = llpbench.open_dataset("grid", "train")
    assert read_card(path).calibrated_on == train.sizes["chip"]
    first = path.read_bytes()
    call("export", str(run), "--quantize", "int8")
    assert path.read_bytes() == first


def test_what_cannot_be_written_is_said_and_nothing_is_left(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*options: str) -> str:
        done = call("export", str(run), "--out", str(tmp_path / "out"), *options)
        assert done.exit_code == 1
        assert isinstance(done.exception, LLPBenchError)
        assert not list(tmp_path.glob("*out*"))
        return str(done.exception)

    int8 = ("--quantize", "int8")
    assert "a SavedModel computes with float32" in refused("--format", "savedmodel", *int8)
    assert "no products of two bytes" in refused("--format", "onnx", "--quantize", "int16x8")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "ai_edge_litert", None)
        assert "pip install 'llpbench[export]'" in refused()
    with monkeypatch.context() as patch:
        patch.setenv("LLPBENCH_CACHE", str(tmp_path / "elsewhere"))
        assert "chips of grid" in refused(*int8)
        write_region(make_region(8, 6, 4, 2, seed=5), tmp_path / "elsewhere" / "grid")
        assert "digest" in refused(*int8)
    for change, message in (
        ({"fold": "3"}, "a fold of a cross-validation"),
        ({"settings": {"epochs": [1]}}, "no file can say"),
        ({"interrupted": True}, "was interrupted"),
    ):
        other = tmp_path / "other"
        shutil.copytree(run, other, dirs_exist_ok=True)
        record = json.loads((run / "run.json").read_text("utf-8"))
        (other / "run.json").write_text(json.dumps(record | change), "utf-8")
        assert message in str(call("export", str(other), *int8).exception)
    taken = tmp_path / "taken"
    taken.mkdir()
    done = call("export", str(run), "--format", "savedmodel", "--out", str(taken))
    assert "new folder" in str(done.exception)


def test_an_interrupted_export_leaves_the_file_that_was_there(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped when the graph is written and its card is not."""

    def stop(path: Path, _card: Card) -> None:
        assert path == part_path(tmp_path / "file.tflite")
        assert path.stat().st_size > 0
        raise KeyboardInterrupt

    (tmp_path / "file.tflite").write_text("old")
    monkeypatch.setattr(litert, "_append_card", stop)
    call("export", str(run), "--out", str(tmp_path / "file.tflite"))
    assert [path.name for path in tmp_path.iterdir()] == ["file.tflite"]
    assert (tmp_path / "file.tflite").read_text() == "old"
