"""Bags, and pseudo-labels of cells that are trusted by two entropies."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from llpbench_baselines.objective_method import ObjectiveMethod
from llpbench_baselines.objectives import field


class L2PAHIL(ObjectiveMethod):
    """Learn bags, and those pseudo-labels of cells that two entropies trust.

    Parameters
    ----------
    **training
        See :class:`~llpbench_baselines.objective_method.ObjectiveMethod`, and for the settings of
        the objective :class:`llpbench_baselines.objectives.field.L2PAHIL`.
    """

    source = "after Ma et al., arXiv 2411.10364"
    objectives = MappingProxyType({"l2p-ahil": field.L2PAHIL})

    def __init__(self, *, objective: Any = "l2p-ahil", **training: Any) -> None:
        super().__init__(objective=objective, **training)
