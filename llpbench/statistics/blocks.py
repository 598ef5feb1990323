"""Blocks of neighbouring divisions, for errors that do not stop at a boundary."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from llpbench.errors import MetricError


def spatial_blocks(centroids: ArrayLike, divisions_per_block: int = 4) -> NDArray[np.int64]:
    """Group divisions into compact blocks of about equal number.

    The points are halved across their longer extent until no part is larger than asked: the leaves
    of a k-d tree. Blocks are disjoint, fixed before any score is seen and the same at every call.

    Parameters
    ----------
    centroids : array_like, shape (C, 2)
        Coordinates of the divisions in one unit of length (km), not degrees.
    divisions_per_block : int
        Most divisions in a block; parts are halved, so that blocks hold half of it or more.

    Returns
    -------
    ndarray of int64, shape (C,)
        Block of each division, 0 up, for ``division_interval(..., blocks=...)``.

    Raises
    ------
    MetricError
        Another shape, coordinates that are not finite, or blocks of none.

    Notes
    -----
    Source: the blocks of the spatial block bootstrap, Lahiri (2003), Resampling Methods for
    Dependent Data, chapter 12, made of divisions in place of a grid; they are left out in turn.

    Examples
    --------
    >>> spatial_blocks([[0, 0], [9, 9], [0, 1], [9, 8]], divisions_per_block=2)
    array([0, 1, 0, 1])
    """
    points = np.asarray(centroids, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) == 0:
        raise MetricError(f"centroids must have shape (divisions, 2), not {points.shape}")
    if not np.isfinite(points).all() or divisions_per_block < 1:
        raise MetricError("centroids must be finite and blocks hold at least one division")
    blocks = np.empty(len(points), dtype=np.int64)
    nodes, leaves = [scipy.spatial.KDTree(points, leafsize=divisions_per_block).tree], 0
    while nodes:
        node = nodes.pop()
        if isinstance(node, scipy.spatial.KDTree.leafnode):
            blocks[node.idx] = leaves
            leaves += 1
        else:
            nodes += [node.greater, node.less]
    return blocks
