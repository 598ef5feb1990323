"""What a method needs to become a file: itself as a graph of TensorFlow."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from llpbench.exported.card import Card
from llpbench.methods.method import Method
from llpbench_baselines.backend import tf
from llpbench_baselines.exporting.numbers import Numbers


class Exportable(Method):
    """A method that can say what it computes as a graph of TensorFlow, one chip at a time.

    Attributes
    ----------
    marks_integers : bool
        Whether its graph says itself which numbers may be rounded to bytes; else all that the
        runtime can compute with bytes are. A graph that says so of none has weights of bytes.
    """

    marks_integers: bool = False

    @abstractmethod
    def graph(self, images: Any, numbers: Numbers) -> tuple[Any, Any | None]:
        """Shares and classes of a chip, as :meth:`predict` finds them.

        Parameters
        ----------
        images : tensor, shape (1, row, column, band)
            The score window as it is stored.
        numbers : Numbers
            What weights and values pass through.

        Returns
        -------
        shares : tensor of float32, shape (1, category)
            From 0 to 1; they sum to 1.
        classes : tensor of uint8, shape (1, grid, grid), or None
            Where the method has pixels.
        """

    def export(self, path: Path, card: Card, calibration: NDArray[Any] | None) -> None:
        """Write it as a file of the card's format; the grid of the card is that of the graph.

        With ``int8`` LiteRT computes with bytes where a method marks integers, and nowhere else;
        of other methods, in products and in what only moves numbers or chooses among them. ONNX
        Runtime does in products alone.
        """
        from llpbench_baselines.exporting.writing import write_graph

        write_graph(self.graph, path, card, calibration, marks_integers=self.marks_integers)


def most_probable(probabilities: Any) -> Any:
    """Classes of pixels as files give them, uint8 (n, row, column), from (n, ..., category)."""
    return tf.cast(tf.argmax(probabilities, axis=-1, output_type=tf.int32), tf.uint8)
