"""What is shown of chips: bytes as they are, values stretched together, cells as colours."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from banded import ALPHAEARTH, BOTH, RADAR, SENTINEL2, TESSERA, banded_dataset
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.image import imread
from sklearn.decomposition import PCA
from small_region import small_region

import llpbench
from llpbench import plots
from llpbench.board.card import make_card
from llpbench.cli import cli
from llpbench.data.imagery import EMBEDDING, IMAGE
from llpbench.data.picture import LIGHTEST, View, picture
from llpbench.errors import LLPBenchError, UnknownNameError

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")

KINDS = {
    "bands": {IMAGE: SENTINEL2},
    "radar": {IMAGE: RADAR},
    "cells": {EMBEDDING: ALPHAEARTH},
    "scaled": {EMBEDDING: TESSERA},
    "both": BOTH,
}


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, xr.Dataset]:
    folder = tmp_path_factory.mktemp("kinds")
    return {name: banded_dataset(folder / name, images, 12) for name, images in KINDS.items()}


def test_bytes_of_red_green_and_blue_are_shown_as_they_are() -> None:
    ds = small_region(4)
    np.testing.assert_array_equal(picture(ds["image"]), ds["image"])
    drawn = ds.llp.plot_chip("chip2").axes[0].images[0].get_array()
    np.testing.assert_allclose(drawn, np.minimum(ds["image"][2] * 1.5 / 255, 1))


def test_red_green_and_blue_are_found_by_role_and_stretched_alike(
    kinds: dict[str, xr.Dataset],
) -> None:
    ds = kinds["bands"].isel(chip=slice(3)).load()
    ds["image"][1, :5, :5, 0] = 0  # missing in blue
    view = View.of(ds)
    assert view.title == "image (B4, B3, B2)"
    stored = ds["image"].to_numpy().astype(float)[..., [2, 1, 0]]
    values = np.where((stored == 0).any(axis=-1, keepdims=True), np.nan, stored / 10_000 - 0.1)
    low, high = np.nanpercentile(values, [2, 98])
    expected = np.clip((values - low) / (high - low), 0, 1) * 255 / 1.5
    expected = np.nan_to_num(expected, nan=85.0)  # half of that
    np.testing.assert_allclose(view.paint(view.values(ds)), expected, atol=1e-2)
    # behind the gate the names of Sentinel-2 tell the same
    np.testing.assert_array_equal(picture(ds["image"]), np.rint(view.paint(view.values(ds))))
    assert View.of(ds.llp.restrict("division")) == view


def test_bands_are_chosen_by_name_or_role(kinds: dict[str, xr.Dataset]) -> None:
    ds = kinds["both"]
    assert View.of(ds, ["nir", "B4", "green"]).bands == ("B8", "B4", "B3")
    assert View.of(ds, ["A05", "A06", "A07"]).array == "embedding"
    assert View.of(ds, ["B8"]).title == "image (B8)"
    assert View.of(kinds["radar"]).title == "image (VV)"
    grey = picture(kinds["radar"]["image"][:2])
    assert (grey == grey[..., :1]).all()
    assert grey.max() == round(LIGHTEST)
    with pytest.raises(UnknownNameError, match="there is no band 'B9'; did you mean"):
        View.of(ds, ["B9", "B4", "B3"])
    for number in (2, 4):
        with pytest.raises(LLPBenchError, match="three bands as red, green and blue, or of one"):
            View.of(ds, ["B4"] * number)
    with pytest.raises(LLPBenchError, match="neither images nor embeddings"):
        View.of(ds.drop_vars(["image", "embedding"]))


@pytest.mark.parametrize("name", ["cells", "scaled"])
def test_cells_are_shown_by_their_principal_components(
    kinds: dict[str, xr.Dataset], name: str
) -> None:
    """scikit-learn finds the same ones, but for their signs."""
    ds = kinds[name].isel(chip=slice(4))
    view = View.of(ds)
    values = view.values(ds).to_numpy()
    stretch = view.stretch(values)
    assert stretch.axes is not None
    known = PCA(3).fit(values.reshape(-1, values.shape[-1]).astype(float))
    np.testing.assert_allclose(stretch.axes[0], known.mean_, atol=1e-6)
    np.testing.assert_allclose(np.abs(stretch.axes[1:]), np.abs(known.components_), atol=1e-4)
    assert (stretch.axes[1:].max(axis=1) == np.abs(stretch.axes[1:]).max(axis=1)).all()
    assert view.paint(view.values(ds)).shape == (4, 24, 24, 3)


@settings(max_examples=30)
@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 5)),
        elements=st.floats(width=32) | st.just(2.0),
    ),
    st.sampled_from(["band", "feature"]),
)
def test_whatever_the_values_there_is_a_picture(values: np.ndarray, last: str) -> None:
    dims = ("chip", "y", "x", "band") if last == "band" else ("chip", "cell_y", "cell_x", last)
    shown = picture(xr.DataArray(np.nan_to_num(values, posinf=np.inf, neginf=-np.inf), dims=dims))
    assert shown.shape == (*values.shape[:3], 3)
    assert shown.max() <= LIGHTEST


@pytest.mark.parametrize("name", ["radar", "scaled"])
def test_every_picture_of_chips_knows_bands(kinds: dict[str, xr.Dataset], name: str) -> None:
    ds = kinds[name]
    title = View.of(ds).title
    area = plots.draw_area(ds)
    assert area.get_suptitle().endswith(title)
    chips = plots.draw_samples(ds)
    assert chips.axes[0].get_ylabel().replace("\n", " ") == title
    test = ds.llp.group().llp.split("test")
    predictions = test[["target"]].rename(target="proportions")
    predictions = predictions.assign_coords(category=test["category_name"].to_numpy())
    extremes = plots.draw_extremes(llpbench.evaluate(predictions, ds))
    assert extremes.axes[0].get_title().replace("\n", " ") == title
    assert ds.llp.plot_chip(str(ds["chip"][0].item())).axes[0].get_title() == title


@pytest.mark.parametrize("name", ["bands", "cells"])
def test_a_card_of_the_board_shows_what_there_is(kinds: dict[str, xr.Dataset], name: str) -> None:
    examples = make_card(kinds[name]).examples
    assert examples
    for example in examples:
        content = base64.b64decode(example.image.removeprefix("data:image/png;base64,"))
        assert imread(io.BytesIO(content)).shape[:2] == (96, 96)


def test_figures_are_drawn_of_chosen_bands(kinds: dict[str, xr.Dataset], tmp_path: Path) -> None:
    call = ["figures", kinds["both"].attrs["store"], "-o", str(tmp_path / "out")]
    wrong = CliRunner().invoke(cli, [*call, "--rgb", "B8,B4"])
    assert isinstance(wrong.exception, LLPBenchError)
    assert not (tmp_path / "out").exists()
    done = CliRunner().invoke(cli, [*call, "--rgb", "nir, red,A01"])
    assert isinstance(done.exception, UnknownNameError)
    chosen = plots.draw_area(kinds["both"], ["nir", "red", "green"])
    assert chosen.get_suptitle().endswith("image (B8, B4, B3)")
