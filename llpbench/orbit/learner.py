"""What learns on board from chips that pass by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from llpbench.methods.method import Method

BLOCK = 32
"""Chips that are measured at a time."""


class Learner(ABC):
    """Learns from chips that pass by once.

    Attributes
    ----------
    way : str
        A word for what is kept of them.
    changed_bytes : int
        Bytes of statistics that the last pass changed, from which the ground can fit the method;
        0 where it needs chips.
    method : Method
        What is trained; fitted after :meth:`learn`.
    """

    way: ClassVar[str]
    method: Method
    changed_bytes: int = 0

    @abstractmethod
    def see(self, chips: NDArray[np.intp]) -> None:
        """Let chips pass: positions in the train split."""

    @abstractmethod
    def learn(self, labels: xr.Dataset) -> None:
        """Fit the method to what came so far.

        Parameters
        ----------
        labels : Dataset
            The train split with proportions of the divisions that were sent up, NaN for others.
        """

    @property
    @abstractmethod
    def held(self) -> int:
        """Chips whose raw pixels are held."""


def in_blocks(chips: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Positions of chips, a few at a time."""
    for start in range(0, len(chips), BLOCK):
        yield chips[start : start + BLOCK]
