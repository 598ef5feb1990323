"""A dataset as a STAC collection with one item: where it lies, of when it is, what its arrays hold.

With the extensions projection, electro-optical, raster, classification and scientific citation.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from llpbench._version import __version__
from llpbench.catalog import NO_LABEL
from llpbench.data.chip_outlines import chip_outlines
from llpbench.data.geometry import to_degrees
from llpbench.data.stac import between, imagery_days, make_collection, make_item, write_files
from llpbench.data.store.layout import CHIPS, DIVISIONS, INFO
from llpbench.errors import LLPBenchError
from llpbench.protocol import CHIP_SIZE
from llpbench.reporting.arrays import stac_band
from llpbench.reporting.datasheet import pixel_metres

if TYPE_CHECKING:
    import xarray as xr

ITEM = "item.json"

_EXTENSIONS = "https://stac-extensions.github.io"
_OF_ITEM = [
    f"{_EXTENSIONS}/{name}/schema.json"
    for name in ("projection/v2.0.0", "eo/v2.0.0", "raster/v2.0.0", "classification/v2.0.0")
]
_OF_COLLECTION = [f"{_EXTENSIONS}/scientific/v1.0.0/schema.json"]
_ZARR = "application/vnd.zarr; version=3"

_GAP = 0.1
"""Sides of a chip by which gaps between chips are closed, and outlines simplified."""


def write_stac(ds: xr.Dataset, folder: Path, days: tuple[str, str] | None = None) -> list[Path]:
    """Write a collection and its item into a folder, beside what may be there.

    Parameters
    ----------
    days : (str, str) or None
        First and last day of the imagery; None for those that the dataset knows.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    LLPBenchError
        If the dataset does not lie in a store, or nobody knows its days.
    """
    folder.mkdir(parents=True, exist_ok=True)
    item = describe_item(ds, folder, days)
    return write_files(folder, describe_collection(ds, item), {ITEM: item})


def describe_item(
    ds: xr.Dataset, folder: Path, days: tuple[str, str] | None = None
) -> dict[str, Any]:
    """Describe a dataset as an item, whose assets are the files and arrays of its store.

    The footprint is what chips cover, with gaps up to a tenth of a chip closed. Paths of files are
    relative to ``folder``, so that both may move together.
    """
    info = ds.llp.info
    if info.store is None:
        raise LLPBenchError(
            f"{info.name} does not lie in a store, so it has no files to name; give a dataset"
        )
    properties = {
        "title": info.title,
        **between(*(days or _known_days(ds))),
        "gsd": pixel_metres(ds),
        "proj:code": _code(ds),
        "llpbench:version": __version__,
        "llpbench:digest": info.digest,
        "llpbench:chips": ds.sizes["chip"],
        "llpbench:divisions": ds.sizes["division"],
        "llpbench:synthetic": info.synthetic,
    }
    assets = _assets(ds, _place(info.store, folder))
    return make_item(info.name, info.name, _footprint(ds), _bbox(ds), properties, assets, _OF_ITEM)


def describe_collection(ds: xr.Dataset, item: dict[str, Any]) -> dict[str, Any]:
    """Describe a dataset as the collection of its item."""
    info = ds.llp.info
    more: dict[str, Any] = {"keywords": ["learning from label proportions", "remote sensing"]}
    if info.doi:
        more |= {"stac_extensions": _OF_COLLECTION, "sci:doi": info.doi}
    return make_collection(info.name, info, info.title, {ITEM: item}, item["bbox"], **more)


def _known_days(ds: xr.Dataset) -> tuple[str, str]:
    info = ds.llp.info
    days = imagery_days(info)
    if days is None:
        raise LLPBenchError(
            f"{info.name} does not know of when its imagery is, which an item must say: give "
            "--days FIRST LAST, such as --days 2023-04-01 2023-09-30"
        )
    return days


def _footprint(ds: xr.Dataset) -> Any:
    """What chips cover, in degrees from -180 to 180; cut at the antimeridian."""
    import geopandas as gpd
    import shapely

    outlines = chip_outlines(ds)
    side = float(np.sqrt(outlines.area.median())) * _GAP
    squares = outlines.buffer(side, join_style="mitre").union_all()
    covered = squares.buffer(-side, join_style="mitre").simplify(side)
    across = bool(ds["bounds"].to_numpy().max() > 180)
    degrees = to_degrees(gpd.GeoSeries([covered], crs=outlines.crs), across=across).iloc[0]
    if not across:
        return degrees
    west = shapely.intersection(degrees, shapely.box(0, -90, 180, 90))
    east = shapely.intersection(degrees, shapely.box(180, -90, 360, 90))
    moved = shapely.transform(east, lambda points: points - [360, 0])
    return shapely.union_all([west, moved])


def _bbox(ds: xr.Dataset) -> list[float]:
    """West, south, east and north of all chips; across the antimeridian west is greater."""
    bounds = ds["bounds"].to_numpy()
    west, south = bounds[:, :2].min(axis=0)
    east, north = bounds[:, 2:].max(axis=0)
    east = east - 360 if east > 180 else east
    return [round(float(degrees), 6) for degrees in (west, south, east, north)]


def _code(ds: xr.Dataset) -> str | None:
    """The projection's code where it has one; a null, as the extension wants, else."""
    grid = ds.llp.info.grid
    return grid.crs if grid is not None and grid.crs.startswith("EPSG:") else None


def _place(store: Path | str, folder: Path) -> str:
    if isinstance(store, str):  # an address
        return store
    return os.path.relpath(store, folder).replace(os.sep, "/")


def _assets(ds: xr.Dataset, store: str) -> dict[str, Any]:
    labels = ds.llp.label_set
    assets = {
        "chips": _asset(f"{store}/{CHIPS}", _ZARR, "Chips: images, labels, shares", "data"),
        "divisions": _asset(
            f"{store}/{DIVISIONS}",
            "application/vnd.apache.parquet",
            "Divisions: outlines and shares",
            "metadata",
        ),
        "description": _asset(
            f"{store}/{INFO}", "application/json", "Name, classes, licence, digest", "metadata"
        ),
    }
    for name, imagery in ds.llp.info.images.items():
        bands = [stac_band(band, imagery) for band in imagery.bands]
        assets[name] = _asset(f"{store}/{CHIPS}/{name}", _ZARR, f"The {name} of chips", "data")
        assets[name]["bands"] = bands
    classes = [
        {
            "value": number,
            "name": re.sub(r"[^0-9A-Za-z]+", "-", part.name).strip("-") or f"class-{number}",
            "title": part.name,
            "color_hint": part.colour.lstrip("#").upper(),
        }
        for number, part in enumerate(labels.classes)
    ]
    assets["label"] = {
        **_asset(f"{store}/{CHIPS}/label", _ZARR, f"Labels of {CHIP_SIZE} x {CHIP_SIZE}", "data"),
        "nodata": NO_LABEL,
        "classification:classes": classes,
    }
    return assets


def _asset(href: str, kind: str, title: str, role: str) -> dict[str, Any]:
    return {"href": href, "type": kind, "title": title, "roles": [role]}
