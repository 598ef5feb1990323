"""Division regressions to which the mean features of divisions are enough."""

from __future__ import annotations

from typing import Self

import numpy as np
import xarray as xr

from llpbench.methods.division_statistics import DivisionStatistics
from llpbench.methods.one_pass import OnePassMethod
from llpbench_baselines.division_regression import DivisionRegression


class MeansRegression(DivisionRegression, OnePassMethod):
    """A division regression that sees of features nothing but means over divisions.

    What it is fitted to has a row a division, as if each were a chip: see
    :meth:`~llpbench.methods.division_statistics.DivisionStatistics.divisions`.
    """

    def fit_statistics(self, seen: DivisionStatistics, train: xr.Dataset) -> Self:
        """Fit to all chips that were seen."""
        self.categories_ = train["category_name"].to_numpy()
        proportions = train["division_proportions"].to_numpy().astype(np.float64)
        divisions = seen.divisions(proportions).known(at_least=2)
        return self.fit_scaled(seen.means, seen.mean, seen.deviation, divisions)
