"""A score: the one type in which values travel from the scorer to files and pages."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict

from llpbench.brief import Brief


def _defined(value: object) -> object:
    return None if isinstance(value, float) and not np.isfinite(value) else value


Number = Annotated[float | None, BeforeValidator(_defined)]
"""A finite number, or None where there is none: NaN and infinities become None."""


class Score(Brief, BaseModel):
    """A value of a metric, its 95 % interval and its values by category.

    Attributes
    ----------
    value : float or None
        None where the metric is not defined.
    low, high : float or None
        Bounds of the interval; None where there is none (below 5 divisions, reported results).
    per_class : dict of str to (float or None)
        Values by category, in their order; empty where the metric has none.

    Examples
    --------
    >>> Score(value=0.25, low=0.125).model_dump_json()
    '{"value":0.25,"low":0.125,"high":null,"per_class":{}}'
    >>> Score(value=float("nan")).value is None
    True
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: Number
    low: Number = None
    high: Number = None
    per_class: dict[str, Number] = {}

    def rounded(self, digits: int) -> Score:
        """Round every number to so many decimals."""

        def short(number: float | None) -> float | None:
            return None if number is None else round(number, digits)

        return Score(
            value=short(self.value),
            low=short(self.low),
            high=short(self.high),
            per_class={name: short(number) for name, number in self.per_class.items()},
        )
