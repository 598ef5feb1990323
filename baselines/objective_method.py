"""What methods share that are an objective of the field: they train the network of ``llpnet``."""

from __future__ import annotations

from typing import Any

import xarray as xr
from numpy.typing import NDArray

from llpbench_baselines.keras_method import KerasMethod
from llpbench_baselines.supervised import ChipSupervised


class ObjectiveMethod(ChipSupervised):
    """The network of another method, trained on bags by an objective of its own.

    By default that of ``llpnet``, as the bounds have it: methods differ in their objectives alone.

    Parameters
    ----------
    objective : str or Objective
        The one of the method, with its settings.
    epochs : int
        Passes over the training chips.
    **training
        See :class:`~llpbench_baselines.supervised.ChipSupervised`.
    """

    supervision = "division"
    is_reference = False
    design = (
        "Weights are those of the publications or guesses, and were not tuned; the number of "
        "epochs is what time allowed. The network was designed on the demo regions: there this is "
        "no independent result."
    )

    def __init__(self, *, objective: Any, epochs: int = 12, **training: Any) -> None:
        super().__init__(objective=objective, epochs=epochs, **training)

    def targets(self, ds: xr.Dataset) -> NDArray[Any]:
        """Take the mixes of divisions, which say which chips lie in one."""
        return KerasMethod.targets(self, ds)
