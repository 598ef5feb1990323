"""Colours: that shares darken evenly, and that colours are told apart by any eye."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import numpy as np
import pytest
from colour_vision import ciede2000, lab, least_difference
from matplotlib.colors import to_hex, to_rgb

from llpbench import catalog
from llpbench.plots.results import KINDS
from llpbench.style import DISTINCT, SPLIT_COLOURS, ink_on, luminance, share_colours

ENOUGH = 10.0
"""CIEDE2000 of colours that may stand side by side: a just noticeable one is about 1."""


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [  # pairs 1, 4, 7, 12, 14, 20 and 25 of table 1 of Sharma, Wu and Dalal 2005
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1.3802, -84.2814), (50, 0, -82.7485), 1.0),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, -0.001, 2.49), (50, 0.0009, -2.49), 4.8045),
        ((50, 2.5, 0), (58, 24, 15), 19.4535),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ],
)
def test_the_difference_is_that_of_its_authors(one: object, other: object, expected: float) -> None:
    assert ciede2000(one, other) == pytest.approx(expected, abs=5e-5)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["esaworldcover", "humanpop", "treecover", "soilph"])
def test_groups_of_the_benchmark_are_told_apart(name: str) -> None:
    """Those of eucrops are left as published, as are classes of WorldCover; see the catalog."""
    colours = [group.colour for group in catalog.label_set(name).groups]
    assert least_difference(colours) >= ENOUGH
    lightness = np.sort(lab(colours)[:, 0])
    if name != "soilph":  # diverging: both ends are dark
        assert np.diff(lightness).min() >= ENOUGH
    if catalog.label_set(name).ordered and name != "soilph":
        assert (np.diff(lab(colours)[:, 0]) < 0).all()


def test_steps_of_population_are_a_ramp() -> None:
    """31 of them cannot be far apart; in their order they darken."""
    colours = [one.colour for one in catalog.label_set("humanpop").classes]
    assert (np.diff(lab(colours)[:, 0]) < 0).all()


def test_groups_of_known_legends_are_told_apart() -> None:
    text = files("llpbench.data.building").joinpath("legends.toml").read_text("utf-8")
    grouped = [legend["groups"] for legend in tomllib.loads(text).values() if "groups" in legend]
    assert len(grouped) >= 3
    for groups in grouped:
        assert least_difference([group["colour"] for group in groups]) >= ENOUGH


def test_colours_of_what_has_none_are_told_apart() -> None:
    assert least_difference(DISTINCT) >= ENOUGH
    assert least_difference(list(SPLIT_COLOURS.values())) >= ENOUGH
    assert least_difference([colour for colour, _ in KINDS.values()]) >= ENOUGH


def test_shares_go_from_white_through_the_colour_to_a_dark_shade() -> None:
    """Lightness falls at every step, for any colour that a legend may bring."""
    random = np.random.default_rng(0).integers(0, 256, (200, 3))
    extremes = ["#000000", "#ffffff", "#ffff00", "#0000ff", "#f0f0f0", *DISTINCT]
    for colour in [*extremes, *(to_hex(one / 255) for one in random)]:
        shown = share_colours(colour)(np.linspace(0, 1, 41))
        lightness = lab([to_hex(one) for one in shown])[:, 0]
        assert to_hex(shown[0]) == "#ffffff"
        assert np.diff(lightness).max() < -0.2
        assert lightness[-1] < 25
    shown = share_colours("#3d85c6")(np.linspace(0, 1, 256))[:, :3]
    assert np.abs(shown - to_rgb("#3d85c6")).max(axis=1).min() < 0.01


def test_ink_is_read_on_any_colour() -> None:
    """Contrast of WCAG 2.2; 21 between black and white by definition."""
    assert (luminance((1, 1, 1)) + 0.05) / (luminance((0, 0, 0)) + 0.05) == pytest.approx(21)
    for colour in np.random.default_rng(0).random((500, 3)):
        bright = luminance(colour)
        contrast = (bright + 0.05) / 0.05 if ink_on(colour) == "black" else 1.05 / (bright + 0.05)
        assert contrast >= 4.5
