"""What methods share that are an objective of the field: they train the network of ``llpnet``."""

from __future__ import annotations

from typing import Any

from llpbench_baselines.borrowed_network import BorrowedNetwork


class ObjectiveMethod(BorrowedNetwork):
    """The network of another method, trained on bags by an objective of its own.

    By default that of ``llpnet``, as the bounds have it: methods differ in their objectives alone.

    Parameters
    ----------
    objective : str or Objective
        The one of the method, with its settings.
    epochs : int
        Passes over the training chips.
    **training
        See :class:`~llpbench_baselines.borrowed_network.BorrowedNetwork`.
    """

    design = (
        "Weights are those of the publications or guesses, and were not tuned; the number of "
        "epochs is what time allowed. The network was designed on the demo regions: there this is "
        "no independent result."
    )

    def __init__(self, *, objective: Any, epochs: int = 12, **training: Any) -> None:
        super().__init__(objective=objective, epochs=epochs, **training)
