"""Through whatever entrance a method is reached, it is handed what the protocol lists, no more.

What it may see is written here once more, from ``docs/protocol.md``.
"""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
import spy
from click.testing import CliRunner
from own_region import export_region
from regions import make_region, write_region
from spy import NOTES

import llpbench
from llpbench.board.yaml_files import read_yaml, write_yaml
from llpbench.cli import cli
from llpbench.data.building import Recipe, build_dataset
from llpbench.data.synthetic import synthesize

pytestmark = pytest.mark.usefixtures("no_pictures", "no_map_pictures", "outlines_read_here")

IMAGES = {"image", "chip", "band"}
DIVISIONS = {
    *IMAGES,
    *("target", "division_proportions", "overlap_chip", "overlap_division", "overlap_area"),
    *("chip_number", "own_division", "division", "division_number", "category", "category_name"),
}
ATTRIBUTES = {"label_set", "grouped"}
TRAINED = {
    **dict.fromkeys(("spy", "spy-pixels", "spy-epochs", "spy-divisions"), DIVISIONS | {"split"}),
    "spy-chips": DIVISIONS | {"split", "chip_proportions"},
    "spy-labels": DIVISIONS | {"split", "chip_proportions", "label"},
}
PREDICTED = {name: DIVISIONS if name == "spy-divisions" else IMAGES for name in TRAINED}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two regions of the same classes, with different numbers of chips in train and val."""
    folder = tmp_path_factory.mktemp("cache")
    write_region(make_region(12, 6, 6, 3, outside=1), folder / "grid")
    write_region(make_region(8, 6, 4, 2, seed=1), folder / "other")
    return folder


@pytest.fixture(autouse=True)
def _spies(cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LLPBENCH_CACHE", str(cache))
    monkeypatch.chdir(tmp_path)
    spy.install(monkeypatch)
    NOTES.handed.clear()
    NOTES.estimates.clear()


def call(*arguments: str) -> None:
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output


def check_all(trained: set[str] | None, predicted: set[str]) -> None:
    """Everything that was handed over since the last time is what may be seen."""
    assert NOTES.handed
    for handed in NOTES.handed:
        if handed.what in ("train", "val"):
            assert handed.names == trained
            assert handed.attributes == ATTRIBUTES
        elif handed.what == "predict":
            assert handed.names == predicted
            assert not handed.attributes
    assert "predict" in {handed.what for handed in NOTES.handed}
    assert (trained is None) == ("train" not in {handed.what for handed in NOTES.handed})
    NOTES.handed.clear()


def chips(dataset: str, split: str) -> tuple[str, ...]:
    return tuple(llpbench.open_dataset(dataset, split)["chip"].to_numpy().tolist())


@pytest.mark.parametrize("name", TRAINED)
def test_a_run(name: str) -> None:
    call("run", name, "--dataset", "grid", "--out", "run")
    by = {handed.what: handed for handed in NOTES.handed}
    assert by["train"].chips == chips("grid", "train")
    assert by["val"].chips == chips("grid", "val")
    check_all(TRAINED[name], PREDICTED[name])


@pytest.mark.parametrize("name", ["spy", "spy-pixels", "spy-pixels+watch", "spy-pixels+watch-all"])
def test_a_run_predicts_each_chip_of_its_split_once(name: str) -> None:
    """Latency is measured on training chips, one at a time and again by purpose."""
    call("run", name, "--dataset", "grid", "--out", "run")
    seen = [chip for handed in NOTES.handed if handed.what == "predict" for chip in handed.chips]
    test = chips("grid", "test")
    assert tuple(chip for chip in seen if chip in test) == test


def test_a_sweep() -> None:
    call("sweep", "--method", "spy", "--dataset", "grid", "--out", "sweep")
    check_all(TRAINED["spy"], IMAGES)


@pytest.mark.parametrize("name", ["spy", "spy-divisions", "spy-chips"])
def test_coarseness(name: str) -> None:
    arguments = ["--method", name, "--coarser", "1", "--coarser", "2", "--out", "coarseness"]
    call("coarseness", "--dataset", "grid", *arguments)
    check_all(TRAINED[name], PREDICTED[name])


def test_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llpbench.orbit.flight.do_apart", lambda work, item: work(item))
    monkeypatch.setattr("llpbench.orbit.flight.give_back_at_once", lambda: None)
    call("orbit", "spy", "--dataset", "grid", "--passes", "2", "--memory", "1GB", "--out", "orbit")
    check_all(TRAINED["spy"], IMAGES)


def test_another_region() -> None:
    call("run", "spy", "--dataset", "grid", "--apply-to", "other", "--out", "run")
    predicted = {
        chip for handed in NOTES.handed if handed.what == "predict" for chip in handed.chips
    }
    assert predicted >= set(chips("other", "test"))
    check_all(TRAINED["spy"], IMAGES)


def test_figures() -> None:
    call("run", "spy", "--dataset", "grid", "--out", "run")
    NOTES.handed.clear()
    call("figures", "grid", "--predictions", "run", "--out", "figures")
    check_all(None, IMAGES)


def test_a_dataset() -> None:
    call("run", "spy", "--dataset", "grid", "--out", "run")
    NOTES.handed.clear()
    call("predict", "run", "--dataset", "other", "--split", "val", "--force", "--out", "out")
    seen = [chip for handed in NOTES.handed for chip in handed.chips]
    assert tuple(seen) == chips("other", "val")
    check_all(None, IMAGES)


@pytest.mark.parametrize("name", ["spy", "spy-divisions"])
def test_a_raster(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLPBENCH_CACHE", str(tmp_path / "cache"))
    recipe = export_region(synthesize("esaworldcover", chips=60, seed=2), tmp_path)
    build_dataset("mine", recipe)
    call("run", name, "--dataset", "mine", "--out", "run")
    NOTES.handed.clear()
    known = Recipe(recipe.images, divisions=recipe.divisions, shares=recipe.shares)
    llpbench.predict_region(Path("run"), known, tmp_path / "out")
    check_all(None, PREDICTED[name])
    predictions = llpbench.read_predictions(next((tmp_path / "out").glob("predictions.*")))
    assert predictions.attrs["trained_on"] == "mine"
    assert predictions.attrs["method"] == name


@pytest.mark.parametrize("name", ["spy", "spy-pixels", "spy-labels", "spy-divisions"])
def test_post_processors(name: str) -> None:
    """They choose by divisions, whatever the method may see, and see chips as their track does."""
    call("run", f"{name}+watch+watch-all", "--dataset", "grid", "--out", "run")
    for handed in NOTES.handed:
        if handed.what == "post":
            assert (handed.names, handed.attributes) == (TRAINED["spy"], ATTRIBUTES)
            assert handed.chips == chips("grid", "val")
        elif handed.what == "prepare":
            assert handed.names == (IMAGES if handed.by == "Watch" else DIVISIONS)
            assert not handed.attributes
    assert {handed.by for handed in NOTES.handed if handed.what == "post"} == {"Watch", "WatchAll"}
    for split, estimate in NOTES.estimates.items():
        expected = spy.brightness(llpbench.open_dataset("grid", split))
        np.testing.assert_allclose(estimate.shares[:, 0], expected, atol=1e-6)
    check_all(TRAINED[name], PREDICTED[name])


def test_reproducing_an_entry() -> None:
    call("leaderboard", "truth", "grid")
    call("run", "spy", "--dataset", "grid", "--seed", "0", "--seed", "1", "--out", "runs")
    said = ("--author", "A", "--contact", "https://example.org", "--title", "Spy")
    call("leaderboard", "new", "tartu__spy", "--from-run", "runs", *said)
    asked = read_yaml(Path("tartu__spy") / "entry.yaml")  # by whoever made the method
    asked |= {"selection": "Nothing was.", "designed_on": []}
    asked |= {"external_data": [], "pretrained_weights": []}
    (Path("tartu__spy") / "entry.yaml").write_text(write_yaml(asked), "utf-8")
    call("leaderboard", "add", "tartu__spy")
    NOTES.handed.clear()
    call("leaderboard", "reproduce", "tartu__spy")
    check_all(TRAINED["spy"], IMAGES)


def test_nobody_but_the_gate_calls_a_method() -> None:
    """In the library's own text: a class calls its own methods, everybody else the gate."""
    library = Path(llpbench.__file__).parent
    found = {
        f"{path.relative_to(library)}: {ast.unparse(node)}"
        for path in sorted(library.rglob("*.py"))
        if path.relative_to(library) != Path("methods/gate.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in ("fit", "predict", "predict_proba", "predict_batches", "chip_predictor")
        and ast.unparse(node.value)
        not in ("gate", "self", "super()", "self.images", "batches.images")
    }
    assert not found
