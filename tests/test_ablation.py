"""The ablation of llpnet: what its variants see, going on after a stop, and the comparison."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import ablation
import ablation_page
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from ablation_pictures import draw_chips, draw_differences, draw_maps, nearest_to_quantiles
from ablation_variants import (
    FULL,
    VARIANTS,
    PixelBound,
    Training,
    Variant,
    cell_shares,
)
from interpolation import shrunk_slope
from regions import make_region, write_region
from scipy.optimize import minimize_scalar
from small_region import small_region

import llpbench
from llpbench_baselines.llpnet import LLPNet
from llpbench_baselines.split_data import SplitData

FEW = {"local_steps": 3, "first_steps": 3, "later_steps": 2}
TINY = Training(LLPNet, {**FEW, "rounds": 2})


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(8, 6, 4, 2), path)
    return llpbench.open_dataset(path).llp.group()


def test_shares_of_cells_are_counted() -> None:
    labels = np.random.default_rng(0).choice([0, 1, 2, 255], (2, 96, 96)).astype(np.uint8)
    found = cell_shares(labels, 3)
    assert found.shape == (2, 24, 24, 3)
    for row, column in [(0, 0), (5, 17), (23, 23)]:
        cell = labels[1, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4].ravel().tolist()
        expected = [cell.count(number) / 16 for number in range(3)]
        np.testing.assert_allclose(found[1, row, column], expected, atol=1e-3)


@pytest.mark.parametrize("name", ["local", "direct-em", "no-cells", "no-kinds", "pixels"])
def test_each_variant_has_the_weights_it_says(name: str) -> None:
    """And all of them are told and taken over: what is made of them predicts the same."""
    ds, kind = small_region(), VARIANTS[name].training.kind
    rounds = 0 if name == "local" else 1
    fitted = kind(**FEW, rounds=rounds).fit(ds, ds)
    assert fitted.footprint()["parameters"] == kind.parameters
    again = kind().set_weights(fitted.get_weights()).predict(ds)
    np.testing.assert_allclose(again["proportions"], fitted.predict(ds)["proportions"], atol=1e-5)


@pytest.mark.full
def test_stages_are_the_ends_of_shorter_trainings(region: xr.Dataset) -> None:
    """Three rounds, looked at after the first, are what a training of one round ends with."""
    stages = Training(LLPNet, {**FEW, "rounds": 3}).fit(region, seed=3)
    assert len(stages) == 4
    short = Training(LLPNet, {**FEW, "rounds": 1}).fit(region, seed=3)
    for path, weights in short[-1].items():
        if path.startswith("context") and "sharpness" not in path:
            np.testing.assert_allclose(stages[1][path], weights, atol=1e-4)
    assert not np.allclose(stages[1]["context_0/kernel"], stages[2]["context_0/kernel"])


def test_the_bound_learns_cells_from_their_labels() -> None:
    """The colours of the small region tell its classes, so that little is left to miss."""
    ds = small_region()
    bound = PixelBound(local_steps=60, first_steps=80, rounds=1).fit(ds, ds)
    error = np.abs(bound.predict(ds)["proportions"].to_numpy() - ds["chip_proportions"].to_numpy())
    assert error.mean() < 0.02


def test_read_outs_share_a_training() -> None:
    """Counted cells are the shares of the segmentation; mean probabilities are not."""
    ds = small_region()
    stages = [LLPNet(**TINY.parameters).fit(ds, ds).get_weights()]
    variant = Variant("", TINY, sharpness=64.0)
    validation = SplitData.for_validation(ds)
    counted = variant.method(stages, validation).predict(ds)
    cells = counted["segmentation"].to_numpy()
    shares = np.stack([(cells == number).mean(axis=(1, 2)) for number in range(5)], axis=1)
    np.testing.assert_allclose(counted["proportions"], shares, atol=0.03)
    mean = replace(variant, sharpness=1.0).method(stages, validation).predict(ds)
    assert np.abs(mean["proportions"].to_numpy() - shares).mean() > 0.03


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> dict[str, Variant]:
    """The full method and raking, of one tiny training."""
    variants = {FULL: Variant("llpnet", TINY), "rake": Variant("raked", TINY, post="+rake")}
    monkeypatch.setattr(ablation, "VARIANTS", variants)
    return variants


@pytest.mark.full
def test_what_is_done_is_not_done_again(
    region: xr.Dataset, two: dict[str, Variant], tmp_path: Path
) -> None:
    first = list(ablation.run_missing(region, [FULL], 0, tmp_path))
    assert [row["variant"] for row in first] == [FULL]
    second = list(ablation.run_missing(region, list(two), 0, tmp_path))
    assert [row["variant"] for row in second] == ["rake"]
    assert list(ablation.run_missing(region, list(two), 0, tmp_path)) == []
    rows = ablation.read_rows(tmp_path)
    assert [row["variant"] for row in rows] == [FULL, "rake"]
    table = ablation.summarise(region, tmp_path).set_index("variant")
    assert table["mae"][FULL] == pytest.approx(float(rows[0]["mae"]), abs=1e-5)
    difference = table["mae"]["rake"] - table["mae"][FULL]
    assert table["mae_difference"]["rake"] == pytest.approx(difference)
    assert np.isnan(table["mae_difference"][FULL])
    drawn = draw_differences({"grid": table.reset_index()})
    assert [label.get_text() for label in drawn.axes[0].get_yticklabels()] == ["raked"]


def test_the_table_of_a_dataset_goes_by_its_name(
    region: xr.Dataset, two: dict[str, Variant], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it was given as a path, too, and into a folder that is not there yet."""
    words = [region.attrs["store"], "--seeds", "0", "--out", tmp_path / "runs"]
    tables = tmp_path / "tables" / "new"
    given = ["ablation.py", *map(str, words), "--tables", str(tables)]
    monkeypatch.setattr(sys, "argv", given)
    ablation.main()
    table = pd.read_csv(tables / f"{region.attrs['name']}.csv")
    assert list(table["variant"]) == list(two)


def test_the_page_is_that_of_its_tables() -> None:
    text = ablation.DATA.with_suffix(".md").read_text("utf-8")
    tables = ablation_page.read(ablation.DATA)
    assert tables
    for section in ablation_page.sections(tables):
        assert section in text, "python benchmarks/ablation_page.py"


def test_a_killed_run_leaves_the_rows_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ablation.append_row(tmp_path, {"variant": "a", "seed": 0})

    def killed(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        ablation.append_row(tmp_path, {"variant": "b", "seed": 0})
    assert ablation.read_rows(tmp_path) == [{"variant": "a", "seed": "0"}]


def test_pictures_show_chips_in_the_order_of_their_errors(
    region: xr.Dataset, two: dict[str, Variant], tmp_path: Path
) -> None:
    list(ablation.run_missing(region, [FULL], 0, tmp_path))
    scores = ablation.score(region, tmp_path, FULL, [0])
    assert len(draw_chips({"a": scores}, scores).axes) == 4 * 3
    classes = len(scores.categories)
    assert len(draw_maps(scores).axes) == 2 * classes + 1
    errors = np.arange(11)[::-1]
    assert errors[nearest_to_quantiles(errors)].tolist() == [3, 5, 7, 9]


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_the_expected_slope_minimises_the_loss(value: float) -> None:
    """The loss of bags, written out for predictions shrunk by a."""
    generator = np.random.default_rng(0)
    shares = generator.dirichlet(np.ones(3), (6, 5))
    names = np.repeat([f"d{number}" for number in range(6)], 5)

    def loss(a: float) -> float:
        predicted = shares.mean(axis=(0, 1)) + a * (shares - shares.mean(axis=(0, 1)))
        errors = predicted.mean(axis=1) - shares.mean(axis=1)
        within = predicted - predicted.mean(axis=1, keepdims=True)
        return float(np.square(errors).sum() + value * np.square(within).sum() / 5)

    best = minimize_scalar(loss, bounds=(0, 2), method="bounded").x
    assert shrunk_slope(shares.reshape(-1, 3), names, value) == pytest.approx(1 / best, rel=1e-3)
