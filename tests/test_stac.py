"""A dataset as a STAC collection and item, by the schemas that pystac brings.

Those of extensions are not in it: their fields are compared with what their pages say.
"""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import xarray as xr
from click.testing import CliRunner
from items import Series
from own_builds import call
from own_region import OwnRegion
from pyproj import Transformer

import llpbench
from llpbench.cli import cli
from llpbench.errors import LLPBenchError

pytestmark = [
    pytest.mark.usefixtures("no_pictures", "outlines_read_here"),
    pytest.mark.filterwarnings("ignore:jsonschema.RefResolver:DeprecationWarning"),
]


@pytest.fixture
def own(tmp_path: Path) -> OwnRegion:
    return OwnRegion(tmp_path, rows=3, columns=4)


def schemas() -> dict[str, Any]:
    """By their addresses; that of common.json is written wrong in it."""
    folder = resources.files("pystac") / "validation" / "jsonschemas"
    files = [*(folder / "geojson").iterdir(), *(folder / "stac-spec" / "v1.1.0").iterdir()]
    found = [json.loads(file.read_text("utf-8")) for file in files]
    return {
        f"{schema['$id'].rpartition('/')[0]}/{file.name}": schema
        for file, schema in zip(files, found, strict=True)
    }


def check(content: Any, kind: str) -> None:
    """Validate by the schema of an item or a collection, without a network."""
    jsonschema = pytest.importorskip("jsonschema")
    pytest.importorskip("pystac")
    known = schemas()
    (schema,) = (known[name] for name in known if name.endswith(f"/{kind}.json"))
    resolver = jsonschema.RefResolver(schema["$id"], schema, store=known)
    jsonschema.Draft7Validator(schema, resolver=resolver).validate(content)


def write(dataset: str, folder: Path, *options: str) -> tuple[Any, Any]:
    done = CliRunner().invoke(cli, ["stac", dataset, "-o", str(folder), *options])
    if done.exception is not None:
        raise done.exception
    names = ("item.json", "collection.json")
    item, collection = (json.loads((folder / name).read_text("utf-8")) for name in names)
    return item, collection


def built(own: OwnRegion) -> xr.Dataset:
    done = call(own, "--stac", Series(own, 3).write(), "--bands", "red,green")
    assert done.exit_code == 0, done.output
    return llpbench.open_dataset("mine")


def test_item_and_collection_are_valid(own: OwnRegion, tmp_path: Path) -> None:
    ds = built(own)
    item, collection = write("mine", tmp_path / "stac")
    check(item, "item")
    check(collection, "collection")
    with pytest.raises(Exception, match="is a required property"):
        check({**item, "links": [{}]}, "item")
    said = item["properties"]
    assert (said["start_datetime"], said["end_datetime"]) == (
        "2023-06-01T00:00:00Z",
        "2023-06-03T23:59:59Z",
    )
    assert collection["extent"]["temporal"]["interval"] == [
        [said["start_datetime"], said["end_datetime"]]
    ]
    assert said["proj:code"] == "EPSG:32631"
    assert said["llpbench:digest"] == ds.llp.info.digest
    assert said["llpbench:chips"] == ds.sizes["chip"] == 12
    for asset in item["assets"].values():
        assert (tmp_path / "stac" / asset["href"]).exists()
    bands = item["assets"]["image"]["bands"]
    assert [band["eo:common_name"] for band in bands] == ["red", "green"]
    classes = item["assets"]["label"]["classification:classes"]
    assert [one["title"] for one in classes] == [one.name for one in ds.llp.label_set.classes]
    for one in classes:  # as the pattern of the extension's schema has it
        assert re.fullmatch(r"[0-9A-Za-z\-_]+", one["name"])
        assert re.fullmatch(r"[0-9A-F]{6}", one["color_hint"])
    for link in [*item["links"], *collection["links"]]:
        assert (tmp_path / "stac" / link["href"]).is_file()


def test_the_footprint_is_what_chips_cover(own: OwnRegion, tmp_path: Path) -> None:
    ds = built(own)
    item, _ = write("mine", tmp_path / "stac")
    footprint = shapely.geometry.shape(item["geometry"])
    chips = shapely.box(*ds["bounds"].to_numpy().T)
    covered = shapely.intersection(chips, footprint).tolist()
    assert all(part.area / chip.area > 0.9 for part, chip in zip(covered, chips, strict=True))
    assert footprint.area <= 1.1 * shapely.union_all(chips).area
    np.testing.assert_allclose(item["bbox"], shapely.union_all(chips).bounds, atol=1e-6)


def test_a_region_across_the_antimeridian_is_cut(tmp_path: Path) -> None:
    """RFC 7946: parts on both sides, and a box whose west is greater than its east."""
    x, _ = Transformer.from_crs(4326, 32760, always_xy=True).transform(180, -18)
    west = 100 * round(x / 100) - 200.0
    own = OwnRegion(tmp_path, west=west, north=8_010_000, crs="EPSG:32760", rows=3, columns=4)
    done = call(own, "--stac", Series(own, 1).write())
    assert done.exit_code == 0, done.output
    item, _ = write("mine", tmp_path / "stac")
    check(item, "item")
    west, _south, east, _north = item["bbox"]
    assert west > 179.9
    assert east < -179.9
    parts = shapely.get_parts(shapely.geometry.shape(item["geometry"]))
    sides = sorted(np.sign(part.bounds[0]) for part in parts)
    assert sides == [-1, 1]


def test_days_are_asked_for_where_nobody_knows_them(own: OwnRegion, tmp_path: Path) -> None:
    assert call(own, "--image", own.write_image()).exit_code == 0
    with pytest.raises(LLPBenchError, match="mine does not know of when its imagery is"):
        write("mine", tmp_path / "stac")
    days = ("2023-04-01", "2023-09-30")
    item, _ = write("mine", tmp_path / "stac", "--days", *days)
    check(item, "item")
    assert item["properties"]["end_datetime"] == "2023-09-30T23:59:59Z"
    done = CliRunner().invoke(cli, ["stac", "mine", "-o", str(tmp_path), "--days", *days[::-1]])
    assert "2023-09-30 is after 2023-04-01" in done.output
    done = CliRunner().invoke(cli, ["stac", "mine", "-o", str(tmp_path), "--days", "x", "y"])
    assert "are not days such as 2023-04-01" in done.output
