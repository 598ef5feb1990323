"""What chips need of an image on a lattice, whatever it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from llpbench.data.building.placing import Source, Window
from llpbench.data.grid import ChipGrid

Pixels = tuple[NDArray[Any], NDArray[np.bool_]]
"""Values, (band, row, column), 0 where there is no pixel; and where there is one, (row, column)."""


class OpenImage(Protocol):
    """An image, some of whose files are open."""

    def read_all(self, windows: Iterable[Window]) -> Iterator[Pixels]:
        """Read parts of the lattice one after the other."""

    def is_present(self, window: Window) -> NDArray[np.bool_]:
        """Which pixels there are in a part of the lattice."""


class ImageLayer(Protocol):
    """An image on a lattice whose cells are pixels; picklable."""

    @property
    def lattice(self) -> ChipGrid:
        """Whose cells are pixels."""

    @property
    def sources(self) -> Sequence[Source]:
        """All files."""

    @property
    def bands(self) -> int:
        """How many are read."""

    @property
    def outline(self) -> Any:
        """Where pixels are, in columns and rows; None where the files must be read for it."""

    def open(self) -> AbstractContextManager[OpenImage]:
        """Open the files as they are needed, for one thread; close all in the end."""
