"""Bags, and bags that are mixed of two."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from llpbench_baselines.objective_method import ObjectiveMethod
from llpbench_baselines.objectives import field


class MixBag(ObjectiveMethod):
    """Learn bags, and bags mixed of two, whose proportions are known within an interval.

    Parameters
    ----------
    **training
        See :class:`~llpbench_baselines.objective_method.ObjectiveMethod`, and for the settings of
        the objective :class:`llpbench_baselines.objectives.field.MixBag`.
    """

    source = "after Asanomi et al., ICCV 2023, arXiv 2308.08822"
    objectives = MappingProxyType({"mixbag": field.MixBag})

    def __init__(self, *, objective: Any = "mixbag", **training: Any) -> None:
        super().__init__(objective=objective, **training)
