"""The mean absolute error of chips, estimated where none has a label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from llpbench.brief import Brief
from llpbench.uncertainty.error_model import ErrorModel

ASSUMPTIONS = (
    "estimated from held-out divisions alone: it holds if errors grow with how mixed a chip is, "
    "fade over about the distance over which the map changes, and are of one kind in the whole "
    "region"
)
"""What the estimate rests on, as a sentence for those who read it."""

_MOST_CHIPS = 4000
_LEAST_LIKELY = 1e-3


@dataclass(frozen=True, repr=False)
class ChipError(Brief):
    """Estimated mean absolute error of chips, with 95 % intervals.

    Attributes
    ----------
    value, low, high : float
        Of all classes, from 0 to 1.
    per_class : DataFrame
        ``value``, ``low`` and ``high``, a row a class.
    of_chips : ndarray of float64, shape (chip, category)
        Expected absolute error of each chip.
    """

    value: float
    low: float
    high: float
    per_class: pd.DataFrame
    of_chips: NDArray[np.float64]

    def to_dict(self) -> dict[str, Any]:
        """Numbers and assumptions as JSON can hold them."""
        whole = {"value": self.value, "low": self.low, "high": self.high}
        per_class = self.per_class.to_dict("index")
        return {**whole, "per_class": per_class, "assumptions": ASSUMPTIONS}


def estimate_chip_error(
    model: ErrorModel, shares: NDArray[np.float64], categories: Sequence[str]
) -> ChipError:
    """Estimate how wrong predicted shares of chips are, on average.

    Parameters
    ----------
    model : ErrorModel
        See :func:`~llpbench.uncertainty.fitting.fit_error_model`.
    shares : ndarray of float64, shape (chip, category)
        Predicted.
    categories : sequence of str
        Names of the classes.

    Notes
    -----
    The interval is of what divisions leave open: how far errors are shared between neighbours, and
    how few divisions there are; not of the assumptions (:data:`ASSUMPTIONS`).
    """
    of_chips = model.absolute_errors(shares)
    values = of_chips.mean(axis=0)
    factor = np.exp(scipy.special.ndtri(0.975) * _log_deviation(model, shares))
    columns = {"value": values, "low": values / factor, "high": np.minimum(values * factor, 1)}
    value = float(values.mean())
    return ChipError(
        value,
        value / factor,
        min(value * factor, 1.0),
        pd.DataFrame(columns, index=pd.Index(categories, name="category")),
        of_chips,
    )


def _log_deviation(model: ErrorModel, shares: NDArray[np.float64]) -> float:
    """Standard deviation of the logarithm of the estimate."""
    some = shares[:: -(-len(shares) // _MOST_CHIPS)]
    likely = np.flatnonzero(model.weights > _LEAST_LIKELY * model.weights.max())
    weights = model.weights[likely] / model.weights[likely].sum()
    each = [replace(model, weights=np.ones(1), scales=model.scales[[n]]) for n in likely]
    logs = np.log([one.absolute_errors(some).mean() for one in each])
    variance = weights @ np.square(logs - weights @ logs)
    return float(np.sqrt(variance + model.noise**2))
