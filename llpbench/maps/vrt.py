"""Several GeoTIFFs seen as one raster: a VRT that names them, relative to itself.

https://gdal.org/en/stable/drivers/raster/vrt.html
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from llpbench.writing import replace_text

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

_TYPES = {"uint8": "Byte", "float32": "Float32"}


def write_vrt(path: Path, files: Sequence[Path]) -> None:
    """Write a VRT of GeoTIFFs that lie on one lattice of pixels, with the same bands.

    Bands keep their names, colours and the value that stands for none; where no file lies, there is
    none.
    """
    import rasterio

    with rasterio.open(files[0]) as first:
        root = ElementTree.Element("VRTDataset")
        bands = [_band(root, first, number) for number in first.indexes]
        crs, step = first.crs.to_wkt(), (first.transform.a, first.transform.e)
        tags = first.tags()
    places = []
    for file in files:
        with rasterio.open(file) as tile:
            places.append((file, tile.bounds, tile.width, tile.height))
    west = min(bounds.left for _file, bounds, *_size in places)
    north = max(bounds.top for _file, bounds, *_size in places)
    width = height = 0
    for file, bounds, wide, high in places:
        column, row = round((bounds.left - west) / step[0]), round((bounds.top - north) / step[1])
        width, height = max(width, column + wide), max(height, row + high)
        for number, band in enumerate(bands, 1):
            _add_source(band, file.relative_to(path.parent), number, (column, row, wide, high))
    root.attrib |= {"rasterXSize": str(width), "rasterYSize": str(height)}
    ElementTree.SubElement(root, "SRS").text = crs
    transform = (west, step[0], 0.0, north, 0.0, step[1])
    ElementTree.SubElement(root, "GeoTransform").text = ", ".join(map(repr, transform))
    said = ElementTree.SubElement(root, "Metadata")
    for key, text in tags.items():
        ElementTree.SubElement(said, "MDI", key=key).text = text
    root[:] = [*(part for part in root if part.tag != "VRTRasterBand"), *bands]
    replace_text(path, ElementTree.tostring(root, encoding="unicode"))


def _band(root: ElementTree.Element, file: DatasetReader, number: int) -> ElementTree.Element:
    """A band like one of a file, of nothing yet."""
    kind = _TYPES[file.dtypes[number - 1]]
    band = ElementTree.SubElement(root, "VRTRasterBand", dataType=kind, band=str(number))
    ElementTree.SubElement(band, "Description").text = file.descriptions[number - 1]
    ElementTree.SubElement(band, "NoDataValue").text = f"{file.nodata:g}"
    if file.colorinterp[number - 1].name == "palette":
        ElementTree.SubElement(band, "ColorInterp").text = "Palette"
        table = ElementTree.SubElement(band, "ColorTable")
        for colour in file.colormap(number).values():
            names = dict(zip(("c1", "c2", "c3", "c4"), map(str, colour), strict=True))
            ElementTree.SubElement(table, "Entry", names)
    return band


def _add_source(
    band: ElementTree.Element, file: Path, number: int, place: tuple[int, int, int, int]
) -> None:
    column, row, wide, high = place
    source = ElementTree.SubElement(band, "ComplexSource")
    ElementTree.SubElement(source, "SourceFilename", relativeToVRT="1").text = file.as_posix()
    ElementTree.SubElement(source, "SourceBand").text = str(number)
    for name, left, top in (("SrcRect", 0, 0), ("DstRect", column, row)):
        sides = {"xOff": left, "yOff": top, "xSize": wide, "ySize": high}
        ElementTree.SubElement(source, name, {key: str(side) for key, side in sides.items()})
    nodata = band.find("NoDataValue")
    assert nodata is not None
    ElementTree.SubElement(source, "NODATA").text = nodata.text
