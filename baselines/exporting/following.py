"""A method and what is done to its shares, together a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llpbench.errors import MethodError
from llpbench.methods.method import Method
from llpbench_baselines.exporting.exportable import Exportable
from llpbench_baselines.exporting.numbers import Numbers


class Following(Exportable):
    """A fitted method whose shares, tensors (1, category), become others; classes stay."""

    def __init__(self, method: Method, change: Callable[[Any], Any]) -> None:
        if not isinstance(method, Exportable):
            raise MethodError(
                f"{type(method).__name__} cannot be exported: it is not written as a graph"
            )
        self.method, self.change = method, change
        self.marks_integers = method.marks_integers

    def graph(self, images: Any, numbers: Numbers) -> tuple[Any, Any | None]:
        """Shares after the change, and classes of the method."""
        shares, classes = self.method.graph(images, numbers)
        return self.change(shares), classes
