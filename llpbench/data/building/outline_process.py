"""Reading outlines in a process of its own, which cannot harm this one."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from llpbench.apart import one_thread, run_apart
from llpbench.data.building.outline_file import MOST_MEMORY, MOST_SECONDS, SAID, TABLE
from llpbench.errors import BuildError

if TYPE_CHECKING:
    import geopandas as gpd

DRIVERS = frozenset(
    {
        *("GPKG", "SQLite", "ESRI Shapefile", "FlatGeobuf", "OpenFileGDB", "MapInfo File"),
        *("GeoJSON", "GeoJSONSeq", "TopoJSON", "ESRIJSON", "JSONFG", "KML", "LIBKML", "GML", "CSV"),
    }
)
"""Of GDAL: those that read a file of its own, and nothing that it names."""


def read_outlines(path: Path, layer: str | None) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Read the outlines in a file as valid polygons, with all columns that may be ids.

    Parameters
    ----------
    path : Path
        A file of one of :data:`DRIVERS`, also in a zip, or GeoParquet.
    layer : str or None
        None for the only one with polygons.

    Returns
    -------
    outlines : GeoDataFrame
        A row a feature, also where no polygon was found: the column
        :data:`~llpbench.data.building.outline_file.FOUND` holds a word of
        :mod:`~llpbench.data.building.mending`. The id that a feature of GeoJSON, KML or GML has
        beside its properties is a column, too, unless it only counts the features.
    remarks : list of str
        A sentence for each thing that was guessed.

    Raises
    ------
    BuildError
        If it is not such a file, or takes too much time or memory.
    """
    import geopandas as gpd

    if not path.exists():
        raise BuildError(f"there are no divisions {str(path)!r}")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        arguments = [str(path.absolute()), folder, *([] if layer is None else [layer])]
        run_apart("llpbench.data.building.outline_file", arguments, MOST_SECONDS, _environment())
        if not (out / SAID).exists():
            raise BuildError(
                f"{path.name} takes more than {MOST_SECONDS // 60} minutes or "
                f"{MOST_MEMORY / 2**30:.0f} GB of memory to be read and mended, or is damaged; "
                "simplify its outlines, or keep those of the image"
            )
        said = json.loads((out / SAID).read_text(encoding="utf-8"))
        if "error" in said:
            raise BuildError(said["error"])
        return gpd.read_parquet(out / TABLE), said["remarks"]


def _environment() -> dict[str, str]:
    """GDAL without drivers that follow what files name, and without a way to the network."""
    import pyogrio

    kept = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    return {
        **one_thread(kept),
        "OGR_SKIP": ",".join(sorted(set(pyogrio.list_drivers()) - DRIVERS)),
        "GDAL_HTTP_PROXY": "127.0.0.1:9",
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": "none",
        "PROJ_NETWORK": "OFF",
        "OGR_SQLITE_STATIC_VIRTUAL_OGR": "NO",
        "GML_DOWNLOAD_SCHEMA": "NO",
    }
