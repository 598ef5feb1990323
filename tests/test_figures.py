"""The paper's figures: that they show the dataset and the runs, read off their artists."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import matplotlib.colors
import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.image import imread
from regions import make_region, write_region

import llpbench
from llpbench import plots
from llpbench.catalog import reported_results
from llpbench.cli import cli
from llpbench.errors import LLPBenchError, PredictionsError
from llpbench.plots.geography import split_squares
from llpbench.plots.samples import choose_samples
from llpbench.predictions.files import write_predictions
from llpbench.predictions.table import template
from llpbench.reporting.tables import cross_region_table, footprint_table
from llpbench.runs.record import read_run
from llpbench.runs.results import find_results, find_runs
from llpbench.style import SPLIT_COLOURS

pytestmark = pytest.mark.usefixtures("no_pictures")

COLOURS = ["#3d85c6", "#2a6f43", "#ecdc94", "#e0902c", "#6e0b14"]
"""Of the land-cover groups, in their order."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("figures")


@pytest.fixture(scope="module")
def path(folder: Path) -> Path:
    return write_region(make_region(12, 6, 4, 3), folder / "benelux-esaworldcover").path


@pytest.fixture(scope="module")
def ds(path: Path) -> xr.Dataset:
    return llpbench.open_dataset(path)


@pytest.fixture(scope="module")
def runs(path: Path, folder: Path) -> Path:
    """Ridge with two seeds and the train mean here; the train mean carried to another region."""
    other = write_region(make_region(9, 3, 3, 1, seed=5), folder / "other").path
    small = {"words": 8, "sample": 500}
    for seed in (0, 1):
        out = folder / "runs" / f"ridge{seed}"
        llpbench.run_method("bag-ridge", path, seed=seed, settings=small, out=out)
    llpbench.run_method("train-mean", path, out=folder / "runs" / "mean")
    llpbench.run_method("train-mean", path, apply_to=other, out=folder / "runs" / "carried")
    return folder / "runs"


def squares(axis: Axes) -> list[PolyCollection]:
    return [one for one in axis.collections if isinstance(one, PolyCollection)]


def axes_titled(figure: Figure, start: str) -> Axes:
    (found,) = (axis for axis in figure.axes if axis.get_title().startswith(start))
    return found


def test_the_mosaic_shows_the_mean_colours_of_the_images(ds: xr.Dataset) -> None:
    figure = plots.draw_area(ds)
    mosaic = squares(figure.axes[0])[0]
    # 72 chips x 10 x 10 patches fit into 60,000 squares
    drawn = mosaic.get_facecolor()[:, :3].reshape(72, 10, 10, 3)
    image = ds["image"].to_numpy().astype(float)
    patch = image[:, :10, 90:].mean(axis=(1, 2))  # the north-eastern corner
    np.testing.assert_allclose(drawn[:, 0, 9], np.clip(patch * 1.5 / 255, 0, 1), atol=1e-6)
    corners = mosaic.get_paths()[9].vertices  # of the first chip's north-eastern patch
    _west, _south, east, north = ds["bounds"].to_numpy()[0]
    np.testing.assert_allclose(corners.max(axis=0), [east, north])
    assert "72 chips, 12 divisions" in figure.axes[0].get_title()


def test_small_squares_tile_their_chip() -> None:
    small = split_squares([[0, 0, 3, 6], [10, 0, 13, 6]], 3)
    np.testing.assert_array_equal(small[0], [0, 4, 1, 6])
    np.testing.assert_array_equal(small[5], [2, 2, 3, 4])
    np.testing.assert_array_equal(small[17], [12, 0, 13, 2])
    areas = (small[:, 2] - small[:, 0]) * (small[:, 3] - small[:, 1])
    np.testing.assert_allclose(areas, 2)


def test_the_map_of_splits_shows_each_chips_own(ds: xr.Dataset) -> None:
    figure = plots.draw_splits(ds)
    drawn = [matplotlib.colors.to_hex(c) for c in squares(figure.axes[0])[0].get_facecolor()]
    assert drawn == [SPLIT_COLOURS[name] for name in ds["split"].to_numpy()]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    # 12 divisions of 6 chips go round train, val, test
    assert legend == [f"{name}: 24 chips, 4 divisions" for name in ("train", "val", "test")]


def test_distributions_are_those_of_targets_and_chips(ds: xr.Dataset) -> None:
    figure = plots.draw_distributions(ds)
    grouped = ds.llp.group()
    means = axes_titled(figure, "divisions (faint) and chips").patches
    expected = [grouped[name].mean("chip") for name in ("target", "chip_proportions")]
    widths = [patch.get_width() for patch in means]
    np.testing.assert_allclose(widths, np.concatenate(expected), atol=1e-6)
    assert [matplotlib.colors.to_hex(patch.get_facecolor()) for patch in means[5:]] == COLOURS
    spread = axes_titled(figure, "spread").patches[5:]  # of chips
    low, high = np.quantile(grouped["chip_proportions"], [0.25, 0.75], axis=0)
    np.testing.assert_allclose([patch.get_x() for patch in spread], low, atol=1e-6)
    np.testing.assert_allclose([patch.get_width() for patch in spread], high - low, atol=1e-6)
    sizes = axes_titled(figure, "sizes of 12 divisions")
    assert sum(patch.get_height() for patch in sizes.patches) == 12
    assert "median 6" in sizes.get_xlabel()
    assert all(float(tick).is_integer() for tick in sizes.get_yticks())


def test_sample_chips_are_mixed_and_one_for_each_class() -> None:
    pure, mixed = np.eye(3), np.array([[0.8, 0.1, 0.1], [0.4, 0.3, 0.3], [0.05, 0.95, 0.0]])
    shares = np.concatenate([pure[[0]], mixed, np.full((1, 3), np.nan), np.tile(pure[2], (16, 1))])
    # of 20 labelled chips the 18th smallest share is the bound: .4 of the first class, .1 of the
    # second (chip 2 is the most mixed in both), 1 of the third, where all are as pure
    np.testing.assert_array_equal(choose_samples(shares), [2, 5])
    np.testing.assert_array_equal(choose_samples(pure), [0, 1, 2])
    with pytest.raises(LLPBenchError, match="no chip has any"):
        choose_samples(np.full((2, 3), np.nan))


def test_samples_show_chips_with_both_shares(ds: xr.Dataset) -> None:
    figure = plots.draw_samples(ds)
    chosen = [axis.get_title() for axis in figure.axes if axis.get_title() in ds.indexes["chip"]]
    assert 1 < len(chosen) <= 5
    bars = figure.axes[2 * len(chosen)].patches
    chip = ds.llp.group().sel(chip=chosen[0])
    both = np.concatenate([chip["target"], chip["chip_proportions"]])
    np.testing.assert_allclose([bar.get_width() for bar in bars], both, atol=1e-6)


def test_without_labels_what_needs_them_says_so(ds: xr.Dataset) -> None:
    with pytest.raises(LLPBenchError, match="this dataset has none"):
        plots.draw_samples(ds.llp.restrict("division"))
    with pytest.raises(LLPBenchError, match="this dataset has none"):
        plots.draw_distributions(ds.llp.restrict("division"))


def test_maps_show_truth_and_prediction_in_their_places(ds: xr.Dataset) -> None:
    test = ds.llp.group().llp.split("test")
    predicted = template(test).isel(chip=slice(None, None, -1))
    shares = np.random.default_rng(0).dirichlet(np.ones(5), test.sizes["chip"])
    predicted["proportions"].data[:] = shares
    figure = plots.draw_landscape(ds, predicted.assign_attrs(method="guess"))
    above, below = axes_titled(figure, "tree"), figure.axes[6]
    truth, guess = squares(above)[0], squares(below)[0]
    np.testing.assert_allclose(truth.get_array(), ds.llp.group()["chip_proportions"][:, 1])
    np.testing.assert_allclose(guess.get_array(), shares[:, 1], rtol=1e-6)
    west_south = [path.vertices.min(axis=0) for path in guess.get_paths()]
    expected = ds["bounds"].sel(chip=predicted["chip"].to_numpy())[:, :2]
    np.testing.assert_allclose(west_south, expected)
    assert truth.get_clim() == guess.get_clim() == (0, 1)
    bar = figure.axes[-1]
    assert bar.get_xlabel() == "share of the chip"
    assert [label.get_text() for label in bar.get_yticklabels()] == list(test["category_name"])
    np.testing.assert_allclose(bar.images[0].get_array()[:, 0], 1)  # 0 is white
    assert "guess on" in figure.get_suptitle()


def test_seeds_of_a_setting_are_one_result(runs: Path) -> None:
    results = find_results([runs])
    assert [(one.label, one.scores.tallies["errors"].shape[0]) for one in results] == [
        ("bag-ridge", 2),
        ("train-mean", 1),
        ("train-mean", 1),
    ]
    seeds = [json.loads((runs / f"ridge{n}/scores.json").read_text()) for n in (0, 1)]
    mean = np.mean([seed["metrics"]["mae"]["value"] for seed in seeds])
    assert results[0].value("mae") == pytest.approx(mean)
    (here,) = (one for one in results if one.record == read_run(runs / "mean").record)
    assert here.train_mean == pytest.approx(here.value("mae"))  # it is the null model itself
    assert results[0].value("f1_micro") is None


def test_settings_that_differ_are_told_apart(path: Path, tmp_path: Path) -> None:
    for words in (4, 8):
        parameters = {"words": words, "sample": 200}
        out = tmp_path / str(words)
        llpbench.run_method("bag-ridge", path, settings=parameters, out=out)
    labels = [one.label for one in find_results([tmp_path])]
    assert labels == ["bag-ridge words=4", "bag-ridge words=8"]


def test_a_folder_without_runs_is_refused(runs: Path, tmp_path: Path) -> None:
    """As is one with nothing but what is not finished."""
    unfinished = tmp_path / "deep" / ".mean.part"
    for _ in range(2):
        with pytest.raises(LLPBenchError, match=r"holds no finished run: there is no run\.json"):
            find_results([tmp_path])
        shutil.copytree(runs / "mean", unfinished, dirs_exist_ok=True)
    unfinished.rename(tmp_path / "deep" / "mean")
    assert [run.folder for run in find_runs([tmp_path])] == [tmp_path / "deep" / "mean"]


def test_bars_are_the_scores_best_first_and_reported_ones_apart(runs: Path) -> None:
    results = [one for one in find_results([runs]) if one.record.track == "inductive"]
    reported = [
        one
        for one in reported_results()
        if one.dataset == one.trained_on == "benelux-esaworldcover"
    ]
    figure = plots.draw_results(results, reported, "made up")
    panel = axes_titled(figure, "MAE of shares")
    widths = [bar.get_width() for bar in panel.patches]
    values = sorted(one.scores.value("mae") for one in results)
    np.testing.assert_allclose(widths, [*values, 0.1650])  # the reported train mean, last
    hard = axes_titled(figure, "MAE of counted")
    assert [bar.get_width() for bar in hard.patches] == [0.068, 0.068, 0.085, 0.104]
    names = [text.get_text() for text in panel.get_yticklabels()]
    assert names[2:] == ["downconv", "qkm", "vgg16unet", "customunet", "train-mean"]
    line = next(line for line in panel.lines if line.get_linestyle() == "--")
    (mean,) = (one for one in results if one.label == "train-mean")
    assert line.get_xdata()[0] == pytest.approx(mean.value("mae"))
    with pytest.raises(LLPBenchError, match="no results to draw"):
        plots.draw_results([], [], "nothing")


def test_tables_hold_what_was_carried_over_and_what_it_costs(runs: Path) -> None:
    results = find_results([runs])
    carried = cross_region_table(results, reported_results())
    rows = [line.split(" | ") for line in carried.splitlines()]
    assert ["| train-mean", "benelux-esaworldcover", "other"] in [row[:3] for row in rows]
    assert ["| downconv", "benelux-humanpop", "colombia-ne-humanpop", "reported", "", "0.192"] in [
        row[:6] for row in rows
    ]
    assert "ridge" not in carried  # it was carried nowhere
    costs = footprint_table(results).splitlines()
    assert len(costs) == 2 + 2
    # 24 training chips of 10,000 pixels; 4 divisions with 5 shares of 2 bytes
    assert costs[2].endswith("| 40 | 240,000 |")


def test_the_command_writes_all_figures(
    path: Path, runs: Path, ds: xr.Dataset, tmp_path: Path
) -> None:
    test = template(ds.llp.split("test"))
    test["proportions"].data[:] = 0.2
    write_predictions(test.assign_attrs(method="even"), tmp_path / "even.csv")
    arguments = ["figures", str(path), "-o", str(tmp_path / "out"), "--runs", str(runs)]
    for one in (tmp_path / "even.csv", runs / "ridge0", runs / "ridge1"):
        arguments += ["--predictions", str(one)]
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    names = {Path(line).name for line in done.output.splitlines()}
    pictures = {"area", "splits", "distributions", "chips", "results"}
    pictures |= {"map-predictions", "map-bag-ridge", "map-bag-ridge-2"}
    assert names == {f"{name}.png" for name in pictures} | {"cross-region.md", "footprint.md"}
    assert names == {file.name for file in (tmp_path / "out").iterdir()}
    for name in pictures:
        picture = imread(tmp_path / "out" / f"{name}.png")
        assert np.ptp(picture[..., :3]) > 0.5
        assert min(picture.shape[:2]) > 300


def test_a_notebook_shows_figures(ds: xr.Dataset) -> None:
    shown = plots.draw_splits(ds)._repr_png_()  # type: ignore[attr-defined]
    assert shown.startswith(b"\x89PNG")


def test_predictions_of_other_chips_are_refused(path: Path, ds: xr.Dataset, tmp_path: Path) -> None:
    wrong = template(ds.llp.split("test"))
    wrong["proportions"].data[:] = 0.2
    wrong = wrong.assign_coords(chip=np.char.add("x", wrong["chip"].to_numpy()))
    write_predictions(wrong, tmp_path / "wrong.csv")
    arguments = ["figures", str(path), "-o", str(tmp_path / "out")]
    with pytest.raises(PredictionsError, match="24 unknown"):
        CliRunner().invoke(
            cli, [*arguments, "--predictions", str(tmp_path / "wrong.csv")], catch_exceptions=False
        )
    assert not (tmp_path / "out").exists()
