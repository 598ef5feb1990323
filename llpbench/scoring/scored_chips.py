"""Truth and predictions side by side, for the chips that are scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from llpbench.brief import Brief
from llpbench.metrics.arrays import FloatArray


@dataclass(frozen=True, repr=False)
class ScoredChips(Brief):
    """Truth and predictions of the scored chips of a split, or of a block of it.

    Parameters
    ----------
    truth, predicted : ndarray, shape (n, K)
        Shares in the score window, and those submitted.
    division : ndarray of str, shape (n,)
        Division that owns each chip; empty where none.
    null : ndarray, shape (K,), optional
        Shares that the null model predicts for every chip: the train mean.
    hard, confusion : ndarray, shapes (n, K) and (n, K, K), optional
        Shares counted on the segmentation; pixels by true (rows) and predicted class.
    intervals : mapping of float to (ndarray, ndarray), shapes (n, K)
        Bounds of the intervals of each level; empty without.
    """

    chip: NDArray[np.str_]
    truth: FloatArray
    predicted: FloatArray
    division: NDArray[np.str_]
    null: FloatArray | None = None
    hard: FloatArray | None = None
    confusion: NDArray[np.int64] | None = None
    intervals: Mapping[float, tuple[FloatArray, FloatArray]] = field(default_factory=dict)

    @property
    def divisions(self) -> NDArray[np.str_]:
        """The divisions that own scored chips, sorted."""
        return np.unique(self.division)
