"""Mixtures taken apart by a graph: the nearest point of the convex hull of a few parts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import MethodError
from llpbench_baselines.backend import tf

_MOST = 10
"""Parts, at most: each subset of them is looked at."""

_FLAT = 1e-6
"""Of the largest length: what is thinner has no extent in float32."""


@dataclass(frozen=True)
class Hull:
    r"""Parts as points, and how to find the shares of them that make up what is seen.

    The shares of :func:`~llpbench_baselines.unmixing.unmix` are those of the nearest point of the
    convex hull of the parts, where distances are those of their inner product. That point lies
    within a face, whose vertices are a subset S of the parts: it is the foot of the perpendicular
    on the plane of the face, if none of its shares is negative, and if no other part j would have
    a positive one in the foot on the plane of S and j. These are the conditions of Karush, Kuhn and
    Tucker (Lawson and Hanson, Solving least squares problems, 1974, theorem 23.4), measured in
    shares. All are linear in the place of what is seen, and the face that violates them least is
    taken: unlike distances, which hardly differ near the nearest point, they are as exact as the
    shares.

    Parameters
    ----------
    directions : ndarray of float64, shape (part, axis)
        Products of what is seen with each part, times these, less the ``origin``, shape (axis,),
        are its place y; the longest axis of the parts has the length 1.
    vertices : ndarray of float64, shape (part, axis)
        Places of the parts.
    """

    directions: NDArray[np.float64]
    origin: NDArray[np.float64]
    vertices: NDArray[np.float64]

    @classmethod
    def of(cls, gram: NDArray[np.float64]) -> Self:
        """Place parts by their inner products, (part, part).

        Raises
        ------
        MethodError
            If they are too many.
        """
        if len(gram) > _MOST:
            raise MethodError(
                f"the shares of at most {_MOST} classes can be found by a file, found {len(gram)}: "
                "group the classes, or export another method"
            )
        squares, vectors = np.linalg.eigh(gram)
        kept = squares > _FLAT**2 * squares[-1]
        lengths = np.sqrt(squares[kept])
        points = vectors[:, kept] * lengths
        _left, extents, axes = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
        within = extents > _FLAT * max(lengths[-1], extents[0])
        scaled = axes[within].T / extents[0]
        return cls(
            vectors[:, kept] / lengths @ scaled,
            points.mean(axis=0) @ scaled,
            (points - points.mean(axis=0)) @ scaled,
        )

    def mix(self, place: Any) -> Any:
        """Shares of the parts, a tensor of float32 (1, part), that come nearest to (1, axis)."""
        slopes, constants, vertices = (array.astype(np.float32) for array in self._conditions())
        # sums of products, which no runtime rounds to bytes
        products = tf.reduce_sum(tf.transpose(place) * slopes, axis=0)
        excess = tf.reshape(products + constants, vertices.shape)
        best = tf.argmin(tf.reduce_max(excess, axis=1), output_type=tf.int32)
        shares = tf.nn.relu(-tf.gather(excess, best)) * tf.gather(vertices, best)
        return (shares / tf.reduce_sum(shares))[tf.newaxis]

    def _conditions(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """What must not be positive for a face to be right, and whether a part is a vertex of it.

        For a vertex that is its share with the other sign, else what its share would be.

        Returns
        -------
        slopes : ndarray, shape (axis, face * part)
            What a place is multiplied by.
        constants : ndarray, shape (face * part,)
            What is added.
        vertices : ndarray of bool, shape (face, part)
            Whether a part is one of a face.
        """
        count = len(self.vertices)
        faces = [
            face
            for size in range(1, self.vertices.shape[1] + 2)
            for face in combinations(range(count), size)
        ]
        feet = {face: self._foot(face) for face in faces}
        within = [face for face in faces if feet[face] is not None]
        conditions = np.zeros((len(within), count, 1 + self.vertices.shape[1]))
        for face, rows in zip(within, conditions, strict=True):
            for part in range(count):
                larger = tuple(sorted({*face, part}))
                foot = feet.get(larger)
                if foot is not None:
                    rows[part] = (-1 if part in face else 1) * foot[larger.index(part)]
        vertices = np.array([[part in face for part in range(count)] for face in within])
        flat = conditions.reshape(-1, conditions.shape[-1])
        return flat[:, 1:].T, flat[:, 0], vertices

    def _foot(self, face: tuple[int, ...]) -> NDArray[np.float64] | None:
        """Shares of the foot on a face, (vertex, 1 + axis): constants, then slopes.

        None where the face is as good as one of fewer vertices.
        """
        first, *others = self.vertices[[*face]]
        edges = np.reshape(others, (-1, len(first))) - first
        if others and np.linalg.svd(edges, compute_uv=False)[-1] <= _FLAT:
            return None
        slopes = np.linalg.pinv(edges).T
        shares = np.column_stack([-slopes @ first, slopes])
        return np.vstack([np.eye(1, shares.shape[1])[0] - shares.sum(axis=0), shares])
