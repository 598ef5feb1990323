"""Synthetic regions of more than red, green and blue, and their embeddings."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from llpbench import open_dataset, run_method
from llpbench.cli import cli
from llpbench.data.imagery import RGB
from llpbench.data.region import ChipBlock, Region
from llpbench.data.store import verify_store, write_store
from llpbench.data.synthetic import synthesize
from llpbench.data.synthetic.landcover import CROP, GRASS, TREE, WATER
from llpbench.data.synthetic.spectra import describe
from llpbench.errors import LLPBenchError

BANDS, FEATURES = 13, 64

RGB_SUMS = {"image": 1963975753, "label": 3059305751}
BAND_SUMS = {"image": 635520235, "embedding": 1964631451, "label": 3059305751}


@pytest.fixture(scope="module")
def region() -> Region:
    return synthesize("esaworldcover", 200, 1, BANDS, FEATURES)


@pytest.fixture(scope="module")
def block(region: Region) -> ChipBlock:
    return region.read(list(region.chips.index))


def _band(block: ChipBlock, *names: str) -> NDArray[Any]:
    assert block.image is not None
    return block.image[..., [describe(BANDS).names.index(name) for name in names]]


def _sums(block: ChipBlock) -> dict[str, int]:
    return {name: zlib.crc32(array.tobytes()) for name, array in block.arrays.items()}


def test_red_green_and_blue_are_bytes_that_never_change() -> None:
    """Sums of the first release; a change would be another dataset of the same name."""
    region = synthesize("esaworldcover", 20, 0)
    sums = _sums(region.read(list(region.chips.index)))
    assert sums == RGB_SUMS
    assert region.images["image"] is RGB


def test_a_seed_means_the_same_numbers_on_every_machine() -> None:
    """In another process, with the matrix products and the loops of an old processor."""
    region = synthesize("esaworldcover", 20, 0, BANDS, FEATURES)
    script = (
        "import json, pickle, sys, zlib\n"
        "reader, chips = pickle.load(sys.stdin.buffer)\n"
        "arrays = reader(chips).arrays\n"
        "print(json.dumps({name: zlib.crc32(array) for name, array in arrays.items()}))\n"
    )
    old = {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX2 FMA3"}
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        input=pickle.dumps((region.read, list(region.chips.index))),
        capture_output=True,
        check=True,
        env=os.environ | old,
    )
    assert json.loads(answer.stdout) == BAND_SUMS
    assert _sums(region.read(list(region.chips.index))) == BAND_SUMS


def test_numbers_depend_on_nothing_that_is_read_with_them(region: Region, block: ChipBlock) -> None:
    """Neither other chips, nor other bands, nor the label set; and features are of one model."""
    chips = list(region.chips.index)
    which = [150, 3, 77]
    few = synthesize("humanpop", 200, 1, 5, FEATURES)
    part = few.read([chips[number] for number in which])
    names = few.images["image"].names
    np.testing.assert_array_equal(part.image, _band(block, *names)[which])
    assert part.embedding is not None
    assert block.embedding is not None
    np.testing.assert_array_equal(part.embedding, block.embedding[which])
    alone = synthesize("esaworldcover", 200, 1, 0, FEATURES).read(chips[:2])
    assert alone.image is None
    np.testing.assert_array_equal(alone.embedding, block.embedding[:2])


@pytest.mark.parametrize("bands", range(4, 14))
def test_bands_stand_in_the_order_of_their_wavelengths(bands: int) -> None:
    imagery = describe(bands)
    wavelengths = [band.wavelength or 0 for band in imagery.bands]
    assert len(wavelengths) == bands
    assert wavelengths == sorted(wavelengths)
    assert {"B2", "B3", "B4", "B8"} <= set(imagery.names)
    assert describe(10).names == ["B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B11", "B12"]


@pytest.mark.parametrize(
    ("bands", "embedding", "says"),
    [
        (2, 0, "3 to 13 bands, not 2: choose"),
        (14, 0, "3 to 13 bands, not 14"),
        (-1, 0, "3 to 13 bands, not -1"),
        (0, 0, "bands, an embedding or both, found 0 and 0"),
        (3, 1, "2 to 1,024 features, not 1: choose"),
        (0, 1025, "not 1,025"),
    ],
)
def test_regions_that_cannot_be_are_refused(bands: int, embedding: int, says: str) -> None:
    with pytest.raises(LLPBenchError, match=says):
        synthesize("esaworldcover", 20, 0, bands, embedding)


def test_colours_are_the_same_picture(region: Region, block: ChipBlock) -> None:
    """A byte b is 3000 b / 255, so that the byte comes back by rounding."""
    plain = synthesize("esaworldcover", 200, 1)
    chips = list(region.chips.index[:20])
    bytes_ = np.rint(_band(block, "B4", "B3", "B2")[:20] * (255 / 3000))
    np.testing.assert_array_equal(bytes_, plain.read(chips).image)


def test_spectra_are_those_of_plants_and_water(block: ChipBlock) -> None:
    """What any textbook of remote sensing says of them."""
    red, edge, nir, swir1, swir2 = np.moveaxis(_band(block, "B4", "B5", "B8", "B11", "B12"), -1, 0)
    tree, grass, water = (block.label == number for number in (TREE, GRASS, WATER))
    assert np.median(nir[tree] / (red[tree] + 1)) > 3  # the plateau behind the red edge
    assert np.median(red[tree]) < np.median(edge[tree]) < np.median(nir[tree])
    assert np.median(nir[water]) < np.median(red[water])
    assert np.percentile(swir1[water], 95) < 600
    assert np.median(swir1[tree]) < np.median(swir1[grass])  # canopies hold water, and shade
    assert np.median(swir2[tree]) < np.median(swir1[tree])
    assert np.median(swir2[block.label == CROP]) > np.median(swir2[grass])  # soil between crops


def test_no_band_tells_classes_alone_but_all_tell_more_than_colours(block: ChipBlock) -> None:
    from sklearn.ensemble import RandomForestClassifier

    pixels = _band(block, *describe(10).names).reshape(-1, 10)
    chosen = np.random.default_rng(0).choice(len(pixels), 9_000, replace=False)
    pixels, truth = pixels[chosen], block.label.ravel()[chosen]

    def accuracy(columns: Sequence[int]) -> float:
        forest = RandomForestClassifier(10, min_samples_leaf=10, random_state=0)
        forest.fit(pixels[:6_000, columns], truth[:6_000])
        return float(forest.score(pixels[6_000:, columns], truth[6_000:]))

    colours, everything = accuracy([0, 1, 2]), accuracy(range(10))
    assert all(accuracy([band]) + 0.1 < everything for band in range(10))
    assert 0.5 < colours < 0.8
    assert colours + 0.1 < everything < 0.92


@pytest.mark.full
def test_methods_find_what_bands_beyond_colours_tell(tmp_path: Path) -> None:
    """A promise of the methods: at most .8 of the error on red, green and blue alone."""

    def error(bands: int) -> float:
        made = synthesize("esaworldcover", 800, 4, bands)
        store = tmp_path / f"of-{bands}-bands"
        write_store(made, store, name=store.name, title="", licence="", attribution="")
        run = run_method("bag-ridge", store, out=tmp_path / f"run-{bands}")
        assert run.scores is not None
        return run.scores.value("mae")

    assert error(10) < 0.8 * error(3)


def test_wider_pixels_are_means_of_squares(block: ChipBlock) -> None:
    for name, side in (("B11", 2), ("B1", 5)):
        squares = _band(block, name)[..., 0].reshape(-1, 100 // side, side, 100 // side, side)
        assert (squares == squares[:, :, :1, :, :1]).all()


def test_vectors_have_length_one_and_tell_much_but_not_all(
    region: Region, block: ChipBlock
) -> None:
    """A regression of cells on features finds the most frequent class of most cells elsewhere."""
    from sklearn.linear_model import LinearRegression

    assert block.embedding is not None
    values = region.images["embedding"].coding.decode(block.embedding)
    # Half a step of sign(n) (n / 127.5)^2 is at most .008, and of 64 features some .0005.
    np.testing.assert_allclose(np.linalg.norm(values, axis=-1), 1, atol=0.02)
    cells = block.label[:, 2:98, 2:98].reshape(-1, 24, 4, 24, 4)
    shares = np.stack([(cells == number).mean(axis=(2, 4)) for number in range(12)], axis=-1)
    train = (region.chips["split"] == "train").to_numpy()
    probe = LinearRegression().fit(
        values[train].reshape(-1, FEATURES), shares[train].reshape(-1, 12)
    )
    found = probe.predict(values[~train].reshape(-1, FEATURES)).argmax(axis=1)
    truth = shares[~train].reshape(-1, 12).argmax(axis=1)
    frequent = np.bincount(truth).max() / len(truth)
    assert frequent + 0.2 < (found == truth).mean() < 0.95


def test_the_command_makes_a_dataset() -> None:
    size = ["--chips", "12", "--label-set", "humanpop"]
    command = ["synthesize", "made", *size, "--bands", "4", "--embedding", "8"]
    CliRunner().invoke(cli, command, catch_exceptions=False)
    verify_store(Path(os.environ["LLPBENCH_CACHE"]) / "made")
    ds = open_dataset("made")
    assert dict(ds.llp.info.images) == dict(synthesize("humanpop", 12, 0, 4, 8).images)
    assert ds["image"].shape == (12, 100, 100, 4)
    assert ds.llp.values("embedding").shape == (12, 24, 24, 8)
    assert 0.02 < np.median(ds.llp.values()) < 0.5
