"""What people bring: legends, tables, outlines and rasters, and what is wrong with them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from own_region import CODES, OwnRegion, north_up, write_divisions
from rasterio.errors import NotGeoreferencedWarning

from llpbench import catalog
from llpbench.catalog import NO_LABEL
from llpbench.data.building import Splitting, build_dataset, build_region
from llpbench.data.building.divisions import read_divisions
from llpbench.data.building.legends import find_legend, published, recognise
from llpbench.data.building.outline_process import read_outlines
from llpbench.data.building.stretch import Stretch
from llpbench.data.cache import cache_folder
from llpbench.errors import BuildError, LLPBenchError, UnknownNameError

pytestmark = pytest.mark.usefixtures("outlines_read_here")

TABLE = "code,tree,cropland,built-up,other,shrub-grass-bare\n"
ROWS = {key: f"{key},0.5,0.25,0.25,0,0\n" for key in ("nw", "ne", "sw", "se")}


def _table(own: OwnRegion, *rows: str, heading: str = TABLE) -> Path:
    path = own.folder / "shares.csv"
    path.write_text(heading + "".join(rows))
    return path


def _with_table(own: OwnRegion, *rows: str, heading: str = TABLE, **options: Any) -> Any:
    table = _table(own, *rows, heading=heading)
    return own.recipe(shares=table, division_id="code", legend="esa-worldcover", **options)


def _outlines(own: OwnRegion, **changes: Any) -> Path:
    divisions = own.divisions().to_crs(4326).assign(**changes)
    return write_divisions(own.folder / "other.geojson", divisions)


def _without_crs(own: OwnRegion) -> Path:
    path = own.folder / "nowhere.shp"
    own.divisions().to_file(path)
    path.with_suffix(".prj").unlink()
    return path


def _without_place(own: OwnRegion) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return own.write_image(transform=Affine.identity())


def _garbage(own: OwnRegion, name: str) -> Path:
    path = own.folder / name
    path.write_bytes(b"\x00garbage" * 100)
    return path


def _holes(own: OwnRegion) -> Any:
    codes = CODES[own.label]
    codes[7, 7] = 42
    return codes


def _far(own: OwnRegion) -> Affine:
    return north_up(own.west + 50_000, own.north, 1)


HOSTILE: dict[str, tuple[Callable[[OwnRegion], Any], str]] = {
    "no such image": (
        lambda own: own.recipe(images=[own.folder / "no.tif"]),
        "there is no raster",
    ),
    "an image that is none": (
        lambda own: own.recipe(images=[_garbage(own, "bad.tif")]),
        "bad.tif cannot be read as a raster",
    ),
    "no reference system": (
        lambda own: own.recipe(images=[own.write_image(crs=None)]),
        "image.tif does not say in which coordinate reference system",
    ),
    "no place": (
        lambda own: own.recipe(images=[_without_place(own)]),
        "image.tif does not say where on Earth",
    ),
    "a band too far": (
        lambda own: own.recipe(bands=(1, 2, 9)),
        "--bands names '9', which is none of the bands of image.tif: 3 bands without",
    ),
    "two kinds of images": (
        lambda own: own.recipe(
            images=[own.write_image(), own.write_image(own.image.astype("uint16"), "other.tif")]
        ),
        "images must store the same kind of values",
    ),
    "labels elsewhere": (
        lambda own: own.recipe(labels=[own.write_label(transform=_far(own))]),
        "the labels do not overlap the image",
    ),
    "a number without a class": (
        lambda own: own.recipe(labels=[own.write_label(_holes(own))], legend="esa-worldcover"),
        "holds 42, which the legend 'esa-worldcover' does not know",
    ),
    "an ambiguous legend": (
        lambda own: own.recipe(labels=[own.write_label(own.label)]),
        "may be corine, dynamic-world or esaworldcover: say which",
    ),
    "amounts without a legend": (
        lambda own: own.recipe(labels=[own.write_label(own.label + np.float32(0.5))]),
        "holds amounts, not classes",
    ),
    "an unknown legend": (
        lambda own: own.recipe(legend="corinne"),
        "no legend 'corinne'; did you mean 'corine'",
    ),
    "nothing to learn from": (lambda own: own.recipe(labels=()), "nothing to learn from"),
    "no such divisions": (
        lambda own: own.recipe(divisions=own.folder / "no.geojson"),
        "there are no divisions",
    ),
    "divisions that are none": (
        lambda own: own.recipe(divisions=_garbage(own, "bad.geojson")),
        "bad.geojson cannot be read as division outlines",
    ),
    "divisions without a reference system": (
        lambda own: own.recipe(divisions=_without_crs(own)),
        "nowhere.shp does not say in which coordinate reference system",
    ),
    "divisions elsewhere": (
        lambda own: own.recipe({"far": own.box(500, 0, 501, 1)}),
        "the divisions do not overlap the image",
    ),
    "a missing id": (
        lambda own: own.recipe(divisions=_outlines(own, code=["a", None, "b", "c"])),
        "1 divisions have no 'code'",
    ),
    "no such column": (
        lambda own: own.recipe(division_id="cod"),
        "no column 'cod'; did you mean 'code'",
    ),
    "a division without area": (
        lambda own: own.recipe({**own.quarters, "line": shapely.LineString([(0, 0), (1, 1)])}),
        "1 divisions are no areas: 'line'",
    ),
    "too few divisions": (
        lambda own: own.recipe({"one": own.box(0, 0, 3, 5), "two": own.box(3, 0, 6, 5)}),
        "need 3 divisions that own chips, found 2",
    ),
    "chips larger than the image": (lambda own: own.recipe(chip_km=5), "lies wholly in the image"),
    "chips of no size": (lambda own: own.recipe(chip_km=0), "must be more than 0"),
    "too many chips": (
        lambda own: own.recipe(chip_km=0.0004),
        "is too large, at most 1,000,000",
    ),
    "no such projection": (
        lambda own: own.recipe(crs="EPSG:99999999"),
        "no coordinate reference system 'EPSG:99999999'",
    ),
    "degrees for a projection": (
        lambda own: own.recipe(crs="EPSG:4326"),
        "'WGS 84' is not one",
    ),
    "a scale backwards": (lambda own: own.recipe(scale=(9, 1)), "a lower and a higher value"),
    "a wide buffer": (
        lambda own: own.recipe(splitting=Splitting("bands", buffer_km=1)),
        "leaves the split '[a-z]+' without chips",
    ),
    "no such table": (
        lambda own: own.recipe(shares=own.folder / "no.csv"),
        "no table of shares",
    ),
    "a table of one column": (lambda own: _with_table(own, heading="a\n1\n"), "at least one"),
    "shares that do not sum to 1": (
        lambda own: _with_table(own, "nw,0.5,0.5,0.5,0,0\n", ROWS["ne"], ROWS["sw"]),
        r"sum to 1, but those of 1 do not \(sums from 1.5 to 1.5\), such as 'nw'",
    ),
    "a negative share": (
        lambda own: _with_table(own, "nw,1.5,-0.5,0,0,0\n", ROWS["ne"], ROWS["sw"]),
        "must not be negative",
    ),
    "a share that is a word": (
        lambda own: _with_table(own, "nw,half,0.5,0,0,0\n", ROWS["ne"]),
        "column 'tree' must hold numbers, found 'half'",
    ),
    "a row that stands twice": (
        lambda own: _with_table(own, ROWS["nw"], ROWS["nw"]),
        "one row, but ids stand more than once: 'nw'",
    ),
    "other ids": (
        lambda own: _with_table(own, "x,1,0,0,0,0\n"),
        "no row for any division: its ids are 'x'",
    ),
    "columns of no class": (
        lambda own: _with_table(own, "nw,1,0\n", heading="code,wood,field\n"),
        "columns must be called like classes of 'esaworldcover'",
    ),
    "a mapping to no column": (
        lambda own: _with_table(own, ROWS["nw"], columns=[("tree", "forrest")]),
        "no column 'forrest'",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_wrong_is_said_in_one_sentence(
    case: str, own: OwnRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left in the cache, also where the fault shows only in the pixels."""
    make, expected = HOSTILE[case]
    if "such divisions" in case or "divisions that" in case:
        monkeypatch.setattr("llpbench.data.building.divisions.read_outlines", read_outlines)
    with pytest.raises(LLPBenchError, match=expected) as caught:
        build_dataset("mine", make(own))
    assert "\n" not in str(caught.value)
    assert not [path for path in cache_folder().glob("*") if path.is_dir()]


# Outlines


def test_crossed_outlines_are_repaired(own: OwnRegion, tmp_path: Path) -> None:
    """A bow tie of two triangles, 0.5 chips each."""
    left, top = own.west, own.north
    bow = shapely.Polygon(
        [(left, top), (left + 100, top - 100), (left + 100, top), (left, top - 100)]
    )
    region, remarks = build_region(own.recipe({"bow": bow, **own.quarters}))
    assert any("crossed or touched themselves and were repaired: 'bow'" in r for r in remarks)
    assert any("divisions lie over one another" in remark for remark in remarks)
    assert region.overlaps is not None
    area = region.overlaps.groupby("division")["area"].sum()
    assert area[0] == pytest.approx(0.005, rel=2e-3)  # the scale of UTM


@pytest.mark.parametrize("ending", ["gpkg", "shp", "parquet", "geojson"])
def test_ids_of_any_type_and_file(ending: str, own: OwnRegion) -> None:
    divisions = own.divisions().assign(code=[12001.0, 12002.0, 12003.0, 12004.0])
    path = own.folder / f"d.{ending}"
    if ending == "parquet":
        divisions.to_parquet(path)
    else:
        divisions.to_file(path)
    found, remarks = read_divisions(path, "code")
    assert list(found.index) == ["12001", "12002", "12003", "12004"]
    assert found["name"].tolist() == [f"Division {key}" for key in own.quarters]
    assert remarks == []


def test_outlines_are_kept_as_they_were_given(own: OwnRegion) -> None:
    recipe = own.recipe()
    region, _ = build_region(recipe)
    given_ = gpd.read_file(recipe.divisions).set_index("code").geometry
    for key, outline in region.divisions.geometry.items():
        assert outline.equals_exact(given_[key], 1e-12)


# Tables


def test_percentages_are_understood(own: OwnRegion) -> None:
    rows = [f"{key},50,25,25,0,0\n" for key in ROWS]
    region, remarks = build_region(_with_table(own, *rows))
    assert any("percentages" in remark for remark in remarks)
    names = [label_class.name for label_class in region.label_set.classes]
    shares = pd.DataFrame(region.division_proportions, columns=names)
    assert (shares["tree"] == 0.5).all()
    assert (shares["shrub-grass-bare"] == 0).all()
    assert set(np.unique(region.read(list(region.chips.index)).label)) == {0, 1, 2, 3, 4}


def test_columns_are_mapped_and_added(own: OwnRegion) -> None:
    heading = "region,forest,orchard,arable,code\n"
    rows = [f"x,0.25,0.25,0.5,{key}\n" for key in ("nw", "ne", "sw")]
    columns = [("tree", "forest"), ("tree", "orchard"), ("cropland", "arable")]
    pairs = [("tree cover", column) if c == "tree" else (c, column) for c, column in columns]
    recipe = _with_table(own, *rows, heading=heading, columns=pairs)
    region, remarks = build_region(recipe)
    assert any("no shares of 1 divisions, such as 'se'" in remark for remark in remarks)
    known = dict(zip(region.divisions.index, region.division_proportions, strict=True))
    assert (known["nw"][1], known["nw"][4]) == (0.5, 0.5)
    assert np.isnan(known["se"]).all()


# Legends


@pytest.mark.parametrize("name", [n for n, legend in published().items() if legend.codes])
def test_every_code_means_its_class(name: str) -> None:
    legend = find_legend(name)
    for number, codes in enumerate(legend.codes):
        np.testing.assert_array_equal(legend.classify(np.array(codes)), number)
    for code in legend.no_label:
        assert legend.classify(np.array([code]))[0] == NO_LABEL


def test_published_codes() -> None:
    """Codes and names from the products' own descriptions."""
    for name, code, expected in [
        ("esa-worldcover", 95, "mangroves"),
        ("esa-worldcover", 100, "moss and lichen"),
        ("dynamic-world", 6, "built"),
        ("corine", 312, "coniferous forest"),
        ("corine", 24, "coniferous forest"),
        ("corine", 44, "sea and ocean"),
        ("ghsl-smod", 30, "urban centre"),
    ]:
        legend = find_legend(name)
        number = legend.classify(np.array([code]))[0]
        assert legend.label_set.classes[number].name == expected


@given(st.sets(st.sampled_from([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100]), min_size=1))
def test_esa_codes_are_recognised(codes: set[int]) -> None:
    assert recognise(codes).name == "esa-worldcover"


def test_class_numbers_of_few_archives_are_put_last() -> None:
    """Other label sets of the catalog fit nearly any small numbers."""
    assert recognise(range(12)).name == "esaworldcover"
    assert recognise([0, 22, 30]).name == "humanpop"


@given(st.lists(st.floats(0, 400), min_size=1), st.sampled_from([100.0, 250.0, 1000.0]))
def test_people_in_cells_of_any_size(people: list[float], side: float) -> None:
    """Class k from 10 k - 9 people in 250 m, class 30 from 291; by a loop."""
    found = find_legend("ghsl").for_cells(side).classify(np.array(people) * (side / 250) ** 2)
    for count, number in zip(people, found, strict=True):
        starts = [0.0, *(10 * k - 9 for k in range(1, 31))]
        if min(abs(count - start) for start in starts) > 1e-6:
            assert number == sum(count >= start for start in starts) - 1


def test_a_legend_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        "no_label = [9]\n"
        'classes = [{name = "oak", codes = [1, 2], group = "forest"}, '
        '{name = "wheat", codes = [3], colour = "#ffcc00"}, '
        '{name = "pine", codes = [4], group = "forest"}]\n'
    )
    legend = find_legend(str(path))
    assert [(g.name, g.members) for g in legend.label_set.groups] == [
        ("forest", (0, 2)),
        ("wheat", (1,)),
    ]
    np.testing.assert_array_equal(legend.classify(np.array([1, 2, 3, 4, 9])), [0, 0, 1, 2, 255])
    grouped = legend.grouped()
    np.testing.assert_array_equal(grouped.classify(np.array([1, 3, 4, 9])), [0, 1, 0, 255])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("classes = [", "is no legend"),
        ("colour = 3", "Extra inputs are not permitted"),
        ('classes = [{name = "a", codes = []}]', "at least 1 item"),
        ('classes = [{name = "a", codes = [1]}, {name = "b", codes = [1]}]', "must stand once"),
        ('label_set = "esaworldcover"\ncodes = [[1]]', "each of 12 classes"),
        ('label_set = "nothing"', "no label set 'nothing'"),
    ],
)
def test_files_that_are_no_legend(text: str, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(BuildError, match=expected):
        find_legend(str(path))


def test_a_legend_that_does_not_exist() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'dynamic-world'"):
        find_legend("dynamicworld")
    assert set(catalog.load().label_sets) <= set(published())


def test_bytes_are_left_alone() -> None:
    values = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(Stretch(0, 255)(values), values)
    np.testing.assert_array_equal(
        Stretch(0, 0.3)(np.array([-1, 0, 0.15, 0.3, 2, np.nan])), [0, 0, 128, 255, 255, 0]
    )
