"""The tiles of a map as a STAC collection: an item a tile, with the extension projection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llpbench.data.geometry import GEOGRAPHIC
from llpbench.data.stac import between, imagery_days, make_collection, make_item, write_files

if TYPE_CHECKING:
    import xarray as xr

    from llpbench.maps.tile import Tile

_PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
_COG = "image/tiff; application=geotiff; profile=cloud-optimized"


def write_stac(folder: Path, ds: xr.Dataset, tiles: Sequence[Tile], kinds: Sequence[str]) -> None:
    """Write a collection and an item a tile into the folder of the tiles.

    Their time is that of the imagery, where the dataset knows it, else that of writing.
    """
    info = ds.llp.info
    days = imagery_days(info)
    now = {"datetime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    times = now if days is None else between(*days)
    name = f"map-of-{info.name}"
    items = {f"{tile.name}.json": _item(name, tile, kinds, times) for tile in tiles}
    boxes = [item["bbox"] for item in items.values()]
    corners = [min, min, max, max]
    whole = [corner(box[side] for box in boxes) for side, corner in enumerate(corners)]
    title = f"Predicted class shares of {info.shown_name}"
    write_files(folder, make_collection(name, info, title, items, whole), items)


def _item(
    collection: str, tile: Tile, kinds: Sequence[str], times: Mapping[str, str | None]
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
    properties = {**times, **place, "llpbench:chips": len(tile.chips)}
    box = footprint.bounds
    return make_item(tile.name, collection, footprint, box, properties, assets, [_PROJECTION])
