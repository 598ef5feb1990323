"""Runs become files that say what they are, or one sentence says why not and nothing is left."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from exported_files import predicted, windows
from regions import make_region, write_region

import llpbench
from llpbench.cli import cli
from llpbench.errors import LLPBenchError
from llpbench.exported.card import NAME, Card
from llpbench.writing import part_path
from llpbench_baselines.exporting import litert
from llpbench_baselines.exporting.onnx_file import PROPERTY

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")

NOT_WRITTEN = (
    "dasymetric-forest cannot be exported, because it is not written as a graph; methods that are: "
    "'aggregated-multinomial', 'bag-ridge', 'bayesian-bag-ridge', ..."
)


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
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "ai_edge_litert", None)
        assert "pip install 'llpbench[export]'" in refused()
    with monkeypatch.context() as patch:
        patch.setenv("LLPBENCH_CACHE", str(tmp_path / "elsewhere"))
        assert "chips of grid" in refused(*int8)
        write_region(make_region(8, 6, 4, 2, seed=5), tmp_path / "elsewhere" / "grid")
        assert "digest" in refused(*int8)
        place = str(run.with_name("cache") / "grid")
        found = call(
            "export", str(run), *int8, "--dataset", place, "-o", str(tmp_path / "a.tflite")
        )
        assert found.exit_code == 0, found.output
        assert (
            read_card(tmp_path / "a.tflite").licence
            == llpbench.open_dataset(place).llp.info.licence
        )
    for change, message in (
        ({"fold": "3"}, "a fold of a cross-validation"),
        ({"settings": {"epochs": [1]}}, "no file can say"),
        ({"interrupted": True}, "was interrupted"),
        ({"method": "dasymetric-forest+calibrate"}, NOT_WRITTEN),
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
