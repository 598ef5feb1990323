"""Items of a STAC catalogue, as a search has found them: images, and where their files lie.

STAC Item specification 1.0 and 1.1, with the extensions ``eo`` and ``raster`` of either.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from llpbench.data.building.raster_file import Box
from llpbench.errors import BuildError, examples, printable
from llpbench.reading import read_json

LARGEST = 2**27
"""Bytes of a list of items that are read."""

MOST_ITEMS = 10_000

_LONGEST_ID = 200


@dataclass(frozen=True)
class Item:
    """An image of a catalogue.

    Parameters
    ----------
    day : str
        When it was taken, as ``2023-06-01``; empty where the item does not say it.
    box : (float, float, float, float) or None
        West, south, east and north in degrees; None where the item does not say it.
    assets : mapping of str to mapping
        By name, what is said of each file.
    content : mapping
        All that the item says.
    """

    id: str
    day: str
    box: Box | None
    assets: Mapping[str, Mapping[str, Any]]
    content: Mapping[str, Any]


@dataclass(frozen=True)
class ItemList:
    """Items, where the list lies (a file, or an address), and whether it is but a part of one."""

    items: Sequence[Item]
    source: Path | str
    has_more: bool


def name_of(source: str) -> str:
    """What a list of items is called, without what follows a question mark.

    Examples
    --------
    >>> name_of("https://catalogue.example/items.json?key=secret")
    'items.json'
    """
    return printable(source.partition("?")[0].rstrip("/").rpartition("/")[2])


def read_items(source: str) -> ItemList:
    """Read a list of items, or a single one, of a file or of an address on the web.

    Parameters
    ----------
    source : str
        A path, or an address that begins with ``https://`` (``http://``).

    Raises
    ------
    BuildError
        If it is no list of items, or larger than 128 MB or 10,000 items.
    DownloadError
        If the address does not give it.
    """
    is_remote = source.startswith(("https://", "http://"))
    content = _fetch(source) if is_remote else read_json(Path(source), LARGEST, BuildError)
    name = name_of(source)
    features = [content] if _says(content, "Feature") else None
    if _says(content, "FeatureCollection"):
        features = content.get("features")
    if not isinstance(features, list) or not features:
        raise BuildError(
            f"{name} is no list of STAC items: expected a FeatureCollection with features, "
            "as a search returns it"
        )
    if len(features) > MOST_ITEMS:
        raise BuildError(
            f"{name} has {len(features):,} items, at most {MOST_ITEMS:,} are read; search "
            "for a smaller region or a shorter time"
        )
    items = [_read(feature, name) for feature in features]
    twice = [number for number, count in Counter(item.id for item in items).items() if count > 1]
    if twice:
        raise BuildError(f"{name} has items twice: {examples(twice)}; keep one of each")
    links = content.get("links")
    more = any(_says(link, "next", "rel") for link in links) if isinstance(links, list) else False
    return ItemList(items, source if is_remote else Path(source), more)


def as_object(value: Any) -> Mapping[str, Any]:
    """A value if it is an object of JSON, else an empty one."""
    return value if isinstance(value, dict) else {}


def is_number(value: Any) -> bool:
    """Whether a value of JSON is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _fetch(url: str) -> Any:
    """Read what an address gives, as often as it takes."""
    from llpbench.data.fetch.http import get
    from llpbench.data.fetch.retrying import insist

    def attempt() -> bytes:
        text = bytearray()
        with get(url) as response:
            for part in response.iter_content(2**18):
                text += part
                if len(text) > LARGEST:
                    raise BuildError(f"{url} gives more than {LARGEST} bytes; search for less")
        return bytes(text)

    try:
        return json.loads(insist(attempt))
    except (ValueError, RecursionError) as fault:
        raise BuildError(f"{url} does not give JSON ({fault})") from fault


def _says(value: Any, expected: str, key: str = "type") -> bool:
    return isinstance(value, dict) and value.get(key) == expected


def _read(feature: Any, name: str) -> Item:
    content = as_object(feature)
    number, assets = content.get("id"), content.get("assets")
    if not isinstance(number, str) or not 0 < len(number) <= _LONGEST_ID:
        raise BuildError(f"{name} has an item without an id of 1 to {_LONGEST_ID} letters")
    if not isinstance(assets, dict) or not assets:
        raise BuildError(f"item {number!r:.60} of {name} has no assets; give items with files")
    return Item(
        id=printable(number),
        day=_day(as_object(content.get("properties"))),
        box=_box(content.get("bbox")),
        assets={key: as_object(asset) for key, asset in assets.items()},
        content=content,
    )


def _day(properties: Mapping[str, Any]) -> str:
    for key in ("datetime", "start_datetime"):
        text = str(properties.get(key))[:10]
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            continue
    return ""


def _box(said: Any) -> Box | None:
    if not isinstance(said, list) or len(said) not in (4, 6) or not all(map(is_number, said)):
        return None
    half = len(said) // 2
    return (said[0], said[1], said[half], said[half + 1])
