"""Training on board: the order of passes, sums over divisions, samples, and memory that is kept."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st
from regions import make_region, write_region
from scipy.sparse import block_diag, csr_array
from sklearn.linear_model import RidgeCV

import llpbench
from llpbench.cli import cli
from llpbench.data.divisions import Divisions, chip_places
from llpbench.methods import gate
from llpbench.methods.division_statistics import DivisionStatistics
from llpbench.methods.registry import load_method, make_method
from llpbench.orbit.flight import fly
from llpbench.orbit.held import chip_bytes, raw_names
from llpbench.orbit.passes import INCLINATION, cut_passes, ground_track
from llpbench.orbit.plan import OrbitPlan
from llpbench.orbit.sample import ChipSample
from llpbench.orbit.seasons import in_turn
from llpbench.orbit.sensor import Sensor
from llpbench.orbit.statistics_learner import StatisticsLearner
from llpbench.writing import part_path

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")

FEW = {"words": 8, "sample": 1000}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """14 x 8 chips in divisions that cut chips, one left outside; and in another season."""
    folder = tmp_path_factory.mktemp("cache")
    for seed, name in enumerate(("grid", "season")):
        write_region(make_region(14, 8, 7, 4, outside=1, seed=seed), folder / name)
    write_region(make_region(4, 4, labels="humanpop"), folder / "people")
    return folder


@pytest.fixture
def train(cache: Path) -> xr.Dataset:
    return llpbench.open_dataset(cache / "grid").llp.group().llp.split("train")


@pytest.fixture(autouse=True)
def _here(cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LLPBENCH_CACHE", str(cache))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the start of another; the memory of this one is larger, and measured as that is."""
    monkeypatch.setattr("llpbench.orbit.flight.do_apart", lambda work, item: work(item))
    monkeypatch.setattr("llpbench.orbit.flight.give_back_at_once", lambda: None)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def few(**values: int) -> list[str]:
    return [word for name, value in values.items() for word in ("--set", f"{name}={value}")]


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 7), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_sums_do_not_depend_on_blocks_or_order(seed: int, sizes: Sequence[int]) -> None:
    """Against numpy's two-pass moments, and the means of all chips at once."""
    random = np.random.default_rng(seed)
    chips = sum(sizes)
    features = random.normal(1e3, 1.0, (chips, 4)) * [1, 1e-3, 1e3, 0]
    areas = random.uniform(size=(3, chips)) * (random.uniform(size=(3, chips)) < 0.5)
    seen, order = DivisionStatistics(3, 4), random.permutation(chips)
    for block in np.split(order, np.cumsum(sizes)[:-1]):
        seen.add(features[block], csr_array(areas[:, block]))
    divisions = Divisions(csr_array(areas), np.eye(3))
    np.testing.assert_allclose(seen.means, divisions.means(features), rtol=1e-12)
    np.testing.assert_allclose(seen.deviation, features.std(axis=0), rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(seen.mean, features.mean(axis=0), rtol=1e-12)
    as_chips = seen.divisions(divisions.proportions)
    np.testing.assert_allclose(as_chips.areas, divisions.areas)
    np.testing.assert_allclose(as_chips.known().means(seen.means)[:, 3], 0)


@pytest.mark.parametrize("latitude", [-50.0, 0.0, 45.0, 70.0])
def test_the_ground_track_is_that_of_a_circular_orbit(latitude: float) -> None:
    """Against places on the orbit, turned by the inclination, a little before and after."""
    inclination = np.radians(INCLINATION)
    way = np.pi - np.arcsin(np.sin(np.radians(latitude)) / np.sin(inclination))  # southward
    step = way + np.array([-1e-5, 1e-5])
    x, y = np.cos(step), np.sin(step) * np.cos(inclination)
    north = np.diff(np.arcsin(np.sin(step) * np.sin(inclination)))
    east = np.diff(np.unwrap(np.arctan2(y, x))) * np.cos(np.radians(latitude))
    direction = np.concatenate([east, north])
    expected = direction / np.linalg.norm(direction)
    np.testing.assert_allclose(ground_track(latitude), expected, atol=1e-6)


def test_each_chip_comes_once_in_swaths_from_the_east(train: xr.Dataset) -> None:
    passes = cut_passes(train, 7)
    np.testing.assert_array_equal(np.sort(np.concatenate(passes)), np.arange(train.sizes["chip"]))
    assert {len(swath) for swath in passes} <= {
        train.sizes["chip"] // 7,
        train.sizes["chip"] // 7 + 1,
    }
    east, north = chip_places(train).T
    middles = [east[swath].mean() for swath in passes]
    assert middles == sorted(middles, reverse=True)
    # along a track 12.6 degrees off the meridian (arcsin(.139 / cos 50)) a chip is
    # south of the last
    for swath in passes:
        forward = -np.sin(np.radians(12.6)) * east[swath] - np.cos(np.radians(12.6)) * north[swath]
        assert (np.diff(forward) > -0.05).all()


def test_a_sample_is_the_same_in_any_order(
    train: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llpbench.orbit.sample.TOGETHER", 2)
    count, room = train.sizes["chip"], 31  # of each division two or four
    kept = []
    for seed in (0, 0, 0, 1):
        sample, sensor = ChipSample(train, room, seed), Sensor(train)
        order = np.random.default_rng(len(kept)).permutation(count)
        for block in np.array_split(order, 9):
            sample.see(block, sensor)
        held = sample.dataset()
        kept.append(held["chip"].to_numpy().tolist())
        expected = train.sel(chip=held["chip"])["image"].to_numpy()
        np.testing.assert_array_equal(held["image"].to_numpy(), expected)
        assert set(held["division_number"].to_numpy()) == set(held["overlap_division"].to_numpy())
    assert kept[0] == kept[1] == kept[2] != kept[3]
    assert kept[0] == [chip for chip in train["chip"].to_numpy() if chip in kept[0]]
    assert len(kept[0]) == room


def test_a_sample_is_of_divisions_then_of_their_chips(
    train: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 10 divisions of 4 chips, and 4 chips outside, two chips of each of three divisions.

    Divisions and their chips are equally often among 200, within five standard deviations.
    """
    monkeypatch.setattr("llpbench.orbit.sample.TOGETHER", 2)
    own, here = train["own_division"].to_numpy(), train.load()
    times = np.zeros(len(own))
    for seed in range(200):
        sample = ChipSample(here, 6, seed)
        sample.see(np.arange(len(own)), Sensor(here))
        kept = sample._held.chips
        divisions, counts = np.unique(own[kept], return_counts=True)
        assert counts.tolist() == [2, 2, 2]
        assert "" not in divisions
        times[kept] += 1
    assert (np.abs(times[own != ""] - 30) < 5 * np.sqrt(200 * 0.15 * 0.85)).all()
    of_divisions = pd.Series(times).groupby(own).sum()[1:] / 2
    assert (np.abs(of_divisions - 60) < 5 * np.sqrt(200 * 0.3 * 0.7)).all()


@pytest.mark.parametrize(
    "name",
    [
        "bag-ridge",
        "goodman",
        pytest.param("bayesian-bag-ridge", marks=pytest.mark.full),
        pytest.param("mean-map", marks=pytest.mark.full),
    ],
)
def test_what_is_seen_once_fits_as_all_at_once(train: xr.Dataset, name: str) -> None:
    """With room for a quarter of the chips: features from these, then each chip once."""
    room = train.sizes["chip"] // 4
    method = make_method(name, **({"groups": 8} if name == "goodman" else FEW))
    learner = StatisticsLearner(method, train, Sensor(train), 3 * room * chip_bytes(train))
    labels = train.isel(chip=slice(0))
    for swath in cut_passes(train, 3):
        learner.see(swath)
    learner.learn(labels)
    assert learner.held == 0
    # the same features, all chips at once, by the method's own fit
    batch = make_method(name, **method.settings)
    batch.set_weights(method.get_weights())
    batch.learn_features = lambda _train: None  # type: ignore[attr-defined]
    gate.fit(batch, train, train)
    images = train[raw_names(train)]
    here, there = (one.predict(images)["proportions"].to_numpy() for one in (method, batch))
    np.testing.assert_allclose(here, there, atol=1e-6)


@pytest.fixture(scope="module")
def flown(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run and three passes of the same method, in two folders."""
    folder = tmp_path_factory.mktemp("flown")
    arguments = ["bag-ridge", "--dataset", str(cache / "grid"), "--seed", "3", *few(**FEW)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("llpbench.orbit.flight.do_apart", lambda work, item: work(item))
        patch.setattr("llpbench.orbit.flight.give_back_at_once", lambda: None)
        passes = ["--memory", "0.5 GB", "--passes", "3", "--out", str(folder / "orbit"), "--json"]
        done = call("orbit", *arguments, *passes)
        assert done.exit_code == 0, done.output
        text = (folder / "orbit" / "orbit.json").read_text("utf-8")
        assert json.loads(done.stdout) == json.loads(text)
    assert call("run", *arguments, "--out", str(folder / "run")).exit_code == 0
    return folder


def _record(flown: Path) -> dict:
    return dict(json.loads((flown / "orbit" / "orbit.json").read_text("utf-8")))


def test_orbit_is_a_run_where_all_chips_fit(flown: Path) -> None:
    here, there = (
        llpbench.read_predictions(flown / name / "predictions-test.parquet")
        for name in ("orbit", "run")
    )
    xr.testing.assert_allclose(here["proportions"], there["proportions"], atol=1e-6)
    assert here.attrs == there.attrs
    scores = [(flown / name / "scores.json").read_text("utf-8") for name in ("orbit", "run")]
    assert json.loads(scores[0]) == json.loads(scores[1])
    assert (flown / "orbit" / "orbit.png").stat().st_size > 10_000


def test_bytes_seconds_and_memory_of_passes(train: xr.Dataset, flown: Path) -> None:
    """Counted by hand from what has come up, and what is in the folder."""
    record = _record(flown)
    rows, swaths = record["passes"], cut_passes(train, 3)
    table = pd.read_csv(flown / "orbit" / "passes.csv")
    np.testing.assert_allclose(table.to_numpy(float), pd.DataFrame(rows).to_numpy(float))
    overlaps = Divisions.of(train).overlaps.toarray()
    known = np.isfinite(train["division_proportions"].to_numpy()).all(axis=1)
    method = load_method("bag-ridge", flown / "orbit" / "weights")
    weights = sum(
        array.size for name, array in method.get_weights().items() if name != "categories"
    )
    features, kinds, sums = len(method.coefficients_), train.sizes["category"], 0
    for number, row in enumerate(rows, 1):
        seen = np.concatenate(swaths[:number])
        divisions = overlaps[:, seen].sum(axis=1) > 0
        assert row["chips"] == row["held"] == len(seen)
        assert row["divisions"] == (divisions & known).sum()
        assert row["uplinked_labels"] == 2 * kinds * (divisions & known).sum()
        assert row["downlinked_model"] == number * 4 * weights
        # features are learned anew while all chips are held, so that all sums are new
        sums += 8 * (divisions.sum() * (1 + features) + 1 + 2 * features)
        assert row["downlinked_statistics"] == sums
        assert 0 < row["peak_memory"] <= record["memory"]
    assert (np.diff(table["cpu_seconds"]) > 0).all()
    assert rows[-1]["divisions"] > rows[0]["divisions"]
    assert record["difference_to_batch"] < 1e-6
    assert record["learning"] == "statistics"


def test_the_curve_is_of_val_divisions_and_test_is_scored_once(
    train: xr.Dataset, flown: Path
) -> None:
    """The last method of the folder, fitted anew by scikit-learn to numpy's means."""
    region = llpbench.open_dataset("grid").llp.group()
    method = load_method("bag-ridge", flown / "orbit" / "weights")
    val = region.llp.split("val")
    shares = method.predict(val[raw_names(val)])["proportions"].to_numpy()
    assert _record(flown)["passes"][-1]["mae"] == pytest.approx(
        Divisions.of(val).mae(shares), abs=1e-9
    )
    scores = json.loads((flown / "orbit" / "scores.json").read_text("utf-8"))
    assert _record(flown)["test"]["chips"] == pytest.approx(scores["metrics"]["mae"]["value"])
    x = method.describe(train[raw_names(train)])
    x = (x - x.mean(axis=0)) / (np.maximum(x.std(axis=0), 1e-6) * np.sqrt(x.shape[1]))
    divisions = Divisions.of(train).known()
    ridge = RidgeCV(alphas=np.logspace(-6, 3, 37)).fit(
        divisions.means(x), divisions.proportions, sample_weight=divisions.importance()
    )
    found = method.describe(train[raw_names(train)]) @ method.coefficients_ + method.intercept_
    np.testing.assert_allclose(found, ridge.predict(x), atol=1e-8)


@pytest.mark.usefixtures("in_this_process")
def test_a_method_that_needs_chips_learns_from_a_sample(train: xr.Dataset) -> None:
    """Half of 2.4 MB is room for 20 chips of 30 kB, each held twice; memory is not the subject."""
    plan = OrbitPlan("train-mean", "grid", 2_400_000, 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("llpbench.orbit.memory.MemoryMeter.peak", lambda _meter: 0)
        record, folder = fly(plan, out=Path("orbit"))
    assert record.learning == "sample"
    assert [row.held for row in record.passes] == [20, 20]
    assert [row.downlinked_statistics for row in record.passes] == [None, None]
    assert record.difference_to_batch is None
    kept = ChipSample(train, 20, 0)
    kept.see(np.arange(train.sizes["chip"]), Sensor(train))
    mean = load_method("train-mean", folder / "weights").get_weights()["mean"]
    np.testing.assert_allclose(mean, kept.dataset()["target"].mean("chip"), rtol=1e-6)
    # val divisions, by which such a method may choose, are sent up too
    known = sum(
        int(Divisions.of(llpbench.open_dataset("grid", split).llp.group()).is_known.sum())
        for split in ("train", "val")
    )
    assert record.passes[-1].uplinked_labels == 2 * train.sizes["category"] * known


def test_seasons_come_in_turn(cache: Path) -> None:
    """Against scipy's block matrix: a place that is seen twice is two chips, in two divisions."""
    first, second = (
        llpbench.open_dataset(cache / name).llp.group().llp.split("train")
        for name in ("grid", "season")
    )
    both = in_turn(first, second.isel(chip=slice(None, None, -1)))
    parts = [Divisions.of(first), Divisions.of(second.isel(chip=slice(None, None, -1)))]
    divisions = Divisions.of(both)
    expected = block_diag([part.overlaps for part in parts]).toarray()
    np.testing.assert_array_equal(divisions.overlaps.toarray(), expected)
    proportions = np.concatenate([part.proportions for part in parts])
    np.testing.assert_array_equal(divisions.proportions, proportions)
    images = np.concatenate([first["image"], second["image"][::-1]])
    np.testing.assert_array_equal(both["image"], images)
    for what in ("chip", "division"):
        assert len(np.unique(both[what])) == both.sizes[what]


@pytest.mark.usefixtures("in_this_process")
def test_a_further_season_updates_the_method(monkeypatch: pytest.MonkeyPatch) -> None:
    """The null model, whose errors are those of means over chips: of one season, of both."""
    monkeypatch.setattr("llpbench.orbit.memory.MemoryMeter.peak", lambda _meter: 0)
    left = part_path(Path("orbit").absolute()) / "alone"  # as a simulation that was killed leaves
    left.mkdir(parents=True)
    (left / "orbit.json").write_text("{}", encoding="utf-8")
    done = call("orbit", "train-mean", "--dataset", "grid", "--then", "season", "--passes", "2",
                "--out", "orbit")  # fmt: skip
    assert done.exit_code == 0, done.output
    first, then = (llpbench.open_dataset(name).llp.group().llp for name in ("grid", "season"))
    val = Divisions.of(then.split("val"))

    def error(*targets: xr.DataArray) -> float:
        mean = np.nanmean(np.concatenate(targets), axis=0)  # some lie outside
        return val.mae(np.broadcast_to(mean, (val.overlaps.shape[1], len(mean))))

    here, there = (region.split("train")["target"] for region in (first, then))
    swaths = cut_passes(then.split("train"), 2)
    drift = pd.read_csv("orbit/drift.csv")
    assert drift["unchanged"].to_numpy() == pytest.approx(error(here), abs=1e-6)
    parts = [there[swaths[0]], there]
    updated = [error(here), *(error(here, part) for part in parts)]
    np.testing.assert_allclose(drift["updated"], updated, atol=1e-6)
    np.testing.assert_allclose(drift["alone"][1:], [error(part) for part in parts], atol=1e-6)
    # shares of its divisions, and of its val divisions, by which a method may choose
    known = sum(int(Divisions.of(then.split(name)).is_known.sum()) for name in ("train", "val"))
    assert drift["uplinked_labels"].tolist()[::2] == [0, 2 * here.sizes["category"] * known]
    record = json.loads(Path("orbit/orbit.json").read_text("utf-8"))
    alone = json.loads(Path("orbit/alone/orbit.json").read_text("utf-8"))
    assert record["then"]["alone_test"] == alone["test"]
    assert record["then"]["known"] == 0
    assert record["test"] != record["then"]["test_before"]
    mean = load_method("train-mean", Path("orbit/weights")).get_weights()["mean"]
    np.testing.assert_allclose(mean, here.mean("chip"), rtol=1e-6)
    assert Path("orbit/drift.png").stat().st_size > 10_000


@pytest.mark.full
@pytest.mark.parametrize(
    "arguments",
    [
        ["bag-ridge"],
        ["llpnet", *few(rounds=1, local_steps=20, first_steps=20)],
    ],
)
def test_memory_is_kept_on_twenty_thousand_chips(many: Path, arguments: list[str]) -> None:
    """Chips of 622 MB, of which 256 MB hold neither all nor what is learned from all.

    Fails where a learner holds all it sees, where a sample leaves no room for training, or a second
    one beside what the first has left, and where the meter does not see pixels that are held.
    """
    done = call("orbit", *arguments, "--dataset", str(many), "--memory", "256MB", "--passes", "2",
                "--out", "orbit")  # fmt: skip
    assert done.exit_code == 0, done.output
    passes = json.loads(Path("orbit/orbit.json").read_text("utf-8"))["passes"]
    train = llpbench.open_dataset(many).llp.split("train")
    assert passes[-1]["chips"] == train.sizes["chip"] >= 20_000
    for row in passes:
        assert row["held"] * chip_bytes(train) < row["peak_memory"] <= 256e6


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """21,600 chips in 600 divisions, of which 576 train."""
    region = make_region(150, 144, 25, 24)
    number = np.arange(150) // 6 + 25 * (np.arange(144)[:, np.newaxis] // 6)
    split = np.select([number % 50 == 1, number % 50 == 2], ["val", "test"], "train").ravel()
    chips = region.chips.assign(split=split, split_chip=split)
    folder = tmp_path_factory.mktemp("many") / "many"
    write_region(replace(region, chips=chips), folder)
    return folder


def test_a_process_of_its_own_refuses_what_does_not_fit() -> None:
    """Through the command, with the memory really measured; nothing is left of it."""
    done = call(
        "orbit", "bag-ridge", "--dataset", "grid", "--memory", "1MB", "--passes", "3", *few(**FEW)
    )
    assert done.exit_code == 1
    assert "there are 1 MB: give --memory more" in str(done.exception)
    assert not list(Path("runs").glob("*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pixel-supervised"], "more (supervision 'pixel'"),
        (["bag-ridge+rake"], "track 'disaggregation'"),
        (["bag-ridge", "--passes", "1000"], "cannot come in 1000 passes"),
        (["train-mean", "--memory", "500kB"], "fit into this memory"),
        (["bag-ridge", "--memory", "256"], "such as 256MB"),
        (["train-mean", "--then", "people"], "'people' cannot come after 'grid': their classes"),
    ],
)
@pytest.mark.usefixtures("in_this_process")
def test_what_is_refused(arguments: list[str], said: str) -> None:
    done = call("orbit", *arguments, "--dataset", "grid")
    assert done.exit_code
    assert said in f"{done.exception} {done.output}"
