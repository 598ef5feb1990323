"""The synthetic region: same pixels however they are read, and a task that is worth learning."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import zlib

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from llpbench.data.region import Region
from llpbench.data.splitting import bands
from llpbench.data.synthetic import SyntheticReader, synthesize
from llpbench.data.synthetic.landcover import BUILT, find_land_cover
from llpbench.data.synthetic.noise import PixelGrid, smooth_noise
from llpbench.data.synthetic.places import decode, encode
from llpbench.data.synthetic.population import population_class
from llpbench.errors import LLPBenchError, UnknownNameError
from llpbench.protocol import SPLITS

LABEL_SETS = ("esaworldcover", "humanpop")
EQUAL_AREA = "EPSG:6933"


@pytest.fixture(scope="module")
def land() -> Region:
    return synthesize("esaworldcover", chips=300, seed=1)


@pytest.fixture(scope="module")
def people() -> Region:
    return synthesize("humanpop", chips=300, seed=1)


def _overlaps(region: Region) -> NDArray[np.float64]:
    """Areas in km², shape (chip, division), by one intersection after another."""
    chips = region.chips.to_crs(EQUAL_AREA).geometry
    divisions = region.divisions.to_crs(EQUAL_AREA).geometry
    return np.stack([chips.intersection(outline).area / 1e6 for outline in divisions], axis=1)


def _groups(region: Region) -> NDArray[np.uint8]:
    """Class group of each label class."""
    groups = np.zeros(len(region.label_set.classes), dtype=np.uint8)
    for number, group in enumerate(region.label_set.groups):
        groups[list(group.members)] = number
    return groups


@pytest.mark.parametrize("label_set", LABEL_SETS)
def test_pixels_do_not_depend_on_order_or_block(label_set: str) -> None:
    region = synthesize(label_set, chips=40, seed=3)
    chip_ids = list(region.chips.index)
    together = region.read(chip_ids)
    shuffled = np.random.default_rng(0).permutation(len(chip_ids))
    for size in (1, 7, 33):
        for start in range(0, len(chip_ids), size):
            which = shuffled[start : start + size]
            block = region.read([chip_ids[n] for n in which])
            np.testing.assert_array_equal(block.image, together.image[which])
            np.testing.assert_array_equal(block.label, together.label[which])


def test_another_process_makes_the_same_pixels(land: Region) -> None:
    """Also with the matrix products of another processor, where OpenBLAS lets us choose one."""
    chip_ids = list(land.chips.index[[0, 50, 299]])
    script = (
        "import json, pickle, sys, zlib\n"
        "reader, chip_ids = pickle.load(sys.stdin.buffer)\n"
        "block = reader(chip_ids)\n"
        "print(json.dumps([zlib.crc32(block.image), zlib.crc32(block.label)]))\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script],
        input=pickle.dumps((land.read, chip_ids)),
        capture_output=True,
        check=True,
        env={**os.environ, "OPENBLAS_CORETYPE": "Prescott"},
    )
    block = land.read(chip_ids)
    assert json.loads(answer.stdout) == [zlib.crc32(block.image), zlib.crc32(block.label)]


def test_a_seed_means_the_same_region_and_another_seed_another() -> None:
    first, again, other = (synthesize("esaworldcover", 60, seed) for seed in (4, 4, 5))
    assert first.chips.equals(again.chips)
    assert first.divisions.equals(again.divisions)
    np.testing.assert_array_equal(first.division_proportions, again.division_proportions)
    assert set(first.chips.index).isdisjoint(other.chips.index)


def test_a_season_changes_how_the_same_land_looks(land: Region) -> None:
    """In autumn the air adds 8 steps of green, the sun takes 3/16, and meadows are browner."""
    autumn = synthesize("esaworldcover", chips=300, seed=1, season="autumn")
    assert autumn.chips.equals(land.chips)
    assert autumn.divisions.equals(land.divisions)
    np.testing.assert_array_equal(autumn.division_proportions, land.division_proportions)
    here, there = (region.read(land.chips.index[:60]) for region in (land, autumn))
    np.testing.assert_array_equal(here.label, there.label)
    before, after = here.image.astype(float), there.image.astype(float)
    water, grass = here.label == 8, here.label == 3
    # of water, which has no plants: green = light x colour + haze, with a haze of about 10
    expected = (before[water, 1].mean() - 10) * 13 / 16 + 18
    assert after[water, 1].mean() == pytest.approx(expected, abs=1.5)
    redness = [image[grass, 0].mean() / image[grass, 1].mean() for image in (before, after)]
    assert redness[1] > redness[0]


def test_label_sets_share_imagery_and_divisions(land: Region, people: Region) -> None:
    assert land.chips.equals(people.chips)
    assert land.divisions.equals(people.divisions)
    chip_ids = list(land.chips.index[:40])
    np.testing.assert_array_equal(land.read(chip_ids).image, people.read(chip_ids).image)


@given(
    st.integers(0, 2**64),
    st.lists(st.tuples(st.integers(-2048, 2047), st.integers(-2048, 2047)), min_size=1),
)
def test_ids_name_places_one_to_one(seed: int, places: list[tuple[int, int]]) -> None:
    chip_ids = encode(np.array(places), seed)
    assert all(len(chip_id) == 13 and int(chip_id, 16) >= 0 for chip_id in chip_ids)
    assert len(set(chip_ids)) == len(set(places))
    np.testing.assert_array_equal(decode(chip_ids, seed), places)


@pytest.mark.parametrize("chip_id", ["", "zzz", "0x00000000001", "00000000000000", "ABCDEFABCDEFA"])
def test_an_unknown_chip_is_refused(chip_id: str) -> None:
    with pytest.raises(UnknownNameError, match="seed 0"):
        SyntheticReader("esaworldcover", 0)([chip_id])


def test_most_ids_belong_to_no_chip() -> None:
    # Of 2**52 ids, 2**24 are chips: among 100 draws a chip has probability below 1e-6.
    with pytest.raises(UnknownNameError):
        decode(["0123456789abc"], seed=0)


@pytest.mark.parametrize(
    ("label_set", "chips", "seed", "says"),
    [
        ("landuse", 100, 0, "no label set"),
        ("humanpop", 9, 0, "10 to 1,000,000 chips, not 9"),
        ("humanpop", 2_000_000, 0, "not 2,000,000"),
        ("humanpop", 100, -1, "0 or more, not -1"),
    ],
)
def test_bad_arguments_are_refused(label_set: str, chips: int, seed: int, says: str) -> None:
    with pytest.raises(LLPBenchError, match=says):
        synthesize(label_set, chips, seed)


def test_a_reader_of_unknown_labels_is_refused(land: Region) -> None:
    with pytest.raises(UnknownNameError, match="landuse"):
        SyntheticReader("landuse", 1)([land.chips.index[0]])


@settings(max_examples=25)
@given(st.integers(10, 120), st.integers(0, 10_000))
@example(116, 5150)  # a division that is a hair's breadth wide somewhere
def test_tables_of_any_region(chips: int, seed: int) -> None:
    region = synthesize("esaworldcover", chips, seed)
    assert len(region.chips) == chips
    assert region.chips.index.is_unique
    assert region.divisions.index.is_unique
    for column in ("split", "split_chip"):
        assert set(region.chips[column]) == set(SPLITS)
    assert region.division_proportions.shape == (len(region.divisions), 12)
    np.testing.assert_allclose(region.division_proportions.sum(axis=1), 1)
    assert (region.division_proportions >= 0).all()
    # Rectangles of the equal-area projection are rectangles of degrees, of 1 km² each.
    bounds = shapely.box(*region.chips.bounds.to_numpy().T)
    assert shapely.equals_exact(
        bounds, region.chips.geometry.to_numpy(), 1e-9, normalize=True
    ).all()
    np.testing.assert_allclose(region.chips.to_crs(EQUAL_AREA).area, 1e6, rtol=1e-6)
    np.testing.assert_allclose(
        region.divisions.to_crs(EQUAL_AREA).area / 1e6, region.divisions["area_km2"], rtol=1e-4
    )
    assert region.divisions.is_valid.all()


def test_each_division_is_owned_by_one_split(land: Region) -> None:
    areas = _overlaps(land)
    np.testing.assert_allclose(areas.sum(axis=1), 1, atol=1e-4)  # no chip outside all divisions
    own = land.divisions.index[areas.argmax(axis=1)]
    owned = land.chips["split"].groupby(own).nunique()
    assert len(owned) == len(land.divisions)
    assert (owned == 1).all()


def test_some_chips_straddle_and_some_divisions_reach_out(land: Region) -> None:
    areas = _overlaps(land)
    straddling = ((areas > 1e-3).sum(axis=1) > 1).mean()
    assert 0.1 < straddling < 0.7
    reaching = areas.sum(axis=0) < land.divisions["area_km2"] - 0.1
    assert 0 < reaching.sum() < len(land.divisions) / 3


def test_split_sizes_and_their_difference() -> None:
    region = synthesize("esaworldcover", chips=2000, seed=0)
    assert 80 <= len(region.divisions) <= 120
    for column in ("split", "split_chip"):
        shares = region.chips[column].value_counts(normalize=True)
        for split, share in {"train": 0.63, "test": 0.20, "val": 0.17}.items():
            assert shares[split] == pytest.approx(share, abs=0.03)
    agreeing = (region.chips["split"] == region.chips["split_chip"]).mean()
    assert 0.6 < agreeing < 1


@given(st.integers(1, 5), st.data())
def test_no_band_is_empty(runs: int, data: st.DataObject) -> None:
    items = data.draw(st.integers(3 * runs, 3 * runs + 20))
    weights = np.array(data.draw(st.lists(st.integers(1, 1000), min_size=items, max_size=items)))
    along = np.arange(items, dtype=float)
    splits = bands(np.stack([along, along * 0], axis=1), weights, runs)
    changes = 1 + (splits[1:] != splits[:-1]).sum()
    assert changes == 3 * runs


@pytest.mark.parametrize("label_set", LABEL_SETS)
def test_division_proportions_are_those_of_the_pixels(label_set: str) -> None:
    """Shares counted on every pixel, each given to the division its middle lies in."""
    region = synthesize(label_set, chips=60, seed=2)
    label = region.read(list(region.chips.index)).label
    west, _, east, north = region.chips.bounds.to_numpy().T[:, :, None, None]
    south = region.chips.bounds.to_numpy()[:, 1, None, None]
    middles = (np.arange(100) + 0.5) / 100
    lon = np.broadcast_to(west + (east - west) * middles, label.shape)
    lat = np.broadcast_to(north - (north - south) * middles[:, None], label.shape)
    within = region.divisions["area_km2"] < _overlaps(region).sum(axis=0) + 0.01
    assert within.sum() >= 3
    for division in np.flatnonzero(within):
        inside = shapely.contains_xy(region.divisions.geometry.iloc[division], lon, lat)
        counts = np.bincount(label[inside], minlength=len(region.label_set.classes))
        # The sampling error of one square kilometre's share has a deviation of .006; here are
        # five of a division's, whose squares err independently.
        np.testing.assert_allclose(
            region.division_proportions[division],
            counts / counts.sum(),
            atol=5 * 0.006 / region.divisions["area_km2"].iloc[division] ** 0.5,
        )


@pytest.mark.parametrize("label_set", LABEL_SETS)
def test_sampled_labels_are_pixels_of_the_chips(label_set: str) -> None:
    places = np.array([[-3, 4], [12, -40], [100, 0]])
    reader = SyntheticReader(label_set, seed=6)
    pixels = reader(encode(places, seed=6)).label
    np.testing.assert_array_equal(reader.labels(PixelGrid(places, 5)), pixels[:, 2::5, 2::5])


@given(st.integers(2, 900), st.integers(-2000, 2000), st.integers(-2000, 2000))
@settings(max_examples=30)
def test_noise_is_a_cubic_spline_across_chips(cell: int, row: int, column: int) -> None:
    """Two chips side by side join as smoothly as two pixels inside one."""
    places = np.array([[row, column], [row, column + 1]])
    west, east = smooth_noise(123, cell, PixelGrid(places))
    line = np.concatenate([west, east], axis=1).astype(float)
    # Nodes are at most 3.62 from 0, so the slope of a cubic B-spline, whose weights change by at
    # most 2 in sum per cell, is below 7.3 / cell.
    assert np.abs(np.diff(line, axis=1)).max() <= 7.3 / cell + 1e-3
    assert np.abs(np.diff(line, axis=0)).max() <= 7.3 / cell + 1e-3


def test_noise_has_unit_variance() -> None:
    places = np.stack(np.mgrid[:12, :12], axis=-1).reshape(-1, 2)
    noise = smooth_noise(5, 10, PixelGrid(places))
    # 14,400 cells: the variance of a sample is 1 within some percent.
    assert noise.mean() == pytest.approx(0, abs=0.05)
    assert noise.std() == pytest.approx(1, abs=0.05)


def test_classes_and_imagery_go_on_across_chips(land: Region) -> None:
    """Pixels differ across a chip's border as often as inside a chip."""
    places = np.stack(np.mgrid[:10, :10], axis=-1).reshape(-1, 2)
    block = land.read(encode(places, seed=1))
    label = block.label.reshape(10, 10, 100, 100)
    inside = (label[..., 1:] != label[..., :-1]).mean()
    across = (label[:, 1:, :, 0] != label[:, :-1, :, -1]).mean()
    # 9,000 pairs across; borders come in runs of some ten pairs.
    assert across == pytest.approx(inside, rel=0.5)
    image = block.image.reshape(10, 10, 100, 100, 3).astype(int)
    jumps = np.abs(image[:, 1:, :, 0] - image[:, :-1, :, -1]).mean()
    assert jumps == pytest.approx(np.abs(np.diff(image, axis=3)).mean(), rel=0.1)


@given(st.floats(0, 1000))
def test_population_classes(people: float) -> None:
    """A slow reading of: 0 below 1, k in [10 k - 9, 10 k + 1), 30 from 291."""
    expected = next((k for k in range(1, 30) if 10 * k - 9 <= people < 10 * k + 1), 30)
    assert population_class(np.array([people]))[0] == (0 if people < 1 else expected)


def test_population_lives_on_built_up_land(people: Region) -> None:
    label = people.read(list(people.chips.index)).label
    cells = label.reshape(-1, 4, 25, 4, 25).swapaxes(2, 3)
    assert (cells == cells[..., :1, :1]).all()
    places = decode(list(people.chips.index), seed=1)
    built = find_land_cover(1, PixelGrid(places)).label == BUILT
    built_cells = built.reshape(-1, 4, 25, 4, 25).mean(axis=(2, 4))
    assert np.corrcoef(cells[..., 0, 0].ravel(), built_cells.ravel())[0, 1] > 0.8
    assert (cells[..., 0, 0][built_cells == 0] == 0).all()


def test_most_cells_are_empty_and_few_are_crowded() -> None:
    region = synthesize("humanpop", chips=2000, seed=0)
    by_class = np.average(region.division_proportions, axis=0, weights=region.divisions["area_km2"])
    shares = np.bincount(_groups(region), by_class)
    np.testing.assert_allclose(shares, [0.6, 0.3, 0.1], atol=0.08)


def test_land_cover_is_unbalanced_and_divisions_differ(land: Region) -> None:
    groups = _groups(land)
    label = groups[land.read(list(land.chips.index)).label]
    shares = np.stack([(label == group).mean(axis=(1, 2)) for group in range(5)], axis=1)
    names = [group.name for group in land.label_set.groups]
    overall = dict(zip(names, shares.mean(axis=0), strict=True))
    assert min(overall.values()) > 0.02
    assert 0.04 < overall["built-up"] < 0.16
    assert overall["tree"] + overall["cropland"] + overall["shrub-grass-bare"] > 0.65
    # Share of the variance of chips that lies between divisions.
    own = _overlaps(land).argmax(axis=1)
    means = np.stack([shares[own == division].mean(axis=0) for division in range(own.max() + 1)])
    between = ((means[own] - shares.mean(axis=0)) ** 2).sum() / (
        (shares - shares.mean(axis=0)) ** 2
    ).sum()
    assert 0.3 < between < 0.8


def test_a_colour_does_not_give_its_class_away(land: Region) -> None:
    """A random forest on one pixel's colour stays below .80; one on a 4x4 patch does better."""
    from sklearn.ensemble import RandomForestClassifier

    block = land.read(list(land.chips.index))
    patches = block.image.reshape(-1, 25, 4, 25, 4, 3).swapaxes(2, 3).reshape(-1, 16, 3)
    truth = _groups(land)[block.label][:, 2::4, 2::4].ravel()
    chosen = np.random.default_rng(0).choice(len(patches), 16_000, replace=False)
    patches, truth = patches[chosen].astype(float), truth[chosen]
    moments = np.concatenate([patches.mean(axis=1), patches.std(axis=1)], axis=1)
    accuracy = {}
    for name, features in {"pixel": patches[:, 10], "patch": moments}.items():
        forest = RandomForestClassifier(30, min_samples_leaf=10, random_state=0)
        forest.fit(features[:10_000], truth[:10_000])
        accuracy[name] = forest.score(features[10_000:], truth[10_000:])
    assert 0.5 < accuracy["pixel"] < 0.80
    assert accuracy["patch"] > accuracy["pixel"] + 0.04


def test_colours_are_those_of_published_chips(land: Region) -> None:
    image = land.read(list(land.chips.index[::5])).image
    np.testing.assert_allclose(image.mean(axis=(0, 1, 2)), [78, 83, 62], atol=15)
    np.testing.assert_allclose(np.percentile(image, [1, 50, 99]), [35, 71, 161], atol=20)


@pytest.mark.full
def test_division_proportions_teach_chip_shares() -> None:
    """Ridge regression of divisions' proportions on their mean patch words, read out by chip."""
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.linear_model import Ridge

    region = synthesize("esaworldcover", chips=1000, seed=0)
    block = region.read(list(region.chips.index))
    groups = _groups(region)
    label = groups[block.label]
    shares = np.stack([(label == group).mean(axis=(1, 2)) for group in range(5)], axis=1)
    known = np.stack(
        [region.division_proportions[:, groups == group].sum(axis=1) for group in range(5)], axis=1
    )
    patches = block.image.reshape(-1, 25, 4, 25, 4, 3).swapaxes(2, 3).reshape(-1, 48)
    patches = patches.astype(np.float32) / 256
    words = MiniBatchKMeans(64, random_state=0, n_init=1, batch_size=2048)
    words.fit(patches[np.random.default_rng(0).choice(len(patches), 20_000)])
    counts = words.predict(patches).reshape(len(shares), -1)
    histogram = np.stack([np.bincount(row, minlength=64) for row in counts]) / counts.shape[1]

    train = (region.chips["split"] == "train").to_numpy()
    test = (region.chips["split"] == "test").to_numpy()
    areas = _overlaps(region) * train[:, None]
    weight = areas.sum(axis=0)
    seen = weight > 2
    means = (areas.T @ histogram)[seen] / weight[seen, None]
    ridge = Ridge(0.03).fit(means, known[seen], sample_weight=weight[seen])
    error = np.abs(ridge.predict(histogram[test]).clip(0, 1) - shares[test]).mean()
    reference = np.abs(shares[train].mean(axis=0) - shares[test]).mean()
    assert error < 0.6 * reference
