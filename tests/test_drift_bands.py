"""Drift of images of any bands and of embeddings: distances by scipy, and what must not be lost."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from banded import ALPHAEARTH, BOTH, RADAR, SENTINEL2, banded_region
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from llpbench.cli.predicting import _print_drift
from llpbench.data.appearance import LEAST_SPREAD, MOST_CHIPS, Appearance, spread_evenly
from llpbench.data.channels import RGB_CHANNELS, Channel
from llpbench.data.imagery import EMBEDDING, IMAGE, RGB, Band, Coding, Imagery
from llpbench.data.region import Region
from llpbench.errors import BuildError
from llpbench.plots.drift import draw_drift
from llpbench.running.drifting import check_drift

Arrays = dict[str, NDArray[Any]]


def _read(images: dict[str, Imagery], chips: int = 30) -> tuple[Arrays, Arrays]:
    """Two halves of a made region, west and east."""
    region = banded_region(images, chips)
    arrays = region.read(list(region.chips.index)).arrays
    east = region.chips.bounds["minx"].rank().to_numpy() > chips // 2
    first, second = ({name: a[here] for name, a in arrays.items()} for here in (~east, east))
    return first, second


def test_the_measure_is_that_of_scipy() -> None:
    rng = np.random.default_rng(4)
    coding = Coding(scale=0.01, offset=-3, missing=0)
    imagery = Imagery((Band("a"), Band("b")), "uint16", coding)
    known, new = (rng.integers(1, 600, (n, 10, 10, 2)).astype(np.uint16) for n in (3, 2))
    new[..., 1] = new[..., 1] // 2 + 1
    new[0, :5, :, 0] = 0  # missing
    first = Appearance.of_arrays({IMAGE: known}, {IMAGE: imagery})
    drift = first.compare(Appearance.of_arrays({IMAGE: new}, {IMAGE: imagery}, first))
    for number, channel in enumerate(first.channels):
        old = np.rint((known[..., number] / 100 - 3 - channel.low) / channel.step).clip(0, 255)
        values = new[..., number][new[..., number] > 0] / 100 - 3
        now = np.rint((values - channel.low) / channel.step).clip(0, 255)
        chips = [wasserstein_distance(chip.ravel(), old.ravel()) for chip in old]
        unit = max(np.mean(chips), LEAST_SPREAD)
        expected = wasserstein_distance(now, old.ravel()) / unit
        assert drift.measure[number] == pytest.approx(expected, abs=0.01)
        assert drift.new.means()[number] == pytest.approx(values.mean(), abs=2 * channel.step)
        ends = np.clip(
            np.quantile(values, [0.01, 0.99]), channel.low, channel.low + 255 * channel.step
        )
        found = [drift.new.quantiles(share)[number] for share in (0.01, 0.99)]
        np.testing.assert_allclose(found, ends, atol=2 * channel.step)
    assert "b" in drift.outside
    assert f" is {drift.new.means()[drift.worst[0]]:.3g} on average" in str(drift)
    assert "0 to 255" not in str(drift)


def _offset(arrays: Arrays) -> Arrays:
    return {**arrays, IMAGE: arrays[IMAGE] + np.uint16(1000)}


def _swap(arrays: Arrays) -> Arrays:
    return {**arrays, IMAGE: arrays[IMAGE][..., [3, 1, 2, 0]]}


@pytest.mark.parametrize("images", [{IMAGE: RADAR}, BOTH])
def test_another_half_is_inside(images: dict[str, Imagery]) -> None:
    known, new = _read(images)
    first = Appearance.of_arrays(known, images)
    drift = first.compare(Appearance.of_arrays(new, images, first))
    assert not drift.outside
    assert "are like" in str(drift)
    assert len(drift.rows()) == sum(len(one.bands) for one in images.values())
    again = Appearance.model_validate_json(first.to_json())
    assert again == first


def test_what_is_wrong_is_outside() -> None:
    images = {IMAGE: SENTINEL2}
    known, new = _read(images)
    first = Appearance.of_arrays(known, images)
    for change, expected in ((_offset, {"B2", "B3", "B4"}), (_swap, {"B2", "B8"})):
        drift = first.compare(Appearance.of_arrays(change(new), images, first))
        assert set(drift.outside) >= expected
        assert drift.offset is None


def test_embeddings_beside_red_green_and_blue_are_compared_too() -> None:
    cells, _ = _read({EMBEDDING: ALPHAEARTH}, 12)
    rng = np.random.default_rng(0)
    arrays = {IMAGE: rng.integers(0, 256, (len(cells[EMBEDDING]), 100, 100, 3), np.uint8), **cells}
    images = {IMAGE: RGB, EMBEDDING: ALPHAEARTH}
    looked = Appearance.of_arrays(arrays, images)
    assert looked.channels[:5] == RGB_CHANNELS
    assert looked.channels[5].name == "embedding A00"
    assert looked.counts[:5] == Appearance.of(arrays[IMAGE]).counts


def test_red_green_and_blue_are_written_as_ever() -> None:
    """Runs of earlier versions have these four, and are read."""
    looked = Appearance.of(np.zeros((2, 4, 4, 3), dtype=np.uint8))
    assert list(json.loads(looked.to_json())) == ["chips", "counts", "spread", "deviation"]
    assert Appearance.model_validate_json(looked.to_json()) == looked
    with pytest.raises(ValueError, match="channels differ"):
        Appearance(**{**looked.model_dump(), "channels": (Channel("one"),)})


def test_bands_without_a_value_or_of_one_value_have_limits() -> None:
    values = np.full((2, 10, 10, 2), np.nan, dtype=np.float32)
    values[..., 1] = 7
    images = {IMAGE: Imagery((Band("none"), Band("same")), "float32")}
    looked = Appearance.of_arrays({IMAGE: values}, images)
    drift = looked.compare(Appearance.of_arrays({IMAGE: values}, images, looked))
    assert drift.measure == (0, 0)
    draw_drift(drift)


def test_many_bands_are_looked_at_in_fewer_chips() -> None:
    assert len(spread_evenly(5000)) == MOST_CHIPS
    many = Imagery(tuple(Band(str(number)) for number in range(64)), "float32")
    assert len(spread_evenly(5000, {IMAGE: many})) == 2**28 // (100 * 100 * 64 * 4)
    assert spread_evenly(1, {IMAGE: many}).tolist() == [0]


@pytest.fixture(scope="module")
def cells() -> Region:
    return banded_region({EMBEDDING: ALPHAEARTH}, 20)


def test_a_region_of_other_bands_is_refused(cells: Region) -> None:
    arrays = cells.read(list(cells.chips.index)).arrays
    known = Appearance.of_arrays(arrays, cells.images)
    _region, drift, remarks = check_drift(known, cells, "none")
    assert drift is not None
    assert not drift.outside
    assert not remarks
    with pytest.raises(BuildError, match="--match histogram is for images of red, green and blue"):
        check_drift(known, cells, "histogram")
    other = {EMBEDDING: replace(ALPHAEARTH, bands=(*ALPHAEARTH.bands[:63], Band("B63")))}
    with pytest.raises(BuildError, match="give images of the same bands"):
        check_drift(known, replace(cells, images=other), "none")


def test_the_worst_of_many_features_are_shown(cells: Region) -> None:
    arrays = cells.read(list(cells.chips.index)).arrays
    known = Appearance.of_arrays(arrays, cells.images)
    changed = arrays[EMBEDDING].copy()
    changed[..., 40] = 120
    drift = known.compare(Appearance.of_arrays({EMBEDDING: changed}, cells.images, known))
    assert drift.outside == ["embedding A40"]
    assert drift.worst[0] == 40
    figure = draw_drift(drift)
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert len(titles) == 20
    assert any(title.startswith("embedding A40") and "outside" in title for title in titles)
    assert figure.get_suptitle() == "the 20 worst of 64 channels"


def test_the_worst_are_printed(cells: Region, capsys: pytest.CaptureFixture[str]) -> None:
    arrays = cells.read(list(cells.chips.index)).arrays
    known = Appearance.of_arrays(arrays, cells.images)
    _print_drift(known.compare(known))
    assert "the 20 worst of 64" in capsys.readouterr().out
