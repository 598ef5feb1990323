"""Bags, and cells that say the same when they are disturbed."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from llpbench_baselines.objective_method import ObjectiveMethod
from llpbench_baselines.objectives import field


class LLPVAT(ObjectiveMethod):
    """Learn bags, and to say the same of cells disturbed where it matters most.

    Parameters
    ----------
    **training
        See :class:`~llpbench_baselines.objective_method.ObjectiveMethod`, and for the settings of
        the objective :class:`llpbench_baselines.objectives.field.LLPVAT`.
    """

    source = "after Tsai and Lin, ACML 2020, arXiv 1910.13188"
    objectives = MappingProxyType({"llp-vat": field.LLPVAT})

    def __init__(self, *, objective: Any = "llp-vat", **training: Any) -> None:
        super().__init__(objective=objective, **training)
