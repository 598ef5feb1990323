"""How far new images lie from known ones: distances by scipy, and what must and must not warn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from llpbench.data.appearance import LEAST_SPREAD, Appearance
from llpbench.data.channels import RGB_CHANNELS
from llpbench.data.synthetic import synthesize

Images = NDArray[np.uint8]


def _channels(images: Images) -> list[NDArray[np.int64]]:
    red, green, blue = np.moveaxis(images, -1, 0).astype(np.int64)
    # differences are compared in steps of two levels
    return [red, green, blue, *(2 * ((d + 255) // 2) - 255 for d in (red - green, green - blue))]


@settings(max_examples=20)
@given(st.integers(0, 1000), st.integers(1, 6), st.integers(1, 6))
def test_the_measure_is_that_of_scipy(seed: int, known: int, new: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = (
        rng.integers(*sorted(rng.choice(256, 2, replace=False)), (n, 5, 5, 3)).astype(np.uint8)
        for n in (known, new)
    )
    drift = Appearance.of(first).compare(Appearance.of(second))
    for number, (old, now) in enumerate(zip(_channels(first), _channels(second), strict=True)):
        chips = [wasserstein_distance(chip.ravel(), old.ravel()) for chip in old]
        unit = max(np.mean(chips), LEAST_SPREAD)
        expected = wasserstein_distance(now.ravel(), old.ravel()) / unit
        assert drift.measure[number] == pytest.approx(expected, abs=1e-3)
        assert drift.limit[number] == pytest.approx(
            1 + 2 * np.std(chips) / unit / new**0.5, abs=1e-3
        )
        assert drift.known.means()[number] == pytest.approx(old.mean())
        ends = [drift.known.quantiles(share)[number] for share in (0.01, 0.99)]
        assert ends == np.quantile(old, [0.01, 0.99], method="inverted_cdf").tolist()


@pytest.fixture(scope="module")
def halves() -> tuple[Images, Images]:
    """Two halves of a made region, west and east."""
    region = synthesize("esaworldcover", chips=80, seed=3)
    images = region.read(list(region.chips.index)).image
    east = region.chips.bounds["minx"].rank().to_numpy() > 40
    return images[~east], images[east]


def _haze(images: Images) -> Images:
    """A fifth of the light is that of the sky: reflectances .12, .15 and .20."""
    sky = np.array([0.12, 0.15, 0.20]) / 0.3 * 255
    return np.rint(0.8 * images + 0.2 * sky).clip(0, 255).astype(np.uint8)


def _offset(images: Images) -> Images:
    """1000 digital numbers more, with the values 0 to 3000 as ever."""
    return np.rint(images + 85.0).clip(0, 255).astype(np.uint8)


CHANGES = {
    "nothing": (lambda images: images, set()),
    "an offset of 1000": (_offset, {"red", "green", "blue"}),
    "red and blue swapped": (lambda images: images[..., ::-1], {"green - blue"}),
    "a hazy year": (_haze, {"blue"}),
    "black": (np.zeros_like, {"red", "green", "blue"}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_another_half_is_inside_and_what_is_wrong_is_outside(
    name: str, halves: tuple[Images, Images]
) -> None:
    change, expected = CHANGES[name]
    known, new = halves
    drift = Appearance.of(known).compare(Appearance.of(change(new)))
    assert set(drift.outside) >= expected
    assert bool(drift.outside) == bool(expected)
    assert ("lie outside" in str(drift)) == bool(expected)
    assert [row["band"] for row in drift.rows()] == [one.name for one in RGB_CHANNELS]


def test_single_chips_may_differ_more_than_many(halves: tuple[Images, Images]) -> None:
    """The limit falls to 1 with the root of their number."""
    known = Appearance.of(halves[0])
    one, many = (known.compare(Appearance.of(halves[1][:n])).limit for n in (1, 16))
    np.testing.assert_allclose(np.subtract(one, 1), 4 * np.subtract(many, 1))
    inside = [not known.compare(Appearance.of(chip[np.newaxis])).outside for chip in halves[0]]
    assert np.mean(inside) > 0.7


def test_matching_undoes_what_keeps_the_order_of_levels(halves: tuple[Images, Images]) -> None:
    known = Appearance.of(halves[0])
    dark = (halves[0] // 2 + 30).astype(np.uint8)
    table = Appearance.of(dark).levels_like(known)
    back = np.stack([table[band][dark[..., band]] for band in range(3)], axis=-1)
    np.testing.assert_allclose(back, halves[0], atol=1)
    assert (np.diff(table.astype(int), axis=1) >= 0).all()
    assert not known.compare(Appearance.of(back)).outside
