"""The layers of outlines in a file, a folder or a zip; shapefiles with what belongs to them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from llpbench.errors import BuildError, UnknownNameError, examples, unknown
from llpbench.reading import check_file

LARGEST_FILE = 2**31
"""Bytes of a file, or of all that a zip or a folder holds."""

_MOST_MEMBERS = 10_000

_ENDINGS = (
    *(".shp", ".gpkg", ".fgb", ".geojson", ".geojsonl", ".json", ".topojson"),
    *(".kml", ".gml", ".tab", ".mif", ".sqlite", ".csv"),
)
"""Of files in a zip that may hold outlines."""

Place: TypeAlias = "Path | zipfile.Path"


@dataclass(frozen=True)
class Layer:
    """A layer and the file it is in; ``kind`` is the type of its geometries."""

    place: Place
    name: str
    kind: str

    @property
    def source(self) -> str:
        """What GDAL calls the file."""
        return _gdal_name(self.place)


def choose_layer(path: Path, name: str | None) -> tuple[Layer, list[str]]:
    """Find the layer of a name; without one the only layer that has polygons."""
    layers = [layer for place in _places(path) for layer in _layers(place) if layer.kind]
    names = [layer.name for layer in layers]
    if name is not None:
        if name not in names:
            raise UnknownNameError(f"{path.name}: {unknown('layer', name, names)}")
        if names.count(name) > 1:
            raise BuildError(f"{path.name} holds several files with a layer {name!r}; unpack it")
        return layers[names.index(name)], []
    if len(layers) == 1:
        return layers[0], []
    areas = [layer for layer in layers if _has_polygons(layer)]
    if not areas:
        raise BuildError(
            f"{path.name} holds no outlines of divisions: none of its layers has polygons"
            + (f" ({examples(names)})" if names else "")
        )
    if len(areas) > 1:
        raise BuildError(
            f"{path.name} has {len(areas)} layers of polygons; name one with --layer: "
            f"{examples([layer.name for layer in areas], most=20)}"
        )
    others = examples([name for name in names if name != areas[0].name])
    remark = f"layer {areas[0].name!r} of {path.name} was taken, the only one of polygons"
    return areas[0], [f"{remark} (beside {others})"]


def siblings(place: Place) -> dict[str, Place]:
    """Files beside a shapefile that are called like it, by their ending."""
    name = place.name
    stem = name[: name.rindex(".")].lower()
    ends = {}
    folder: Any = place.parent  # of zipfile.Path, typed as a mere PathLike
    for other in folder.iterdir():
        start, point, ending = other.name.lower().rpartition(".")
        if start == stem and point:
            if isinstance(other, Path):
                check_file(other, error=BuildError)
            ends[f".{ending}"] = other
    return ends


def _places(path: Path) -> list[Place]:
    """The files of outlines that a path stands for."""
    if path.is_dir():
        if path.suffix.lower() != ".gdb":
            raise BuildError(f"{path.name} is a folder; name the file of outlines in it")
        _check_size(path, sum(file.stat().st_size for file in path.rglob("*") if file.is_file()))
        return [path]
    _check_size(path, check_file(path, error=BuildError).stat().st_size)
    if path.suffix.lower() == ".kmz" or not zipfile.is_zipfile(path):
        return [path]
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) > _MOST_MEMBERS:
            raise BuildError(f"{path.name} holds {len(members):,} files; unpack the outlines")
        _check_size(path, sum(member.file_size for member in members))
    places = list(_members(path, [member.filename for member in members]))
    if not places:
        raise BuildError(
            f"{path.name} holds no file of outlines, such as .shp or .gpkg, but "
            f"{examples(member.filename for member in members)}"
        )
    return places


def _members(path: Path, names: list[str]) -> Iterator[Place]:
    folders = {match[1] for name in names if (match := re.match(r"(.*?\.gdb)/", name, re.I))}
    shown = [name for name in names if not re.search(r"(^|/)(__MACOSX/|\.)", name)]
    for name in sorted(folders) + [n for n in shown if n.lower().endswith(_ENDINGS)]:
        yield zipfile.Path(str(path), name)


def _check_size(path: Path, size: int) -> None:
    if size > LARGEST_FILE:
        raise BuildError(
            f"{path.name} holds {size / 1e9:.1f} GB, outlines are read up to "
            f"{LARGEST_FILE / 1e9:.1f} GB; keep those of the image"
        )


def _gdal_name(place: Place) -> str:
    if isinstance(place, Path):
        return str(place.absolute())
    return f"/vsizip/{{{Path(place.root.filename or '').absolute()}}}/{place.at.rstrip('/')}"


def _layers(place: Place) -> list[Layer]:
    import pyogrio

    if place.name.lower().endswith(".shp") and ".shx" not in siblings(place):
        raise BuildError(
            f"{place.name} lacks its .shx: a shapefile is the files .shp, .shx, .dbf and .prj of "
            "one name; put them side by side"
        )
    found = pyogrio.list_layers(_gdal_name(place))
    return [Layer(place, str(name), str(kind or "")) for name, kind in found]


def _has_polygons(layer: Layer) -> bool:
    """By the type that the file states, or by its first features where it states none."""
    import pyogrio
    import shapely

    if not re.search("Unknown|Geometry", layer.kind):
        return bool(re.search("Polygon|Surface|TIN|Triangle", layer.kind))
    first = pyogrio.read_dataframe(
        layer.source, layer.name, columns=[], max_features=1000, on_invalid="ignore"
    )
    return bool((shapely.get_dimensions(first.geometry.to_numpy()) == 2).any())
