"""`predict` on the scene that was trained on, as other files hold it, predicts what the run did."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from own_builds import build
from own_region import OwnRegion, edit_raster
from scenes import numbers, write_band, write_product

import llpbench
from llpbench.cli import cli
from llpbench.errors import BuildError, DriftError

pytestmark = pytest.mark.usefixtures("no_pictures", "no_map_pictures", "outlines_read_here")

BANDS = ("B04", "B03", "B02", "B08")
NAMES = ("red", "green", "blue", "nir")


@pytest.fixture
def own(tmp_path: Path) -> OwnRegion:
    return OwnRegion(tmp_path, rows=3)


def stack(own: OwnRegion, name: str, added: int = 0, order: Sequence[int] = (0, 1, 2, 3)) -> Path:
    """Reflectance of four bands, with an offset of so many numbers."""
    values = np.stack([numbers(own, BANDS[place]) + np.uint16(added) for place in order])
    said = {"scales": (1e-4,) * 4, "offsets": (-added / 1e4,) * 4}
    named = [NAMES[place] for place in order]
    return edit_raster(own.write_image(values, name), descriptions=named, **said)


def decibels(own: OwnRegion) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(-12, 4, (2, 100 * own.rows, 100 * own.columns)).astype("float32")


def cells(own: OwnRegion, name: str) -> Path:
    values = np.random.default_rng(1).normal(size=(5, 300, 600)).astype("float32")
    return own.write_image(values, name)


def train(own: OwnRegion, *options: Any, method: str = "bag-ridge") -> Path:
    """A run that predicts all chips of what it was trained on."""
    build(own, [], *options)
    run = own.folder / "run"
    chosen = ("--dataset", "mine", "--train-on", "all", "--out", run)
    few = ("--set", "words=4", "--set", "features=words") if method == "bag-ridge" else ()
    done = CliRunner().invoke(cli, list(map(str, ("run", method, *chosen, *few))))
    assert done.exit_code == 0, done.output
    return run


def predict(own: OwnRegion, run: Path, *options: Any, out: str = "new") -> Result:
    given = ("predict", run, *options, "--out", own.folder / out)
    return CliRunner().invoke(cli, list(map(str, given)))


def assert_same(own: OwnRegion, run: Path, *options: Any) -> str:
    """Predict by other files of the same scene; what was said of it."""
    done = predict(own, run, *options)
    assert done.exit_code == 0, done.output
    new = llpbench.read_predictions(own.folder / "new" / "predictions.parquet")
    known = llpbench.read_predictions(run / "predictions-all.parquet").sel(chip=new["chip"])
    np.testing.assert_allclose(new["proportions"], known["proportions"], atol=1e-5)
    assert (own.folder / "new" / "map.tif").exists()
    return done.stderr


def refused(own: OwnRegion, run: Path, *options: Any) -> str:
    done = predict(own, run, *options, out="refused")
    assert isinstance(done.exception, BuildError | DriftError), done.output
    assert "\n" not in str(done.exception)
    return str(done.exception)


def test_bands_are_found_and_decoded(own: OwnRegion) -> None:
    """Of another order, with another offset, and without names."""
    run = train(own, "--image", stack(own, "image.tif", added=1000))
    said = assert_same(own, run, "--image", stack(own, "new.tif", order=(3, 2, 1, 0)))
    assert "bands [4, 3, 2, 1] (by name), numbers as they are" in said
    nameless = edit_raster(stack(own, "plain.tif"), descriptions=("",) * 4)
    dark = edit_raster(nameless, offsets=(-0.05,) * 4)
    assert "check the order of bands or features" in refused(own, run, "--image", dark)


def test_bands_of_a_product_are_found(own: OwnRegion) -> None:
    """Ten bands of a file each, whose clouds were missing in training: it is said."""
    wanted = ("--bands", "B02,B03,B04,B05,B06,B07,B08,B8A,B11,B12")
    safe = write_product(own)
    classes = np.full((150, 300), 4, dtype=np.uint8)
    scl = write_band(own, own.folder / "T31UFS_20230601T104619_SCL_20m.tif", classes)
    run = train(own, "--image", safe, "--image", scl, *wanted, "--clouds")
    said = assert_same(own, run, "--image", safe)
    assert "in training, clouds were missing" in said
    image = own.write_image(own.image)
    assert "has no band 'B05', 'B06', 'B07', ..., which" in refused(own, run, "--image", image)


def test_decibels_are_found_by_polarisation(own: OwnRegion) -> None:
    for name, pixels in zip(("VH", "VV"), decibels(own), strict=True):
        write_band(own, own.folder / "s1" / f"S1A_20230601T055500_{name}.tif", pixels)
    run = train(own, "--image", own.folder / "s1")
    both = own.write_image(decibels(own)[::-1], "both.tif")
    edit_raster(both, descriptions=("VV", "VH"))
    assert "bands [2, 1] (by name)" in assert_same(own, run, "--image", both)
    power = own.write_image((10 ** (decibels(own) / 10)).astype("float32"), "power.tif")
    edit_raster(power, descriptions=("VH", "VV"))
    assert "and the unit and offset of their numbers" in refused(own, run, "--image", power)


@pytest.mark.parametrize(("method", "beside"), [("embedding-ridge", False), ("bag-ridge", True)])
def test_embeddings_alone_and_beside_bands(own: OwnRegion, method: str, beside: bool) -> None:
    image = ("--image", stack(own, "image.tif")) if beside else ()
    run = train(own, *image, "--embedding", cells(own, "cells.tif"), method=method)
    assert_same(own, run, *image, "--embedding", cells(own, "again.tif"))
    said = "give it with --embedding" if beside else "leave --image away"
    assert said in refused(own, run, "--image", stack(own, "other.tif"))
