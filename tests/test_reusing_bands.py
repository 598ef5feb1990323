"""A method trained on any bands takes the same of a new image, or says what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_region import OwnRegion, edit_raster
from scenes import numbers, write_level_2

from llpbench.data.building import Recipe, build_region
from llpbench.data.imagery import Band, Coding, Imagery
from llpbench.data.recipe import ImageRecipe
from llpbench.data.region import ChipBlock
from llpbench.errors import BuildError
from llpbench.running.recoding import RecodedPixels
from llpbench.running.reusing import reuse_recipe

pytestmark = pytest.mark.usefixtures("outlines_read_here")

NAMES = ("B2", "B3", "B4", "B8")


@pytest.fixture
def own(tmp_path: Path) -> OwnRegion:
    return OwnRegion(tmp_path, rows=3)


def write(own: OwnRegion, order: tuple[int, ...], names: Any, dtype: str = "uint16") -> Path:
    bands = ("B02", "B03", "B04", "B08")
    values = np.stack([numbers(own, bands[number]) for number in order]).astype(dtype)
    return edit_raster(own.write_image(values, f"{len(order)}{dtype}.tif"), descriptions=names)


def train(own: OwnRegion, image: Path, **options: Any) -> ImageRecipe:
    known = build_region(own.recipe(images=[image], **options))[0].recipe
    assert known is not None
    return known


def reuse(
    known: ImageRecipe, image: Path, *, force: bool = False, **options: Any
) -> tuple[Recipe, list[str], list[str]]:
    return reuse_recipe(known, Recipe(images=[image], **options), force=force)


def test_bands_are_found_by_name_in_any_order(own: OwnRegion) -> None:
    image = write(own, (0, 1, 2, 3), NAMES)
    known = train(own, image)
    assert (known.names, known.limits, known.count) == (NAMES, None, 4)
    other = write(own, (3, 2, 2, 1, 0), ("nir", "B04", "SCL", "green", "B02"))
    recipe, (said,), _ = reuse(known, other)
    assert (recipe.bands, recipe.scale) == (NAMES, None)
    assert said.startswith("as in training: bands [5, 4, 2, 1] (by name), numbers as they are")
    region, _ = build_region(own.recipe(images=[other], bands=recipe.bands))
    expected, _ = build_region(own.recipe(images=[image]))
    np.testing.assert_array_equal(own.pixels(region), own.pixels(expected))
    assert region.images["image"].names == ["B02", "green", "B04", "nir"]


def test_files_of_a_band_each_stand_for_a_file_of_all(own: OwnRegion) -> None:
    """Trained on a stack, with the scale of reflectance that its metadata say."""
    safe = write_level_2(own)
    known = train(own, safe, bands=("B02", "B03", "B04", "B08"))
    image = write(own, (0, 1, 2, 3), NAMES)
    with pytest.raises(BuildError, match="with a scale or offset of its own: convert"):
        reuse(known, image)
    edit_raster(image, scales=(1e-4,) * 4, offsets=(-0.1,) * 4)
    assert reuse(known, image)[2] == []
    recipe, (said,), _ = reuse(known, safe)
    assert "bands 'B02', 'B03', 'B04', 'B08' (by name)" in said
    assert recipe.bands == ("B02", "B03", "B04", "B08")


def test_what_is_missing_is_named(own: OwnRegion) -> None:
    known = train(own, write(own, (0, 1, 2, 3), NAMES))
    fewer = write(own, (0, 1, 2), NAMES[:3])
    with pytest.raises(BuildError, match=r"has no band 'B8', .* say with --bands"):
        reuse(known, fewer)
    nameless = write(own, (0, 1, 2), ("",) * 3)
    with pytest.raises(BuildError, match=r"has 3 bands, .* had 4: .*\(1 \(B2\), 2 \(B3\)"):
        reuse(known, nameless)
    with pytest.raises(BuildError, match="--bands names 3, trained on 4 bands"):
        reuse(known, fewer, bands=(1, 2, 3))
    same = write(own, (0, 1, 2, 3), NAMES)
    with pytest.raises(BuildError, match="--scale makes bytes, trained on numbers as they are"):
        reuse(known, same, scale=(0.0, 3000.0))
    floats = write(own, (0, 1, 2, 3), NAMES, "float32")
    with pytest.raises(
        BuildError, match=r"stores fractions \(float32\), trained on whole .*convert"
    ):
        reuse(known, floats)
    assert len(reuse(known, floats, force=True)[2]) == 1


def test_bytes_of_any_bands_are_made_again(own: OwnRegion) -> None:
    image = write(own, (0, 1, 2, 3), NAMES)
    known = train(own, image, scale=(0.0, 5000.0))
    recipe, (said,), _ = reuse(known, image)
    assert recipe.scale == (0, 5000)
    assert "bands [1, 2, 3, 4] (by name), 0 to 5000 become 0 to 255" in said


@pytest.mark.parametrize("missing", [None, 0.0])
def test_values_are_stored_as_in_training(missing: float | None) -> None:
    """By numpy: (n / 10,000 - 0.1 + 0.2) 5,000 is n / 2 + 500; a missing one needs a number."""
    stored = np.array([1000, 3000, 65535], dtype=np.uint16).reshape(1, 1, 3, 1)
    block = ChipBlock(np.zeros((1, 1, 3), dtype=np.uint8), stored)
    found, wanted = Coding(1e-4, -0.1, missing=65535), Coding(2e-4, -0.2, missing=missing)
    bands = (Band("nir"),)
    read = RecodedPixels(
        lambda _chips: block, Imagery(bands, "uint16", found), Imagery(bands, "int16", wanted)
    )
    if missing is None:
        with pytest.raises(BuildError, match="leave such chips out with --max-missing 0"):
            read(["one"])
    else:
        assert read(["one"]).image.ravel().tolist() == [1000, 2000, 0]
