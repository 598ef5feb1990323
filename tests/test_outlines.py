"""Outline files as people have them: their kinds, layers and letters, and what is mended.

Expected areas are those of the boxes that the outlines are made of.
"""

from __future__ import annotations

import json
import os
import sqlite3
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from own_region import OwnRegion, write_divisions
from shapely import GeometryCollection, LineString, MultiPolygon, Point, Polygon, box

from llpbench.data.building import build_region
from llpbench.data.building.coverage import check_coverage, overlapping_pairs
from llpbench.data.building.divisions import read_divisions
from llpbench.data.building.mending import count_crossings, mend_outlines
from llpbench.data.building.outline_file import dbf_encoding, read_file
from llpbench.data.building.outline_process import read_outlines
from llpbench.errors import BuildError, LLPBenchError, UnknownNameError

IDS = ["05001", "05002"]
NAMES = ["Cádiz", "Ñuñoa"]


def _two(**columns: Any) -> gpd.GeoDataFrame:
    boxes = [box(0, 0, 1, 1), box(1, 0, 2, 1)]
    return gpd.GeoDataFrame({"code": IDS, "name": NAMES, **columns}, geometry=boxes, crs=4326)


def _areas(table: gpd.GeoDataFrame) -> list[float]:
    return shapely.area(table.geometry.to_numpy()).tolist()


def _centres(table: gpd.GeoDataFrame) -> Any:
    return shapely.centroid(table.geometry.to_numpy())


@pytest.mark.parametrize(
    ("ending", "driver"),
    [
        ("gml", "GML"),
        ("kml", "LIBKML"),
        ("tab", "MapInfo File"),
        ("gdb", "OpenFileGDB"),
        ("fgb", "FlatGeobuf"),
        ("geojsonl", "GeoJSONSeq"),
        ("sqlite", "SQLite"),
        ("shp", "ESRI Shapefile"),
    ],
)
def test_any_file_of_outlines(ending: str, driver: str, tmp_path: Path) -> None:
    path = tmp_path / f"two.{ending}"
    _two().to_file(path, driver=driver)
    table, _ = read_file(path, None)
    table = table.sort_values("code")  # FlatGeobuf orders features by place
    assert list(table["code"]) == IDS
    assert NAMES in [list(table[name]) for name in table.columns]
    assert _areas(table) == pytest.approx([1, 1])


def test_geoparquet_says_which_column_is_its_geometry(tmp_path: Path) -> None:
    two = _two()
    two.rename_geometry("geom").to_parquet(tmp_path / "geom.parquet")
    centres = two.assign(centre=_centres(two))
    centres.set_geometry("centre", crs=4326).to_parquet(tmp_path / "centres.parquet")
    for name in ("geom.parquet", "centres.parquet"):
        table, _ = read_file(tmp_path / name, None)
        assert table.geometry.name == "geometry"
        assert _areas(table) == [1, 1]
    two.drop(columns="geometry").to_parquet(tmp_path / "plain.parquet")
    with pytest.raises(BuildError, match=r"plain\.parquet .* not GeoParquet"):
        read_file(tmp_path / "plain.parquet", None)


def test_layers(tmp_path: Path) -> None:
    path = tmp_path / "all.gpkg"
    two = _two()
    two.set_geometry(_centres(two), crs=4326).to_file(path, layer="towns")
    two.to_file(path, layer="communes")
    table, remarks = read_file(path, None)
    assert _areas(table) == [1, 1]
    assert "layer 'communes' of all.gpkg was taken" in remarks[0]
    two.dissolve().to_file(path, layer="provinces")
    with pytest.raises(BuildError, match="--layer: 'communes', 'provinces'"):
        read_file(path, None)
    assert len(read_file(path, "provinces")[0]) == 1
    with pytest.raises(LLPBenchError, match="no layer 'comunes'; did you mean 'communes'"):
        read_file(path, "comunes")


def test_zips_of_shapefiles(tmp_path: Path) -> None:
    _two().to_file(tmp_path / "two.shp")
    parts = [tmp_path / f"two.{ending}" for ending in ("shp", "shx", "dbf", "prj")]
    for name, chosen in (("whole.zip", parts), ("cut.zip", [parts[0], *parts[2:]])):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("__MACOSX/inside/._two.shp", b"resource fork")
            for part in chosen:
                archive.write(part, f"inside/{part.name}")
    table, remarks = read_file(tmp_path / "whole.zip", None)
    assert (list(table["code"]), list(table["name"])) == (IDS, NAMES)
    assert remarks == [
        "two.shp does not say rightly how its letters are encoded; they were read as UTF-8"
    ]
    with pytest.raises(BuildError, match=r"two\.shp lacks its \.shx"):
        read_file(tmp_path / "cut.zip", None)


@pytest.mark.parametrize("stated", [None, "UTF-8", "ISO-8859-1"])
@pytest.mark.parametrize("encoding", ["UTF-8", "ISO-8859-1"])
def test_letters_of_shapefiles(encoding: str, stated: str | None, tmp_path: Path) -> None:
    """What a .cpg says of another single-byte encoding is believed: that cannot be told."""
    said = {("UTF-8", None), ("ISO-8859-1", None), ("ISO-8859-1", "UTF-8")}
    path = tmp_path / "two.shp"
    _two().to_file(path, encoding=encoding)
    path.with_suffix(".cpg").unlink()
    if stated:
        path.with_suffix(".cpg").write_text(stated)
    table, remarks = read_file(path, None)
    lied = (encoding, stated) == ("UTF-8", "ISO-8859-1")
    seen = [name.encode().decode("latin-1") for name in NAMES] if lied else NAMES
    assert list(table["name"]) == seen
    assert bool(remarks) == ((encoding, stated) in said)


@given(st.text(st.characters(min_codepoint=0xA0, max_codepoint=0x24F), min_size=1))
def test_utf8_is_told_from_single_bytes(text: str) -> None:
    header = bytes(8) + (32).to_bytes(2, "little") + bytes(22)
    assert dbf_encoding(header + text.encode("utf-8"), "") == "UTF-8"
    assert dbf_encoding(header + text.encode("utf-8"), "UTF-8") is None


def test_the_id_of_a_feature_is_a_column(tmp_path: Path) -> None:
    """GeoJSON has it beside the properties; where it only counts the features it is none."""
    path = tmp_path / "x.geojson"
    for first, has_ids in ((12001, True), (0, False), (1, False)):
        features = json.loads(_two().drop(columns=["code", "name"]).to_json())
        for number, feature in enumerate(features["features"]):
            feature["id"] = first + number
        path.write_text(json.dumps(features))
        table, _ = read_file(path, None)
        assert ("id" in table) == has_ids


# What outlines are mended to


@pytest.mark.parametrize(
    ("outline", "area", "found"),
    [
        (box(0, 0, 1, 2), 2, ""),
        (Polygon([(0, 0), (1, 0), (1, 1), (1, 9), (1, 1), (0, 1)]), 1, "mended"),
        (MultiPolygon([box(0, 0, 2, 2), box(0, 0, 1, 1)]), 4, "mended"),
        (MultiPolygon([box(0, 0, 2, 2), box(0, 0, 2, 2)]), 4, "mended"),
        (MultiPolygon([box(0, 0, 2, 2), box(1, 0, 3, 2)]), 6, "mended"),
        (Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), 0.5, "mended"),
        (Polygon(2 * [(0, 0), (2, 0), (2, 2), (0, 2)]), 4, "mended"),
        (GeometryCollection([box(0, 0, 1, 1), LineString([(0, 0), (5, 5)])]), 1, "parts"),
        (GeometryCollection([GeometryCollection([box(0, 0, 1, 1)]), box(4, 0, 5, 1)]), 2, "parts"),
        (GeometryCollection([box(0, 0, 2, 1), box(1, 0, 3, 1)]), 3, "mended"),
        (Polygon([(0, 0), (1, 1), (2, 2)]), 0, "no area"),
        (LineString([(0, 0), (1, 1)]), 0, "no area"),
        (Point(0, 0), 0, "point"),
        (Polygon(), 0, "nothing"),
        (Polygon([(0, 0), (1, 0), (np.inf, 1)]), None, "infinite"),
    ],
)
def test_area_stays_what_a_person_means(outline: Any, area: float | None, found: str) -> None:
    polygons, words = mend_outlines(np.array([outline, box(0, 0, 1, 1)]))
    assert words.tolist() == [found, ""]
    if area is not None:
        assert shapely.area(polygons[0]) == pytest.approx(area)
    if area:
        assert polygons[0].geom_type in ("Polygon", "MultiPolygon")
        assert polygons[0].is_valid


def test_crossings_are_counted_and_bounded() -> None:
    """A star of n points that skips n // 2 crosses each of its edges n - 3 times."""
    points = 101
    angles = 2 * np.pi * (points // 2) * np.arange(points) / points
    star = Polygon(np.stack([np.cos(angles), np.sin(angles)], axis=1))
    assert count_crossings(star) == points * (points - 3) // 2
    scribble = Polygon(np.random.default_rng(0).random((4000, 2)))
    with pytest.raises(BuildError, match=r"cross one another about .* times"):
        mend_outlines(np.array([scribble]))


def test_rows_of_one_division(tmp_path: Path) -> None:
    """Names stay where all rows share them; an outline that is there twice counts once."""
    rows = {
        "code": ["a", "b", "a", "b", "c", "d"],
        "name": ["A", "B", "A", "b", "C", "D"],
    }
    one = box(0, 0, 1, 1)
    outlines = [one, box(1, 0, 2, 1), one, box(2, 0, 3, 1), None, Point(5, 5)]
    path = tmp_path / "rows.parquet"
    gpd.GeoDataFrame(rows, geometry=outlines, crs=4326).to_parquet(path)
    divisions, remarks = read_divisions(path, None)
    assert list(divisions.index) == ["a", "b"]
    assert list(divisions["name"]) == ["A", "b"]
    assert _areas(divisions) == [1, 2]
    assert any("2 ids stand in several rows (1 of them are mere copies)" in r for r in remarks)
    assert any("2 rows of rows.parquet have no outline" in r and "'c', 'd'" in r for r in remarks)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["a", ""], "1 divisions have no 'code'; fill it in"),
        (["a", None], "1 divisions have no 'code'; fill it in"),
        (["a", "\u202ex"], r"at most 200 characters that print, but 'code' has .*u202ex"),
        (["a", "b" * 201], "at most 200 characters that print, but 'code' has 'bbb"),
    ],
)
def test_ids_that_no_dataset_could_hold(ids: list[Any], message: str, tmp_path: Path) -> None:
    """A dataset of them would be made, and called damaged when it is opened."""
    path = tmp_path / "ids.parquet"
    outlines = [box(0, 0, 1, 1), box(1, 0, 2, 1)]
    gpd.GeoDataFrame({"code": ids}, geometry=outlines, crs=4326).to_parquet(path)
    with pytest.raises(BuildError, match=message):
        read_divisions(path, None)


def test_columns_that_may_be_ids_are_named(tmp_path: Path) -> None:
    path = tmp_path / "ids.parquet"
    table = gpd.GeoDataFrame({"INS": ["7"]}, geometry=[box(0, 0, 1, 1)], crs=4326)
    table.to_parquet(path)
    _divisions, remarks = read_divisions(path, None)
    assert remarks[0].endswith("numbered from 1; --division-id names one of 'INS'")
    with pytest.raises(UnknownNameError, match=r"there is no column 'nr'; there are: INS$"):
        read_divisions(path, "nr")


# Over one another


def _plane(*boxes: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=list(boxes), index=list("abcdefg")[: len(boxes)], crs=32631)


def test_a_level_above_is_refused_and_slivers_are_not() -> None:
    parts = [box(0, 0, 10, 10), box(10, 0, 20, 10)]
    with pytest.raises(BuildError, match=r"over one another, .*: 'c' cover 'a', 'b'"):
        check_coverage(_plane(*parts, box(0, 0, 20, 10)))
    with pytest.raises(BuildError, match=r"'a' cover 'b'"):
        check_coverage(_plane(parts[0], parts[0]))
    assert check_coverage(_plane(parts[0], box(9.95, 0, 20, 10))) == []
    assert check_coverage(_plane(*parts)) == []
    town = check_coverage(_plane(box(0, 0, 10, 10), box(4, 4, 6, 6)))
    assert "1 pairs of them: 100% of 'b' in 'a'" in town[0]


@given(st.lists(st.tuples(*4 * [st.integers(0, 6)]), min_size=1, max_size=6))
def test_pairs_are_those_of_every_intersection(corners: list[Any]) -> None:
    """Against a slow loop."""
    boxes = [box(x, y, x + w + 1, y + h + 1) for x, y, w, h in corners]
    pairs = overlapping_pairs(_plane(*boxes).set_axis(range(len(boxes))))
    expected = {
        frozenset((i, j)): boxes[i].intersection(boxes[j]).area
        for i in range(len(boxes))
        for j in range(i)
        if boxes[i].intersection(boxes[j]).area > 0
    }
    found = {
        frozenset((row.larger, row.smaller)): row.part * boxes[row.smaller].area
        for row in pairs.itertuples()
    }
    assert found == pytest.approx(expected)


# Where they are


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g: g.set_crs(32631, allow_override=True), "coordinates seem to be degrees"),
        (lambda g: g.set_geometry(_swapped(g)), "if their coordinates were swapped"),
        (lambda g: g.translate(100, 0).to_frame("geometry"), "check both files"),
    ],
)
def test_what_went_wrong_where_nothing_overlaps(change: Any, message: str, tmp_path: Path) -> None:
    own = OwnRegion(tmp_path)
    path = tmp_path / "moved.parquet"
    change(own.divisions().to_crs(4326)).to_parquet(path)
    with pytest.raises(BuildError, match=f"do not overlap the image .*{message}"):
        build_region(own.recipe(divisions=path))


def _swapped(table: gpd.GeoDataFrame) -> gpd.GeoSeries:
    return gpd.GeoSeries(
        shapely.transform(table.geometry.to_numpy(), lambda c: c[:, ::-1]), crs=table.crs
    )


MOON = (
    'GEOGCRS["Moon",DATUM["Moon",ELLIPSOID["Moon",1737400,0]],CS[ellipsoidal,2],'
    'AXIS["latitude",north],AXIS["longitude",east],ANGLEUNIT["degree",0.0174532925199433]]'
)


@pytest.mark.parametrize(
    ("crs", "move", "message"),
    [
        (MOON, 0, "'Moon', cannot be taken to longitudes"),
        ('LOCAL_CS["site",UNIT["metre",1]]', 0, "'site', cannot be taken to longitudes"),
        (4326, 650_000, r"said to be degrees \(WGS 84\).*'05001', '05002' are none"),
        (4326, 95, "latitude seems to stand before longitude"),
    ],
)
def test_reference_systems_that_cannot_be(
    crs: Any, move: float, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "two.gpkg"
    two = _two().translate(0, move).to_frame("geometry").assign(code=IDS)
    two.set_crs(crs, allow_override=True).to_file(path)
    with pytest.raises(BuildError, match=message):
        read_divisions(path, None)


# Hostile files


def test_a_file_cannot_reach_others_nor_the_network(tmp_path: Path) -> None:
    """A virtual file under a harmless name; a reference system that is a link."""
    asked = []

    class Listening(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    two = _two()
    two.to_file(tmp_path / "two.fgb")
    virtual = tmp_path / "virtual.geojson"
    virtual.write_text(
        f"<OGRVRTDataSource><OGRVRTLayer name='two'><SrcDataSource>{tmp_path / 'two.fgb'}"
        "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    )
    with HTTPServer(("127.0.0.1", 0), Listening) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        link = {"href": f"http://127.0.0.1:{server.server_port}/crs", "type": "proj4"}
        features = {**json.loads(two.to_json()), "crs": {"type": "link", "properties": link}}
        linked = tmp_path / "linked.geojson"
        linked.write_text(json.dumps(features))
        with pytest.raises(BuildError, match=r"linked\.geojson names a coordinate reference"):
            read_outlines(linked, None)
        server.shutdown()
    assert asked == []
    with pytest.raises(BuildError, match=r"virtual\.geojson cannot be read"):
        read_outlines(virtual, None)


@pytest.mark.full
def test_memory_is_bounded(tmp_path: Path) -> None:
    """A view of 6 GB of zeros in a file of some kB; the layer beside it can be read."""
    path = tmp_path / "zeros.gpkg"
    _two().to_file(path, layer="two")
    blobs = ", ".join(f"zeroblob(1000000000) as {name}" for name in "abcdef")
    with sqlite3.connect(path) as base:
        base.execute(f"create view zeros as select 1 as fid, zeroblob(9) as geom, {blobs}")
        base.execute(
            "insert into gpkg_contents(table_name, data_type, identifier, srs_id) "
            "values('zeros', 'features', 'zeros', 4326)"
        )
        base.execute("insert into gpkg_geometry_columns values('zeros','geom','POLYGON',4326,0,0)")
    base.close()
    with pytest.raises(BuildError, match=r"zeros\.gpkg"):
        read_outlines(path, "zeros")
    assert len(read_outlines(path, "two")[0]) == 2


def test_too_many_columns_and_strange_files(tmp_path: Path) -> None:
    wide = tmp_path / "wide.geojson"
    properties = {f"p{n}": n for n in range(2000)}
    feature = {"type": "Feature", "properties": properties, "geometry": None}
    wide.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    with pytest.raises(BuildError, match="1 rows and 2,000 columns"):
        read_file(wide, None)
    os.mkfifo(tmp_path / "pipe.gpkg")
    with pytest.raises(BuildError, match=r"pipe\.gpkg. is no regular file"):
        read_file(tmp_path / "pipe.gpkg", None)
    with (tmp_path / "huge.gpkg").open("wb") as file:
        file.truncate(10**11)
    with pytest.raises(BuildError, match=r"huge\.gpkg holds 100\.0 GB"):
        read_file(tmp_path / "huge.gpkg", None)


def test_geojson_of_no_known_reference_system(tmp_path: Path) -> None:
    """GDAL takes it for degrees."""
    path = write_divisions(tmp_path / "x.geojson", _two())
    features = json.loads(path.read_text())
    features["crs"] = {"type": "name", "properties": {"name": "EPSG:99999"}}
    path.write_text(json.dumps(features))
    with pytest.raises(BuildError, match=r"is not known .*EPSG:99999"):
        read_file(path, None)
