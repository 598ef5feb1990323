"""Rasters as people have them: bands in any order, gaps, tiles, odd places, hostile files.

Expected values are those of the pixels that were written, by numpy.
"""

from __future__ import annotations

import os
import resource
import socket
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from own_region import CODES, OwnRegion, north_up
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning

from llpbench.cli import cli
from llpbench.data.building import build_region
from llpbench.data.building.band_names import find_role, role_of
from llpbench.data.building.bands import choose_bands
from llpbench.data.building.files import expand
from llpbench.data.building.opening import find_driver
from llpbench.data.building.raster_file import inspect_rasters, sample
from llpbench.data.region import Region
from llpbench.errors import BuildError


@pytest.fixture
def own(tmp_path: Path) -> OwnRegion:
    return OwnRegion(tmp_path)


def _edit(path: Path, **facts: Any) -> Path:
    """Write what a file says of its bands; ``tags`` are by number of the band."""
    with rasterio.open(path, "r+") as file:
        for number, tags in facts.pop("tags", {}).items():
            file.update_tags(number, **tags)
        for name, value in facts.items():
            setattr(file, name, value)
    return path


def _pixels(own: OwnRegion, region: Region) -> NDArray[np.int64]:
    """The image that chips make up, black where there are none; shape (band, row, column)."""
    whole = np.zeros((3, 100 * own.rows, 100 * own.columns), dtype=np.int64)
    chips = list(region.chips.index)
    corners = own.corners(region)
    for chip, image in zip(chips, region.read(chips).image, strict=True):
        row, column = corners[chip]
        whole[:, row : row + 100, column : column + 100] = np.moveaxis(image, -1, 0)
    return whole


def _build(own: OwnRegion, image: Path, **options: Any) -> tuple[Region, list[str]]:
    return build_region(own.recipe(images=[image], **options))


# Bands


def _say(names: list[str]) -> Callable[[Path], Path]:
    return lambda path: _edit(path, descriptions=names)


def _common_names(path: Path) -> Path:
    names = ["blue", "green", "red", "nir"]
    return _edit(path, tags={n + 1: {"eo:common_name": name} for n, name in enumerate(names)})


def _wavelengths(path: Path) -> Path:
    middles = [0.49, 0.56, 0.665, 0.842]
    return _edit(path, tags={n + 1: {"wavelength": str(m)} for n, m in enumerate(middles)})


def _colours(path: Path) -> Path:
    colours = [ColorInterp.blue, ColorInterp.green, ColorInterp.red, ColorInterp.undefined]
    return _edit(path, colorinterp=colours)


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
    (file,), (remark,) = choose_bands(inspect_rasters([name_bands(own.write_image(values))]), None)
    assert file.numbers == (3, 2, 1)
    assert remark.startswith("red, green, blue are bands 3")


def test_a_band_that_is_named_hides_no_pixel(own: OwnRegion) -> None:
    """GDAL marks a fourth band of bytes as transparency; infrared of 0 is not transparent."""
    values = own.image[[2, 1, 0, 0]]
    values[3, :, :300] = 0
    names = ["B02", "B03", "B04", "B08"]
    region, _ = _build(own, _edit(own.write_image(values), descriptions=names))
    np.testing.assert_array_equal(_pixels(own, region), own.image)
    wide = np.repeat(np.repeat(values, 2, axis=1), 2, axis=2)
    fine = own.write_image(wide, "fine.tif", transform=north_up(own.west, own.north, 0.5))
    region, _ = _build(own, _edit(fine, descriptions=names), crs=own.crs)
    np.testing.assert_array_equal(_pixels(own, region), own.image)


def test_each_file_of_a_mosaic_has_its_own_order(own: OwnRegion) -> None:
    west, east = own.image[:, :, :300], own.image[[2, 1, 0], :, 300:]
    files = [
        _edit(own.write_image(west, "west.tif"), descriptions=["B4", "B3", "B2"]),
        _edit(
            own.write_image(east, "east.tif", transform=north_up(own.west + 300, own.north, 1)),
            descriptions=["B2", "B3", "B4"],
        ),
    ]
    region, remarks = build_region(own.recipe(images=files))
    np.testing.assert_array_equal(_pixels(own, region), own.image)
    assert "red, green, blue are bands 1 (B4), 2 (B3), 3 (B2) of west.tif" in remarks
    assert "red, green, blue are bands 3 (B4), 2 (B3), 1 (B2) of east.tif" in remarks


@pytest.mark.parametrize(
    "wanted", [(4, 3, 2), ("4", "3", "2"), ("B4", "b03", "B2"), ("red", "Green", "blue")]
)
def test_bands_are_asked_for_by_number_name_and_colour(own: OwnRegion, wanted: Any) -> None:
    path = own.write_image(own.image[[0, 2, 1, 0]].astype("uint16"))
    files = inspect_rasters([_edit(path, descriptions=["SCL", "B02", "B03", "B04"])])
    (file,), _ = choose_bands(files, wanted)
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


UNCLEAR: dict[str, tuple[list[str], str]] = {
    "none is named": ([""] * 4, "has 4; name three with --bands.* 4 bands without names"),
    "blue is not": (["nir", "red", "green"], r"name three with --bands.* 1 \(nir\), 2 \(red\)"),
    "red is twice": (["red", "red", "green", "blue"], "which bands are red, green and blue cannot"),
    "red edge is not red": (["red edge", "green", "blue"], "cannot be told"),
}


@pytest.mark.parametrize("case", UNCLEAR)
def test_what_is_not_clear_is_asked(own: OwnRegion, case: str) -> None:
    names, expected = UNCLEAR[case]
    values = own.image[[0] * len(names)].astype("uint16")
    files = inspect_rasters([_edit(own.write_image(values), descriptions=names)])
    with pytest.raises(BuildError, match=expected):
        choose_bands(files, None)


def test_a_picture_of_colour_numbers_is_to_be_expanded(own: OwnRegion) -> None:
    path = own.write_image(own.image[:1], photometric="palette")
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, {n: (n, 0, 0, 255) for n in range(256)})
    with pytest.raises(BuildError, match=r"gdal_translate -expand rgb image.tif"):
        choose_bands(inspect_rasters([path]), None)


@given(st.text(max_size=40), st.dictionaries(st.text(max_size=20), st.text(max_size=20)))
def test_any_name_of_a_band_is_read(name: str, tags: dict[str, str]) -> None:
    shown, role = find_role(name, tags)
    assert name in ("", shown)
    assert role == "" or role.isalpha()


@given(st.sampled_from(["B4", "b04", "Red", "RED", "r"]), st.sampled_from(["", " ", "_10m", "-x"]))
def test_red_is_red_in_every_spelling(name: str, ending: str) -> None:
    assert role_of(name + ending) == "red" or name == "r"


# Missing pixels


@pytest.mark.parametrize("bands", [[0, 1, 2], [1]])
@pytest.mark.parametrize(
    ("hole", "nodata"),
    [(np.nan, None), (np.nan, -9999), (np.nan, np.nan), (-9999, -9999), (np.inf, None)],
)
def test_what_is_missing_is_left_out_or_black(
    own: OwnRegion, hole: float, nodata: float | None, bands: list[int]
) -> None:
    """Two chips of nothing and one that lacks a tenth, in all bands or in one, whatever the tag."""
    values = (np.maximum(own.image, 1) / 255 * 0.3).astype("float32")
    values[bands, :100, :200] = hole
    values[bands, :10, 200:300] = hole
    path = own.write_image(values, nodata=nodata)
    region, remarks = _build(own, path)
    assert len(region.chips) == 27
    assert any(r.startswith("1 chips at the edge of the image or in its gaps") for r in remarks)
    region, remarks = _build(own, path, max_missing=0.1)
    assert len(region.chips) == 28
    assert any(r.startswith("1 chips have missing pixels, up to 10.00% of them") for r in remarks)
    expected = np.maximum(own.image, 1)
    expected[:, :100, :200] = expected[:, :10, 200:300] = 0
    np.testing.assert_array_equal(_pixels(own, region), expected)


@pytest.mark.parametrize("size", [1.0, 0.5])
def test_bands_that_are_not_read_hide_and_show_nothing(own: OwnRegion, size: float) -> None:
    """Red, green, blue and elevation with nodata 0, as they are and averaged."""
    copies = round(1 / size)
    colours = np.maximum(own.image, 1).astype("uint16")
    colours[:, :100, :200] = 0
    height = np.full((1, 500, 600), 250, dtype="uint16")
    height[:, 300:] = 0  # at the sea
    values = np.concatenate([colours, height]).repeat(copies, axis=1).repeat(copies, axis=2)
    path = own.write_image(values, nodata=0, transform=north_up(own.west, own.north, size))
    region, _ = _build(own, path, bands=(1, 2, 3), scale=(0, 255), crs=own.crs)
    assert len(region.chips) == 28
    np.testing.assert_array_equal(_pixels(own, region), colours)


def test_a_mask_inside_the_file_hides_pixels(own: OwnRegion) -> None:
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        path = own.write_image(np.maximum(own.image, 1))
        shown = np.full((500, 600), 255, dtype=np.uint8)
        shown[:100, :100] = 0
        with rasterio.open(path, "r+") as file:
            file.write_mask(shown)
    region, _ = _build(own, path)
    assert len(region.chips) == 29


@pytest.mark.parametrize("size", [1.0, 0.5])
def test_transparency_may_be_any_band(own: OwnRegion, size: float) -> None:
    copies = round(1 / size)
    shown = np.full((1, 500, 600), 255, dtype=np.uint8)
    shown[:, :100, :100] = 0
    values = np.concatenate([shown, own.image]).repeat(copies, axis=1).repeat(copies, axis=2)
    path = own.write_image(values, transform=north_up(own.west, own.north, size))
    colours = [ColorInterp.alpha, ColorInterp.red, ColorInterp.green, ColorInterp.blue]
    region, _ = _build(own, _edit(path, colorinterp=colours), crs=own.crs)
    expected = own.image.copy()
    expected[:, :100, :100] = 0
    assert len(region.chips) == 29
    np.testing.assert_array_equal(_pixels(own, region), expected)


# Values


def test_scale_tags_of_the_bands_in_use_count(own: OwnRegion) -> None:
    """Another scale in each band: stored numbers differ, values do not."""
    scales, offsets = (1.0, 1e-4, 2e-4, 3e-4), (0.0, -0.1, 0.0, 0.1)
    reflectance = own.image / 255 * 0.3
    stored = [
        np.rint((r - o) / s) for r, s, o in zip(reflectance, scales[1:], offsets[1:], strict=True)
    ]
    values = np.stack([np.zeros((500, 600)), *stored]).astype("int16")
    path = _edit(own.write_image(values), scales=scales, offsets=offsets)
    region, remarks = _build(own, path, bands=(2, 3, 4))
    assert "image values 0 to 0.3 became 0 to 255, by the scale tags of the files" in remarks
    assert np.abs(_pixels(own, region) - own.image).max() <= 1


def test_files_of_one_mosaic_may_have_different_offsets(own: OwnRegion) -> None:
    """As Sentinel-2 before and since January 2022."""
    stored = np.rint(own.image / 255 * 3000).astype("uint16")
    west = _edit(own.write_image(stored[:, :, :300], "west.tif"), scales=(1e-4,) * 3)
    east = own.write_image(
        stored[:, :, 300:] + 1000, "east.tif", transform=north_up(own.west + 300, own.north, 1)
    )
    _edit(east, scales=(1e-4,) * 3, offsets=(-0.1,) * 3)
    region, _ = build_region(own.recipe(images=[west, east]))
    assert np.abs(_pixels(own, region) - own.image).max() <= 1


def test_amounts_are_scaled_and_class_numbers_are_not(own: OwnRegion) -> None:
    """Counts in tenths: 10 is 1, the start of low; 110 is 11; class numbers are what is stored."""
    tenths = np.zeros((500, 600), dtype="int32")
    tenths[:, 100:], tenths[:, 300:] = 10, 910
    path = _edit(own.write_label(tenths), scales=(0.1,))
    cells = own.recipe(labels=[path], legend="ghsl", crs=own.crs)
    region, _ = build_region(cells)
    # A cell of 1 m holds 62,500 times fewer people than one of 250 m: all but 0 are in the last.
    assert set(np.unique(region.read(list(region.chips.index)).label)) == {0, 30}
    path = _edit(own.write_label(), scales=(0.1,))
    region, remarks = build_region(own.recipe(labels=[path]))
    assert any("class numbers are read as they are stored" in remark for remark in remarks)


# Labels


@pytest.mark.parametrize("dtype", ["int16", "int32", "float32", "float64"])
def test_labels_are_of_any_type(own: OwnRegion, dtype: str) -> None:
    codes = CODES[own.label].astype(dtype)
    missing = np.nan if dtype.startswith("f") else -1
    codes[:50, :50] = missing
    path = own.write_label(codes, nodata=None if dtype.startswith("f") else -1)
    region, _ = build_region(own.recipe(labels=[path]))
    label = region.read(list(region.chips.index)).label
    assert (label == 255).sum() == 2500


def test_a_label_band_is_asked_for(own: OwnRegion) -> None:
    codes = CODES[own.label]
    path = own.write_image(np.stack([codes // 10, codes]), "two.tif")
    with pytest.raises(BuildError, match=r"labels must be in one band, but two.tif has 2 bands"):
        build_region(own.recipe(labels=[path]))
    with pytest.raises(BuildError, match="--label-band must be 1 to 2"):
        build_region(own.recipe(labels=[path], label_band=3))
    found, _ = build_region(own.recipe(labels=[path], label_band=2))
    expected, _ = build_region(own.recipe())
    np.testing.assert_allclose(found.division_proportions, expected.division_proportions)


def test_a_negative_count_is_refused(own: OwnRegion) -> None:
    counts = np.where(own.label == 1, -200, own.label.astype("float32"))
    with pytest.raises(BuildError, match=r"holds -200.0, but no amount .* is negative"):
        build_region(own.recipe(labels=[own.write_label(counts)], legend="ghsl"))
    region, _ = build_region(
        own.recipe(labels=[own.write_label(counts, nodata=-200)], legend="ghsl")
    )
    label = region.read(list(region.chips.index)).label
    assert (label == 255).sum() == (own.label == 1).sum()


@pytest.mark.parametrize("cells", [250, 500])
def test_whole_counts_begin_classes(tmp_path: Path, cells: int) -> None:
    """Cells of 250 m in UTM are 250.1 m on the ground, and 1 and 11 begin classes all the same."""
    own = OwnRegion(tmp_path, columns=5, rows=5)  # of 1 km, pixels of 10 m
    image = own.write_image(transform=north_up(own.west, own.north, 10))
    starts = np.array([0, 1, 11, 21, 291]) * (cells // 250) ** 2
    counts = np.random.default_rng(5).choice(starts, (5000 // cells, 5000 // cells))
    label = own.write_label(counts.astype("int32"), transform=north_up(own.west, own.north, cells))
    outlines = {
        f"{row}{column}": own.box(10 * column, 10 * row, 10 * column + 10, 10 * row + 10)
        for row in range(5)
        for column in range(5)
    }
    recipe = own.recipe(outlines, images=[image], labels=[label], legend="ghsl", chip_km=1)
    region, _ = build_region(recipe)
    per = 1000 // cells
    for name, shares in zip(region.divisions.index, region.division_proportions, strict=True):
        row, column = per * int(name[0]), per * int(name[1])
        part = counts[row : row + per, column : column + per]
        expected = [(part == start).mean() for start in starts]
        np.testing.assert_allclose(shares[[0, 1, 2, 3, 30]], expected, atol=1e-6)


# Tiles


def test_folders_and_patterns_are_tiles(own: OwnRegion) -> None:
    """60 tiles are read with 25 more open files; hidden and other files are none."""
    tiles = own.folder / "tiles"
    tiles.mkdir()
    for number in range(60):
        left = 10 * number
        own.write_image(
            own.image[:, :, left : left + 10],
            f"tiles/t{number:02}.tif",
            transform=north_up(own.west + left, own.north, 1),
        )
    (tiles / "t00.tif.aux.xml").write_text("<PAMDataset/>")
    (tiles / "._t00.tif").write_bytes(b"\0")
    recipe = own.recipe(images=[tiles])
    with _few_files(25):
        whole, _ = build_region(recipe)
        found = _pixels(own, whole)
    np.testing.assert_array_equal(found, own.image)
    assert expand([tiles / "t0?.tif"]) == [tiles / f"t0{n}.tif" for n in range(10)]


@contextmanager
def _few_files(more: int) -> Iterator[None]:
    """Let this process open no more than so many files."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize("name", ["empty", "no*.tif"])
def test_no_tiles_are_said(own: OwnRegion, name: str) -> None:
    (own.folder / "empty").mkdir()
    with pytest.raises(BuildError, match="there is no raster"):
        expand([own.folder / name])


def test_a_damaged_tile_is_named(own: OwnRegion) -> None:
    path = own.write_image(name="cut.tif")
    path.write_bytes(path.read_bytes()[:-200_000])
    region, _ = _build(own, path)
    with pytest.raises(BuildError, match=r"cut.tif cannot be read"):
        region.read(list(region.chips.index))


# Places


def _by_points(own: OwnRegion, bend: float = 0.0) -> Path:
    """The image placed by control points, the middle one of them bent aside."""
    places = [(row, column) for row in (0, 250, 500) for column in (0, 300, 600)]
    points = [
        GroundControlPoint(r, c, own.west + c + bend * ((r, c) == (250, 300)), own.north - r)
        for r, c in places
    ]
    path = own.folder / "points.tif"
    shape = {"height": 500, "width": 600, "count": 3, "dtype": "uint8"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", driver="GTiff", **shape) as file:
            file.write(own.image)
            file.gcps = points, rasterio.CRS.from_string(own.crs)
    return path


@pytest.mark.parametrize("crs", ["EPSG:32631", "EPSG:32632"])
def test_control_points_place_an_image(own: OwnRegion, crs: str) -> None:
    """As its geotransform would, also where it is warped."""
    expected, _ = _build(own, own.write_image(), crs=crs)
    found, remarks = _build(own, _by_points(own), crs=crs)
    assert any("ground control points" in remark for remark in remarks)
    assert list(found.chips.index) == list(expected.chips.index)
    chips = list(found.chips.index)
    np.testing.assert_array_equal(found.read(chips).image, expected.read(chips).image)


def _local(own: OwnRegion) -> Path:
    return own.write_image(
        crs='ENGCRS["site",EDATUM["site"],CS[Cartesian,2],AXIS["x",east],'
        'AXIS["y",north],LENGTHUNIT["metre",1]]'
    )


LUNAR = "+proj=eqc +R=1737400 +units=m"

ODD: dict[str, tuple[Callable[[OwnRegion], Any], str]] = {
    "bent control points": (
        lambda own: own.recipe(images=[_by_points(own, 9)]),
        "gdalwarp -tps points.tif",
    ),
    "pixels without area": (
        lambda own: own.recipe(images=[own.write_image(transform=Affine(1, 1, 6e5, 1, 1, 5e6))]),
        "image.tif has pixels without an area",
    ),
    "a local system": (lambda own: own.recipe(images=[_local(own)]), "cannot be brought to long"),
    "complex numbers": (
        lambda own: own.recipe(images=[own.write_image(own.image.astype("complex64"))]),
        "band 1 holds complex numbers",
    ),
    "a scale of nothing": (
        lambda own: own.recipe(images=[_edit(own.write_image(), scales=(1, 0, 1))]),
        "band 2 has a scale tag of 0",
    ),
    "a scale without end": (lambda own: own.recipe(scale=(0, np.inf)), "found 0 and inf"),
    "chips of no number": (lambda own: own.recipe(chip_km=np.nan), "--chip-km must be more than 0"),
    "chips without end": (lambda own: own.recipe(chip_km=np.inf), "--chip-km must be more than 0"),
    "all missing": (lambda own: own.recipe(max_missing=1), "--max-missing must be from 0 to less"),
    "missing of no number": (lambda own: own.recipe(max_missing=np.nan), "--max-missing must be"),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_rasters_get_one_sentence(own: OwnRegion, case: str) -> None:
    recipe, expected = ODD[case]
    with pytest.raises(BuildError, match=expected) as caught:
        build_region(recipe(own))
    assert "\n" not in str(caught.value)


# Files that name other files


def _mosaic(folder: Path, source: str, *, kind: str = "", sub: str = "SimpleSource") -> Path:
    path = folder / "mosaic.vrt"
    bands = "".join(
        f'<VRTRasterBand dataType="Byte" band="{n}"{kind}><{sub}><SourceFilename '
        f'relativeToVRT="{int(not source.startswith("/"))}">{source}</SourceFilename>'
        f"<SourceBand>{n}</SourceBand></{sub}></VRTRasterBand>"
        for n in (1, 2, 3)
    )
    path.write_text(
        f'<VRTDataset rasterXSize="600" rasterYSize="500"><SRS>EPSG:32631</SRS>'
        f"<GeoTransform>600000, 1, 0, 5600000, 0, -1</GeoTransform>{bands}</VRTDataset>"
    )
    return path


def test_a_mosaic_of_files_beside_it_is_read(own: OwnRegion) -> None:
    own.write_image(name="tile.tif")
    region, _ = _build(own, _mosaic(own.folder, "tile.tif"))
    np.testing.assert_array_equal(_pixels(own, region), own.image)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("tile.tif", ' subClass="VRTRawRasterBand"'),
        ("tile.tif", ' SUBCLASS="VRTDerivedRasterBand"'),
        ("/etc/passwd", ""),
        ("../outside.tif", ""),
        ("link.tif", ""),
        ("secret.txt", ""),
        ("other.vrt", ""),
        ("/vsicurl/http://127.0.0.1:9/x.tif", ""),
        ("http://127.0.0.1:9/x.tif", ""),
    ],
)
def test_a_mosaic_that_reaches_elsewhere_is_refused(
    own: OwnRegion, source: str, kind: str, tmp_path: Path
) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    outside = own.write_image(name="outside.tif")
    own.write_image(name="inside/tile.tif")
    (inside / "link.tif").symlink_to(outside)
    (inside / "secret.txt").write_text("root:x:0:0")
    (inside / "other.vrt").write_text("<VRTDataset/>")
    with pytest.raises(BuildError, match=r"more than a mosaic|a VRT may only name"):
        find_driver(_mosaic(inside, source, kind=kind))


@pytest.mark.parametrize(
    "text",
    [
        '<VRTDataset subClass="VRTWarpedDataset"/>',
        "<VRTDataset><Group name='/'/></VRTDataset>",
        "<VRTDataset><VRTRasterBand><ArraySource/></VRTRasterBand></VRTDataset>",
        "<VRTDataset><Metadata domain='OVERVIEWS'/></VRTDataset>",
        "<!DOCTYPE x [<!ENTITY a 'b'>]><VRTDataset>&a;</VRTDataset>",
        "<VRTDataset>",
        "<GDAL_WMS><Service name='TMS'><ServerUrl>http://x</ServerUrl></Service></GDAL_WMS>",
        '{"type": "FeatureCollection", "features": []}',
        "",
    ],
)
def test_other_files_that_gdal_would_follow_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "image.tif"
    path.write_text(text)
    with pytest.raises(BuildError, match=r"image.tif") as caught:
        inspect_rasters([path])
    assert "\n" not in str(caught.value)


def test_a_pipe_is_no_raster(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tif")
    with pytest.raises(BuildError, match="there is no raster"):
        inspect_rasters([tmp_path / "pipe.tif"])


def test_a_file_beside_a_raster_reaches_no_network(own: OwnRegion) -> None:
    """GDAL would look for overviews where the sidecar says; nobody calls the address."""
    path = own.write_image()
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"/vsicurl/http://127.0.0.1:{server.getsockname()[1]}/x.tif"
        path.with_name("image.tif.aux.xml").write_text(
            '<PAMDataset><Metadata domain="OVERVIEWS">'
            f'<MDI key="OVERVIEW_FILE">{address}</MDI></Metadata></PAMDataset>'
        )
        assert len(sample(inspect_rasters([path])[0], 50)) == 3 * 50 * 50
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
