"""Bands in any order, by what files and people call them.

Expected values are those of the pixels that were written, by numpy.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from own_region import OwnRegion, edit_raster, north_up, write_raster
from rasterio.enums import ColorInterp

from llpbench.cli import cli
from llpbench.data.building import build_region
from llpbench.data.building.band_names import COLOURS, find_role, role_of
from llpbench.data.building.bands import choose_bands
from llpbench.data.building.stack import open_stack
from llpbench.data.region import Region
from llpbench.errors import BuildError

pytestmark = pytest.mark.usefixtures("outlines_read_here")


def _build(own: OwnRegion, image: Path, **options: Any) -> tuple[Region, list[str]]:
    return build_region(own.recipe(images=[image], **options))


def _say(names: list[str]) -> Callable[[Path], Path]:
    return lambda path: edit_raster(path, descriptions=names)


def _common_names(path: Path) -> Path:
    names = ["blue", "green", "red", "nir"]
    return edit_raster(path, tags={n + 1: {"eo:common_name": name} for n, name in enumerate(names)})


def _wavelengths(path: Path) -> Path:
    middles = [0.49, 0.56, 0.665, 0.842]
    return edit_raster(path, tags={n + 1: {"wavelength": str(m)} for n, m in enumerate(middles)})


def _colours(path: Path) -> Path:
    colours = [ColorInterp.blue, ColorInterp.green, ColorInterp.red, ColorInterp.undefined]
    return edit_raster(path, colorinterp=colours)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize(
    "name_bands",
    [
        _say(["B2", "B3", "B4", "B8"]),
        _say(["B02", "B03", "B04", "B08"]),
        _say(["Blue", "Green", "Red", "Near Infrared"]),
        _say(["B2 - blue", "B3 - green", "B4 - red", "B5 - red edge"]),
        _common_names,
        _wavelengths,
        _colours,
    ],
)
def test_bands_are_those_that_the_file_names(
    own: OwnRegion, name_bands: Callable[[Path], Path], dtype: str
) -> None:
    """Blue, green, red and another; bytes are marked as RGB and transparency by GDAL itself."""
    values = own.image[[2, 1, 0, 0]].astype(dtype)
    stack, _ = open_stack([name_bands(own.write_image(values))])
    chosen, (remark,) = choose_bands(stack, COLOURS)
    assert chosen.files[0].numbers == (3, 2, 1)
    assert chosen.is_rgb
    assert remark.startswith("red, green, blue are bands 3")


def test_a_band_that_is_named_hides_no_pixel(own: OwnRegion) -> None:
    """GDAL marks a fourth band of bytes as transparency; infrared of 0 is not transparent."""
    values = own.image[[2, 1, 0, 0]]
    values[3, :, :300] = 0
    names = ["B02", "B03", "B04", "B08"]
    image = edit_raster(own.write_image(values), descriptions=names)
    region, _ = _build(own, image, bands=COLOURS)
    np.testing.assert_array_equal(own.pixels(region), own.image)
    wide = np.repeat(np.repeat(values, 2, axis=1), 2, axis=2)
    fine = own.write_image(wide, "fine.tif", transform=north_up(own.west, own.north, 0.5))
    edit_raster(fine, descriptions=names)
    region, _ = _build(own, fine, crs=own.crs, bands=COLOURS)
    np.testing.assert_array_equal(own.pixels(region), own.image)


def test_each_file_of_a_mosaic_has_its_own_order(own: OwnRegion) -> None:
    west, east = own.image[:, :, :300], own.image[[2, 1, 0], :, 300:]
    files = [
        edit_raster(own.write_image(west, "west.tif"), descriptions=["B4", "B3", "B2"]),
        edit_raster(
            own.write_image(east, "east.tif", transform=north_up(own.west + 300, own.north, 1)),
            descriptions=["B2", "B3", "B4"],
        ),
    ]
    region, remarks = build_region(own.recipe(images=files))
    np.testing.assert_array_equal(own.pixels(region), own.image)
    assert "red, green, blue are bands 1 (B4), 2 (B3), 3 (B2) of west.tif" in remarks
    assert "red, green, blue are bands 3 (B4), 2 (B3), 1 (B2) of east.tif" in remarks


@pytest.mark.parametrize(
    "wanted", [(4, 3, 2), ("4", "3", "2"), ("B4", "b03", "B2"), ("red", "Green", "blue")]
)
def test_bands_are_asked_for_by_number_name_and_colour(own: OwnRegion, wanted: Any) -> None:
    path = own.write_image(own.image[[0, 2, 1, 0]].astype("uint16"))
    stack, _ = open_stack([edit_raster(path, descriptions=["SCL", "B02", "B03", "B04"])])
    (file,) = choose_bands(stack, wanted)[0].files
    assert file.numbers == (4, 3, 2)
    assert [band.name for band in file.bands] == ["B04", "B03", "B02"]


@pytest.mark.parametrize("given", ["--bands 4 3 2", "--bands 4,3,2", "--bands=4,3,2"])
def test_the_command_takes_bands_in_each_spelling(own: OwnRegion, given: str) -> None:
    values = np.concatenate([own.image[:1] * 0, own.image[[2, 1, 0]]]).astype("uint16")
    recipe = own.recipe(images=[own.write_image(values)])
    sources = f"--image {recipe.images[0]} --labels {recipe.labels[0]} --chip-km 0.1"
    end = f"--divisions {recipe.divisions}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLPBENCH_CACHE", str(own.folder / "cache"))
        done = CliRunner().invoke(cli, ["build", "mine", *f"{sources} {given} {end}".split()])
    assert done.exit_code == 0, done.output
    assert "red, green, blue are bands 4, 3, 2 of image.tif" in done.output


UNCLEAR: dict[str, tuple[list[str], tuple[str, ...], str]] = {
    "none is named": ([""] * 4, ("red",), "names 'red', which is none .* 4 bands without names"),
    "blue is not": (["nir", "red"], ("blue",), r"which is none .*: 1 \(nir\), 2 \(red\);"),
    "red is twice": (["red", "red"], ("red",), "names 'red', which may be 1 and 2 of the bands"),
    "of the red edge are three": (["B5", "B6", "B7"], ("rededge",), "may be 1 and 2 and 3"),
    "a number that is none": ([""] * 3, ("4",), "names '4', which is none"),
    "one is named twice": (["B4", "B3"], ("B4", "red"), "B4,red names band 1 of image.tif twice"),
    "classes alone": (["SCL"], (), "has no bands but of transparency and classes"),
}


@pytest.mark.parametrize("case", UNCLEAR)
def test_what_is_not_clear_is_asked(own: OwnRegion, case: str) -> None:
    names, wanted, expected = UNCLEAR[case]
    values = own.image[[0] * len(names)].astype("uint16")
    stack, _ = open_stack([edit_raster(own.write_image(values), descriptions=names)])
    with pytest.raises(BuildError, match=expected):
        choose_bands(stack, wanted or None)


def test_a_picture_of_colour_numbers_is_to_be_expanded(own: OwnRegion) -> None:
    path = own.write_image(own.image[:1], photometric="palette")
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, {n: (n, 0, 0, 255) for n in range(256)})
    with pytest.raises(BuildError, match=r"gdal_translate -expand rgb image.tif"):
        choose_bands(open_stack([path])[0], None)


@given(st.text(max_size=40), st.dictionaries(st.text(max_size=20), st.text(max_size=20)))
def test_any_name_of_a_band_is_read(name: str, tags: dict[str, str]) -> None:
    shown, role = find_role(name, tags)
    assert name in ("", shown)
    assert role == "" or role.isalnum()


@given(st.sampled_from(["B4", "b04", "Red", "RED", "r"]), st.sampled_from(["", " ", "_10m", "-x"]))
def test_red_is_red_in_every_spelling(name: str, ending: str) -> None:
    assert role_of(name + ending) == "red" or name == "r"


def test_names_of_bands_print_and_are_short(own: OwnRegion) -> None:
    names = ["a\nb", "\u202egnp.exe", "\x85", "x" * 10_000]
    values = own.image[[0, 1, 2, 0]].astype("uint16")
    path = edit_raster(own.write_image(values), descriptions=names)
    region, remarks = _build(own, path)
    shown = [r"a\nb", r"\u202egnp.exe", r"\x85", "x" * 100]
    assert region.images["image"].names == shown
    assert region.recipe is not None
    assert [band.name for band in region.recipe.bands] == shown
    assert all(remark.isprintable() and len(remark) < 400 for remark in remarks)


def test_files_of_one_band_each_and_one_place_are_no_mosaic(own: OwnRegion) -> None:
    names = ("first.tif", "second.tif")
    files = [own.write_image(own.image[[n]].astype("uint16"), name) for n, name in enumerate(names)]
    stack, _ = open_stack(files)
    with pytest.raises(BuildError, match=r"^first.tif and second.tif have one band each"):
        choose_bands(stack, None)
    region, _ = build_region(own.recipe(images=files, bands=(1,)))
    np.testing.assert_array_equal(own.pixels(region), own.image[:1])


def test_a_store_has_at_most_so_many_bands(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "a.tif", np.ones((4097, 2, 2), np.uint8), north_up(5, 5, 1))
    stack, _ = open_stack([path])
    with pytest.raises(BuildError, match=r"at most 4,096 bands, but a.tif has 4,097"):
        choose_bands(stack, None)
    assert len(choose_bands(stack, range(1, 4097))[0].bands) == 4096
