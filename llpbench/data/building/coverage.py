"""Whether divisions lie over one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from llpbench.errors import BuildError, examples

if TYPE_CHECKING:
    import geopandas as gpd

SLIVER = 0.01
"""Part of the smaller division that lies over another where borders are drawn twice."""

COVERED = 0.5
"""Part of a division that may lie under smaller ones."""


def check_coverage(divisions: gpd.GeoDataFrame) -> list[str]:
    """Refuse divisions of two levels in one file; remark on others that lie over one another.

    They are valid, in a plane, and indexed by id.
    """
    pairs = overlapping_pairs(divisions)
    real = pairs[pairs["part"] > SLIVER].sort_values("part", ascending=False, kind="stable")
    if not len(real):
        return []
    covered = real.groupby("larger", sort=False)["covered"].sum()
    above = covered[covered > COVERED].sort_values(ascending=False, kind="stable").index
    if len(above):
        below = real.loc[real["larger"] == above[0], "smaller"]
        raise BuildError(
            f"divisions lie over one another, so no place would have one set of proportions: "
            f"{examples(above)} cover {examples(below)}; keep divisions of one level, each once"
        )
    worst = ", ".join(
        f"{row.part:.0%} of {examples([row.smaller])} in {examples([row.larger])}"
        for row in real[:3].itertuples()
    )
    return [f"divisions lie over one another, {len(real)} pairs of them: {worst}"]


def overlapping_pairs(divisions: gpd.GeoDataFrame) -> pd.DataFrame:
    """Pairs of divisions that share an area.

    Returns
    -------
    DataFrame
        The ids ``larger`` and ``smaller`` (where both are as large, the first is the larger),
        ``covered`` (part of the larger that they share) and ``part`` (of the smaller).

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> boxes = {"a": box(0, 0, 2, 1), "b": box(1, 0, 2, 1), "c": box(2, 0, 3, 1)}
    >>> overlapping_pairs(gpd.GeoDataFrame(geometry=list(boxes.values()), index=list(boxes)))
      larger smaller  covered  part
    0      a       b      0.5   1.0
    """
    import shapely

    outlines = divisions.geometry.to_numpy()
    suspects = np.flatnonzero(~shapely.is_empty(shapely.coverage_invalid_edges(outlines)))
    found, other = shapely.STRtree(outlines).query(outlines[suspects], predicate="intersects")
    pair = np.sort(np.stack([suspects[found], other], axis=1), axis=1)
    first, second = np.unique(pair[pair[:, 0] < pair[:, 1]], axis=0).T
    area = shapely.area(outlines)
    shared = shapely.area(shapely.intersection(outlines[first], outlines[second]))
    swap = area[second] > area[first]
    larger, smaller = np.where(swap, second, first), np.where(swap, first, second)
    pairs = pd.DataFrame(
        {
            "larger": divisions.index[larger],
            "smaller": divisions.index[smaller],
            "covered": shared / area[larger],
            "part": shared / area[smaller],
        }
    )
    return pairs[shared > 0].reset_index(drop=True)
