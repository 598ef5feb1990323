"""What is missing in a raster, what its numbers are worth, and tiles.

Expected values are those of the pixels that were written, by numpy.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from own_region import CODES, OwnRegion, edit_raster, north_up
from rasterio.enums import ColorInterp

from llpbench.data.building import build_region
from llpbench.data.building.files import expand
from llpbench.data.region import Region
from llpbench.errors import BuildError

pytestmark = pytest.mark.usefixtures("outlines_read_here")


def _build(own: OwnRegion, image: Path, **options: Any) -> tuple[Region, list[str]]:
    return build_region(own.recipe(images=[image], **options))


# Missing pixels


@pytest.mark.parametrize("bands", [[0, 1, 2], [1]])
@pytest.mark.parametrize(
    ("hole", "nodata"),
    [
        *((np.nan, None), (np.nan, -9999), (np.nan, np.nan), (-9999, -9999), (np.inf, None)),
        *((3.4e38, None), (-3.4028234663852886e38, -3.4e38)),
    ],
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
    np.testing.assert_array_equal(own.pixels(region), expected)


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
    np.testing.assert_array_equal(own.pixels(region), colours)
    everything, _ = _build(own, path, crs=own.crs)
    assert everything.chips.index.tolist() == region.chips.index.tolist()
    chip = everything.read(everything.chips.index[-1:].tolist()).image
    assert chip is not None
    assert (chip[..., 3] == 0).any()  # the sea is no hole


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_numbers_that_can_only_be_missing_are_not_black(own: OwnRegion, dtype: str) -> None:
    values = (own.image.astype("float32") * 3000 / 255).astype(dtype)
    values[1, 110:120, 110:120] = -9999
    path = own.write_image(values)
    region = _build(own, path, scale=(0, 3000))[0]
    with pytest.raises(BuildError, match=r"holds -9999, .* does not say .*gdal_edit.py -a_nodata"):
        region.read(list(region.chips.index))
    values[:] = np.maximum(values, 0)
    region = _build(own, own.write_image(values), scale=(0, 3000))[0]
    region.read(list(region.chips.index))


def test_black_and_white_that_may_be_missing_is_said(own: OwnRegion) -> None:
    values = own.image.astype("uint16") * 10 + 1
    values[:, :100, :300] = 0  # 3 of 30 chips
    values[:, 100:200, :300] = 65535
    _region, remarks = _build(own, own.write_image(values))
    assert any("10% of the pixels of image.tif are 0 in all bands" in r for r in remarks)
    assert any("10% of the pixels of image.tif are 65535 in all" in r for r in remarks)


def test_values_that_would_all_be_white_are_refused(own: OwnRegion) -> None:
    path = own.write_image(own.image.astype("float32") * 10 + 100)
    with pytest.raises(BuildError, match=r"of 1\d\d to 26\d\d, nearly all above .* 0 to 0.3"):
        _build(own, path)
    assert len(_build(own, path, scale=(0, 3000))[0].chips) == 30


def test_an_offset_alone_leaves_whole_numbers(own: OwnRegion) -> None:
    """Sentinel-2 of 2022 and later: 1000 was added, and the file says so."""
    values = own.image.astype("uint16") * 10 + 1000
    path = edit_raster(own.write_image(values), offsets=(-1000.0,) * 3)
    expected = np.rint(own.image * (10 * 255 / 3000))
    np.testing.assert_allclose(own.pixels(_build(own, path)[0]), expected, atol=1)


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
    region, _ = _build(own, edit_raster(path, colorinterp=colours), crs=own.crs)
    expected = own.image.copy()
    expected[:, :100, :100] = 0
    assert len(region.chips) == 29
    np.testing.assert_array_equal(own.pixels(region), expected)


# Values


def test_scale_tags_of_the_bands_in_use_count(own: OwnRegion) -> None:
    """Another scale in each band: stored numbers differ, values do not."""
    scales, offsets = (1.0, 1e-4, 2e-4, 3e-4), (0.0, -0.1, 0.0, 0.1)
    reflectance = own.image / 255 * 0.3
    stored = [
        np.rint((r - o) / s) for r, s, o in zip(reflectance, scales[1:], offsets[1:], strict=True)
    ]
    values = np.stack([np.zeros((500, 600)), *stored]).astype("int16")
    path = edit_raster(own.write_image(values), scales=scales, offsets=offsets)
    region, remarks = _build(own, path, bands=(2, 3, 4))
    assert "image values 0 to 0.3 became 0 to 255, by the scale tags of the files" in remarks
    assert np.abs(own.pixels(region) - own.image).max() <= 1


def test_files_of_one_mosaic_may_have_different_offsets(own: OwnRegion) -> None:
    """As Sentinel-2 before and since January 2022."""
    stored = np.rint(own.image / 255 * 3000).astype("uint16")
    west = edit_raster(own.write_image(stored[:, :, :300], "west.tif"), scales=(1e-4,) * 3)
    east = own.write_image(
        stored[:, :, 300:] + 1000, "east.tif", transform=north_up(own.west + 300, own.north, 1)
    )
    edit_raster(east, scales=(1e-4,) * 3, offsets=(-0.1,) * 3)
    region, _ = build_region(own.recipe(images=[west, east]))
    assert np.abs(own.pixels(region) - own.image).max() <= 1


def test_reflectance_may_be_stored_upside_down(own: OwnRegion) -> None:
    """A negative scale: 4000 is black and 1000 is white."""
    values = (4000 - own.image.astype("uint16") * 3000.0 / 255).round().astype("uint16")
    image = own.write_image(values)
    edit_raster(image, scales=(-1e-4,) * 3, offsets=(0.4,) * 3)
    region, _ = build_region(own.recipe(images=[image]))
    np.testing.assert_array_equal(own.pixels(region), own.image)
    values[:, :10, :10] = 14_000
    edit_raster(own.write_image(values), scales=(-1e-4,) * 3, offsets=(0.4,) * 3)
    region, _ = build_region(own.recipe(images=[image]))
    with pytest.raises(BuildError, match="the image holds 14000, far below"):
        own.pixels(region)


def test_bands_of_a_file_may_be_of_different_types(own: OwnRegion) -> None:
    own.write_image(own.image.astype("float32"), "all.tif")
    bands = "".join(
        f"""<VRTRasterBand dataType="{kind}" band="{number}"><SimpleSource>
        <SourceFilename relativeToVRT="1">all.tif</SourceFilename><SourceBand>{number}</SourceBand>
        </SimpleSource></VRTRasterBand>"""
        for number, kind in enumerate(("Byte", "UInt16", "Float32"), 1)
    )
    lattice = f"<SRS>{own.crs}</SRS><GeoTransform>{own.west},1,0,{own.north},0,-1</GeoTransform>"
    path = own.folder / "kinds.vrt"
    size = f'rasterXSize="{100 * own.columns}" rasterYSize="{100 * own.rows}"'
    path.write_text(f"<VRTDataset {size}>{lattice}{bands}</VRTDataset>")
    region, _ = build_region(own.recipe(images=[path], bands=(3, 1)))
    np.testing.assert_array_equal(own.pixels(region), own.image[[2, 0]])


def test_amounts_are_scaled_and_class_numbers_are_not(own: OwnRegion) -> None:
    """Counts in tenths: 10 is 1, the start of low; 110 is 11; class numbers are what is stored."""
    tenths = np.zeros((500, 600), dtype="int32")
    tenths[:, 100:], tenths[:, 300:] = 10, 910
    path = edit_raster(own.write_label(tenths), scales=(0.1,))
    cells = own.recipe(labels=[path], legend="ghsl", crs=own.crs)
    region, _ = build_region(cells)
    # A cell of 1 m holds 62,500 times fewer people than one of 250 m: all but 0 are in the last.
    assert set(np.unique(region.read(list(region.chips.index)).label)) == {0, 30}
    path = edit_raster(own.write_label(), scales=(0.1,))
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
        found = own.pixels(whole)
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
    with pytest.raises(BuildError, match=r"cut.tif cannot be read"):
        _build(own, path)  # of which a sample is looked at
    first = own.write_image(own.image[:, :200], "first.tif")
    region, _ = build_region(own.recipe(images=[first, path]))
    with pytest.raises(BuildError, match=r"cut.tif cannot be read"):
        region.read(list(region.chips.index))
