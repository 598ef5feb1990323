"""Reading outlines in a process of its own, which cannot harm this one."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

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

_LONGEST = 3 * MOST_SECONDS
"""Seconds that a slow disk or a busy machine may take."""


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
        command = [sys.executable, "-P", "-m", "llpbench.data.building.outline_file"]
        arguments = [str(path.absolute()), folder, *([] if layer is None else [layer])]
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(  # noqa: S603
                [*command, *arguments],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_LONGEST,
                check=False,
            )
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
        **kept,
        "OGR_SKIP": ",".join(sorted(set(pyogrio.list_drivers()) - DRIVERS)),
        "GDAL_HTTP_PROXY": "127.0.0.1:9",
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": "none",
        "PROJ_NETWORK": "OFF",
        "OGR_SQLITE_STATIC_VIRTUAL_OGR": "NO",
        "GML_DOWNLOAD_SCHEMA": "NO",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }
