"""What every STAC file of llpbench has in common: items, collections, and when imagery is of.

STAC 1.1.0 (https://github.com/radiantearth/stac-spec/tree/v1.1.0).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llpbench.writing import replace_text

if TYPE_CHECKING:
    from shapely import Geometry

    from llpbench.data.info import DatasetInfo

COLLECTION = "collection.json"
IMAGES_OF = ("2020-01-01", "2020-12-31")
"""First and last day of what the published imagery is the median of."""

_VERSION = "1.1.0"


def imagery_days(info: DatasetInfo) -> tuple[str, str] | None:
    """First and last day of the imagery, by its recipe or its publication, where it is known."""
    composite = info.recipe and info.recipe.composite
    if composite and composite.first:
        return composite.first, composite.last
    embedding = info.recipe and info.recipe.embedding
    if embedding and embedding.year:
        return f"{embedding.year}-01-01", f"{embedding.year}-12-31"
    return IMAGES_OF if info.doi else None


def between(first: str, last: str) -> dict[str, str | None]:
    """Properties of an item that say from which day to which it is."""
    return {
        "datetime": None,
        "start_datetime": f"{first}T00:00:00Z",
        "end_datetime": f"{last}T23:59:59Z",
    }


def make_item(
    name: str,
    collection: str,
    geometry: Geometry,
    bbox: Sequence[float],
    properties: Mapping[str, Any],
    assets: Mapping[str, Any],
    extensions: Sequence[str],
) -> dict[str, Any]:
    """Make an item that stands beside the collection it belongs to."""
    return {
        "type": "Feature",
        "stac_version": _VERSION,
        "stac_extensions": [*extensions],
        "id": name,
        "collection": collection,
        "geometry": geometry.__geo_interface__,
        "bbox": [*bbox],
        "properties": dict(properties),
        "assets": dict(assets),
        "links": [
            {"rel": rel, "href": f"./{COLLECTION}", "type": "application/json"}
            for rel in ("root", "parent", "collection")
        ],
    }


def make_collection(
    name: str,
    info: DatasetInfo,
    title: str,
    items: Mapping[str, dict[str, Any]],
    bbox: Sequence[float],
    **more: Any,
) -> dict[str, Any]:
    """Make the collection of items, by their files, which are of one time.

    Its licence and attribution are the dataset's.
    """
    said = next(iter(items.values()))["properties"]
    begin, end = (said.get(f"{side}_datetime") or said["datetime"] for side in ("start", "end"))
    is_spdx = bool(info.licence) and " " not in info.licence
    return {
        "type": "Collection",
        "stac_version": _VERSION,
        "stac_extensions": [],
        "id": name,
        "title": title,
        "description": f"{title}. {info.attribution}".strip(),
        "license": info.licence if is_spdx else "other",
        "extent": {"spatial": {"bbox": [[*bbox]]}, "temporal": {"interval": [[begin, end]]}},
        "links": [
            {"rel": "root", "href": f"./{COLLECTION}", "type": "application/json"},
            *(
                {"rel": "item", "href": f"./{file}", "type": "application/geo+json"}
                for file in items
            ),
        ],
        **more,
    }


def write_files(
    folder: Path, collection: Mapping[str, Any], items: Mapping[str, Mapping[str, Any]]
) -> list[Path]:
    """Write items, then their collection, beside what may be there."""
    for name, content in {**items, COLLECTION: collection}.items():
        replace_text(folder / name, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return [folder / name for name in (*items, COLLECTION)]
