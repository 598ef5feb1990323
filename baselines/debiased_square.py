"""Squared errors of chips, as if divisions were chips drawn anywhere."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from llpbench_baselines.objective_method import ObjectiveMethod
from llpbench_baselines.objectives import debiased_square


class DebiasedSquare(ObjectiveMethod):
    """Learn from an estimate of squared errors of chips that is right for random bags alone.

    Parameters
    ----------
    **training
        See :class:`~llpbench_baselines.objective_method.ObjectiveMethod`, and for the settings of
        the objective :class:`llpbench_baselines.objectives.debiased_square.DebiasedSquare`.
    """

    source = "after Li et al., arXiv 2406.00487; Busa-Fekete et al., ICML 2025, arXiv 2505.05355"
    objectives = MappingProxyType({"debiased-square": debiased_square.DebiasedSquare})

    def __init__(self, *, objective: Any = "debiased-square", **training: Any) -> None:
        super().__init__(objective=objective, **training)
