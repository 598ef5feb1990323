"""The tiles of a map as a STAC collection: plain JSON, an item a tile.

STAC 1.1.0 (https://github.com/radiantearth/stac-spec/tree/v1.1.0) with the extension projection.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llpbench.data.geometry import GEOGRAPHIC

if TYPE_CHECKING:
    import xarray as xr

    from llpbench.maps.tile import Tile

COLLECTION = "collection.json"

_VERSION = "1.1.0"
_PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
_COG = "image/tiff; application=geotiff; profile=cloud-optimized"


def write_stac(folder: Path, ds: xr.Dataset, tiles: Sequence[Tile], kinds: Sequence[str]) -> None:
    """Write a collection and an item a tile into the folder of the tiles.

    Their time is that of the imagery, where the dataset knows it, else that of writing.
    """
    times = _times(ds)
    items = [_item(ds, tile, kinds, times) for tile in tiles]
    boxes = [item["bbox"] for item in items]
    corners = [min, min, max, max]
    whole = [corner(box[side] for box in boxes) for side, corner in enumerate(corners)]
    info = ds.llp.info
    begin, end = times.get("start_datetime"), times.get("end_datetime")
    collection = {
        "type": "Collection",
        "stac_version": _VERSION,
        "id": _collection_of(ds),
        "description": f"Predicted class shares of {info.shown_name}. {info.attribution}".strip(),
        "license": info.licence if info.licence and " " not in info.licence else "other",
        "extent": {
            "spatial": {"bbox": [whole]},
            "temporal": {"interval": [[begin or times["datetime"], end or times["datetime"]]]},
        },
        "links": [
            {"rel": "root", "href": f"./{COLLECTION}", "type": "application/json"},
            *(
                {"rel": "item", "href": f"./{item['id']}.json", "type": "application/geo+json"}
                for item in items
            ),
        ],
    }
    for name, content in [(COLLECTION, collection), *((f"{i['id']}.json", i) for i in items)]:
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        (folder / name).write_text(text, encoding="utf-8")


def _item(
    ds: xr.Dataset, tile: Tile, kinds: Sequence[str], times: dict[str, str | None]
) -> dict[str, Any]:
    import geopandas as gpd
    import shapely

    rows, columns = tile.cells.shape
    corners = tile.cells.grid.boxes([0, rows - 1], [0, columns - 1])
    square = gpd.GeoSeries([shapely.box(*shapely.total_bounds(corners))], crs=tile.cells.grid.crs)
    footprint = square.segmentize(square.length.max() / 40).to_crs(GEOGRAPHIC).iloc[0]
    code = square.crs.to_authority()
    assets = {
        kind: {"href": f"./{kind}-{tile.name}.tif", "type": _COG, "roles": ["data"]}
        for kind in kinds
    }
    assets["chips"] = {
        "href": f"./chips-{tile.name}.parquet",
        "type": "application/vnd.apache.parquet",
        "roles": ["data"],
    }
    place = {"proj:code": ":".join(code)} if code else {"proj:wkt2": square.crs.to_wkt()}
    return {
        "type": "Feature",
        "stac_version": _VERSION,
        "stac_extensions": [_PROJECTION],
        "id": tile.name,
        "collection": _collection_of(ds),
        "geometry": footprint.__geo_interface__,
        "bbox": list(footprint.bounds),
        "properties": {**times, **place, "llpbench:chips": len(tile.chips)},
        "assets": assets,
        "links": [
            {"rel": rel, "href": f"./{COLLECTION}", "type": "application/json"}
            for rel in ("root", "parent", "collection")
        ],
    }


def _collection_of(ds: xr.Dataset) -> str:
    return f"map-of-{ds.llp.info.name}"


def _times(ds: xr.Dataset) -> dict[str, str | None]:
    composite = ds.llp.info.recipe and ds.llp.info.recipe.composite
    if composite and composite.first:
        return {
            "datetime": None,
            "start_datetime": f"{composite.first}T00:00:00Z",
            "end_datetime": f"{composite.last}T23:59:59Z",
        }
    return {"datetime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
