"""Pictures: that they show the scores, read off their artists and not their pixels."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib.colors
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.image import imread
from regions import make_region, write_region

import llpbench
from llpbench import metrics, plots, style
from llpbench.cli import cli
from llpbench.errors import LLPBenchError, UnknownNameError
from llpbench.plots import write_figure
from llpbench.predictions.table import make_predictions
from llpbench.scoring.scores import Scores
from llpbench.style import luminance

COLOURS = ["#3d85c6", "#2a6f43", "#ecdc94", "#e0902c", "#6e0b14"]
"""Of the land-cover groups, in their order."""


@pytest.fixture(scope="module")
def ds(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(18, 9, 6, 3, unlabelled=12), path, synthetic=True)
    return llpbench.open_dataset(path)


@pytest.fixture(scope="module")
def predictions(ds: xr.Dataset) -> xr.Dataset:
    part = ds.llp.split("test").llp.group()
    random, count = np.random.default_rng(0), part.sizes["chip"]
    names = part["category_name"].to_numpy()
    shares = random.dirichlet(np.ones(len(names)), count)
    grid = random.integers(0, len(names), (count, 24, 24), dtype=np.uint8)
    return make_predictions(part["chip"].to_numpy(), names, shares, grid, method="guess")


@pytest.fixture(scope="module")
def scores(ds: xr.Dataset, predictions: xr.Dataset) -> Scores:
    return llpbench.evaluate(predictions, ds)


@pytest.fixture(scope="module")
def read_scores(scores: Scores) -> Scores:
    return Scores.from_json(scores.to_json())


def axes_titled(figure: Figure, title: str) -> Axes:
    (found,) = (axis for axis in figure.axes if axis.get_title().strip() == title)
    return found


def texts(axis: Axes) -> list[str]:
    return [text.get_text() for text in axis.texts]


def colours(patches: Any) -> list[str]:
    return [matplotlib.colors.to_hex(patch.get_facecolor()) for patch in patches]


def test_every_title_names_method_data_and_split_and_says_synthetic(scores: Scores) -> None:
    for figure in (
        plots.draw_classes(scores),
        plots.draw_confusion(scores),
        plots.draw_reliability(scores),
        plots.draw_error_map(scores),
        plots.draw_extremes(scores),
        plots.draw_class_map(scores, "tree"),
    ):
        assert "guess on grid (synthetic), test split" in figure.get_suptitle()
        assert figure.dpi == 150


def test_reliability_shows_each_chip_the_line_and_the_tenths(scores: Scores) -> None:
    chips = scores.first_seed()
    figure = plots.draw_reliability(scores)
    for number, name in enumerate(scores.categories):
        axis = axes_titled(figure, name)
        truth, predicted = chips.truth[:, number], chips.predicted[:, number]
        (density,) = (found for found in axis.collections if isinstance(found, PolyCollection))
        assert density.get_array().sum() == len(truth)  # every chip is in one cell
        lines = {str(line.get_label()): line for line in axis.get_lines()}
        slope, intercept = np.polyfit(predicted, truth, 1)  # least squares of truth on prediction
        np.testing.assert_allclose(
            lines["calibration line"].get_ydata(), [intercept, intercept + slope], atol=1e-9
        )
        assert lines["perfect"].get_xydata().tolist() == [[0, 0], [1, 1]]
        assert texts(axis) == [
            f"slope {slope:.2f}, R² {metrics.r2(truth[:, None], predicted[:, None]):z.2f}"
        ]
        (means,) = (line for line in axis.get_lines() if line.get_marker() == "o")
        assert len(means.get_xdata()) == 10
        # tenths of equal size: the mean of their means is the mean of all, but for the remainder
        assert np.mean(means.get_xdata()) == pytest.approx(predicted.mean(), abs=0.02)


def test_reliability_of_one_prediction_has_no_line(ds: xr.Dataset) -> None:
    part = ds.llp.split("test").llp.group()
    names = part["category_name"].to_numpy()
    flat = make_predictions(part["chip"], names, np.full((part.sizes["chip"], 5), 0.2))
    figure = plots.draw_reliability(llpbench.evaluate(flat, ds))
    axis = axes_titled(figure, "tree")
    assert "calibration line" not in axis.get_legend_handles_labels()[1]
    assert texts(axis)[0].startswith("no slope")


def test_confusion_shows_shares_of_rows_and_columns_and_both_margins(scores: Scores) -> None:
    confusion = np.asarray(scores.confusion)
    figure = plots.draw_confusion(scores)
    matrix, truth, predicted, corner = figure.axes
    of_truth = confusion / confusion.sum(axis=1, keepdims=True)
    of_predicted = confusion / confusion.sum(axis=0, keepdims=True)
    np.testing.assert_allclose(matrix.images[0].get_array(), of_truth)
    expected = np.stack([of_truth.ravel(), of_predicted.ravel()], axis=1).ravel()
    assert [float(text) for text in texts(matrix)] == pytest.approx(100 * expected, abs=0.5)
    assert [label.get_text() for label in matrix.get_yticklabels()] == scores.categories
    assert [label.get_text() for label in matrix.get_xticklabels()] == scores.categories
    for text in matrix.texts:  # contrast of WCAG 2.2, level AA
        column, row = text.get_position()
        under = matrix.images[0].to_rgba(of_truth)[round(row), round(column), :3]
        ink = matplotlib.colors.to_rgb(text.get_color())
        lighter, darker = sorted([luminance(under), luminance(ink)], reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5
    total = confusion.sum()
    np.testing.assert_allclose(truth.images[0].get_array()[:, 0], confusion.sum(axis=1) / total)
    np.testing.assert_allclose(predicted.images[0].get_array()[0], confusion.sum(axis=0) / total)
    assert texts(corner) == [f"{100 * np.trace(confusion) / total:.1f} %\ncorrect"]


def test_classes_show_values_intervals_and_the_train_mean(scores: Scores) -> None:
    figure = plots.draw_classes(scores)
    titles = {"MAE": "mae", "MAE, hard": "mae_hard", "R²": "r2", "F1": "f1_micro"}
    assert len(figure.axes) == len(titles)
    for title, metric in titles.items():
        axis, table = axes_titled(figure, title), scores.per_class_interval(metric)
        bars = axis.containers[0]
        assert [bar.get_width() for bar in bars] == pytest.approx(table["value"].tolist())
        assert colours(bars) == COLOURS
        whiskers = next(found for found in axis.collections if found.get_label() == "95 % interval")
        assert isinstance(whiskers, LineCollection)
        ends = np.array([path.vertices[:, 0] for path in whiskers.get_paths()])
        np.testing.assert_allclose(ends, table[["low", "high"]])
        (overall,) = (line for line in axis.get_lines() if line.get_label() == "all classes")
        assert overall.get_xdata()[0] == scores.value(metric)
    chips = scores.first_seed()
    (null,) = (
        line for line in axes_titled(figure, "MAE").get_lines() if line.get_label() == "train mean"
    )
    expected = np.abs(chips.truth - chips.null).mean(axis=0)
    np.testing.assert_allclose(null.get_xdata(), expected)


def test_classes_without_intervals_say_why(ds: xr.Dataset, predictions: xr.Dataset) -> None:
    part = ds.llp.split("test")
    few = part.isel(chip=np.isin(part["own_division"], part["division"][:4]))
    scores = llpbench.evaluate(predictions.sel(chip=few["chip"].to_numpy()), few)
    figure = plots.draw_classes(scores)
    (legend,) = figure.legends
    assert legend.get_title().get_text() == "only 4 test divisions: too few for an interval"
    assert [text.get_text() for text in legend.get_texts()] == ["all classes"]


def test_the_error_map_has_a_colour_for_each_division(scores: Scores) -> None:
    figure = plots.draw_error_map(scores, "f1_micro")
    table = scores.per_division
    places, sizes = figure.axes[:2]
    np.testing.assert_allclose(places.collections[0].get_array(), table["f1_micro"])
    (points,) = (found for found in sizes.collections if isinstance(found, PathCollection))
    np.testing.assert_allclose(points.get_offsets(), table[["chips", "f1_micro"]])
    assert sizes.get_lines()[0].get_ydata()[0] == scores.value("f1_micro")
    with pytest.raises(UnknownNameError, match="metric by division 'rmse'"):
        plots.draw_error_map(scores, "rmse")


def test_the_class_map_has_a_square_for_each_scored_chip(scores: Scores, ds: xr.Dataset) -> None:
    chips = scores.first_seed()
    figure = plots.draw_class_map(scores, "cropland")
    truth, predicted = chips.truth[:, 3], chips.predicted[:, 3]
    drawn = {}
    for title, values in {
        "truth": truth,
        "predicted": predicted,
        "predicted minus truth": predicted - truth,
    }.items():
        axis = axes_titled(figure, title)
        drawn[title] = next(c for c in axis.collections if isinstance(c, PolyCollection))
        np.testing.assert_allclose(drawn[title].get_array(), values)
        west, south, east, north = ds["bounds"].sel(chip=chips.chip[5]).to_numpy()
        corners = drawn[title].get_paths()[5].vertices
        np.testing.assert_allclose(
            [*corners.min(axis=0), *corners.max(axis=0)], [west, south, east, north]
        )
    assert drawn["truth"].get_clim() == drawn["predicted"].get_clim() == (0, 1)
    low, high = drawn["predicted minus truth"].get_clim()
    assert low == -high == -np.abs(chips.predicted - chips.truth).max()  # of all classes
    assert "share of the chip that is cropland" in [axis.get_xlabel() for axis in figure.axes]
    assert axes_titled(figure, "truth").patch.get_hatch()  # what is missing is not white
    with pytest.raises(UnknownNameError, match="class 'crop'; did you mean 'cropland'"):
        plots.draw_class_map(scores, "crop")


def test_divisions_are_outlined_in_ink_over_shares(scores: Scores) -> None:
    figure = plots.draw_class_map(scores, "tree")
    axis = axes_titled(figure, "predicted")
    outlines = [found for found in axis.collections if isinstance(found, LineCollection)]
    assert sum(len(found.get_paths()) for found in outlines) == len(scores.divisions)
    assert {matplotlib.colors.to_hex(c) for o in outlines for c in o.get_colors()} == {"#333333"}


def test_extremes_are_the_chips_with_least_and_largest_error(
    scores: Scores, ds: xr.Dataset, predictions: xr.Dataset
) -> None:
    chips = scores.first_seed()
    errors = np.abs(chips.truth - chips.predicted).mean(axis=1)
    order = np.argsort(errors)
    figure = plots.draw_extremes(scores)
    count = len(order)  # of these chips, each has five or more classes of nearly even shares
    (legend,) = figure.legends
    note = f"chosen from {count} chips with two or more classes of at least 10%"
    assert legend.get_title().get_text() == note
    shares = [axis for axis in figure.axes if axis.get_title(loc="left").startswith("MAE")]
    expected = [*order[:3], *order[::-1][:3]]
    assert [axis.get_title(loc="left") for axis in shares] == [
        f"MAE {errors[position]:.3f}" for position in expected
    ]
    named = [axis.get_ylabel() for axis in figure.axes if axis.get_ylabel()]
    assert named == [str(chips.chip[position]) for position in expected]
    for axis, position in zip(shares, expected, strict=True):
        bars = axis.containers[0]
        assert [bar.get_width() for bar in bars] == pytest.approx(chips.truth[position])
        assert colours(bars) == COLOURS
        (marks,) = (found for found in axis.collections if isinstance(found, PathCollection))
        np.testing.assert_allclose(marks.get_offsets()[:, 0], chips.predicted[position])
        assert [matplotlib.colors.to_hex(c) for c in marks.get_facecolors()] == COLOURS
        assert [label.get_text() for label in axis.get_yticklabels()] == scores.categories
    image, label, predicted = (axis.images[0].get_array() for axis in figure.axes[:3])
    best = str(chips.chip[order[0]])
    window = ds["image"].sel(chip=best).to_numpy()[2:98, 2:98]
    np.testing.assert_allclose(image, np.minimum(window * 1.5 / 255, 1))
    for drawn, classes in (
        (label, ds.llp.group()["label"].sel(chip=best).to_numpy()[2:98, 2:98]),
        (predicted, predictions["segmentation"].sel(chip=best).to_numpy()),
    ):
        table = np.array([matplotlib.colors.to_rgb(colour) for colour in COLOURS])
        np.testing.assert_allclose(drawn, table[classes])


def test_extremes_are_no_chips_of_one_class(scores: Scores) -> None:
    """A chip that any constant gets right is the best of all; it is not shown as one."""
    seed = scores.first_seed()
    truth, predicted = seed.truth.copy(), seed.predicted.copy()
    truth[:5], predicted[:5] = np.eye(5)[0], np.eye(5)[0]
    truth[5], predicted[5] = np.eye(5)[0], np.eye(5)[1]
    plain = replace(scores, seeds=(replace(seed, truth=truth, predicted=predicted),))
    shown = {axis.get_ylabel() for axis in plots.draw_extremes(plain).figure.axes}
    assert shown.isdisjoint(seed.chip[:6].tolist())
    assert len(shown - {""}) == 6


def test_extremes_without_a_segmentation_leave_its_column_out(
    ds: xr.Dataset, predictions: xr.Dataset
) -> None:
    figure = plots.draw_extremes(llpbench.evaluate(predictions.drop_vars("segmentation"), ds))
    assert len(figure.axes) == 2 * 3 * 3
    assert "prediction" not in [axis.get_title() for axis in figure.axes]


def test_the_widest_class_varies_most(scores: Scores) -> None:
    spread = scores.first_seed().truth.std(axis=0)
    assert plots.widest_category(scores) == scores.categories[int(np.argmax(spread))]


def test_scores_from_json_draw_what_they_can(read_scores: Scores, scores: Scores) -> None:
    figure = plots.draw_classes(read_scores)
    assert colours(axes_titled(figure, "MAE").containers[0]) == COLOURS
    np.testing.assert_allclose(
        plots.draw_confusion(read_scores).axes[0].images[0].get_array(),
        plots.draw_confusion(scores).axes[0].images[0].get_array(),
    )
    for draw in (plots.draw_reliability, plots.draw_extremes, plots.draw_error_map):
        with pytest.raises(LLPBenchError, match="read from JSON"):
            draw(read_scores)
    with pytest.raises(LLPBenchError, match="read from JSON"):
        plots.draw_class_map(read_scores, "tree")


def test_no_confusion_without_a_segmentation(ds: xr.Dataset, predictions: xr.Dataset) -> None:
    with pytest.raises(LLPBenchError, match="needs a segmentation"):
        plots.draw_confusion(llpbench.evaluate(predictions.drop_vars("segmentation"), ds))


def test_all_pictures_are_written_and_replaced_one_by_one(
    scores: Scores, read_scores: Scores, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "plots"
    written = plots.write_plots(scores, folder, categories=["tree"])
    names = {"classes", "confusion", "reliability", "divisions", "chips", "map-tree"}
    assert {path.stem for path in written} == {path.stem for path in folder.iterdir()} == names
    for path in written:
        height, width = imread(path).shape[:2]
        assert height > 300
        assert width > 600
    (folder / "classes.png").write_bytes(b"old")
    (folder / "notes.txt").write_text("mine")
    plots.write_plots(read_scores, folder)
    assert (folder / "classes.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "notes.txt").read_text() == "mine"


def test_no_picture_has_colours_of_matplotlib(scores: Scores, ds: xr.Dataset) -> None:
    """Those that come where none was chosen, the same for every kind of thing."""
    table = pd.DataFrame({"chips": [1, 2] * 2, "mae": 0.1, "low": 0.0, "high": 0.2})
    table = table.assign(method=["a", "a", "b", "b"], way="merge")
    drawn = [
        *(draw(scores) for draw in (plots.draw_classes, plots.draw_confusion)),
        *(draw(scores) for draw in (plots.draw_reliability, plots.draw_error_map)),
        *(plots.draw_extremes(scores), plots.draw_class_map(scores, "tree")),
        *(draw(ds) for draw in (plots.draw_area, plots.draw_splits, plots.draw_distributions)),
        *(plots.draw_samples(ds), plots.draw_chip(ds.isel(chip=0))),
        plots.draw_coarseness(table, "somewhere"),
    ]
    taken = {colour.lower() for colour in matplotlib.colors.TABLEAU_COLORS.values()}
    for figure in drawn:
        for artist in figure.findobj():
            if hasattr(artist, "update_scalarmappable"):
                artist.update_scalarmappable()  # values become colours when they are drawn
            found = [
                colour
                for name in ("get_color", "get_facecolor", "get_edgecolor")
                for colour in matplotlib.colors.to_rgba_array(getattr(artist, name, list)())
            ]
            assert taken.isdisjoint(map(matplotlib.colors.to_hex, found)), figure.get_suptitle()


def test_a_picture_that_fails_leaves_the_old_one(
    scores: Scores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "classes.png").write_bytes(b"old")

    def fail(*_arguments: Any, **_options: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Figure, "savefig", fail)
    with pytest.raises(OSError, match="no space left"):
        plots.write_plots(scores, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["classes.png"]
    assert (tmp_path / "classes.png").read_bytes() == b"old"


def test_evaluate_writes_pictures_where_it_is_told(
    ds: xr.Dataset, predictions: xr.Dataset, tmp_path: Path
) -> None:
    file = tmp_path / "predictions.parquet"
    llpbench.write_predictions(predictions.drop_vars("segmentation"), file)
    arguments = ["evaluate", str(file), "--dataset", ds.attrs["store"]]
    done = CliRunner().invoke(cli, [*arguments, "--plots", str(tmp_path / "plots"), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["dataset"] == "grid"
    assert done.stderr.startswith(f"10 pictures are in {tmp_path / 'plots'}: ")
    maps = {path.stem for path in (tmp_path / "plots").glob("map-*.png")}
    assert maps == {
        *("map-other", "map-tree", "map-shrub-grass-bare", "map-cropland", "map-built-up")
    }


def test_a_run_leaves_pictures_where_they_are_asked_for(ds: xr.Dataset, tmp_path: Path) -> None:
    run = llpbench.run_method("train-mean", ds.attrs["store"], out=tmp_path / "run", plots=True)
    widest = plots.widest_category(run.scores)
    names = ("chips", "classes", "divisions", "division-shares", "reliability", f"map-{widest}")
    assert {path.name for path in (run.folder / "plots").iterdir()} == {
        f"{name}.png" for name in names
    }


def test_letters_of_no_font_are_noted_once(
    caplog: pytest.LogCaptureFixture, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    style._note_letters.cache_clear()
    for name in ("\U0001f5fe", "\U0001f5fe and others"):
        figure = style.new_figure(width=2, height=2)
        figure.suptitle(name)
        write_figure(figure, tmp_path / "named.png")
    assert [record.getMessage().split(",")[0] for record in caplog.records] == [
        "some letters of names are in no font of Matplotlib"
    ]
    assert not recwarn
