"""Division outlines as people have them, made into ones that can be counted on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from llpbench.data.building.area import Area
from llpbench.data.geometry import GEOGRAPHIC, to_degrees
from llpbench.data.grid import ChipGrid
from llpbench.errors import BuildError, UnknownNameError, examples, unknown

if TYPE_CHECKING:
    import geopandas as gpd

_IDS = ("division", "identifier", "id", "code")
"""Columns that are taken for ids where none is named."""
_NAMES = ("name", "nom", "nombre", "naam")


def read_divisions(
    path: Path, id_column: str | None, choose_ids: Callable[[pd.DataFrame], str] | None = None
) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Read the outlines of divisions; also say what was mended.

    Parameters
    ----------
    path : Path
        Anything geopandas reads: GeoJSON, GeoPackage, shapefile, GeoParquet.
    id_column : str or None
        The column of their ids; None for ``division``, ``identifier``, ``id`` or ``code``, and
        numbers where there is none of these.
    choose_ids : callable, optional
        Takes the attributes and chooses that column in its place, by a table beside the outlines.

    Returns
    -------
    divisions : GeoDataFrame
        Indexed by id, with ``name``, in the file's reference system, valid.
    remarks : list of str
        Sentences on ids that were made up and outlines that were mended.
    """
    table = _read(path)
    if table.crs is None:
        raise BuildError(
            f"{path.name} does not say in which coordinate reference system its divisions are; "
            "write it into the file (GeoJSON always is EPSG:4326)"
        )
    if choose_ids is not None:
        id_column = choose_ids(pd.DataFrame(table.drop(columns="geometry")))
    ids, remarks = _find_ids(table, id_column, path)
    names = next((table[name] for name in table if str(name).lower() in _NAMES), ids)
    outlines, mended = _mend(table.geometry.set_axis(ids.to_numpy()), path)
    divisions = outlines.to_frame("geometry").assign(name=names.astype(str).to_numpy())
    return divisions[["name", "geometry"]].rename_axis("division"), remarks + mended


def place_divisions(divisions: gpd.GeoDataFrame, grid: ChipGrid, area: Area) -> gpd.GeoDataFrame:
    """Take the divisions that overlap an area to the plane of a grid, by their vertices.

    ``degrees`` holds their outlines in longitudes and latitudes.
    """
    import shapely

    near = divisions[_is_near(divisions, area)]
    outlines = near.geometry.to_crs(grid.crs)
    with np.errstate(invalid="ignore"):
        lost = ~np.isfinite(outlines.bounds).all(axis=1).to_numpy()
    if lost.any():
        raise BuildError(
            f"{lost.sum()} divisions reach too far from the region to be projected: "
            f"{examples(near.index[lost])}; leave them out, or cut them"
        )
    placed = near.set_geometry(shapely.make_valid(outlines.to_numpy()), crs=grid.crs).assign(
        degrees=to_degrees(near.geometry, across=area.is_across)
    )
    box = shapely.box(*area.in_plane(grid.crs))
    return placed[placed.intersects(box).to_numpy()]


def whole_area(grid: ChipGrid, boxes: Any, area: Area) -> gpd.GeoDataFrame:
    """One division of all chips' boxes, as :func:`place_divisions` returns them."""
    import geopandas as gpd
    import shapely

    index = pd.Index(["all"], name="division")
    outline = gpd.GeoSeries([shapely.coverage_union_all(boxes)], index, crs=grid.crs)
    everything = outline.to_frame("geometry").assign(name="all")
    return everything.assign(degrees=to_degrees(outline, across=area.is_across))


def _read(path: Path) -> gpd.GeoDataFrame:
    import geopandas as gpd

    if not path.exists():
        raise BuildError(f"there are no divisions {str(path)!r}")
    read = gpd.read_parquet if path.suffix.lower() in (".parquet", ".geoparquet") else gpd.read_file
    try:
        table = read(path)
    except Exception as error:  # whatever a damaged file makes pyogrio or pyarrow raise
        raise BuildError(
            f"{path.name} cannot be read as division outlines ({error!r:.200})"
        ) from error
    if "geometry" not in getattr(table, "columns", ()) or not len(table):
        raise BuildError(f"{path.name} holds no outlines of divisions")
    return table


def _find_ids(
    table: gpd.GeoDataFrame, column: str | None, path: Path
) -> tuple[pd.Series[str], list[str]]:
    columns = [str(name) for name in table.columns.drop("geometry")]
    if column is not None and column not in columns:
        raise UnknownNameError(f"{path.name}: {unknown('column', column, columns)}")
    chosen = column or next((name for name in columns if name.lower() in _IDS), None)
    if chosen is None:
        ids = pd.Series(np.arange(1, len(table) + 1).astype(str))
        return ids, [f"{path.name} has no column of ids, so divisions are numbered from 1"]
    if table[chosen].isna().any():
        raise BuildError(
            f"{path.name}: {table[chosen].isna().sum()} divisions have no {chosen!r}; fill it in"
        )
    ids = id_texts(table[chosen])
    twice = ids[ids.duplicated()]
    if len(twice):
        raise BuildError(
            f"{path.name}: each division must have an id of its own, but {twice.nunique()} ids in "
            f"column {chosen!r} stand more than once: {examples(twice.unique())}; dissolve their "
            "parts, or name another column with --division-id"
        )
    return ids, []


def id_texts(column: pd.Series[Any]) -> pd.Series[str]:
    """Ids as text; numbers without a fraction lose their point.

    Examples
    --------
    >>> id_texts(pd.Series([12001.0, 12002.0])).tolist()
    ['12001', '12002']
    """
    if column.dtype.kind == "f" and (column == column.round()).all():
        column = column.astype("int64")
    return column.astype(str).str.strip().reset_index(drop=True)


def _mend(outlines: gpd.GeoSeries, path: Path) -> tuple[gpd.GeoSeries, list[str]]:
    """Repair outlines that cross themselves; refuse what has no area."""
    import shapely

    flat = outlines.force_2d()
    broken = ~flat.is_valid.to_numpy() & flat.notna().to_numpy()
    sound = flat.copy()
    sound[broken] = shapely.make_valid(flat.to_numpy()[broken])
    without = ~(shapely.area(sound.to_numpy()) > 0)
    if without.any():
        raise BuildError(
            f"{path.name}: {without.sum()} divisions are no areas: "
            f"{examples(outlines.index[without])}; remove them or draw them as polygons"
        )
    if not broken.any():
        return sound, []
    return sound, [
        f"the outlines of {broken.sum()} divisions crossed or touched themselves and were "
        f"repaired: {examples(outlines.index[broken])}"
    ]


def _is_near(divisions: gpd.GeoDataFrame, area: Area) -> Any:
    """Whether divisions may overlap an area, by what they span in degrees."""
    west, south, east, north = divisions.geometry.to_crs(GEOGRAPHIC).bounds.to_numpy().T
    near = np.zeros(len(west), dtype=bool)
    for turn in (-360, 0, 360):
        near |= (west + turn <= area.east) & (east + turn >= area.west)
    return near & (south <= area.north) & (north >= area.south)
