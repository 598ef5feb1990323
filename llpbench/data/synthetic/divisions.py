"""Divisions of a made region: Voronoi cells, and who owns which chip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from llpbench.data.synthetic.noise import PixelGrid, salt, smooth_noise
from llpbench.data.synthetic.places import boxes, centres, neighbourhood
from llpbench.protocol import CHIP_SIZE

_REACH: Final = 2
"""Kilometres that some divisions go beyond the chips."""


@dataclass(frozen=True)
class Divisions:
    """Divisions in the plane of the projection, in kilometres.

    Parameters
    ----------
    seats : ndarray of float64, shape (division, 2)
        Their x and y; a division is all land that is nearer to its seat than to another.
    reaches_out : ndarray of bool, shape (division,)
        Whether its land goes on for two kilometres beyond the chips.
    land, hinterland : ndarray of int64, shape (place, 2)
        Rows and columns of the chips, and of the squares beyond them.
    outlines : ndarray of shapely geometries, shape (division,)
        The land of each.
    """

    seats: NDArray[np.float64]
    reaches_out: NDArray[np.bool_]
    land: NDArray[np.int64]
    hinterland: NDArray[np.int64]
    outlines: NDArray[Any]

    def owners(self) -> NDArray[np.intp]:
        """Division with the largest overlap with each chip, shape (chip,)."""
        import shapely

        squares = boxes(self.land)
        chip, division = shapely.STRtree(self.outlines).query(squares, predicate="intersects")
        area = shapely.area(shapely.intersection(squares[chip], self.outlines[division]))
        by_area = np.argsort(area, kind="stable")
        owners = np.empty(len(squares), dtype=np.intp)
        owners[chip[by_area]] = division[by_area]  # the last, largest one stays
        return owners


def divide(places: NDArray[np.int64], seed: int) -> tuple[Divisions, NDArray[np.intp]]:
    """Divide the chips' places so that every division owns a chip; also number each chip's own."""
    seats = _seats(places, seed)
    while True:
        divisions = _around(seats, places)
        owners = divisions.owners()
        owning = np.unique(owners)
        if len(owning) == len(seats):
            return divisions, owners
        seats = seats[owning]


def _seats(places: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Seats of divisions: denser here than there, then moved apart by three steps of Lloyd's.

    Their number grows like the chips' to the power .65: 100 for 2,000 chips, 1,000 for 70,000.
    """
    from scipy.spatial import KDTree

    number = max(4, round(100 * (len(places) / 2000) ** 0.65))
    crowd = smooth_noise(salt(seed, "crowd"), 12 * CHIP_SIZE, PixelGrid(places, step=CHIP_SIZE))
    density = 2.0 + np.clip(crowd.ravel().astype(np.float64), -1, 1)
    rng = np.random.default_rng(salt(seed, "seats"))
    chosen = rng.choice(len(places), number, replace=False, p=density / density.sum())
    middles = centres(places)
    seats: NDArray[np.float64] = middles[chosen]
    for _ in range(3):
        nearest = KDTree(seats).query(middles)[1]
        chips = np.bincount(nearest, minlength=number)[:, None]
        sums = np.stack([np.bincount(nearest, axis, number) for axis in middles.T], axis=1)
        seats = np.where(chips > 0, sums / np.maximum(chips, 1), seats)
    return seats


def _around(seats: NDArray[np.float64], places: NDArray[np.int64]) -> Divisions:
    """Divisions around seats: every sixth reaches out, the others end with the chips."""
    import shapely

    hinterland = neighbourhood(places, _REACH)
    reaches_out = np.arange(len(seats)) % 6 == 0
    land = shapely.coverage_union_all(boxes(places))
    everything = shapely.coverage_union_all(boxes(np.concatenate([places, hinterland])))
    outlines = shapely.intersection(_voronoi(seats), np.where(reaches_out, everything, land))
    return Divisions(seats, reaches_out, places, hinterland, outlines)


def _voronoi(seats: NDArray[np.float64]) -> NDArray[Any]:
    """Voronoi cells of points, bounded by four more points far away."""
    import shapely
    from scipy.spatial import Voronoi

    middle, span = seats.mean(axis=0), np.ptp(seats, axis=0).max() + 10
    far = middle + 20 * span * np.array([[-1, 0], [1, 0], [0, -1], [0, 1]])
    diagram = Voronoi(np.concatenate([seats, far]))
    corners = [
        diagram.vertices[diagram.regions[cell]] for cell in diagram.point_region[: len(seats)]
    ]
    cells: NDArray[Any] = shapely.convex_hull([shapely.MultiPoint(points) for points in corners])
    return cells
