"""The likelihood of how many cells of each class a bag holds."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from llpbench_baselines.objective_method import ObjectiveMethod
from llpbench_baselines.objectives import field


class LLPPVC(ObjectiveMethod):
    """Learn by the likelihood of how many cells of each class a bag holds.

    Parameters
    ----------
    **training
        See :class:`~llpbench_baselines.objective_method.ObjectiveMethod`, and for the settings of
        the objective :class:`llpbench_baselines.objectives.field.LLPPVC`.
    """

    source = (
        "after Learning from Label Proportions via Proportional Value Classification, ICLR 2026"
    )
    objectives = MappingProxyType({"llp-pvc": field.LLPPVC})

    def __init__(self, *, objective: Any = "llp-pvc", **training: Any) -> None:
        super().__init__(objective=objective, **training)
