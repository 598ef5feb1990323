"""Files of outlines, read and mended; a program of its own, for the file may be anybody's.

:func:`~llpbench.data.building.outline_process.read_outlines` runs it as a process with bounded time
and memory, without a network and without the drivers of GDAL that follow what a file names.
"""

from __future__ import annotations

import json
import re
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from llpbench.apart import bound
from llpbench.data.building.mending import mend_outlines
from llpbench.data.building.outline_layers import Layer, choose_layer, siblings
from llpbench.data.geometry import GEOGRAPHIC
from llpbench.data.parquet_files import open_parquet
from llpbench.errors import BuildError, LLPBenchError

if TYPE_CHECKING:
    import geopandas as gpd

FOUND = "llpbench:found"
"""Column of the table that is handed over: what was found of each outline."""

TABLE = "outlines.parquet"
SAID = "said.json"

MOST_MEMORY = 4 * 2**30
MOST_SECONDS = 120

_MOST_ROWS = 1_000_000
_MOST_COLUMNS = 1000
_END = 2**16


def read_file(path: Path, layer: str | None) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Read outlines and all columns that may be ids; also say what was guessed.

    A row a feature, the geometry column called ``geometry``, and :data:`FOUND`.
    """
    if path.suffix.lower() in (".parquet", ".geoparquet"):
        table, remarks = _read_parquet(path, layer)
    else:
        chosen, remarks = choose_layer(path, layer)
        table, more = _read_layer(chosen)
        remarks += more
    if not len(table):
        raise BuildError(f"{path.name} holds no outlines of divisions")
    kept = [name for name in table if name == "geometry" or _may_be_id(table[name])]
    table = table[kept]
    flat = table.geometry.force_2d().to_numpy()
    try:
        polygons, found = mend_outlines(flat)
    except BuildError as error:
        raise BuildError(f"{path.name}: {error}") from error
    return table.set_geometry(polygons, crs=table.crs).assign(**{FOUND: found}), remarks


def _may_be_id(column: Any) -> bool:
    """Whether a column is of numbers or of text."""
    if column.dtype.kind in "iufb":
        return True
    return all(value is None or isinstance(value, str | float) for value in column)


def _read_layer(layer: Layer) -> tuple[gpd.GeoDataFrame, list[str]]:
    import geopandas as gpd
    import pyogrio

    encoding, remarks = _encoding(layer)
    info = pyogrio.read_info(layer.source, layer.name, force_feature_count=True)
    _check_shape(layer.place.name, info["features"], len(info["fields"]))
    if info["driver"] == "GeoJSON" and isinstance(layer.place, Path):
        _check_crs_member(layer.place)
    table = pyogrio.read_dataframe(
        layer.source,
        layer.name,
        encoding=encoding,
        fid_as_index=True,
        use_arrow=False,  # which does not straighten curves
        on_invalid="fix",
    )
    if not isinstance(table, gpd.GeoDataFrame):
        raise BuildError(f"{layer.place.name} holds no outlines of divisions")
    if info["driver"] == "TopoJSON" and table.crs is None:
        table = table.set_crs(GEOGRAPHIC)
        remarks.append(f"{layer.place.name} was taken to be in degrees, as TopoJSON mostly is")
    ids = info["fid_column"] or ("id" if "JSON" in info["driver"] else None)
    counted = any((table.index == np.arange(n, n + len(table))).all() for n in (0, 1))
    if ids and ids not in table and not counted:
        table = table.assign(**{ids: table.index})
    return table.reset_index(drop=True), remarks


def _read_parquet(path: Path, layer: str | None) -> tuple[gpd.GeoDataFrame, list[str]]:
    import geopandas as gpd

    if layer is not None:
        raise BuildError(f"{path.name} has no layers: leave --layer out")
    with open_parquet(path) as file:
        footer, schema = file.metadata, file.schema_arrow
    _check_shape(path.name, footer.num_rows, len(schema.names))
    if b"geo" not in (schema.metadata or {}):
        raise BuildError(
            f"{path.name} does not say which of its columns are geometries: it is parquet, but "
            "not GeoParquet; write it with geopandas, DuckDB's spatial extension or QGIS"
        )
    table = gpd.read_parquet(path)
    columns = [name for name in table if table[name].dtype == "geometry"]
    columns.sort(key=lambda name: name != table.geometry.name)
    chosen = next((n for n in columns if (table[n].geom_type.str.contains("Polygon")).any()), None)
    remarks = []
    if len(columns) > 1 and chosen is not None:
        remarks.append(f"outlines were taken from column {chosen!r} of {path.name}")
    chosen = chosen or table.geometry.name
    table = table.drop(columns=[name for name in columns if name != chosen])
    named = table.set_geometry(chosen)
    if chosen != "geometry":
        named = named.drop(columns="geometry", errors="ignore").rename_geometry("geometry")
    return named.reset_index(drop=set(named.index.names) == {None}), remarks


def _check_shape(name: str, rows: int, columns: int) -> None:
    if rows > _MOST_ROWS or columns > _MOST_COLUMNS:
        raise BuildError(
            f"{name} has {rows:,} rows and {columns:,} columns, at most {_MOST_ROWS:,} and "
            f"{_MOST_COLUMNS:,} are read; keep the outlines of the image and the column of ids"
        )


def _check_crs_member(path: Path) -> None:
    """Refuse a reference system of GeoJSON that GDAL silently takes for EPSG:4326."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    with path.open("rb") as file:
        start = file.read(_END)
        file.seek(max(0, path.stat().st_size - _END))
        text = (start + file.read()).decode("utf-8", "replace")
    member = re.search(r'"crs"\s*:\s*(\{[^{}]*\{[^{}]*\}[^{}]*\})', text)
    try:
        stated = json.loads(member[1]) if member else None
        if stated is not None and stated["type"].lower() in ("name", "epsg"):
            properties = stated["properties"]
            name = properties.get("name") or f"EPSG:{properties['code']}"
            CRS.from_user_input(name)
        elif stated is not None:
            name = stated["properties"]
            raise CRSError(f"{name}")
    except (CRSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BuildError(
            f"{path.name} names a coordinate reference system that is not known "
            f"({member[1] if member else '':.100}); write it anew, in EPSG:4326"
        ) from error


def _encoding(layer: Layer) -> tuple[str | None, list[str]]:
    """How a shapefile's letters are encoded, if it does not say so rightly itself."""
    if not layer.place.name.lower().endswith(".shp"):
        return None, []
    beside = siblings(layer.place)
    if ".dbf" not in beside:
        return None, []
    stated = beside[".cpg"].read_bytes()[:40].decode("ascii", "replace") if ".cpg" in beside else ""
    encoding = dbf_encoding(beside[".dbf"].read_bytes(), stated.strip())
    if encoding is None:
        return None, []
    return encoding, [
        f"{layer.place.name} does not say rightly how its letters are encoded; they were read as "
        f"{encoding}"
    ]


def dbf_encoding(dbf: bytes, stated: str) -> str | None:
    """Guess how text in a dBASE file is encoded; None where it says so, or has plain letters.

    What is stated counts, unless it is UTF-8 and the bytes are not.

    Examples
    --------
    >>> header = bytes(8) + (32).to_bytes(2, "little") + bytes(22)
    >>> dbf_encoding(header + "Cádiz".encode("utf-8"), "")
    'UTF-8'
    >>> dbf_encoding(header + "Cádiz".encode("cp1252"), "UTF-8")
    'cp1252'
    >>> dbf_encoding(header + "Cádiz".encode("cp1252"), "1252")
    """
    if len(dbf) < 32:
        return None
    text = dbf[int.from_bytes(dbf[8:10], "little") :]
    wide = rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
    rest, letters = re.subn(wide, b"", text)
    strays = len(re.findall(rb"[\x80-\xff]", rest))
    if not letters and not strays:
        return None
    says_utf8 = stated.upper().replace("-", "") in ("UTF8", "65001")
    says_other = bool(stated) or dbf[29] not in (0, 0x57)  # 0x57: whatever Windows had
    if letters > strays:
        return None if says_utf8 or says_other else "UTF-8"
    if says_other and not says_utf8:
        return None
    undefined = re.search(rb"[\x81\x8d\x8f\x90\x9d]", rest)
    return "ISO-8859-1" if undefined else "cp1252"


def main(path: Path, out: Path, layer: str | None) -> None:
    """Write the table of a file's outlines and what is to be said of it into a folder."""
    bound(MOST_MEMORY, MOST_SECONDS)
    warnings.simplefilter("ignore")  # what matters of a file is checked here, and said in words
    said: dict[str, Any]
    try:
        table, remarks = read_file(path, layer)
        table.to_parquet(out / TABLE)
        said = {"remarks": remarks}
    except MemoryError:
        raise
    except LLPBenchError as error:
        said = {"error": str(error)}
    except Exception as error:  # whatever a damaged file makes pyogrio or pyarrow raise
        reason = str(error).split(";")[0].replace(str(path), path.name)
        said = {
            "error": f"{path.name} cannot be read as division outlines ({reason:.150}); save them "
            "as GeoPackage or GeoJSON"
        }
    (out / SAID).write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)
