"""Division outlines as people have them, made into ones that can be counted on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from llpbench.data.building import mending
from llpbench.data.building.area import Area
from llpbench.data.building.outline_file import FOUND
from llpbench.data.building.outline_process import read_outlines
from llpbench.data.building.placement import check_places
from llpbench.data.geometry import GEOGRAPHIC, to_degrees, valid_polygons
from llpbench.data.grid import ChipGrid
from llpbench.data.store.reading import LONGEST_ID
from llpbench.errors import BuildError, UnknownNameError, examples, unknown

if TYPE_CHECKING:
    import geopandas as gpd

_IDS = ("division", "identifier", "id", "code")
"""Columns that are taken for ids where none is named."""
_NAMES = ("name", "nom", "nombre", "naam")


def read_divisions(
    path: Path,
    id_column: str | None,
    layer: str | None = None,
    choose_ids: Callable[[pd.DataFrame], str] | None = None,
) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Read the outlines of divisions; also say what was mended.

    Parameters
    ----------
    path : Path
        See :func:`~llpbench.data.building.outline_process.read_outlines`.
    id_column : str or None
        The column of their ids; None for ``division``, ``identifier``, ``id`` or ``code``, and
        numbers where there is none of these.
    layer : str or None
        The layer they are in; None for the only one of polygons.
    choose_ids : callable, optional
        Takes the attributes and chooses that column in its place, by a table beside the outlines.

    Returns
    -------
    divisions : GeoDataFrame
        Indexed by id, with ``name``, in the file's reference system, valid.
    remarks : list of str
        Sentences on ids that were made up and outlines that were mended.
    """
    table, remarks = read_outlines(path, layer)
    without = table[FOUND].isin([mending.NOTHING, mending.POINT])
    rows = table[~without]
    if not len(rows):
        raise BuildError(f"{path.name} holds no outlines of divisions")
    if choose_ids is not None:
        id_column = choose_ids(pd.DataFrame(rows.drop(columns=["geometry", FOUND])))
    ids, more = _find_ids(rows, id_column, path)
    remarks += more
    if without.any():
        left = table.index[without] + 1 if ids.name is None else table.loc[without, ids.name]
        remarks.append(
            f"{without.sum()} rows of {path.name} have no outline, or a point, and were left out: "
            f"{examples(left)}"
        )
    remarks += _say_found(rows[FOUND].set_axis(ids), path)
    check_places(rows.geometry.set_axis(ids), path.name)
    names = next((rows[name] for name in rows if str(name).lower() in _NAMES), ids)
    named = np.where(names.isna(), ids, names.astype(str))
    divisions = rows[["geometry"]].assign(name=named)
    divisions = divisions[["name", "geometry"]].set_axis(pd.Index(ids, name="division"))
    divisions, more = _dissolve(divisions)
    return divisions, remarks + more


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
    placed = near.set_geometry(valid_polygons(outlines.to_numpy()), crs=grid.crs).assign(
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


def _find_ids(
    table: gpd.GeoDataFrame, column: str | None, path: Path
) -> tuple[pd.Series[str], list[str]]:
    columns = [str(name) for name in table.columns.drop(["geometry", FOUND])]
    if column is not None and column not in columns:
        raise UnknownNameError(f"{path.name}: {unknown('column', column, columns)}")
    chosen = column or next((name for name in columns if name.lower() in _IDS), None)
    if chosen is None:
        ids = pd.Series(np.arange(1, len(table) + 1).astype(str))
        return ids, [
            f"{path.name} has no column called like ids, so divisions are numbered from 1; "
            f"--division-id names one of {examples(columns)}"
        ]
    ids = id_texts(table[chosen])
    missing = table[chosen].isna().to_numpy() | (ids == "")
    if missing.any():
        raise BuildError(f"{path.name}: {missing.sum()} divisions have no {chosen!r}; fill it in")
    odd = [text for text in ids if not text.isprintable() or len(text) > LONGEST_ID]
    if odd:
        raise BuildError(
            f"{path.name}: ids of divisions are at most {LONGEST_ID} characters that print, but "
            f"{chosen!r} has {examples(odd)}; name another column with --division-id"
        )
    return ids.rename(chosen), []


def id_texts(column: pd.Series[Any]) -> pd.Series[str]:
    """Ids as text; numbers without a fraction lose their point.

    Examples
    --------
    >>> id_texts(pd.Series([12001.0, 12002.0])).tolist()
    ['12001', '12002']
    """
    if column.dtype.kind == "f" and (column == column.round()).all():
        column = column.map("{:.0f}".format)
    return column.astype(str).str.strip().reset_index(drop=True)


def _say_found(found: pd.Series[str], path: Path) -> list[str]:
    """Say what was mended; refuse what has no area."""
    rows = {word: found.index[found == word] for word in found.unique()}
    if (flat := rows.get(mending.NO_AREA)) is not None:
        raise BuildError(
            f"{path.name}: {len(flat)} divisions are no areas: {examples(flat)}; remove them or "
            "draw them as polygons"
        )
    if (infinite := rows.get(mending.INFINITE)) is not None:
        raise BuildError(
            f"{path.name}: {len(infinite)} divisions have coordinates that are no numbers: "
            f"{examples(infinite)}; remove them or draw them again"
        )
    remarks = []
    if (mended := rows.get(mending.MENDED)) is not None:
        remarks.append(
            f"the outlines of {len(mended)} divisions crossed or touched themselves and were "
            f"repaired: {examples(mended)}"
        )
    if (parts := rows.get(mending.PARTS)) is not None:
        remarks.append(
            f"the outlines of {len(parts)} divisions are collections, of which only the polygons "
            f"were taken: {examples(parts)}"
        )
    return remarks


def _dissolve(divisions: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Make one division of several rows with one id; its name stays where they share it."""
    import shapely

    several = divisions.index.duplicated(keep=False)
    if not several.any():
        return divisions, []
    single = divisions[~divisions.index.duplicated()].copy()
    same = 0
    for key, rows in divisions[several].groupby(level=0, sort=False):
        outlines = rows.geometry.to_numpy()
        same += int(shapely.equals(outlines, outlines[0]).all())
        single.loc[key, "geometry"] = shapely.union_all(outlines)
        if rows["name"].nunique() > 1:
            single.loc[key, "name"] = key
    ids = divisions.index[several].unique()
    copies = f" ({same} of them are mere copies)" if same else ""
    return single, [
        f"{len(ids)} ids stand in several rows{copies}, which were put together as one division "
        f"each: {examples(ids)}"
    ]


def _is_near(divisions: gpd.GeoDataFrame, area: Area) -> Any:
    """Whether divisions may overlap an area, by what they span in degrees."""
    west, south, east, north = divisions.geometry.to_crs(GEOGRAPHIC).bounds.to_numpy().T
    near = np.zeros(len(west), dtype=bool)
    for turn in (-360, 0, 360):
        near |= (west + turn <= area.east) & (east + turn >= area.west)
    return near & (south <= area.north) & (north >= area.south)
