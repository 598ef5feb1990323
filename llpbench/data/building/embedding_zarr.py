"""Embeddings in Zarr groups: which arrays hold them, in what order, and what is said of them.

Understood are TESSERA's layouts (a group for each UTM zone; arrays over time, band, y and x, or
over y, x and band), others of the geo-embeddings convention, and one array that xarray wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from llpbench.data.building.embedding_coding import choose_coding, stated_quantization
from llpbench.data.building.embedding_file import EmbeddingFile, ZarrArrays
from llpbench.data.building.embedding_origin import Origin, of_path, of_tags
from llpbench.data.building.embedding_place import find_zarr_place, right_side_up
from llpbench.data.building.raster_band import Band
from llpbench.data.building.raster_file import RasterFile
from llpbench.data.zarr_metadata import MosaicMetadata
from llpbench.data.zarr_mosaic import (
    check_array,
    list_arrays,
    list_groups,
    read_coordinate,
    read_group,
)
from llpbench.errors import BuildError, LLPBenchError, examples

_USUAL, _USUAL_SCALES = "embeddings", "scales"
_AXES = {
    "row": {"y", "lat", "latitude", "northing"},
    "column": {"x", "lon", "longitude", "easting"},
    "time": {"time", "year"},
}
_MOST_FEATURES = 4096
_KINDS = {"int8", "uint8", "int16", "uint16", "float16", "float32", "float64"}


def inspect_zarr(folder: Path, wanted: str | None, told: Origin) -> list[EmbeddingFile]:
    """Look at a Zarr folder: at the group that it is, or at those of UTM zones in it.

    Parameters
    ----------
    wanted : str or None
        The coding that somebody says it has.
    told : Origin
        What somebody says of it; of several years it names the one that is read.
    """
    attributes = read_group(folder)
    if _may_hold(folder):
        return [_inspect(folder, attributes, wanted, told)]
    zones = [zone for zone in list_groups(folder) if _may_hold(zone)]
    if not zones:
        raise _holds_none(folder.name, list_arrays(folder))
    return [_inspect(zone, attributes, wanted, told) for zone in zones]


def _may_hold(folder: Path) -> bool:
    return (folder / _USUAL).is_dir() or bool(_cubes(list_arrays(folder)))


def _holds_none(shown: str, found: Iterable[str]) -> BuildError:
    return BuildError(
        f"{shown} holds no embedding: an array of numbers over y, x and features, such as "
        f"{_USUAL!r}, is expected, found are {examples(sorted(found)) or 'none'}"
    )


def _cubes(arrays: Mapping[str, MosaicMetadata]) -> list[str]:
    """Names of arrays over rows, columns and features."""
    return [name for name, array in arrays.items() if _axes(array) is not None]


def _axes(array: MosaicMetadata) -> tuple[str, ...] | None:
    """What the dimensions of an array are; None if it is no embedding."""
    named = [
        next((axis for axis, names in _AXES.items() if name.lower() in names), "feature")
        for name in array.dimension_names
    ]
    is_cube = sorted(axis for axis in named if axis != "time") == ["column", "feature", "row"]
    return tuple(named) if is_cube and named.count("time") <= 1 and array.kind in _KINDS else None


def _inspect(
    folder: Path, parent: Mapping[str, Any], wanted: str | None, told: Origin
) -> EmbeddingFile:
    shown = folder.name
    found = list_arrays(folder)
    name = _choose(folder, found)
    array = check_array(folder, name)
    axes = _axes(array)
    if axes is None:
        raise _holds_none(shown, found)
    attributes = {**parent, **read_group(folder)}
    sides = dict(zip(axes, array.shape, strict=True))
    if not 0 < sides["feature"] <= _MOST_FEATURES or 0 in array.shape:
        raise BuildError(
            f"{shown} has {sides['feature']} features in {sides['row']} x {sides['column']} "
            f"pixels; 1 to {_MOST_FEATURES} features are read"
        )
    linear, scales = stated_quantization(shown, attributes)
    if not scales and _USUAL_SCALES in found and array.kind == "int8" and wanted != "linear":
        scales = _USUAL_SCALES
    scales = scales if wanted in (None, "tessera") else ""
    if scales:
        _check_scales(folder, scales, array, axes)
    moment, year = _choose_time(folder, array, axes, told.year)
    origin = of_tags(attributes).or_else(of_path(folder)).or_else(of_path(folder.parent))
    origin = Origin(origin.model, origin.version, year or origin.year)
    coding = choose_coding(
        shown, array.kind, origin.model, wanted, linear=linear, has_scales=bool(scales)
    )
    place = find_zarr_place(folder, array, axes, attributes, found)
    upright = right_side_up(place, sides["row"])
    raster = RasterFile(
        path=folder.resolve(),
        driver="Zarr",
        place=upright,
        width=sides["column"],
        height=sides["row"],
        count=sides["feature"],
        bands=_bands(array, sides["feature"]),
        alpha=None,
        false_alpha=None,
    )
    arrays = ZarrArrays(folder.resolve(), name, scales, axes, moment)
    return EmbeddingFile(raster, place.transform, origin, coding, arrays)


def _choose(folder: Path, found: Mapping[str, MosaicMetadata]) -> str:
    if (folder / _USUAL).is_dir():
        return _USUAL
    cubes = _cubes(found)
    if len(cubes) > 1:
        raise BuildError(
            f"{folder.name} holds several arrays that may be the embedding ({examples(cubes)}); "
            f"call the right one {_USUAL!r}, or leave the others away"
        )
    return cubes[0]


def _check_scales(folder: Path, name: str, array: MosaicMetadata, axes: tuple[str, ...]) -> None:
    scales = check_array(folder, name)
    of_pixels = [n for n, axis in enumerate(axes) if axis != "feature"]
    expected = [array.dimension_names[n] for n in of_pixels], [array.shape[n] for n in of_pixels]
    if (scales.dimension_names, scales.shape) != expected or not scales.kind.startswith("float"):
        raise BuildError(
            f"{folder.name} must have a scale for each pixel in {name!r}, {expected[0]} of "
            f"{expected[1]}, found {scales.kind} over {scales.dimension_names} of {scales.shape}"
        )


def _choose_time(
    folder: Path, array: MosaicMetadata, axes: tuple[str, ...], wanted: int | None
) -> tuple[int, int | None]:
    """Which time is read, and of what year it is."""
    if "time" not in axes:
        return 0, None
    dimension = axes.index("time")
    years = _years(folder, array.dimension_names[dimension], array.shape[dimension])
    if wanted is not None and wanted in years:
        return years.index(wanted), wanted
    if len(years) == 1 and (wanted is None or years[0] is None):
        return 0, years[0]
    listed = ", ".join(str(year) for year in years[:20])
    raise BuildError(
        f"{folder.name} holds embeddings of {len(years)} times ({listed}); name the year with "
        "--embedding-year"
    )


def _years(folder: Path, name: str, number: int) -> list[int | None]:
    try:
        values = read_coordinate(folder, name)
        units = str(check_array(folder, name).attributes.get("units", ""))
    except LLPBenchError:
        return [None] * number
    if " since " in units:
        values = _decoded(folder.name, values, units)
    return [int(value) for value in values.tolist()] if len(values) == number else [None] * number


def _decoded(shown: str, values: Any, units: str) -> Any:
    """Years of times by their units, as in the CF conventions."""
    from xarray.coding.times import decode_cf_datetime

    try:
        return decode_cf_datetime(values, units).astype("datetime64[Y]").astype(int) + 1970
    except Exception as error:  # whatever odd units make xarray raise
        raise BuildError(f"{shown} has times in odd units, {examples([units])}") from error


def _bands(array: MosaicMetadata, number: int) -> tuple[Band, ...]:
    """Features as bands; in Zarr they are counted, not named."""
    missing = array.attributes.get("missing_value", array.attributes.get("_FillValue"))
    nodata = None
    if isinstance(missing, int | float) and np.isfinite(missing):
        nodata = float(missing)
    band = Band(
        number=1,
        name="",
        role="",
        colour="undefined",
        dtype=array.kind,
        nodata=nodata,
        scale=1.0,
        offset=0.0,
        is_masked=False,
        all_valid=False,
    )
    return tuple(replace(band, number=n) for n in range(1, number + 1))
