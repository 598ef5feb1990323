"""The records of a dataset as Croissant has them: splits, classes, divisions and chips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llpbench.data.imagery import EMBEDDING, EMBEDDING_SCALE, IMAGE, RGB, Imagery
from llpbench.protocol import CHIP_SIZE, SCORE_WINDOW, SPLITS
from llpbench.reporting.arrays import array_lines

if TYPE_CHECKING:
    import xarray as xr


def describe_records(ds: xr.Dataset) -> list[dict[str, Any]]:
    """Describe what the files of a store hold, as record sets; classes and splits with rows."""
    return [_splits(), _classes(ds), _divisions(), _chips(ds)]


def _record_set(name: str, key: str, fields: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "key": {"@id": f"{name}/{key}"},
        "field": fields,
        **more,
    }


def _splits() -> dict[str, Any]:
    fields = [_field("splits/name", "sc:Text", "What a split is called.")]
    rows = [{"splits/name": name} for name in SPLITS]
    return _record_set("splits", "name", fields, dataType="cr:Split", data=rows)


def _classes(ds: xr.Dataset) -> dict[str, Any]:
    labels = ds.llp.label_set
    group_of = {number: group.name for group in labels.groups for number in group.members}
    columns = {
        "classes/number": ("sc:Integer", "Value of a label; 255 is no label."),
        "classes/name": ("sc:Text", "What the legend says."),
        "classes/colour": ("sc:Text", "#rrggbb."),
        "classes/group": ("sc:Text", "The class group that is predicted and scored."),
    }
    fields = [_field(name, kind, text) for name, (kind, text) in columns.items()]
    rows = [
        dict(zip(columns, (number, part.name, part.colour, group_of[number]), strict=True))
        for number, part in enumerate(labels.classes)
    ]
    return _record_set("classes", "number", fields, dataType="sc:Enumeration", data=rows)


def _divisions() -> dict[str, Any]:
    columns = {
        "id": ("sc:Text", "Identifier."),
        "name": ("sc:Text", "Name, or the identifier."),
        "area_km2": ("sc:Float", "Area of the whole division in km²."),
        "geometry": ("sc:Text", "Outline as WKB, EPSG:4326."),
    }
    fields = [
        _field(f"divisions/{name}", kind, text, ("divisions-files", {"column": name}))
        for name, (kind, text) in columns.items()
    ]
    return _record_set("divisions", "id", fields)


def _chips(ds: xr.Dataset) -> dict[str, Any]:
    arrays = {
        "chip": ("sc:Text", "Identifier."),
        "split": ("sc:Text", "Split by division, the one that is scored."),
        "own_division": ("sc:Text", "Division with the largest overlap, empty if none."),
        "bounds": ("sc:Float", "West, south, east, north in degrees."),
        **_pixels(ds.llp.info.images),
        "label": (
            "sc:Integer",
            f"Class of each pixel; scored are rows and columns {SCORE_WINDOW.start} to "
            f"{SCORE_WINDOW.stop - 1}.",
        ),
        "chip_proportions": ("sc:Float", "Shares of classes counted on the label."),
        "target": ("sc:Float", "Shares as the divisions of the chip know them, mixed by area."),
    }
    fields = []
    for name, (kind, text) in arrays.items():
        field = _field(f"chips/{name}", kind, text, ("chips-files", {"fileProperty": "content"}))
        if ds[name].ndim > 1:
            field |= {"isArray": True, "arrayShape": ",".join(map(str, ds[name].shape[1:]))}
        if name == "split":
            field["references"] = {"field": {"@id": "splits/name"}}
        fields.append(field)
    return _record_set("chips", "chip", fields)


def _pixels(images: Mapping[str, Imagery]) -> dict[str, tuple[str, str]]:
    """Fields of images and embeddings: the type of their numbers, and what they are."""
    fields = {}
    for array, imagery in images.items():
        kind = "sc:Float" if imagery.dtype == "float32" else "sc:Integer"
        (line,) = array_lines({array: imagery})
        fields[array] = (kind, f"{line.partition(': ')[2]}{_coding(imagery)}.")
    if images.get(IMAGE) == RGB:
        pixels = f"Red, green, blue, 0 to 255; {CHIP_SIZE} x {CHIP_SIZE} pixels."
        fields[IMAGE] = ("sc:Integer", pixels)
    if EMBEDDING in images and images[EMBEDDING].coding.by_cell:
        fields[EMBEDDING_SCALE] = ("sc:Float", "By which the numbers of each cell are multiplied.")
    return fields


def _coding(imagery: Imagery) -> str:
    """How stored numbers become values, in the words of the array's attributes."""
    attributes = imagery.coding.attributes()
    said = ", ".join(f"{name} {value}" for name, value in attributes.items())
    return f"; {said}" if said else ""


def _field(
    identifier: str, kind: str, text: str, source: tuple[str, dict[str, str]] | None = None
) -> dict[str, Any]:
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": identifier,
        "name": identifier.partition("/")[2],
        "description": text,
        "dataType": kind,
    }
    if source:
        file_set, extract = source
        field["source"] = {"fileSet": {"@id": file_set}, "extract": extract}
    return field
