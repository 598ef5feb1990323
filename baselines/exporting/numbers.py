"""With what numbers a graph computes: as they are, or rounded to bytes where it says so."""

from __future__ import annotations

from typing import Any


class Numbers:
    """Numbers as they are; subclasses watch or round what a graph shows them.

    A graph passes each array of weights through :meth:`weights` and what it computes from it
    through :meth:`values`. What it does not pass stays float32.
    """

    def weights(self, array: Any) -> Any:
        """Weights of a product, (..., input, output)."""
        return array

    def values(self, name: str, tensor: Any) -> Any:
        """What goes into a product or comes out of one, under a name of its own."""
        return tensor
