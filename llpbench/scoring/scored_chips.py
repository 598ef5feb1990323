"""Truth and predictions side by side, for the chips that are scored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class ScoredChips:
    """Truth and predictions of the scored chips of a split.

    Parameters
    ----------
    chip : ndarray of str, shape (n,)
        Their ids.
    truth, predicted : ndarray, shape (n, K)
        Shares in the score window, and those submitted.
    division : ndarray of str, shape (n,)
        Division that owns each chip; empty where none.
    null : ndarray, shape (K,), optional
        Shares that the null model predicts for every chip: the train mean.
    hard : ndarray, shape (n, K), optional
        Shares counted on the segmentation.
    confusion : ndarray of int, shape (n, K, K), optional
        Pixels by true (rows) and predicted class.
    gaps : ndarray, shape (C, K), optional
        For each owned division, in sorted order, the absolute difference between its known
        proportions and the overlap-weighted mean of the predictions; NaN where unknown.
    """

    chip: NDArray[np.str_]
    truth: FloatArray
    predicted: FloatArray
    division: NDArray[np.str_]
    null: FloatArray | None = None
    hard: FloatArray | None = None
    confusion: NDArray[np.int64] | None = None
    gaps: FloatArray | None = None

    @property
    def divisions(self) -> NDArray[np.str_]:
        """The divisions that own scored chips, sorted."""
        return np.unique(self.division)
