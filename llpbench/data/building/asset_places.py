"""Where the files of a catalogue's items lie: beside the list, or at addresses that are read.

A list may be a stranger's. What it names on this machine must lie in its own folder, as what a VRT
names must; of the network only files are read that begin as a GeoTIFF does, by ranges.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit

from llpbench.data.building.items import Item
from llpbench.data.building.opening import find_driver
from llpbench.errors import BuildError

GEOTIFF = "GTiff"
"""The one driver that reads assets."""

_REMOTE = ("https", "http", "s3")


def find_file(item: Item, asset: str, source: Path | str) -> Path:
    """Find the file of an asset, as GDAL opens it.

    Parameters
    ----------
    source : Path or str
        The list that has the item: a file, or an address on the web.

    Raises
    ------
    BuildError
        If it lies anywhere else, or is no GeoTIFF.
    """
    href = item.assets[asset].get("href")
    if not isinstance(href, str) or not href or not href.isprintable():
        raise BuildError(f"asset {asset!r:.60} of item {item.id!r} does not say where it lies")
    if isinstance(source, str):
        href = urljoin(source, href)
    scheme = urlsplit(href).scheme
    path = None
    if scheme in _REMOTE:
        path = _remote(href)
    elif isinstance(source, Path) and scheme in ("", "file"):
        path = _local(href, source)
    if path is None:
        raise BuildError(
            f"asset {asset!r:.60} of item {item.id!r} lies at {href!r:.80}: files are read in the "
            "folder of the list of items, and at addresses of https, http and s3"
        )
    if scheme not in _REMOTE and find_driver(path) != GEOTIFF:
        raise BuildError(
            f"asset {asset!r:.60} of item {item.id!r} is no GeoTIFF ({path.name}); convert it with "
            f"`gdal_translate -of COG {path.name} {path.stem}.tif`"
        )
    return path


def _local(href: str, source: Path) -> Path | None:
    """A file inside the folder of the list; None if it lies elsewhere."""
    folder = source.resolve().parent
    path = (folder / unquote(href.removeprefix("file://"))).resolve()
    return path if path.is_relative_to(folder) else None


def _remote(href: str) -> Path | None:
    """An address as a path of GDAL, in which no two slashes follow each other.

    None if it has no host, or parts that would lead the path somewhere else.
    """
    host, *parts = href.partition("://")[2].split("/")
    if not host or {"..", "."} & {host, *parts}:
        return None
    if href.startswith("s3://"):
        return None if "" in parts else Path("/vsis3", host, *parts)
    return Path("/vsicurl?url=" + re.sub("/(?=/)", "%2F", quote(href, safe="/:")))
