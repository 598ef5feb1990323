"""Raster files of strangers, opened by drivers that read nothing but what lies beside them.

GDAL would follow whatever a file names, over the network too: a driver is chosen here by the first
bytes of a file, and a virtual raster (VRT) is looked through before it is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import BuildError, examples
from llpbench.reading import check_file, read_xml

GDAL_OPTIONS = {"GDAL_CACHEMAX": 2**28, "CPL_VSIL_CURL_ALLOWED_FILENAME": "none"}
"""Bytes of pixels that are kept, whatever the machine has; no address on the network."""

_REMOTE = ("/vsicurl?", "/vsis3/")
"""How paths begin that lead to the network; only lists of items make such paths."""

_REMOTE_OPTIONS = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    **{"GDAL_HTTP_CONNECTTIMEOUT": 20, "GDAL_HTTP_TIMEOUT": 300},
    **{"GDAL_HTTP_MAX_RETRY": 5, "GDAL_HTTP_RETRY_DELAY": 1},
}
"""No file is looked for beside the one asked for; what may pass is asked again."""

_DRIVERS = {
    b"II*\0": "GTiff",
    b"MM\0*": "GTiff",
    b"II+\0": "GTiff",
    b"MM\0+": "GTiff",
    b"EHFA_HEADER_TAG\0": "HFA",
    b"\x89PNG\r\n\x1a\n\0": "PNG",
    b"\0\0\0\x0cjP": "JP2OpenJPEG",
    b"\xff\x4f\xff\x51": "JP2OpenJPEG",
    b"\xff\xd8\xff": "JPEG",
    b"ncols": "AAIGrid",
}
_HEAD = 1024

_VRT_SOURCES = {"GTiff", "HFA", "PNG", "JP2OpenJPEG"}
_VRT_LARGEST = 2**26
_VRT_PLAIN = {
    *("vrtdataset", "srs", "geotransform", "metadata", "mdi", "vrtrasterband", "nodatavalue"),
    *("hidenodatavalue", "colorinterp", "description", "unittype", "offset", "scale"),
    *("colortable", "entry", "categorynames", "category", "maskband", "simplesource"),
    *("complexsource", "averagedsource", "sourcefilename", "sourceband", "sourceproperties"),
    *("srcrect", "dstrect", "nodata", "usemaskband", "scaleoffset", "scaleratio", "minimum"),
    *("maximum", "mean", "stddev", "gcplist", "gcp", "overviewlist"),
}
"""All that a mosaic is made of; what is not listed may run code or read other files."""


def open_raster(path: Path, driver: str, bands: Sequence[int] | None = None) -> Any:
    """Open a file with the one driver that :func:`find_driver` found, or some of its bands."""
    import rasterio

    if str(path).startswith(_REMOTE):
        with rasterio.Env(**_REMOTE_OPTIONS, CPL_VSIL_CURL_ALLOWED_FILENAME=str(path)):
            return rasterio.open(path, driver=driver)
    if bands is None:
        return rasterio.open(path, driver=driver)
    numbers = ",".join(map(str, bands))
    return rasterio.open(f"vrt://{path}?bands={numbers}&if={driver}", driver="VRT")


def find_driver(path: Path) -> str:
    """Find the driver that reads a file, by its first bytes."""
    with check_file(path, None, BuildError, "raster").open("rb") as file:
        head = file.read(_HEAD)
    for beside in (f"{path}.aux.xml", f"{path}.msk", path.with_suffix(".aux")):  # GDAL reads them
        if Path(beside).exists():
            check_file(Path(beside), error=BuildError)
    for start, driver in _DRIVERS.items():
        if head.startswith(start):
            return driver
    if b"<VRTDataset" in head:
        _check_mosaic(path)
        return "VRT"
    if head.startswith(b"PK\3\4"):
        raise BuildError(f"{path.name} is a zip file: unzip it, and give what was in it")
    if (header := _header(path)) is not None:
        return "ENVI" if header.startswith(b"ENVI") else "EHdr"
    raise BuildError(
        f"{path.name} cannot be read as a raster: GeoTIFF, JPEG 2000, Erdas .img, ENVI, Esri "
        "grids, PNG, JPEG and VRT mosaics are; convert it, for example with "
        f"`gdal_translate {path.name} {path.stem}.tif`"
    )


def read_bands(source: Any, numbers: Sequence[int], **options: Any) -> NDArray[Any]:
    """Read bands of an opened file, whose types may differ, which rasterio reads alone only."""
    if len({source.dtypes[number - 1] for number in numbers}) == 1:
        return np.asarray(source.read(list(numbers), **options))
    return np.stack([source.read(number, **options) for number in numbers])


def _header(path: Path) -> bytes | None:
    """The first bytes of the header beside a file of bare numbers."""
    for beside in (path.with_suffix(".hdr"), path.with_name(path.name + ".hdr")):
        if beside != path and beside.is_file():
            with beside.open("rb") as file:
                return file.read(_HEAD)
    return None


def _check_mosaic(path: Path) -> None:
    """Refuse a VRT unless it only puts files of its own folder together."""
    elements = list(read_xml(path, _VRT_LARGEST, BuildError).iter())
    names = {str(element.tag).lower() for element in elements}
    attributes = {name.lower() for element in elements for name in element.attrib}
    domains = {element.attrib.get("domain", "") for element in elements}
    odd = names - _VRT_PLAIN or attributes & {"subclass"} or domains - {"", "IMAGE_STRUCTURE"}
    if odd:
        raise BuildError(
            f"{path.name} is more than a mosaic: it has {examples(sorted(odd))}; give the files "
            "themselves, or make a GeoTIFF of it with gdal_translate"
        )
    sources = {
        (element.text or "", element.get("relativeToVRT") == "1")
        for element in elements
        if str(element.tag).lower() == "sourcefilename"
    }
    folder = path.resolve().parent
    for name, is_relative in sorted(sources):
        source = folder / name if is_relative or name.startswith("/") else None
        if source is None or not _is_inside(source, folder):
            raise BuildError(
                f"{path.name} names {name!r:.80}: a VRT may only name GeoTIFF, JPEG 2000, Erdas or "
                "PNG files in its own folder; give these files themselves with --image"
            )


def _is_inside(source: Path, folder: Path) -> bool:
    inside = source.is_file() and source.resolve().is_relative_to(folder)
    if not inside:
        return False
    with source.open("rb") as file:
        head = file.read(_HEAD)
    return any(
        head.startswith(start) for start, driver in _DRIVERS.items() if driver in _VRT_SOURCES
    )
