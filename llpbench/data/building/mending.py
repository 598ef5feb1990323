"""Outlines made into polygons of which each point lies inside or outside, once."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from llpbench.data.geometry import valid_polygons
from llpbench.errors import BuildError

MOST_VERTICES = 20_000_000
"""Of all outlines of a file together."""

MOST_CROSSINGS = 100_000
"""Of the edges of an outline with one another; to mend these takes seconds."""

SOUND: Final = ""
MENDED: Final = "mended"
PARTS: Final = "parts"
NOTHING: Final = "nothing"
POINT: Final = "point"
NO_AREA: Final = "no area"
INFINITE: Final = "infinite"
"""What was found of an outline: it was fine, or crossed itself; it was a collection, of which the
polygons were taken; there is none, or it is a point; it has no area; it has coordinates that are
no numbers."""

_POINTS = (0, 4)
_POLYGONS = (3, 6)
_COLLECTION = 7
_SAMPLE = 50
_LARGE_SAMPLE = 2_000_000


def mend_outlines(outlines: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Make valid polygons of outlines, and say what was found of each.

    Parameters
    ----------
    outlines : ndarray of geometries, shape (n,)
        In two dimensions; None where there is none.

    Returns
    -------
    polygons : ndarray of geometries, shape (n,)
        Where nothing was found wrong, the very outlines.
    found : ndarray of str, shape (n,)
        :data:`SOUND` or one of the words beside it.

    Examples
    --------
    >>> import shapely
    >>> hair = shapely.Polygon([(0, 0), (1, 0), (1, 1), (1, 9), (1, 1), (0, 1)])
    >>> polygons, found = mend_outlines(np.array([hair, shapely.Point(0, 0), None]))
    >>> polygons[0].area, found.tolist()
    (1.0, ['mended', 'point', 'nothing'])
    """
    import shapely

    vertices = int(shapely.get_num_coordinates(outlines).sum())
    if vertices > MOST_VERTICES:
        raise BuildError(
            f"the outlines have {vertices:,} vertices, at most {MOST_VERTICES:,} are read; "
            "simplify them, or keep those of the image"
        )
    found = np.full(len(outlines), SOUND, dtype=object)
    kinds = shapely.get_type_id(outlines)
    polygons = outlines.copy()
    mixed = kinds == _COLLECTION
    polygons[mixed] = [_polygon_parts(outline) for outline in outlines[mixed]]
    found[mixed] = PARTS

    infinite = _is_infinite(polygons)
    broken = ~shapely.is_valid(polygons) & ~infinite & (kinds >= 0)
    _check_crossings(polygons[broken])
    polygons[broken] = valid_polygons(polygons[broken])
    found[broken] = MENDED
    with np.errstate(invalid="ignore"):
        found[~(shapely.area(polygons) > 0)] = NO_AREA
    found[infinite] = INFINITE
    found[np.isin(kinds, _POINTS)] = POINT
    found[shapely.is_missing(outlines) | shapely.is_empty(outlines)] = NOTHING
    return polygons, found


def _polygon_parts(collection: Any) -> Any:
    """The polygons of a collection, also of collections in it."""
    import shapely

    parts = shapely.get_parts([collection])
    while (shapely.get_type_id(parts) == _COLLECTION).any():
        parts = shapely.get_parts(parts)
    areas = parts[np.isin(shapely.get_type_id(parts), _POLYGONS)]
    return shapely.multipolygons(shapely.get_parts(areas))


def _is_infinite(outlines: NDArray[Any]) -> NDArray[np.bool_]:
    import shapely

    coordinates, owner = shapely.get_coordinates(outlines, return_index=True)
    infinite = np.zeros(len(outlines), dtype=bool)
    infinite[owner[~np.isfinite(coordinates).all(axis=1)]] = True
    return infinite


def _check_crossings(outlines: NDArray[Any]) -> None:
    """Refuse outlines of which the edges cross so often that mending them has no end."""
    crossings = sum(count_crossings(outline) for outline in outlines)
    if crossings > MOST_CROSSINGS:
        raise BuildError(
            f"the edges of outlines cross one another about {crossings:,} times, which cannot be "
            "mended; simplify the outlines, or draw them again"
        )


def count_crossings(outline: Any) -> int:
    """Estimate from a sample how often edges of an outline meet others than their neighbours.

    Examples
    --------
    >>> import shapely
    >>> count_crossings(shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]))
    1
    """
    import shapely

    rings = shapely.get_rings(shapely.get_parts([outline]))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    joined = ring[1:] == ring[:-1]
    edges = shapely.linestrings(np.stack([points[:-1], points[1:]], axis=1)[joined])
    size = min(_SAMPLE, _LARGE_SAMPLE // max(1, len(edges)) + 1)
    sample = edges[:: max(1, -(-len(edges) // size))]
    met = shapely.STRtree(edges).query(sample, predicate="intersects").shape[1]
    own_and_neighbours = 3 * len(sample)
    return round(max(0, met - own_and_neighbours) / 2 * len(edges) / max(1, len(sample)))
