"""What a method was trained to see of chips: an array, its bands, and what its numbers mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import TypeAdapter

from llpbench.data.batches.images import read_coding
from llpbench.data.imagery import CELLS, DIMS, EMBEDDING, IMAGE, RGB, Coding
from llpbench.errors import MethodError, examples
from llpbench.protocol import WINDOW_SIDE

WEIGHTS = "input"
"""The name among a method's weights under which it is kept, unless it is red, green and blue."""


@dataclass(frozen=True)
class ChipInput:
    """An array of chips as :func:`~llpbench.data.batches.images.load_images` reads it.

    By default the red, green and blue bytes of the published datasets.

    Parameters
    ----------
    array : {"image", "embedding"}
    bands : tuple of str
        Names of its bands or features.
    dtype : str
        Of the numbers that are read.
    coding : Coding
        How they become values.
    """

    array: str = IMAGE
    bands: tuple[str, ...] = tuple(RGB.names)
    dtype: str = RGB.dtype
    coding: Coding = RGB.coding

    @classmethod
    def of(cls, ds: xr.Dataset, array: str = IMAGE) -> Self:
        """Read it from a dataset; three bands of bytes without names are red, green and blue.

        Raises
        ------
        MethodError
            If there is no such array.
        """
        coding, dtype = read_coding(ds, array)
        dim = DIMS[array][-1]
        if dim in ds.coords:
            names = tuple(ds[dim].to_numpy().astype(str).tolist())
        elif (ds.sizes[dim], str(dtype)) == (len(RGB.names), RGB.dtype):
            names = tuple(RGB.names)
        else:
            names = tuple(str(number) for number in range(1, ds.sizes[dim] + 1))
        return cls(array, names, str(dtype), coding)

    @classmethod
    def any_of(cls, ds: xr.Dataset) -> Self:
        """Read that of the pixels or, where a dataset has none, of the cells of its embedding."""
        has_cells_alone = EMBEDDING in ds and IMAGE not in ds
        return cls.of(ds, EMBEDDING if has_cells_alone else IMAGE)

    @property
    def is_bytes(self) -> bool:
        """Whether numbers are bytes that stand for nothing but themselves."""
        return self.dtype == "uint8" and self.coding == Coding()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of a chip: (96, 96, band) or (24, 24, feature)."""
        side = WINDOW_SIDE if self.array == IMAGE else CELLS
        return side, side, len(self.bands)

    def check(self, ds: xr.Dataset) -> None:
        """Refuse chips that are not what a method was trained on.

        Raises
        ------
        MethodError
            If another array is there, or its bands or numbers are others.
        """
        found = type(self).of(ds, self.array)
        if found != self:
            raise MethodError(
                f"this method was trained on {self}, found {found}: predict a dataset that was "
                "built in the same way, or train the method on one like this"
            )

    def __str__(self) -> str:
        """Say it in a sentence, such as ``image of 3 bands 'red', 'green', 'blue' of uint8``."""
        coding = {name: value for name, value in asdict(self.coding).items() if value is not None}
        usual = asdict(Coding())
        told = [f"{name} {value:g}" for name, value in coding.items() if value != usual[name]]
        what = "bands" if self.array == IMAGE else "features"
        meaning = f" ({', '.join(told)})" if told else ""
        names = examples(self.bands, 13)
        return f"{self.array} of {len(self.bands)} {what} {names} of {self.dtype}{meaning}"

    def to_weights(self) -> dict[str, NDArray[np.str_]]:
        """What is kept with weights: nothing of red, green and blue bytes."""
        if self == type(self)():
            return {}
        return {WEIGHTS: np.array(json.dumps(asdict(self)))}

    @classmethod
    def of_weights(cls, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Read what :meth:`to_weights` kept.

        Raises
        ------
        ValueError
            If no training leaves such.
        """
        if WEIGHTS not in weights:
            return cls()
        kept = TypeAdapter(cls).validate_json(str(weights[WEIGHTS]))
        if kept.array not in (IMAGE, EMBEDDING) or not 0 < len(kept.bands) <= 4096:
            raise ValueError("they are of no array that a dataset has")
        return kept
