"""Scores of class probabilities of pixels, summed while chips are predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from llpbench import metrics
from llpbench.data.labels import scored_labels
from llpbench.methods.estimate import Estimate

if TYPE_CHECKING:
    import xarray as xr


class PixelScores:
    """Brier score and calibration error of a split's batches; labels are read for each batch."""

    def __init__(self, ds: xr.Dataset) -> None:
        self._labels = scored_labels(ds)
        self._start = 0
        self._brier: list[NDArray[np.float64]] = []
        self._tables: list[NDArray[np.float64]] = []

    def add(self, batch: Estimate) -> None:
        """Compare the next chips with their labels, if there are probabilities."""
        if batch.grid is None:
            return
        rows = slice(self._start, self._start + len(batch.shares))
        truth = self._labels.isel(chip=rows).to_numpy()
        self._brier.append(np.asarray(metrics.brier(truth, batch.grid, per="chip")))
        self._tables.append(metrics.reliability_table(truth, batch.grid))
        self._start = rows.stop

    def summary(self) -> dict[str, float]:
        """``brier`` and ``expected_calibration_error``, empty without any probability."""
        if not self._brier:
            return {}
        return {
            "brier": float(np.nanmean(np.concatenate(self._brier))),
            "expected_calibration_error": metrics.calibration_error_of(
                np.sum(self._tables, axis=0)
            ),
        }
