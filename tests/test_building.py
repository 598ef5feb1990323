"""Regions of one's own: the same pixels, exact overlaps and shares, anywhere on Earth."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
import xarray as xr
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from own_region import CODES, OwnRegion, export_region, north_up, write_divisions, write_raster

import llpbench
from llpbench.data.building import Recipe, Splitting, build_region
from llpbench.data.building.area import utm_zone
from llpbench.data.building.legends import find_legend
from llpbench.data.building.raster_file import inspect_rasters
from llpbench.data.building.shares import shares_from_labels
from llpbench.data.grid import ChipGrid
from llpbench.data.region import Region
from llpbench.data.store import verify_store, write_store
from llpbench.data.synthetic import synthesize
from llpbench.protocol import SPLITS

pytestmark = pytest.mark.usefixtures("outlines_read_here")

PLACES = {
    "zone 31 north": (600_000.0, 5_600_000.0, "EPSG:32631"),
    "zone 18 south": (450_000.0, 9_200_000.0, "EPSG:32718"),
    "78 degrees north": (520_000.0, 8_660_000.0, "EPSG:32633"),
    "the antimeridian": (818_800.0, 8_098_300.0, "EPSG:32760"),
    "the equator": (500_000.0, 200.0, "EPSG:32631"),
}


def _open(region: Region, path: Path) -> xr.Dataset:
    write_store(region, path, name=path.name, title="mine", licence="", attribution="")
    verify_store(path)
    return llpbench.open_dataset(path)


def _inside(own: OwnRegion, outline: Any) -> np.ndarray[Any, Any]:
    """Part of each pixel inside an outline, by one intersection after another."""
    left, bottom, right, top = outline.bounds
    rows = slice(max(0, int(own.north - top) - 1), max(0, int(own.north - bottom) + 2))
    columns = slice(max(0, int(left - own.west) - 1), max(0, int(right - own.west) + 2))
    part = np.zeros(own.label.shape)
    row, column = (numbers[rows, columns] for numbers in np.indices(part.shape))
    west, north = own.west + column, own.north - row
    pixels = shapely.box(west, north - 1, west + 1, north)
    shapely.prepare(outline)
    near = shapely.covers(outline, pixels).astype(float)
    cut = shapely.intersects(outline, pixels) & (near == 0)
    near[cut] = shapely.area(shapely.intersection(outline, pixels[cut]))
    part[rows, columns] = near
    return part


def _slow_shares(own: OwnRegion, outline: Any) -> np.ndarray[Any, Any]:
    counts = np.bincount(own.label.ravel(), _inside(own, outline).ravel(), minlength=12)
    return counts / counts.sum()


# Round trips


@pytest.mark.parametrize("labels", ["esaworldcover", "humanpop"])
def test_a_synthetic_region_survives_geotiff_and_geojson(labels: str, tmp_path: Path) -> None:
    made = synthesize(labels, chips=60, seed=2)
    built, _remarks = build_region(export_region(made, tmp_path))
    was, now = _open(made, tmp_path / "was"), _open(built, tmp_path / "now")
    assert was.sizes == now.sizes
    there = shapely.STRtree(shapely.points(now.lon, now.lat))
    same = there.query(shapely.points(was.lon, was.lat), predicate="dwithin", distance=1e-6)[1]
    now = now.isel(chip=same)
    for name in ("image", "label", "chip_proportions"):
        np.testing.assert_array_equal(now[name], was[name])
    np.testing.assert_array_equal(now["own_division"] != "", was["own_division"] != "")
    for name in ("target", "division_proportions", "bounds"):
        np.testing.assert_allclose(now[name], was[name], rtol=0, atol=1e-6)
    areas = [ds.llp.divisions()["area_km2"] for ds in (was, now)]
    np.testing.assert_allclose(*areas, rtol=0, atol=1e-6)
    overlaps = [ds.llp.overlaps() for ds in (was, now)]
    assert overlaps[0]["division"].tolist() == overlaps[1]["division"].tolist()
    np.testing.assert_allclose(overlaps[0]["area_km2"], overlaps[1]["area_km2"], atol=1e-6)


@pytest.mark.parametrize("place", PLACES)
def test_exact_pixels_overlaps_and_shares_anywhere(place: str, tmp_path: Path) -> None:
    """Squares of divisions on the grid: shares are counts, overlaps halves and wholes."""
    west, north, crs = PLACES[place]
    own = OwnRegion(tmp_path, west, north, crs)
    region, _remarks = build_region(own.recipe())
    assert region.grid == ChipGrid(crs, west, north, 100.0, 100.0)
    ds = _open(region, tmp_path / "store")
    assert ds.sizes["chip"] == 30
    assert ds.sizes["overlap"] == 35  # five chips lie half in the west, half in the east
    rows, columns = (np.floor(n).astype(int) for n in region.grid.cells(ds.lon, ds.lat))
    for number, (row, column) in enumerate(zip(100 * rows, 100 * columns, strict=True)):
        here = (slice(row, row + 100), slice(column, column + 100))
        np.testing.assert_array_equal(ds.image[number], np.moveaxis(own.image, 0, -1)[here])
        np.testing.assert_array_equal(ds.label[number], own.label[here])
    slow = {key: _slow_shares(own, outline) for key, outline in own.quarters.items()}
    expected = np.stack([slow[key] for key in ds.division.values])
    np.testing.assert_allclose(ds.division_proportions, expected, atol=1e-6)
    names = np.array(["n", "s"])[(rows >= 2).astype(int)]
    for number, column in enumerate(columns):
        sides = {0: "w", 1: "w", 2: "we"}.get(column, "e")
        mixed = np.mean([slow[names[number] + side] for side in sides], axis=0)
        np.testing.assert_allclose(ds.target[number], mixed, atol=1e-6)
    known = gpd.GeoSeries(own.quarters).set_crs(crs).to_crs(_equal_area(ds)).area / 1e6
    areas = ds.llp.divisions()["area_km2"]
    np.testing.assert_allclose(areas, known[areas.index], rtol=0, atol=1e-6)
    width = ds.bounds[:, 2] - ds.bounds[:, 0]
    assert (width > 0).all()
    assert (width < 0.01).all()


def _equal_area(ds: xr.Dataset) -> str:
    across = float(ds.bounds[:, 2].max()) > 180
    return "+proj=cea +lat_ts=30 +lon_0=180 +datum=WGS84" if across else "EPSG:6933"


def test_the_antimeridian_is_crossed(tmp_path: Path) -> None:
    own = OwnRegion(tmp_path, *PLACES["the antimeridian"])
    ds = _open(build_region(own.recipe())[0], tmp_path / "store")
    bounds = ds["bounds"].to_numpy()
    assert bounds[:, 0].min() < 180 < bounds[:, 2].max()
    np.testing.assert_allclose(ds["overlap_area"].sum(), 0.3, rtol=5e-3)


def test_outlines_of_every_shape(own: OwnRegion, tmp_path: Path) -> None:
    """A hole with an island, parts apart, a sliver of 1 m, an edge that only touches."""
    ring = own.box(0, 0, 3, 3) - own.box(1, 1, 2, 2)
    outlines = {
        "ring": ring,
        "island": own.box(1, 1, 2, 2),
        "parts": own.box(3.2, 0.1, 4, 0.8) | own.box(4.5, 2, 5.25, 2.5),
        "sliver": own.box(0, 3, 3, 3.01),
        "diamond": shapely.affinity.rotate(own.box(3.5, 3.5, 4.5, 4.5), 30),
    }
    region, _remarks = build_region(own.recipe(outlines))
    ds = _open(region, tmp_path / "store")
    for key, outline in outlines.items():
        found = ds["division_proportions"].sel(division=key)
        np.testing.assert_allclose(found, _slow_shares(own, outline), atol=1e-6)
    table = ds.llp.overlaps()
    scale = ds.llp.divisions()["area_km2"]["island"] / 0.01  # of the projection's plane
    rows, columns = (np.floor(n).astype(int) for n in region.grid.cells(ds.lon, ds.lat))
    squares = {
        chip: own.box(column, row, column + 1, row + 1)
        for chip, row, column in zip(ds.chip.values, rows, columns, strict=True)
    }
    expected = {
        (chip, key): square.intersection(outline).area / 1e6 * scale
        for chip, square in squares.items()
        for key, outline in outlines.items()
        if square.intersection(outline).area > 0
    }
    found = {(row.chip, row.division): row.area_km2 for row in table.itertuples()}
    assert found == pytest.approx(expected, abs=1e-6)
    touched_only = own.box(5, 4, 6, 5)
    assert not any(square.equals(touched_only) for square in squares.values())


corners = st.tuples(st.floats(0.3, 1.0), st.floats(0, 1))


@settings(max_examples=25)
@given(st.lists(corners, min_size=3, max_size=9), st.floats(2, 8), st.floats(2, 8))
def test_shares_are_those_of_a_slow_loop(
    tmp_path_factory: pytest.TempPathFactory,
    shape: list[tuple[float, float]],
    x: float,
    y: float,
) -> None:
    """Star-shaped outlines, also partly beyond the raster."""
    folder = tmp_path_factory.mktemp("stars")
    own = OwnRegion(folder, columns=1, rows=1)
    angles = 2 * np.pi * np.cumsum([0.05 + turn for _, turn in shape])
    angles /= max(1.0, angles[-1] / (2 * np.pi) * 1.01)
    reach = np.array([30 * radius for radius, _ in shape])
    points = np.stack([np.cos(angles) * reach + 10 * x, np.sin(angles) * reach + 10 * y], axis=1)
    outline = shapely.make_valid(shapely.Polygon(points + np.array([own.west, own.north - 100])))
    if outline.area < 1:
        return
    divisions = gpd.GeoDataFrame({"name": ["star"]}, geometry=[outline], crs=own.crs)
    grid = ChipGrid(own.crs, own.west, own.north, 100.0, 100.0)
    files = inspect_rasters([own.write_label()])
    shares, remarks = shares_from_labels(files, find_legend("esa-worldcover"), divisions, grid)
    np.testing.assert_allclose(shares[0], _slow_shares(own, outline), atol=1e-6)
    inside = shapely.covered_by(outline, own.box(0, 0, 1, 1))
    assert inside or remarks or _inside(own, outline).sum() > 0.98 * outline.area


def test_shares_in_degrees_weigh_pixels_by_their_area(tmp_path: Path) -> None:
    """Two halves of 5 degrees: the southern one is larger by the sines of the latitudes."""
    label = CODES[np.repeat([[1], [4]], [50, 50], axis=0).repeat(10, axis=1)].astype(np.uint8)
    file = write_raster(tmp_path / "label.tif", label[None], north_up(3, 60, 0.1), "EPSG:4326")
    outline = gpd.GeoDataFrame({"name": ["d"]}, geometry=[shapely.box(3, 50, 4, 60)], crs=4326)
    grid = ChipGrid("EPSG:4326", 3, 60, 1, 1)
    found, _remarks = shares_from_labels(
        inspect_rasters([file]), find_legend("esa-worldcover"), outline, grid
    )
    south, middle, north = np.sin(np.radians([50, 55, 60]))
    expected = (north - middle) / (north - south)
    np.testing.assert_allclose(found[0, [1, 4]], [expected, 1 - expected], atol=1e-6)


# Rasters of every kind


def test_a_rotated_raster_gives_the_same_pixels(own: OwnRegion, tmp_path: Path) -> None:
    """Turned by a quarter: rows run from south to north, columns from west to east."""
    straight, _ = build_region(own.recipe())
    turned = Affine(0, 1, own.west, -1, 0, own.north)
    paths = {
        "images": [own.write_image(own.image.swapaxes(1, 2), "turned.tif", transform=turned)],
        "labels": [own.write_label(CODES[own.label].T, "turned-label.tif", transform=turned)],
    }
    rotated, _ = build_region(own.recipe(**paths, crs=own.crs))
    chips = list(straight.chips.index)
    assert list(rotated.chips.index) == chips
    expected, found = straight.read(chips), rotated.read(chips)
    np.testing.assert_array_equal(found.label, expected.label)
    np.testing.assert_array_equal(found.image, expected.image)
    np.testing.assert_allclose(
        rotated.division_proportions, straight.division_proportions, atol=1e-6
    )


def test_tiles_are_one_raster(own: OwnRegion) -> None:
    whole, _ = build_region(own.recipe())
    tiles: dict[str, list[Path]] = {"images": [], "labels": []}
    for number, (left, right) in enumerate([(0, 230), (200, 450), (450, 600)]):
        options = {"transform": north_up(own.west + left, own.north, 1)}
        part = slice(left, right)
        tiles["images"].append(own.write_image(own.image[..., part], f"i{number}.tif", **options))
        label = CODES[own.label][:, part]
        tiles["labels"].append(own.write_label(label, f"l{number}.tif", **options))
    tiled, _ = build_region(own.recipe(**tiles))
    chips = list(whole.chips.index)
    assert list(tiled.chips.index) == chips
    for name in ("image", "label"):
        np.testing.assert_array_equal(
            getattr(tiled.read(chips), name), getattr(whole.read(chips), name)
        )
    np.testing.assert_allclose(tiled.division_proportions, whole.division_proportions, atol=1e-6)


def test_finer_imagery_is_averaged_and_classes_are_not(own: OwnRegion) -> None:
    fine = {"transform": north_up(own.west, own.north, 0.5)}
    pixels = np.random.default_rng(3).integers(0, 256, (3, 1000, 1200), dtype=np.uint8)
    codes = CODES[own.label].repeat(2, axis=0).repeat(2, axis=1)
    region, _ = build_region(
        own.recipe(
            images=[own.write_image(pixels, "fine.tif", **fine)],
            labels=[own.write_label(codes, "fine-label.tif", **fine)],
            crs=own.crs,
        )
    )
    chips = region.chips.index[:6]
    found = region.read(list(chips))
    means = pixels.reshape(3, 500, 2, 600, 2).mean(axis=(2, 4))
    for number, chip in enumerate(chips):
        row, column = own.corners(region)[chip]
        here = (slice(row, row + 100), slice(column, column + 100))
        expected = np.moveaxis(means, 0, -1)[here]
        assert np.abs(found.image[number] - expected).max() <= 0.5  # rounding
        np.testing.assert_array_equal(found.label[number], own.label[here])


def test_degrees_become_utm(tmp_path: Path) -> None:
    """Chips of 1 km stand on full kilometres; the colour of a place is that of the file."""
    west, north, step = -74.5, -9.0, 0.0001
    row, column = np.mgrid[:700, :700]
    image = np.stack([column // 3, row // 3, np.full_like(row, 9)]).astype(np.uint8)
    label = np.where(column < 350, 10, 40).astype(np.uint8)
    transform = north_up(west, north, step)
    divisions = [shapely.box(west + 0.01 * n, -9.07, west + 0.01 * (n + 1), -9) for n in range(7)]
    recipe = Recipe(
        [write_raster(tmp_path / "image.tif", image, transform, "EPSG:4326")],
        [write_raster(tmp_path / "label.tif", label[None], transform, "EPSG:4326")],
        write_divisions(tmp_path / "d.geojson", gpd.GeoDataFrame(geometry=divisions, crs=4326)),
    )
    region, remarks = build_region(recipe)
    assert region.grid is not None
    assert region.grid.crs == "EPSG:32718"
    assert (region.grid.west % 1000, region.grid.north % 1000) == (0, 0)
    assert any("numbered from 1" in remark for remark in remarks)
    ds = _open(region, tmp_path / "store")
    assert set(np.unique(ds["label"])) == {1, 4}
    middle = ds["image"].isel(y=50, x=50).to_numpy().astype(int)
    there = [(ds.lon - west) / step / 3, (north - ds.lat) / step / 3]
    assert np.abs(middle[:, 0] - there[0].to_numpy()).max() < 2
    assert np.abs(middle[:, 1] - there[1].to_numpy()).max() < 2
    assert np.isfinite(ds["division_proportions"]).all()


@pytest.mark.parametrize(
    ("longitude", "latitude", "zone"),
    [(3, 50, 32631), (5.999, 50, 32631), (6, -1, 32732), (180, 5, 32601), (-180, 5, 32601)],
)
def test_utm_zones(longitude: float, latitude: float, zone: int) -> None:
    assert utm_zone(longitude, latitude) == f"EPSG:{zone}"


def test_chips_with_missing_pixels_are_left_out(own: OwnRegion, tmp_path: Path) -> None:
    """Of the 100 x 100 pixels of a chip 100 may be missing; they are black."""
    image = np.maximum(own.image, 1)
    image[:, 0:10, 0:10] = 0
    image[:, 100:111, 100:110] = 0
    path = own.write_image(image, nodata=0)
    region, remarks = build_region(own.recipe(images=[path]))
    assert len(region.chips) == 29
    assert any(remark.startswith("1 chips at the edge") for remark in remarks)
    (corner,) = [chip for chip, place in own.corners(region).items() if place == (0, 0)]
    pixels = region.read([corner]).image[0]
    assert (pixels[:10, :10] == 0).all()
    np.testing.assert_array_equal(pixels[10:], np.moveaxis(image, 0, -1)[10:100, :100])


def test_pixels_without_a_label_are_255(own: OwnRegion, tmp_path: Path) -> None:
    codes = CODES[own.label]
    codes[:50, :50] = 7
    region, _ = build_region(own.recipe(labels=[own.write_label(codes, nodata=7)]))
    ds = _open(region, tmp_path / "store")
    assert int((ds["label"] == 255).sum()) == 2500
    assert np.isfinite(ds["chip_proportions"]).all()


@pytest.mark.parametrize(
    ("dtype", "high", "scale"),
    [("uint16", 3000, None), ("float32", 0.3, None), ("int16", 1000, (0.0, 1000.0))],
)
def test_other_types_are_stretched(
    own: OwnRegion, dtype: str, high: float, scale: tuple[float, float] | None
) -> None:
    values = (own.image.astype(np.float64) / 255 * high).astype(dtype)
    region, remarks = build_region(own.recipe(images=[own.write_image(values)], scale=scale))
    assert any(remark == f"image values 0 to {high:g} became 0 to 255" for remark in remarks)
    chips = list(region.chips.index)
    found = region.read(chips).image.astype(int)
    for number, (row, column) in enumerate(own.corners(region).values()):
        here = (slice(None), slice(row, row + 100), slice(column, column + 100))
        assert np.abs(found[number] - np.moveaxis(own.image[here], 0, -1)).max() <= 1


def test_a_region_without_labels_has_none(own: OwnRegion, tmp_path: Path) -> None:
    table = tmp_path / "shares.csv"
    table.write_text("code,forest,fields\nnw,0.25,0.75\nne,1,0\nsw,0.5,0.5\nse,0.1,0.9\n")
    region, _ = build_region(own.recipe(labels=(), shares=table, division_id="code"))
    ds = _open(region, tmp_path / "store")
    assert ds["category_name"].values.tolist() == ["forest", "fields"]
    assert (ds["label"] == 255).all()
    assert np.isnan(ds["chip_proportions"]).all()
    known = ds["division_proportions"].sel(division=["nw", "ne", "sw", "se"])
    np.testing.assert_allclose(known, [[0.25, 0.75], [1, 0], [0.5, 0.5], [0.1, 0.9]])


# Splits


def _many(own: OwnRegion) -> dict[str, Any]:
    boxes = {
        (c, r): own.box(c, r, c + 1, r + 1) for c in range(own.columns) for r in range(own.rows)
    }
    return {f"{column}-{row}": box for (column, row), box in boxes.items()}


@pytest.mark.parametrize("kind", ["bands", "folds"])
@pytest.mark.parametrize("fold", range(4))
def test_no_split_is_empty(own: OwnRegion, kind: Any, fold: int) -> None:
    splitting = Splitting(kind, folds=4, fold=fold)
    region, _ = build_region(own.recipe(_many(own), splitting=splitting))
    assert len(region.chips) == 30
    for column in ("split", "split_chip"):
        assert set(region.chips[column]) == set(SPLITS)


@pytest.mark.parametrize("fold", range(4))
def test_no_fold_is_empty_beside_a_division_of_most_chips(own: OwnRegion, fold: int) -> None:
    # 40 of 45 chips, more than half, lie in the westernmost of four divisions.
    own = replace(own, columns=9)
    outlines = {
        "heavy": own.box(0, 0, 8, 5),
        "north": own.box(8, 0, 9, 2),
        "middle": own.box(8, 2, 9, 4),
        "south": own.box(8, 4, 9, 5),
    }
    splitting = Splitting("folds", folds=4, fold=fold)
    region, _ = build_region(own.recipe(outlines, splitting=splitting))
    assert set(region.chips["split"]) == set(SPLITS)


def test_a_buffer_keeps_splits_apart(own: OwnRegion) -> None:
    own = replace(own, columns=9, rows=8)
    splitting = Splitting("folds", folds=4, buffer_km=0.1)
    region, remarks = build_region(own.recipe(_many(own), splitting=splitting))
    assert any("chips in the buffer" in remark for remark in remarks)
    assert region.grid is not None
    centre = region.chips.to_crs(region.grid.crs).centroid
    split = region.chips["split"].to_numpy()
    for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
        first, second = centre[split == one], centre[split == other]
        nearest = min(first.distance(point).min() for point in second)
        assert nearest > 100 + 1e-3


# Memory

_BIG = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from peak_memory import peak_kb
from llpbench.data.building import Recipe, build_region
from llpbench.data.store import write_store
folder = Path(sys.argv[1])
start = peak_kb()
region, _ = build_region(
    Recipe([folder / "image.tif"], [folder / "label.tif"], folder / "d.geojson")
)
write_store(region, folder / "store", name="big", title="", licence="", attribution="", threads=2)
print(len(region.chips), peak_kb() - start)
"""


@pytest.mark.full
def test_memory_is_bounded(tmp_path: Path) -> None:
    """Image and labels of 20,000 x 20,000 pixels are 1.6 GB; less than half of that must do."""
    import rasterio

    shape = {"height": 20_000, "width": 20_000, "tiled": True, "sparse_ok": True}
    place = {"transform": north_up(500_000, 5_700_000, 10), "crs": "EPSG:32631"}
    rng = np.random.default_rng(0)
    for name, count in (("image", 3), ("label", 1)):
        options = {"count": count, "dtype": "uint8", "driver": "GTiff", **shape, **place}
        with rasterio.open(tmp_path / f"{name}.tif", "w", **options) as file:
            for row in range(0, 20_000, 4_000):  # elsewhere it is 0
                noise = rng.integers(1, 6, (count, 256, 20_000), dtype=np.uint8) * 10
                file.write(noise, window=((row, row + 256), (0, 20_000)))
    squares = [
        shapely.box(x, y, x + 20_000, y + 20_000)
        for x in range(500_000, 700_000, 20_000)
        for y in range(5_500_000, 5_700_000, 20_000)
    ]
    divisions = gpd.GeoDataFrame(geometry=squares, crs="EPSG:32631").to_crs(4326)
    write_divisions(tmp_path / "d.geojson", divisions)
    done = subprocess.run(
        [sys.executable, "-P", "-c", _BIG, str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    chips, kilobytes = map(int, done.stdout.split())
    assert chips == 40_000
    assert kilobytes < 700_000
